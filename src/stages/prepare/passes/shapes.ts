/**
 * Fixing the shapes of a model's inputs, and recording those of all other values.
 *
 * @module
 */

import { type Problem, UserError } from "../../../base/errors.ts";
import { didYouMean } from "../../../base/suggest.ts";
import { inferShapes } from "../../../engine/shapes.ts";
import type { Dimension, Graph, Model } from "../../../onnx/model.ts";

/** The shapes that a user gives. */
export interface InputShapes {
  /** Shapes by input name; a text such as `"N"` is a dynamic dimension. */
  readonly shape: Readonly<Record<string, readonly (number | string)[]>>;
  /** The first dimension of every input: as the file has it, dynamic, or a size. */
  readonly batch: "keep" | "dynamic" | number;
}

/** The name of a batch dimension that the file does not name. */
const BATCH = "N";

/**
 * Sets the shapes of a model's inputs. Afterwards only the first dimension of an input can be dynamic.
 *
 * @throws {UserError} If an input that is named does not exist, or a dimension that must be fixed is not.
 */
export function setInputShapes(graph: Graph, { shape, batch }: InputShapes): void {
  const problems: Problem[] = [];
  const names = graph.inputs.map((input) => input.name);
  for (const [name, dims] of Object.entries(shape)) {
    const input = graph.inputs.find((input) => input.name === name);
    if (input === undefined) {
      const hint = didYouMean(name, names);
      problems.push({ message: `The model has no input "${name}"`, ...(hint && { hint }) });
    } else if (input.dims !== undefined && input.dims.length !== dims.length) {
      problems.push({
        message: `Input "${name}" has ${input.dims.length} dimensions ${text(input.dims)}: ` +
          `the shape given has ${dims.length}`,
      });
    } else {
      input.dims = [...dims];
    }
  }
  for (const input of graph.inputs) {
    if (input.dims !== undefined && input.dims.length > 0) {
      if (batch !== "keep") input.dims[0] = batch === "dynamic" ? BATCH : batch;
      else if (typeof input.dims[0] !== "number") input.dims[0] ||= BATCH;
    }
    const open = input.dims?.findIndex((dim, axis) => axis > 0 && typeof dim !== "number") ?? 0;
    if (open < 0 || problems.length > 0) continue;
    problems.push({
      message: input.dims === undefined
        ? `Input "${input.name}" has no shape`
        : `Input "${input.name}" has shape ${text(input.dims)}: dimension ${open} must be fixed`,
      hint: `Say it in "with": shape: { ${JSON.stringify(input.name)}: ${example(input.dims)} }`,
    });
  }
  if (problems.length > 0) throw new UserError(problems);
}

/**
 * Writes the type and shape of every value into the graph. With a dynamic batch, dimensions that are the batch get its
 * name, and others that change with it stay open.
 */
export async function recordShapes(model: Model): Promise<void> {
  const { graph } = model;
  const dynamic = graph.inputs.map((input) => input.dims?.[0]).find((dim) =>
    typeof dim === "string"
  );
  const at = (batch: number) =>
    inferShapes(
      model,
      Object.fromEntries(graph.inputs.map(({ name, dims = [] }) => [
        name,
        dims.map((dim) => typeof dim === "number" ? dim : batch),
      ])),
    );
  const shapes = await at(2);
  const others = dynamic === undefined ? shapes : await at(3);
  const given = new Set([...graph.initializers.keys(), ...graph.inputs.map(({ name }) => name)]);
  const outputs = new Map(graph.outputs.map((output) => [output.name, output]));
  graph.values.clear();
  for (const [name, { type, dims }] of shapes) {
    if (given.has(name)) continue;
    const other = others.get(name)?.dims;
    const found = dims.map((dim, axis): Dimension =>
      dim === other?.[axis] ? dim : dim === 2 && other?.[axis] === 3 ? dynamic : undefined
    );
    const output = outputs.get(name);
    if (output === undefined) graph.values.set(name, { name, type, dims: found });
    else Object.assign(output, { type, dims: found });
  }
}

function text(dims: readonly Dimension[]): string {
  return `[${dims.map((dim) => dim ?? "?").join(", ")}]`;
}

function example(dims: readonly Dimension[] | undefined): string {
  if (dims === undefined) return "[N, 3, 224, 224]";
  return text(
    dims.map((dim, axis) => axis === 0 ? dim || BATCH : typeof dim === "number" ? dim : 224),
  );
}
