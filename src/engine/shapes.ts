/**
 * Types and shapes of every value of a model, as ONNX Runtime itself sees them.
 *
 * @module
 */

import { UserError } from "../base/errors.ts";
import type { Dimension, Graph, Model, Node, ValueInfo } from "../onnx/model.ts";
import { bitsPerElement, type DataType, elementCount, type Tensor } from "../onnx/tensor.ts";
import { innerOnlyValues } from "./boundary.ts";
import { openSession } from "./session.ts";
import { zeros } from "./zeros.ts";

/** Element type and concrete shape of a value. */
export interface TypeAndShape {
  readonly type: DataType;
  readonly dims: readonly number[];
}

/**
 * The type and shape of each input, initializer and inner value of a model's main graph.
 *
 * The runtime's own inference answers for most; the model is run once, on zeros, where shapes depend on data.
 * Values that are not tensors are left out.
 *
 * @param inputDims Shapes for inputs with dynamic dimensions; a dynamic dimension is 1 unless told.
 * @throws {UserError} If the model does not load or run with these shapes.
 * @throws {RangeError} If `inputDims` names no input.
 */
export async function inferShapes(
  model: Model,
  inputDims: Readonly<Record<string, readonly number[]>> = {},
): Promise<Map<string, TypeAndShape>> {
  const { graph } = model;
  const shapes = new Map<string, TypeAndShape>();
  for (const [name, { type, dims }] of graph.initializers) shapes.set(name, { type, dims });
  const inputs = graph.inputs.filter((input) => !graph.initializers.has(input.name))
    .map((input) => bound(input, inputDims[input.name]));
  for (const name in inputDims) {
    if (!inputs.some((input) => input.name === name)) {
      throw new RangeError(`Input "${name}" does not exist in the model`);
    }
  }
  for (const { name, type, dims } of inputs) shapes.set(name, { type, dims });

  const innerOnly = innerOnlyValues(graph);
  const produced = graph.nodes.flatMap((node) => node.outputs).filter((name) => name !== "");
  const exposed = produced.filter((name) => !innerOnly.has(name));
  const fixed: Graph = { ...graph, inputs, values: new Map() };
  const types = new Map(innerOnly);
  const quantized = graph.nodes.filter((node) =>
    node.opType === "QuantizeLinear" && innerOnly.has(node.outputs[0]!)
  );
  const unknown = produced.filter((name) =>
    innerOnly.has(name) && !quantized.some((node) => node.outputs[0] === name)
  );
  {
    const whole = withOutputs(model, fixed, graph.nodes, exposed);
    await using session = await openSession(whole, { optimization: "none" });
    for (const { name, type, dims } of session.outputs) {
      if (type === undefined) continue;
      types.set(name, type);
      if (isConcrete(dims)) shapes.set(name, { type, dims });
      else unknown.push(name);
    }
  }
  const measured = await measure(model, fixed, inputs, unknown);
  for (const [name, dims] of measured) shapes.set(name, { type: types.get(name)!, dims });
  // ONNX Runtime has no Shape of packed tensors; quantizing keeps the shape.
  for (const { inputs: [from], outputs: [to] } of quantized) {
    const dims = shapes.get(from!)?.dims;
    if (dims !== undefined) shapes.set(to!, { type: types.get(to!)!, dims });
  }
  return shapes;
}

/** Runs the model on zeros to find the shapes of some values. */
async function measure(
  model: Model,
  graph: Graph,
  inputs: readonly (ValueInfo & TypeAndShape)[],
  names: readonly string[],
): Promise<Map<string, number[]>> {
  const found = new Map<string, number[]>();
  if (names.length === 0) return found;
  const outputs = names.map((_, index) => `bitbound.shape.${index}`);
  const nodes = names.map((name, index): Node => ({
    name: `bitbound.shape.${index}`,
    opType: "Shape",
    domain: "",
    inputs: [name],
    outputs: [outputs[index]!],
    attributes: new Map(),
  }));
  const whole = withOutputs(model, graph, [...graph.nodes, ...nodes], outputs);
  // "basic" folds the Shape of packed tensors of known shape, which has no implementation to run.
  await using session = await openSession(whole, { optimization: "basic" });
  const feeds: Record<string, Tensor> = {};
  for (const { name, type, dims } of inputs) feeds[name] = zeros(type, dims);
  const results = await session.run(feeds);
  names.forEach((name, index) => {
    const dims = results[outputs[index]!]! as Tensor<"int64">;
    found.set(name, Array.from(dims.data, Number));
  });
  return found;
}

function withOutputs(model: Model, graph: Graph, nodes: Node[], names: readonly string[]): Model {
  const outputs = names.map((name): ValueInfo => ({ name, type: undefined, dims: undefined }));
  return { ...model, graph: { ...graph, nodes, outputs } };
}

/** An input with every dimension fixed. */
function bound(
  input: ValueInfo,
  dims: readonly number[] | undefined,
): ValueInfo & { type: DataType; dims: number[] } {
  const { type } = input;
  if (type === undefined) throw new UserError(`Model input "${input.name}" is not a tensor`);
  if (dims !== undefined) return { ...input, type, dims: [...dims] };
  if (input.dims === undefined) {
    throw new UserError({
      message: `Model input "${input.name}" has no shape, not even a rank`,
      hint:
        `Give its shape, such as shape: { ${input.name}: [1, 3, 224, 224] } of the stage "prepare"`,
    });
  }
  return { ...input, type, dims: input.dims.map((dim) => typeof dim === "number" ? dim : 1) };
}

function isConcrete(dims: readonly Dimension[] | undefined): dims is number[] {
  return dims !== undefined && dims.every((dim) => typeof dim === "number");
}

/** How many bytes a value takes in memory; strings count as nothing. */
export function byteSize({ type, dims }: TypeAndShape): number {
  return Math.ceil(elementCount(dims) * (bitsPerElement(type) ?? 0) / 8);
}
