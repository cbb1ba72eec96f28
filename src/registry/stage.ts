/**
 * What a stage is: a typed entry of the registry.
 *
 * A stage declares its parameters (one TypeBox schema gives the TypeScript type, the JSON Schema and the
 * documentation), the artifacts it takes and makes, and the metrics it reports. Its work is loaded only when
 * it runs, so that planning and cache hits stay fast.
 *
 * @module
 */

import type { Static, TObject } from "../base/type.ts";
import type { Unit } from "../base/units.ts";
import type { Artifact, ArtifactKind, ArtifactValues } from "./artifact.ts";

/** An input port: which kinds it takes. */
export interface InputPort {
  /** Accepted kinds. The nearest earlier artifact of any of them is taken, one with the port's name first. */
  readonly kinds: readonly [ArtifactKind, ...ArtifactKind[]];
  /** Whether the stage runs without it. */
  readonly optional?: boolean;
  /** Whether some parameters leave it without a part, so that nothing feeds it then: see `ignores`. */
  readonly ignorable?: boolean;
  /**
   * Whether it takes any number of artifacts, unless told all that were made before it: a map by the address of the stage
   * that made each, in the order of the file.
   */
  readonly many?: boolean;
  /** One sentence for the documentation. */
  readonly description: string;
}

/** An output port: the kind it makes. */
export interface OutputPort {
  readonly kind: ArtifactKind;
  /** Whether some parameters leave it out: see `omits`. */
  readonly optional?: boolean;
  /** Whether inputs take it only where `in:` names it: it does not lead on to the next stage. */
  readonly aside?: boolean;
  readonly description: string;
}

/** How a metric is shown and compared. */
export interface MetricDefinition {
  /** Column title, such as `"top-1"`. */
  readonly title: string;
  readonly description: string;
  /** `fraction` is shown as percent, `bytes` with a unit, `bound` rounded up. */
  readonly unit: Unit;
  readonly better?: "higher" | "lower";
  /** Whether it is a column of the result table that ends a run. */
  readonly column?: boolean;
  /** The metric that says the same of the model on the port `reference`, for that model's row of the table. */
  readonly reference?: string;
}

/** Something a stage reports while it works. */
export interface Progress {
  /** What is going on, such as `"pass 2 of 2"`. */
  readonly phase: string;
  readonly done: number;
  readonly total: number;
  /** What `done` counts, such as `"images"`. */
  readonly unit: string;
  /** Live numbers worth seeing, such as the loss. */
  readonly values?: Readonly<Record<string, number>>;
}

/** Resumable state of a running stage, kept under the stage's key: another key's state is never seen. */
export interface Checkpoints {
  load(name: string): Promise<Uint8Array | undefined>;
  /** Atomic: after a kill, either the old or the new state is there. */
  save(name: string, bytes: Uint8Array): Promise<void>;
}

type Ports = Readonly<Record<string, InputPort>>;
type Outputs = Readonly<Record<string, OutputPort>>;

/** The artifacts given to `run`, by port. */
export type InputArtifacts<I extends Ports> = {
  readonly [N in keyof I]: I[N] extends { readonly many: true }
    ? ReadonlyMap<string, Artifact<I[N]["kinds"][number]>>
    : I[N] extends { readonly optional: true } | { readonly ignorable: true }
      ? Artifact<I[N]["kinds"][number]> | undefined
    : Artifact<I[N]["kinds"][number]>;
};

/** What `run` gets besides its parameters and inputs. */
export interface StageContext {
  /** The pipeline's seed; streams come from `Random.from(seed, "<stage>/<purpose>")`. */
  readonly seed: number;
  /** Threads that sessions may use; never changes a result. */
  readonly threads: number;
  /** Memory in bytes that large intermediate data should stay under; never changes a result. */
  readonly memory: number;
  /** Aborted when the run is interrupted; checked between chunks of work. */
  readonly signal: AbortSignal;
  readonly checkpoints: Checkpoints;
  progress(progress: Progress): void;
  /** Something the user should know; kept with the result and repeated on a cache hit. */
  warn(message: string): void;
}

/** A value of each output; those that may be left out may be missing. */
export type OutputValues<O extends Outputs> =
  & {
    readonly [N in keyof O as O[N] extends { readonly optional: true } ? never : N]: OutputValue<
      O[N]
    >;
  }
  & {
    readonly [N in keyof O as O[N] extends { readonly optional: true } ? N : never]?: OutputValue<
      O[N]
    >;
  };

type OutputValue<P extends OutputPort> = ArtifactValues[P["kind"]] | Uint8Array;

/** What `run` gives back. */
export interface StageResult<O extends Outputs = Outputs> {
  readonly outputs: OutputValues<O>;
  /** Numbers that gates (`expect`) and tables read. Fractions are 0 … 1. */
  readonly metrics?: Readonly<Record<string, number>>;
}

/** The function that does a stage's work. */
export type StageRun<P extends TObject, I extends Ports, O extends Outputs> = (
  parameters: Static<P>,
  inputs: InputArtifacts<I>,
  context: StageContext,
) => Promise<StageResult<O>>;

