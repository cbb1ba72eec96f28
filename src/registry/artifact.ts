/**
 * What flows between stages.
 *
 * @module
 */

import type { JsonValue } from "../base/canonical_json.ts";
import type { Model } from "../onnx/model.ts";
import type { Dataset } from "../data/dataset.ts";
import type { Ranges } from "../quant/ranges.ts";
import type { Evaluation } from "../quant/evaluation.ts";
import type { Assignment } from "../search/assignment.ts";
import type { LatencyTable } from "../search/cost/latency.ts";
import type { SensitivityTable } from "../search/table.ts";
import type { Digest } from "../store/digest.ts";

/** The value that each kind of artifact decodes to. */
export interface ArtifactValues {
  /** A float ONNX model. */
  "model": Model;
  /** An ONNX model with quantizers in it, ours or another tool's. */
  "quantized-model": Model;
  /** A data set, opened: batches of preprocessed tensors. */
  "dataset": Dataset;
  /** Statistics and ranges of activations, made by calibration. */
  "ranges": Ranges;
  /** Accuracy and size of one model on one data set. */
  "evaluation": Evaluation;
  /** What each layer of a network loses at each width. */
  "sensitivity": SensitivityTable;
  /** A width for each layer. */
  "assignment": Assignment;
  /** How long each layer takes at each width on one device. */
  "latency": LatencyTable;
  /** Any JSON value, for stages of plugins. */
  "json": JsonValue;
  /** Bytes that only their makers and takers understand. */
  "file": Uint8Array;
}

/** A kind of artifact. */
export type ArtifactKind = keyof ArtifactValues;

/** All kinds, in the order that tables show them. */
export const ARTIFACT_KINDS = [
  "model",
  "quantized-model",
  "dataset",
  "ranges",
  "evaluation",
  "sensitivity",
  "assignment",
  "latency",
  "json",
  "file",
] as const satisfies readonly ArtifactKind[];

/** An artifact as a stage sees it: identity now, value on demand. */
export interface Artifact<K extends ArtifactKind = ArtifactKind> {
  readonly kind: K;
  readonly digest: Digest;
  /** Where it came from, for messages and tables: `"w4.model"`, `"inputs.test"`. */
  readonly origin: string;
  /** A file that holds its bytes. */
  readonly path: string;
  /** Reads and decodes it. */
  load(): Promise<ArtifactValues[K]>;
}
