/**
 * Checks a document part by part and makes the {@linkcode Pipeline} of it. Every problem is found, as far as
 * the others let it be seen.
 *
 * @module
 */

import type { JsonValue } from "../base/canonical_json.ts";
import type { Problem } from "../base/errors.ts";
import { didYouMean } from "../base/suggest.ts";
import type { ArtifactKind } from "../registry/artifact.ts";
import { fillDefaults } from "../registry/defaults.ts";
import type { RegisteredStage, Registry } from "../registry/registry.ts";
import { asSchema } from "../registry/schema.ts";
import { validate } from "../registry/validate.ts";
import type { PipelineDocument } from "./document.ts";
import { CONDITION_FORMS, type Gate, parseGate } from "./gate.ts";
import { type Entry, expand, type ExpandedStage } from "./expand.ts";
import { issueProblem } from "./labels.ts";
import { type Item, itemsOf, NO_AXES } from "./matrix.ts";
import { axesNamedIn, withItem } from "./matrix_references.ts";
import { isObject, NAME_PATTERN, stageIds } from "./paths.ts";
import type { PipelineInput, PipelineStage } from "./pipeline.ts";
import { portHint } from "./port_hint.ts";
import type { Path } from "./source_text.ts";
import { pipelineSchema } from "./spec.ts";

type JsonObject = { readonly [name: string]: JsonValue };

/** The parts of a pipeline, as far as they are right. */
export interface Checked {
  readonly inputs: readonly PipelineInput[];
  /** The inputs that fit their schemas. */
  readonly soundInputs: readonly PipelineInput[];
  /** In the order of execution; all of them if there is no problem. */
  readonly stages: readonly PipelineStage[];
  readonly problems: readonly Problem[];
  readonly warnings: readonly Problem[];
}

/** An entry of `stages:` whose stage is known. */
interface CheckedEntry extends Entry {
  readonly stage: RegisteredStage;
  readonly description?: string;
  readonly with: JsonValue;
  readonly expect: JsonValue | undefined;
  /** Whether something is wrong with its matrix, so that its items are not known. */
  readonly isUnknown: boolean;
}

/** What an entry says for one item. */
interface CheckedItem {
  /** With the defaults filled in; `undefined` if something is wrong with them, which is said already. */
  readonly parameters: JsonObject | undefined;
  readonly gates: readonly Gate[];
}

/**
 * Checks a whole document, with its references resolved, against the stages that there are.
 *
 * @param options.complete Whether the registry has all stages that it should have; if not, unknown ones are passed
 *   over.
 */
export function checkDocument(
  document: PipelineDocument,
  registry: Registry,
  options: { readonly complete: boolean },
): Checked {
  return new Checker(document, registry, options.complete).check();
}

class Checker {
  readonly #document: PipelineDocument;
  readonly #registry: Registry;
  readonly #complete: boolean;
  readonly #ids: readonly string[];
  readonly #problems: Problem[] = [];
  /** Problems that were told, so that each is told once for all items. */
  readonly #told = new Set<string>();

  constructor(document: PipelineDocument, registry: Registry, complete: boolean) {
    this.#document = document;
    this.#registry = registry;
    this.#complete = complete;
    this.#ids = stageIds(document.value);
  }

