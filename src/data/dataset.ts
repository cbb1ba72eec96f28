/**
 * A data set as its readers see it: a length and batches of preprocessed tensors.
 *
 * @module
 */

import type { Tensor } from "../onnx/tensor.ts";

/** One input of a data set: its values for one item have `dims`; a batch puts a batch dimension in front. */
export interface DatasetInput {
  /** The model input it feeds; `undefined` means the model's only input. */
  readonly name: string | undefined;
  readonly type: "float32" | "uint8" | "int32" | "int64" | "float64";
  /** Shape of one item, such as `[3, 32, 32]`. */
  readonly dims: readonly number[];
}

/** Consecutive items of a data set. */
export interface Batch {
  /** Index of the first item. */
  readonly start: number;
  readonly size: number;
  /** One tensor per {@linkcode DatasetInput}, in order, with the batch dimension first. */
  readonly inputs: readonly Tensor[];
  /** Class of each item, where the data set has labels. */
  readonly labels?: Int32Array;
}

/** An opened data set. Items are read and preprocessed when asked for; memory does not grow with length. */
export interface Dataset {
  readonly length: number;
  readonly inputs: readonly DatasetInput[];
  readonly labeled: boolean;
  /** Class names, where the source has them. */
  readonly classes?: readonly string[];
  /**
   * The items `start … start + count − 1` (fewer at the end).
   *
   * @throws {UserError} If a file is missing, changed, or does not decode; names the file and item.
   */
  batch(start: number, count: number): Promise<Batch>;
  /** All items in order, in batches of `size`. */
  batches(size: number): AsyncIterable<Batch>;
}
