/**
 * Finds out what each input of each stage takes, and so the order of execution.
 *
 * An input that `in:` does not name takes the nearest earlier artifact of a kind it accepts; what the stages of the
 * file made is nearer than the pipeline's own inputs. Where one stage, or the inputs, have several, the one that bears
 * the input's name is taken. Data sets play parts (calibration, test) rather than follow on each other, and files and
 * JSON can be anything, so for them the name counts first.
 *
 * @module
 */

import type { JsonValue } from "../base/canonical_json.ts";
import type { Problem } from "../base/errors.ts";
import { didYouMean } from "../base/suggest.ts";
import type { ArtifactKind } from "../registry/artifact.ts";
import type { Registry } from "../registry/registry.ts";
import { alternatives } from "../registry/schema.ts";
import type { AnyStage, InputPort } from "../registry/stage.ts";
import type { PipelineDocument } from "./document.ts";
import { executionOrder, type Link } from "./order.ts";
import { type Source, sourceName } from "./pipeline.ts";
import type { Path } from "./source_text.ts";

/** Kinds that `inputs:` can name; the others are made by stages. */
const GIVEN_KINDS: ReadonlySet<ArtifactKind> = new Set<ArtifactKind>([
  "model",
  "quantized-model",
  "dataset",
  "sensitivity",
  "assignment",
  "latency",
  "json",
  "file",
]);

/** Kinds that say little of what an artifact is for: a name says more than being near. */
const NAMED_KINDS: ReadonlySet<ArtifactKind> = new Set<ArtifactKind>(["dataset", "json", "file"]);

/** A stage before its inputs are known. */
export interface UnwiredStage {
  readonly id: string;
  readonly index: number;
  readonly definition: AnyStage;
  readonly parameters: { readonly [name: string]: JsonValue };
  /** The `in:` of the stage. */
  readonly in: Readonly<Record<string, string>>;
}

/** An artifact that a stage can take. */
interface Candidate {
  readonly source: Source;
  readonly name: string;
  readonly kind: ArtifactKind;
}

/** What feeds what. */
export interface Wiring {
  /** By stage id, then by port. */
  readonly inputs: ReadonlyMap<string, ReadonlyMap<string, Source>>;
  /** Stages in the order of execution; incomplete if there is a cycle. */
  readonly order: readonly UnwiredStage[];
  readonly problems: readonly Problem[];
  readonly warnings: readonly Problem[];
}

/** What wiring needs to know of the pipeline. */
export interface WiringContext {
  readonly document: PipelineDocument;
  readonly registry: Registry;
  /** Kinds of the pipeline's inputs. */
  readonly inputs: ReadonlyMap<string, ArtifactKind>;
  /** Whether all stages of the file are known; else nothing is said of what seems to be missing. */
  readonly complete: boolean;
}

/** Connects the stages. */
export function wire(stages: readonly UnwiredStage[], context: WiringContext): Wiring {
  const wirer = new Wirer(stages, context);
  const inputs = new Map(stages.map((stage) => [stage.id, wirer.stage(stage)]));
  const { order, cycle } = executionOrder(stages, inputs);
  if (cycle !== undefined) wirer.reportCycle(cycle);
  wirer.reportUnused(inputs);
  return { inputs, order, problems: wirer.problems, warnings: wirer.warnings };
}

class Wirer {
  readonly problems: Problem[] = [];
  readonly warnings: Problem[] = [];
  readonly #stages: readonly UnwiredStage[];
  readonly #context: WiringContext;

  constructor(stages: readonly UnwiredStage[], context: WiringContext) {
    this.#stages = stages;
    this.#context = context;
  }