  check(): Checked {
    const root = this.#document.value;
    const issues = validate(pipelineSchema(), root);
    this.#problems.push(...issues.map((each) => issueProblem(each, this.#document, this.#ids)));
    const wrongInputs = new Set(
      issues.flatMap(({ path }) => path[0] === "inputs" ? [path[1]] : []),
    );
    const inputs = isObject(root) ? this.#inputs(root.inputs) : [];
    const isWrong = (path: Path) =>
      issues.some((issue) => path.every((step, index) => issue.path[index] === step));
    const items = isObject(root) && !isWrong(["matrix"])
      ? this.#items(root.matrix, ["matrix"], "") ?? NO_AXES
      : NO_AXES;
    const given = isObject(root) && Array.isArray(root.stages) ? root.stages : [];
    const entries = given.flatMap((entry: JsonValue, index) =>
      this.#entry(entry, index, items, isWrong(["stages", index, "matrix"])) ?? []
    );
    this.#duplicateIds();
    const { stages, problems, warnings } = expand<CheckedEntry, CheckedItem>(entries, {
      document: this.#document,
      registry: this.#registry,
      inputs: new Map(inputs.map(({ name, kind }) => [name, kind])),
      complete: entries.length === given.length && this.#inputsAreKnown(root, inputs),
      items,
      check: (entry, item) => this.#item(entry, item),
    });
    this.#problems.push(...problems);
    return {
      inputs,
      soundInputs: inputs.filter(({ name }) => !wrongInputs.has(name)),
      stages: stages.map((stage) => this.#finish(stage)),
      problems: this.#problems,
      warnings: [...warnings, ...this.#unusedAxes(items, entries)],
    };
  }

  #inputs(entries: JsonValue | undefined): PipelineInput[] {
    if (!isObject(entries)) return [];
    return Object.entries(entries).flatMap(([name, spec]) => {
      this.#name(name, "Input", ["inputs", name]);
      const kind = kindOfInput(spec);
      if (kind === undefined || !isObject(spec)) return [];
      return [{ name, kind, spec, place: this.#document.place(["inputs", name], "key") }];
    });
  }

  #inputsAreKnown(root: JsonValue, inputs: readonly PipelineInput[]): boolean {
    const given = isObject(root) && isObject(root.inputs) ? Object.keys(root.inputs).length : 0;
    return given === inputs.length;
  }

  #entry(
    entry: JsonValue,
    index: number,
    shared: readonly Item[],
    isWrongMatrix: boolean,
  ): CheckedEntry | undefined {
    if (!isObject(entry) || typeof entry.uses !== "string") return undefined;
    const id = this.#ids[index]!;
    const path = ["stages", index];
    if (entry.id !== undefined) this.#name(id, "Stage id", [...path, "id"]);
    const stage = this.#registry.get(entry.uses);
    if (stage === undefined) {
      if (!this.#complete) return undefined;
      this.#problem(
        [...path, "uses"],
        `There is no stage "${entry.uses}"`,
        didYouMean(entry.uses, this.#registry.names()),
      );
      return undefined;
    }
    const { definition } = stage;
    this.#gather(entry.gather, stage, [...path, "gather"]);
    const own = isWrongMatrix
      ? undefined
      : this.#ownItems(entry.matrix, shared, [...path, "matrix"], `Stage "${id}": `);
    const said = {
      with: entry.with ?? {},
      ...(entry.expect !== undefined && { expect: entry.expect }),
    };
    return {
      id,
      index,
      stage,
      definition,
      in: sourcesOf(entry.in),
      items: own ?? NO_AXES,
      named: own === undefined ? [] : axesNamedIn(said),
      isUnknown: own === undefined,
      gather: Array.isArray(entry.gather) ? entry.gather.map(String) : true,
      with: entry.with ?? {},
      expect: entry.expect,
      ...(typeof entry.description === "string" && { description: entry.description }),
    };
  }

  /** The items of a stage's matrix; `undefined` if something is wrong with it. */
  #ownItems(
    matrix: JsonValue | undefined,
    shared: readonly Item[],
    path: Path,
    label: string,
  ): readonly Item[] | undefined {
    const items = this.#items(matrix, path, label);
    const [first] = items ?? NO_AXES;
    const twice = [...first!.keys()].filter((axis) => shared[0]!.has(axis));
    for (const axis of twice) {
      const message = `${label}the pipeline's matrix has an axis "${axis}" already`;
      this.#problem([...path, axis], message, "Choose another name", "key");
    }
    return twice.length === 0 ? items : undefined;
  }

  /** The items of a matrix; `undefined` if something is wrong with it. */
  #items(matrix: JsonValue | undefined, path: Path, label: string): readonly Item[] | undefined {
    if (!isObject(matrix)) return NO_AXES;
    const { items, problems } = itemsOf(matrix);
    for (const { path: inside, message, hint } of problems) {
      const text = label === "" ? `The pipeline: ${message}` : `${label}${message}`;
      this.#problem([...path, ...inside], text, hint);
    }
    return problems.length === 0 ? items : undefined;
  }

