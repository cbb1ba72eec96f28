/**
 * A pipeline that is known to be right: every key checked, every input wired, in the order of execution.
 *
 * @module
 */

import type { JsonValue } from "../base/canonical_json.ts";
import type { Problem, SourcePlace } from "../base/errors.ts";
import type { ArtifactKind } from "../registry/artifact.ts";
import type { RegisteredStage, Registry } from "../registry/registry.ts";
import type { Gate } from "./gate.ts";
import type { Item } from "./matrix.ts";
import type { Path } from "./source_text.ts";
import type { StoreSpec } from "./spec.ts";

/** An artifact by where it comes from. */
export type Source =
  | { readonly from: "inputs"; readonly name: string }
  | { readonly from: "stage"; readonly id: string; readonly output: string };

/** `"inputs.test"`, `"w4.model"`: a source as users write it. */
export function sourceName(source: Source): string {
  return source.from === "inputs" ? `inputs.${source.name}` : `${source.id}.${source.output}`;
}

/** An entry of `inputs:`. */
export interface PipelineInput {
  readonly name: string;
  readonly kind: ArtifactKind;
  /** As the file says it, checked. */
  readonly spec: { readonly [name: string]: JsonValue };
  readonly place: SourcePlace;
}

/** An entry of `stages:`, or one item of its matrix. */
export interface PipelineStage {
  /** Its address: the id of the entry, and for an item the values of its axes, such as `"w4@bits=4,method=mse"`. */
  readonly id: string;
  /** The id of the entry. */
  readonly entry: string;
  /** Values by axis; none for an entry that is no matrix. */
  readonly item: Item;
  /** Position in the file, from 0. */
  readonly index: number;
  readonly stage: RegisteredStage;
  readonly description?: string;
  /** With the defaults filled in. */
  readonly parameters: { readonly [name: string]: JsonValue };
  /**
   * By port, in the order of the stage's ports; an optional port that nothing feeds is not there. A port that takes many
   * is there for each of them, as `"evaluations[w4-test]"`.
   */
  readonly inputs: ReadonlyMap<string, Source>;
  readonly gates: readonly Gate[];
  readonly place: SourcePlace;
}

/** A whole pipeline, ready to be planned. */
export interface Pipeline {
  readonly name: string;
  readonly description?: string;
  readonly seed: number;
  /** The file, as it was given; for messages. */
  readonly file: string;
  /** Absolute; what relative paths in the file count from. */
  readonly directory: string;
  /** The text of the file; absent for a pipeline that a program made. */
  readonly source?: string;
  /** Changes to the file, `"path=value"` each. */
  readonly settings: readonly string[];
  readonly inputs: ReadonlyMap<string, PipelineInput>;
  /** Each after those it depends on; else in the order of the file. */
  readonly stages: readonly PipelineStage[];
  readonly registry: Registry;
  /** Where results are kept, as the file says it. */
  readonly store?: StoreSpec;
  /** What is probably not meant, such as an input that nothing uses. */
  readonly warnings: readonly Problem[];
  /** Whether it only rehearses another pipeline: then nothing is published. */
  readonly isRehearsal?: true;
  /** Where something stands in the file. */
  readonly placeOf: (path: Path) => SourcePlace;
}

/** The port of an input of a stage: `"evaluations"` of `"evaluations[w4-test]"`. */
export function portOf(input: string): string {
  const bracket = input.indexOf("[");
  return bracket < 0 ? input : input.slice(0, bracket);
}

/** The ids of the stages that a stage takes something from. */
export function dependencies(stage: PipelineStage): string[] {
  const ids = new Set<string>();
  for (const source of stage.inputs.values()) if (source.from === "stage") ids.add(source.id);
  return [...ids];
}
