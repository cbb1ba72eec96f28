/**
 * Finds out what each input of each stage takes.
 *
 * An input that `in:` does not name takes the nearest earlier artifact of a kind it accepts; what the stages of the
 * file made is nearer than the pipeline's own inputs. Where one stage, or the inputs, have several, the one that bears
 * the input's name is taken. Data sets play parts (calibration, test) rather than follow on each other, so for them the
 * name counts first; so it does for files and JSON, which can be anything, where an input can do without.
 *
 * @module
 */

import { parseAddress } from "../base/address.ts";
import type { Problem } from "../base/errors.ts";
import { didYouMean } from "../base/suggest.ts";
import type { ArtifactKind } from "../registry/artifact.ts";
import type { Registry } from "../registry/registry.ts";
import { alternatives } from "../registry/schema.ts";
import type { AnyStage, InputPort } from "../registry/stage.ts";
import type { PipelineDocument } from "./document.ts";
import type { Link } from "./order.ts";
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

/** Kinds that say little of what an artifact is for: for an input that may be left out, a name says more than being near. */
const NAMED_KINDS: ReadonlySet<ArtifactKind> = new Set<ArtifactKind>(["json", "file"]);

/** A stage of the file, before its inputs and items are known. */
export interface UnwiredStage {
  readonly id: string;
  readonly index: number;
  readonly definition: AnyStage;
  /** The `in:` of the stage. */
  readonly in: Readonly<Record<string, string | readonly string[]>>;
}

/** An artifact that a stage can take. */
interface Candidate {
  readonly source: Source;
  readonly name: string;
  readonly kind: ArtifactKind;
  readonly aside?: boolean;
}

/** Where a port takes an artifact from, before items are told apart: a stage is one of the file. */
export interface Supply {
  readonly source: Source;
  /** The part of an address that `in:` spells out, and how it does. */
  readonly chosen?: { readonly axes: ReadonlyMap<string, string>; readonly path: Path };
}

/** By port; only a port that takes many has several. */
export type Supplies = ReadonlyMap<string, readonly Supply[]>;

/** What wiring needs to know of the pipeline. */
export interface WiringContext {
  readonly document: PipelineDocument;
  readonly registry: Registry;
  /** The outputs that a stage of the file does not make, by its id. */
  readonly omitted: ReadonlyMap<string, readonly string[]>;
  /** Kinds of the pipeline's inputs. */
  readonly inputs: ReadonlyMap<string, ArtifactKind>;
  /** Whether all stages of the file are known; else nothing is said of what seems to be missing. */
  readonly complete: boolean;
}

/** Finds what the ports of stages take, and what is wrong with that. */
export class Wirer {
  readonly problems: Problem[] = [];
  readonly warnings: Problem[] = [];
  readonly #stages: readonly UnwiredStage[];
  readonly #context: WiringContext;

  constructor(stages: readonly UnwiredStage[], context: WiringContext) {
    this.#stages = stages;
    this.#context = context;
  }

