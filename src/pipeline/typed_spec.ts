/**
 * The types of pipelines that are written in TypeScript: what a YAML file says, checked by the compiler.
 *
 * @module
 */

import type { Static, TObject } from "../base/type.ts";
import type {
  InputPort,
  MetricNames,
  OutputPort,
  StageDefinition,
  StageLiterals,
} from "../registry/stage.ts";
import type { BuiltInStage } from "../stages/mod.ts";
import type { InputEntry, MatrixSpec, StoreSpec } from "./spec.ts";

/** A reference to another value, or to one of an axis: `"${matrix.bits}"`. */
type Reference = `\${${string}}`;

/** Any part of a value, at any depth: what has a default need not be given. */
type Partially<T> = T extends readonly unknown[] ? T | Reference
  : T extends object ? { readonly [K in keyof T]?: Partially<T[K]> } | Reference
  : T | Reference;

/** A definition with all that TypeScript can know of it. */
type TypedStage<
  N extends string,
  P extends TObject,
  I extends Readonly<Record<string, InputPort>>,
  M extends string,
> = StageDefinition<P, I, Readonly<Record<string, OutputPort>>> & StageLiterals<N, M>;

/** What an entry of `stages:` can say besides what it uses. */
export interface EntryDetails<P, I extends string, M extends string> {
  readonly id?: string;
  readonly description?: string;
  readonly with?: Partially<P>;
  /** Axes: the stage is done for each combination of their values. */
  readonly matrix?: MatrixSpec;
  /** For a stage that takes many artifacts: the axes whose items it takes together. */
  readonly gather?: true | readonly string[];
  readonly in?: { readonly [K in I]?: string | readonly string[] };
  readonly expect?: { readonly [K in M]?: string | number };
}

type EntryFor<S> = S extends
  { readonly name: infer N; readonly parameters: infer P extends TObject; readonly inputs: infer I }
  ? { readonly uses: N } & EntryDetails<Static<P>, keyof I & string, MetricNames<S>>
  : never;

/** An entry for a stage that comes with Bitbound. */
export type BuiltInEntry = EntryFor<BuiltInStage>;

declare const ofPlugin: unique symbol;

/** An entry for a stage of a plugin, made by {@linkcode use}. */
export interface PluginEntry {
  readonly uses: string;
  readonly [ofPlugin]: true;
}

/**
 * An entry for a stage of your own. The pipeline's `plugins` have to name the module that has it as (part of) its
 * default export, because stages run in other threads.
 */
export function use<
  N extends string,
  P extends TObject,
  I extends Readonly<Record<string, InputPort>>,
  M extends string,
>(
  stage: TypedStage<N, P, I, M>,
  details: EntryDetails<Static<P>, keyof I & string, M> = {},
): PluginEntry {
  return { ...details, uses: stage.name } as unknown as PluginEntry;
}

/** A pipeline. */
export interface PipelineDefinition {
  readonly name: string;
  readonly description?: string;
  readonly seed?: number;
  readonly inputs?: Readonly<Record<string, InputEntry>>;
  readonly plugins?: readonly string[];
  readonly store?: StoreSpec;
  /** Axes that any stage can refer to. */
  readonly matrix?: MatrixSpec;
  readonly stages: readonly (BuiltInEntry | PluginEntry)[];
}