  stage(stage: UnwiredStage): Map<string, Source> {
    const ports = stage.definition.inputs;
    const sources = new Map<string, Source>();
    const ignored = stage.definition.ignores?.(stage.parameters) ?? [];
    for (const [name, port] of Object.entries(ports)) {
      if (ignored.includes(name)) {
        if (stage.in[name] !== undefined && stage.in[name] !== "none") {
          const message = `input "${name}" has no part with these parameters`;
          this.#problem(stage, message, `Leave out in.${name}`, ["in", name], "key");
        }
        continue;
      }
      const named = Object.hasOwn(stage.in, name) ? stage.in[name] : undefined;
      const source = named === undefined
        ? this.#nearest(stage, name, port)
        : this.#named(stage, name, port, named);
      if (source !== undefined) sources.set(name, source);
    }
    for (const name of Object.keys(stage.in)) {
      if (Object.hasOwn(ports, name)) continue;
      const hint = Object.keys(ports).length === 0
        ? "It takes none"
        : didYouMean(name, Object.keys(ports));
      this.#problem(
        stage,
        `there is no input "${name}"`,
        hint,
        ["in", name],
        "key",
      );
    }
    return sources;
  }

  /** What `in:` names. */
  #named(
    stage: UnwiredStage,
    name: string,
    port: InputPort,
    text: string,
  ): Source | undefined {
    const path = ["in", name];
    if (text === "none") {
      if (!port.optional) this.#problem(stage, `input "${name}" cannot be none`, undefined, path);
      return undefined;
    }
    const dot = text.indexOf(".");
    const [owner, output] = dot < 0 ? [text, undefined] : [text.slice(0, dot), text.slice(dot + 1)];
    const offered = this.#offered(owner);
    if (offered === undefined) {
      const known = ["inputs", ...this.#stages.map(({ id }) => id)];
      this.#problem(
        stage,
        `in.${name} is "${text}", but there is no stage "${owner}"`,
        didYouMean(owner, known),
        path,
      );
      return undefined;
    }
    const fitting = offered.filter(({ kind }) => port.kinds.includes(kind));
    const chosen = output === undefined
      ? fitting.length === 1 ? fitting[0] : undefined
      : offered.find((candidate) => candidate.name === output);
    if (chosen === undefined) {
      const names = (output === undefined && fitting.length > 0 ? fitting : offered)
        .map(({ source }) => sourceName(source));
      const what = output === undefined
        ? `which ${fitting.length === 0 ? "has no output that fits" : "could be several"}`
        : `but ${
          owner === "inputs" ? "there is no input" : `"${owner}" has no output`
        } "${output}"`;
      this.#problem(stage, `in.${name} is "${text}", ${what}`, didYouMean(text, names), path);
      return undefined;
    }
    if (!port.kinds.includes(chosen.kind)) {
      this.#problem(
        stage,
        `in.${name} takes ${kindsText(port)}, but "${text}" is ${article(chosen.kind)}`,
        undefined,
        path,
      );
      return undefined;
    }
    return chosen.source;
  }

  /** What the pipeline's inputs or a stage have to offer; `undefined` if there is no such stage. */
  #offered(owner: string): Candidate[] | undefined {
    if (owner === "inputs") {
      return [...this.#context.inputs].map(([name, kind]) => ({
        source: { from: "inputs", name },
        name,
        kind,
      }));
    }
    const stage = this.#stages.find(({ id }) => id === owner);
    return stage === undefined ? undefined : outputsOf(stage);
  }

  /** What an input takes by itself. */
  #nearest(stage: UnwiredStage, name: string, port: InputPort): Source | undefined {
    const earlier = this.#stages.filter(({ index }) => index < stage.index).toReversed();
    const groups = [...earlier.map(outputsOf), this.#offered("inputs")!]
      .map((group) => group.filter(({ kind }) => port.kinds.includes(kind)));
    const nearest = groups.find((group) => group.length > 0);
    if (nearest === undefined) {
      if (!port.optional && this.#context.complete) this.#missing(stage, name, port);
      return undefined;
    }
    const byRole = groups.flat().find((each) => NAMED_KINDS.has(each.kind) && each.name === name);
    if (byRole !== undefined) return byRole.source;
    if (nearest.length === 1) return nearest[0]!.source;
    const named = nearest.find((candidate) => candidate.name === name);
    if (named !== undefined) return named.source;
    const names = nearest.map(({ source }) => sourceName(source));
    this.#problem(
      stage,
      `input "${name}" could be ${alternatives(names)}`,
      `Say which one, for instance: in: { ${name}: ${names[0]} }`,
    );
    return undefined;
  }

  #missing(stage: UnwiredStage, name: string, port: InputPort): void {
    const canBeGiven = port.kinds.some((kind) => GIVEN_KINDS.has(kind));
    const makers = this.#context.registry.all()
      .map(({ definition }) => definition)
      .filter((each) => Object.values(each.outputs).some(({ kind }) => port.kinds.includes(kind)))
      .map((each) => `"${each.name}"`);
    const put = makers.length > 0 ? `Put ${alternatives(makers)} before it` : undefined;
    this.#problem(
      stage,
      `input "${name}" needs ${kindsText(port)}, but there is none before it`,
      canBeGiven ? "Give one under inputs:" : put,
    );
  }

  /** @param cycle What depends on what, all around. */
  reportCycle(cycle: readonly Link[]): void {
    const first = cycle[0]!;
    const ids = [...cycle.map(({ stage }) => stage.id), first.stage.id];
    const explicit = cycle.find(({ stage, port }) => Object.hasOwn(stage.in, port)) ?? first;
    this.problems.push({
      message: `Stages wait for each other in a circle: ${ids.join(" → ")}`,
      place: this.#context.document.place(["stages", explicit.stage.index, "in", explicit.port]),
      hint: "An arrow leads to the stage whose output is taken; take something else in one of them",
    });
  }

  reportUnused(wiring: Wiring["inputs"]): void {
    if (!this.#context.complete || this.problems.length > 0) return;
    const used = new Set(
      [...wiring.values()].flatMap((sources) => [...sources.values()]).map(sourceName),
    );
    for (const name of this.#context.inputs.keys()) {
      if (used.has(`inputs.${name}`)) continue;
      this.warnings.push({
        message: `Input "${name}" is not used by any stage`,
        place: this.#context.document.place(["inputs", name], "key"),
      });
    }
  }

  #problem(
    stage: UnwiredStage,
    message: string,
    hint?: string,
    path: Path = [],
    at: "key" | "value" = "value",
  ): void {
    const start = path.length === 0 ? ["uses"] : path;
    this.problems.push({
      message: `Stage "${stage.id}": ${message}`,
      place: this.#context.document.place(["stages", stage.index, ...start], at),
      ...(hint === undefined ? {} : { hint }),
    });
  }
}

function kindsText({ kinds }: InputPort): string {
  return alternatives(kinds.map(article));
}

function article(kind: ArtifactKind): string {
  return `${/^[aeiou]/.test(kind) ? "an" : "a"} ${kind}`;
}

function outputsOf(stage: UnwiredStage): Candidate[] {
  return Object.entries(stage.definition.outputs).map(([name, { kind }]) => ({
    source: { from: "stage", id: stage.id, output: name },
    name,
    kind,
  }));
}
