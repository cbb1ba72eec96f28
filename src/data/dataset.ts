/**
 * A data set as its readers see it: a length and batches of preprocessed tensors.
 *
 * @module
 */

import type { Tensor } from "../onnx/tensor.ts";

/** The element types that a data set can deliver. */
export type DatasetType =
  | "float32"
  | "float64"
  | "float16"
  | "int8"
  | "uint8"
  | "int32"
  | "int64"
  | "bool";

/** One input of a data set: its values for one item have `dims`; a batch puts a batch dimension in front. */
export interface DatasetInput {
  /** The model input it feeds; `undefined` means the model's only input. */
  readonly name: string | undefined;
  readonly type: DatasetType;
  /** Shape of one item, such as `[3, 32, 32]`. */
  readonly dims: readonly number[];
}

/** What a model's output should be, for data sets whose answers are not classes. */
export interface DatasetTarget {
  readonly type: DatasetType;
  /** Shape of one item, such as `[1, 672, 672]`. */
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
  /** What the model should answer, where the data set has targets; the batch dimension first. */
  readonly targets?: Tensor;
}

/** An opened data set. Items are read and preprocessed when asked for; memory does not grow with length. */
export interface Dataset {
  readonly length: number;
  readonly inputs: readonly DatasetInput[];
  readonly labeled: boolean;
  /** Class names, where the source has them. Label `i` (less any label offset) is `classes[i]`. */
  readonly classes?: readonly string[];
  /** What was added to the source's labels; 0 unless told. */
  readonly labelOffset?: number;
  /** Present where every batch has `targets`. */
  readonly target?: DatasetTarget;
  /** What an item is called in messages, such as `item 17 of train-images-idx3-ubyte` or a file's path. */
  nameOf(index: number): string;
  /**
   * The items `start … start + count − 1` (fewer at the end).
   *
   * @throws {UserError} If a file is missing, changed, or does not decode; names the file and item.
   */
  batch(start: number, count: number): Promise<Batch>;
  /** All items in order, in batches of `size`. */
  batches(size: number): AsyncIterable<Batch>;
}
