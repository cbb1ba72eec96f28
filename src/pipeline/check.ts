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
import { issueProblem } from "./labels.ts";
import { isObject, NAME_PATTERN, stageIds } from "./paths.ts";
import type { PipelineInput, PipelineStage } from "./pipeline.ts";
import type { Path } from "./source_text.ts";
import { pipelineSchema } from "./spec.ts";
import { type UnwiredStage, wire } from "./wire.ts";

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

/** A stage whose own parts are checked. */
interface CheckedStage extends UnwiredStage {
  readonly stage: RegisteredStage;
  readonly description?: string;
  readonly parameters: JsonObject;
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
    const entries = isObject(root) && Array.isArray(root.stages) ? root.stages : [];
    const stages = entries.flatMap((entry: JsonValue, index) => this.#stage(entry, index) ?? []);
    this.#duplicateIds();
    const { inputs: wiring, order, problems, warnings } = wire(stages, {
      document: this.#document,
      registry: this.#registry,
      inputs: new Map(inputs.map(({ name, kind }) => [name, kind])),
      complete: stages.length === entries.length && this.#inputsAreKnown(root, inputs),
    });
    this.#problems.push(...problems);
    return {
      inputs,
      soundInputs: inputs.filter(({ name }) => !wrongInputs.has(name)),
      stages: order.map((stage) => this.#finish(stage as CheckedStage, wiring.get(stage.id)!)),
      problems: this.#problems,
      warnings,
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

  #stage(entry: JsonValue, index: number): CheckedStage | undefined {
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
    return {
      id,
      index,
      stage,
      definition,
      in: strings(entry.in),
      parameters: this.#parameters(stage, entry.with ?? {}, [...path, "with"]),
      gates: this.#gates(stage, entry.expect, [...path, "expect"]),
      ...(typeof entry.description === "string" && { description: entry.description }),
    };
  }

  #parameters({ definition }: RegisteredStage, given: JsonValue, path: Path): JsonObject {
    // That `with` is no map is said already.
    if (!isObject(given)) return {};
    const schema = asSchema(definition.parameters);
    const issues = validate(schema, given, path);
    this.#problems.push(...issues.map((each) => issueProblem(each, this.#document, this.#ids)));
    if (issues.length > 0) return {};
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
    if (name === "inputs" || name === "none") {
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

  #finish(stage: CheckedStage, inputs: PipelineStage["inputs"]): PipelineStage {
    const { id, index, parameters, gates, description } = stage;
    return {
      id,
      index,
      stage: stage.stage,
      parameters,
      inputs,
      gates,
      place: this.#document.place(["stages", index, "uses"]),
      ...(description !== undefined && { description }),
    };
  }

  #problem(path: Path, message: string, hint?: string, at: "key" | "value" = "value"): void {
    this.#problems.push({
      message,
      place: this.#document.place(path, at),
      ...(hint !== undefined && { hint }),
    });
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

function strings(value: JsonValue | undefined): Record<string, string> {
  if (!isObject(value)) return {};
  const entries = Object.entries(value).filter(([, member]) => typeof member === "string");
  return Object.fromEntries(entries) as Record<string, string>;
}