  #gather(given: JsonValue | undefined, { definition }: RegisteredStage, path: Path): void {
    if (given === undefined) return;
    if (Object.values(definition.inputs).some(({ many }) => many === true)) return;
    const id = this.#ids[path[1] as number];
    const message = `Stage "${id}": "${definition.name}" takes one artifact of each kind, not many`;
    this.#problem(path, message, 'Leave out gather; "compare" gathers', "key");
  }

  /** Axes of the pipeline's matrix that no stage refers to. */
  #unusedAxes([first]: readonly Item[], entries: readonly CheckedEntry[]): Problem[] {
    const used = new Set(entries.flatMap(({ named }) => named.map(([axis]) => axis)));
    return [...first!.keys()].filter((axis) => !used.has(axis)).map((axis) => ({
      message: `Axis "${axis}" is not used by any stage`,
      place: this.#document.place(["matrix", axis], "key"),
      hint: `Refer to it: \${matrix.${axis}}`,
    }));
  }

  /** What an entry says for one item. */
  #item(entry: CheckedEntry, item: Item): CheckedItem {
    // That an axis is not there, or a matrix is wrong, is said already.
    if (entry.isUnknown || entry.named.some(([axis]) => !item.has(axis))) {
      return { parameters: undefined, gates: [] };
    }
    const path = ["stages", entry.index];
    let isWrong = false;
    const resolve = (value: JsonValue, field: string) =>
      withItem(value, item, (inside, message) => {
        isWrong = true;
        this.#problem([...path, field, ...inside], `Stage "${entry.id}": ${message}`);
      });
    const parameters = resolve(entry.with, "with");
    const expect = entry.expect === undefined ? undefined : resolve(entry.expect, "expect");
    if (isWrong) return { parameters: undefined, gates: [] };
    return {
      parameters: this.#parameters(entry.stage, parameters, [...path, "with"]),
      gates: this.#gates(entry.stage, expect, [...path, "expect"]),
    };
  }

  #parameters(
    { definition }: RegisteredStage,
    given: JsonValue,
    path: Path,
  ): JsonObject | undefined {
    // That `with` is no map is said already.
    if (!isObject(given)) return undefined;
    const schema = asSchema(definition.parameters);
    const issues = validate(schema, given, path);
    for (const issue of issues) {
      const hint = portHint(issue, path.length, given, definition.inputs);
      const told = hint === undefined ? issue : { ...issue, hint };
      this.#tell(issueProblem(told, this.#document, this.#ids));
    }
    if (issues.length > 0) return undefined;
    const parameters = fillDefaults(schema, given) as JsonObject;
    const found = definition.validate?.(parameters) ?? [];
    for (const { path: inside, message, hint } of found) {
      this.#problem(
        [...path, ...inside],
        `Stage "${this.#ids[path[1] as number]}": ${message}`,
        hint,
      );
    }
    return parameters;
  }

  #gates({ definition }: RegisteredStage, given: JsonValue | undefined, path: Path): Gate[] {
    if (!isObject(given)) return [];
    const id = this.#ids[path[1] as number];
    const known = Object.keys(definition.metrics ?? {});
    return Object.entries(given).flatMap(([metric, condition]) => {
      const at = [...path, metric];
      if (!known.includes(metric)) {
        this.#problem(
          at,
          `Stage "${id}": "${definition.name}" has no metric "${metric}"`,
          known.length === 0 ? "It has no metrics" : didYouMean(metric, known),
          "key",
        );
      }
      if (typeof condition !== "string" && typeof condition !== "number") return [];
      try {
        return [parseGate(metric, condition, this.#document.place(at))];
      } catch (error) {
        if (!(error instanceof SyntaxError)) throw error;
        this.#problem(at, `Stage "${id}": ${error.message}`, `Write it like ${CONDITION_FORMS}`);
        return [];
      }
    });
  }

  #duplicateIds(): void {
    this.#ids.forEach((id, index) => {
      const first = this.#ids.indexOf(id);
      if (first === index) return;
      const { line } = this.#document.place(["stages", first]);
      this.#problem(
        ["stages", index, "id"],
        `Two stages have the id "${id}"`,
        line === undefined
          ? "Choose another one"
          : `The other is in line ${line}; choose another id`,
      );
    });
  }

  #name(name: string, what: string, path: Path): void {
    if (["inputs", "none", "matrix"].includes(name)) {
      this.#problem(
        path,
        `${what} "${name}" has a meaning of its own`,
        "Choose another one",
        "key",
      );
    } else if (!new RegExp(NAME_PATTERN).test(name)) {
      this.#problem(
        path,
        `${what} "${name}" must begin with a letter and have only letters, digits, "-" and "_"`,
        undefined,
        path[0] === "inputs" ? "key" : "value",
      );
    }
  }

  #finish(
    { entry, id, item, checked, inputs }: ExpandedStage<CheckedEntry, CheckedItem>,
  ): PipelineStage {
    const { index, stage, description } = entry;
    return {
      id,
      entry: entry.id,
      item,
      index,
      stage,
      parameters: checked.parameters ?? {},
      inputs,
      gates: checked.gates,
      place: this.#document.place(["stages", index, "uses"]),
      ...(description !== undefined && { description }),
    };
  }

  #problem(path: Path, message: string, hint?: string, at: "key" | "value" = "value"): void {
    this.#tell({
      message,
      place: this.#document.place(path, at),
      ...(hint !== undefined && { hint }),
    });
  }

  #tell(problem: Problem): void {
    const { file, line, column } = problem.place ?? {};
    const identity = JSON.stringify([problem.message, file, line, column]);
    if (this.#told.has(identity)) return;
    this.#told.add(identity);
    this.#problems.push(problem);
  }
}

const JSON_KINDS = ["sensitivity", "assignment", "latency"] as const;

/** The kind of an entry of `inputs:`, even if the rest of it is wrong. */
function kindOfInput(spec: JsonValue): ArtifactKind | undefined {
  if (!isObject(spec)) return undefined;
  if ("onnx" in spec) return spec.kind === "quantized-model" ? "quantized-model" : "model";
  if ("json" in spec) return JSON_KINDS.find((kind) => kind === spec.kind) ?? "json";
  if ("file" in spec) return "file";
  return "dataset";
}

function sourcesOf(value: JsonValue | undefined): Record<string, string | readonly string[]> {
  if (!isObject(value)) return {};
  const entries = Object.entries(value).map(([port, member]) => [
    port,
    Array.isArray(member) ? member.filter((each) => typeof each === "string") : member,
  ]);
  return Object.fromEntries(
    entries.filter(([, member]) => typeof member === "string" || Array.isArray(member)),
  );
}