/** All of a stage but its work. */
interface StageFacts<P extends TObject, I extends Ports, O extends Outputs> {
  /** The name after `uses:`. */
  readonly name: string;
  /** Raised whenever the same inputs would give other bytes. Part of the cache key. */
  readonly version: number;
  /** One line, in the imperative. */
  readonly summary: string;
  /** A few paragraphs of Markdown. */
  readonly description: string;
  readonly parameters: P;
  readonly inputs: I;
  readonly outputs: O;
  readonly metrics?: Readonly<Record<string, MetricDefinition>>;
  /** Whether ONNX Runtime takes part: then its version and options are part of the key. */
  readonly engine: boolean;
  /**
   * Whether, with these parameters, results also depend on how the processor multiplies 8-bit integers: then that is
   * part of the key too. To find it out, ONNX Runtime is loaded once in each store after each start of the machine.
   */
  usesIntegerKernels?(parameters: Static<P>): boolean;
  /** The ignorable inputs that have no part with these parameters. */
  ignores?(parameters: Static<P>): readonly (keyof I & string)[];
  /** The optional outputs that are not made with these parameters: no stage can take them, and `run` must not give them. */
  omits?(parameters: Static<P>): readonly (keyof O & string)[];
  /** Problems that the schema cannot express, found before anything runs: `[path in with, message]`. */
  validate?(parameters: Static<P>): readonly ParameterProblem[];
  /**
   * Changes to the parameters with which the stage does as little as it can while it goes through the same code: for a
   * rehearsal, on a few items of each data set.
   */
  rehearse?(parameters: Static<P>): Partial<Static<P>>;
  /**
   * Outputs that are copied from the store to a user's folder after each run of the pipeline, whether the stage
   * ran or its result was there already. Nothing is copied when a gate of the stage, or of one it depends on,
   * is not met.
   */
  publish?(parameters: Static<P>, pipeline: PipelineFacts): readonly Publication[];
  /**
   * The input port whose artifact `publish` hands out. Then nothing is copied either as long as a gate is not met of
   * another stage that takes the same artifact on a port of this name: what is expected of a model by `evaluate` and
   * `verify` holds for what `export` writes, though it takes nothing from them.
   */
  readonly releases?: keyof I & string;
}

/** A stage of the registry. */
export interface StageDefinition<
  P extends TObject = TObject,
  I extends Ports = Ports,
  O extends Outputs = Outputs,
> extends StageFacts<P, I, O> {
  /** Loads the work. */
  readonly load: () => Promise<StageWork<P, I, O>>;
}

/** A stage as it is declared: with its work in a module of its own, or right here. */
export type StageDeclaration<P extends TObject, I extends Ports, O extends Outputs> =
  & StageFacts<P, I, O>
  & (
    | { readonly load: () => Promise<StageWork<P, I, O>>; readonly run?: never }
    | { readonly run: StageRun<P, I, O>; readonly load?: never }
  );

/** A stage of which nothing more is known. */
export type AnyStage = StageDefinition;

/** A stage's work, as `load` gives it; a module that exports `run` is one. */
export interface StageWork<P extends TObject, I extends Ports, O extends Outputs> {
  // A method, so that definitions of different stages fit in one list.
  run(...given: Parameters<StageRun<P, I, O>>): ReturnType<StageRun<P, I, O>>;
}

/** What `publish` may know of the pipeline. */
export interface PipelineFacts {
  readonly name: string;
}

/** A file to be made from an output. */
export interface Publication {
  /** The output port. */
  readonly output: string;
  /** The file's path; a relative one counts from the folder of the pipeline file. */
  readonly to: string;
}

/** A parameter that is wrong in a way the schema cannot say. */
export interface ParameterProblem {
  /** Keys from `with` down. */
  readonly path: readonly (string | number)[];
  readonly message: string;
  readonly hint?: string;
}

declare const metricNames: unique symbol;

/** What TypeScript knows of a stage beyond its definition: its name, and the names of its metrics. */
export interface StageLiterals<N extends string, M extends string> {
  readonly name: N;
  /** Never there: it only carries the type. */
  readonly [metricNames]?: M;
}

/** The names of a stage's metrics. */
export type MetricNames<S> = S extends StageLiterals<string, infer M> ? M : never;

/**
 * Declares a stage. Its work is `run`, or, so that planning need not load it, in a module that `load` imports.
 */
export function defineStage<
  const N extends string,
  P extends TObject,
  const I extends Ports,
  const O extends Outputs,
  M extends string = never,
>(
  declaration: StageDeclaration<P, I, O> & {
    readonly name: N;
    readonly metrics?: Readonly<Record<M, MetricDefinition>>;
  },
): StageDefinition<P, I, O> & StageLiterals<N, M> {
  const { run, load, ...facts } = declaration;
  if (run === undefined) return { ...facts, load };
  return { ...facts, load: () => Promise.resolve({ run }) };
}