  /**
   * What the ports of a stage take.
   *
   * @param ignored The ports that have no part; `undefined` where the parameters are wrong and cannot say.
   */
  stage(stage: UnwiredStage, ignored: readonly string[] | undefined): Supplies {
    const ports = stage.definition.inputs;
    const mayLack = ignored === undefined && stage.definition.ignores !== undefined;
    const supplies = new Map<string, readonly Supply[]>();
    for (const [name, port] of Object.entries(ports)) {
      const named = Object.hasOwn(stage.in, name) ? stage.in[name] : undefined;
      if (ignored?.includes(name)) {
        if (named !== undefined && named !== "none") {
          const message = `input "${name}" has no part with these parameters`;
          this.#problem(stage, message, `Leave out in.${name}`, ["in", name], "key");
        }
        continue;
      }
      const found = named !== undefined
        ? this.#given(stage, name, port, named)
        : port.many === true
        ? this.#all(stage, name, port, mayLack)
        : this.#nearest(stage, name, port, mayLack);
      if (found.length > 0) supplies.set(name, found);
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
    return supplies;
  }

  /** What `in:` names, one or several. */
  #given(
    stage: UnwiredStage,
    name: string,
    port: InputPort,
    named: string | readonly string[],
  ): Supply[] {
    if (typeof named === "string") return this.#named(stage, name, port, named, ["in", name]);
    if (port.many !== true) {
      this.#problem(stage, `input "${name}" takes one artifact, not a list`, undefined, [
        "in",
        name,
      ]);
      return [];
    }
    return named.flatMap((text, index) =>
      this.#named(stage, name, port, text, ["in", name, index])
    );
  }

  /** What one text of `in:` names. */
  #named(
    stage: UnwiredStage,
    name: string,
    port: InputPort,
    text: string,
    path: Path,
  ): Supply[] {
    if (text === "none") {
      if (!port.optional) this.#problem(stage, `input "${name}" cannot be none`, undefined, path);
      return [];
    }
    const { owner, output, axes } = this.#parts(text);
    const offered = this.#offered(owner);
    if (offered === undefined) {
      const known = ["inputs", ...this.#stages.map(({ id }) => id)];
      this.#problem(
        stage,
        `in.${name} is "${text}", but there is no stage "${owner}"`,
        didYouMean(owner, known),
        path,
      );
      return [];
    }
    const fitting = offered.filter(({ kind, aside }) => !aside && port.kinds.includes(kind));
    const chosen = output === undefined
      ? fitting.length === 1 ? fitting[0] : undefined
      : offered.find((candidate) => candidate.name === output);
    if (chosen === undefined) {
      const names = (output === undefined && fitting.length > 0 ? fitting : offered)
        .map(({ source }) => sourceName(source));
      const what = output === undefined
        ? `which ${fitting.length === 0 ? "has no output that fits" : "could be several"}`
        : this.#context.omitted.get(owner)?.includes(output) === true
        ? `which "${owner}" does not make with its parameters`
        : `but ${
          owner === "inputs" ? "there is no input" : `"${owner}" has no output`
        } "${output}"`;
      this.#problem(stage, `in.${name} is "${text}", ${what}`, didYouMean(text, names), path);
      return [];
    }
    if (!port.kinds.includes(chosen.kind)) {
      this.#problem(
        stage,
        `in.${name} takes ${kindsText(port)}, but "${text}" is ${article(chosen.kind)}`,
        undefined,
        path,
      );
      return [];
    }
    return [{ source: chosen.source, ...(axes.size > 0 && { chosen: { axes, path } }) }];
  }

  /** A text of `in:` in its parts; values of axes may have dots. */
  #parts(text: string): {
    owner: string;
    output: string | undefined;
    axes: ReadonlyMap<string, string>;
  } {
    const at = text.indexOf("@");
    const dot = at < 0 ? text.indexOf(".") : text.lastIndexOf(".");
    const last = dot < 0 ? undefined : text.slice(dot + 1);
    const outputs = at < 0 ? undefined : this.#offered(text.slice(0, at)) ?? [];
    const isOutput = outputs === undefined || outputs.some((each) => each.name === last);
    const [owner, output] = last === undefined || !isOutput
      ? [text, undefined]
      : [text.slice(0, dot), last];
    const { id, axes } = parseAddress(owner);
    return { owner: id, output, axes };
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
    return stage === undefined ? undefined : this.#outputsOf(stage);
  }

  #outputsOf({ id, definition }: UnwiredStage): Candidate[] {
    const omitted = this.#context.omitted.get(id) ?? [];
    return Object.entries(definition.outputs)
      .filter(([name]) => !omitted.includes(name))
      .map(([name, { kind, aside }]) => ({
        source: { from: "stage", id, output: name },
        name,
        kind,
        ...(aside && { aside }),
      }));
  }

  /** What stages before one, the nearest first, and the pipeline's inputs have that fits a port. */
  #before(stage: UnwiredStage, port: InputPort): Candidate[][] {
    const earlier = this.#stages.filter(({ index }) => index < stage.index).toReversed();
    return [...earlier.map((each) => this.#outputsOf(each)), this.#offered("inputs")!]
      .map((group) => group.filter(({ kind, aside }) => !aside && port.kinds.includes(kind)));
  }

  /** What an input takes by itself. */
  #nearest(
    stage: UnwiredStage,
    name: string,
    port: InputPort,
    mayLack: boolean,
  ): Supply[] {
    const groups = this.#before(stage, port);
    const nearest = groups.find((group) => group.length > 0);
    if (nearest === undefined) {
      if (!mayLack) this.#missing(stage, name, port);
      return [];
    }
    const byRole = groups.flat().find((each) =>
      each.name === name &&
      (each.kind === "dataset" || (port.optional === true && NAMED_KINDS.has(each.kind)))
    );
    if (byRole !== undefined) return [byRole];
    if (nearest.length === 1) return nearest;
    const named = nearest.find((candidate) => candidate.name === name);
    if (named !== undefined) return [named];
    const names = nearest.map(({ source }) => sourceName(source));
    this.#problem(
      stage,
      `input "${name}" could be ${alternatives(names)}`,
      `Say which one, for instance: in: { ${name}: ${names[0]} }`,
    );
    return [];
  }

  /** Everything before it that an input for many can take, in the order of the file. */
  #all(stage: UnwiredStage, name: string, port: InputPort, mayLack: boolean): Supply[] {
    const found = this.#before(stage, port).toReversed().flat();
    if (found.length === 0 && !mayLack) this.#missing(stage, name, port);
    return found;
  }

  #missing(stage: UnwiredStage, name: string, port: InputPort): void {
    if (port.optional || !this.#context.complete) return;
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

  reportUnused(wiring: Iterable<Supplies>): void {
    if (!this.#context.complete || this.problems.length > 0) return;
    const used = new Set(
      [...wiring].flatMap((supplies) => [...supplies.values()].flat())
        .map(({ source }) => sourceName(source)),
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
