/**
 * What a format gives: raw items, before preprocessing.
 *
 * @module
 */

import type { DataType } from "../onnx/tensor.ts";

/** Numbers as they lie in files. */
export type RawArray =
  | Uint8Array
  | Int8Array
  | Uint16Array
  | Int16Array
  | Int32Array
  | Uint32Array
  | Float32Array
  | Float64Array
  | Float16Array
  | BigInt64Array
  | BigUint64Array;

/** A picture as a view of an array: the value of a pixel is at `offset + y·row + x·pixel + channel·plane`. */
export interface Picture {
  readonly data: RawArray;
  readonly height: number;
  readonly width: number;
  readonly channels: number;
  readonly offset: number;
  readonly row: number;
  readonly pixel: number;
  readonly plane: number;
}

/** One item of one array: a picture, or `elementCount(dims)` numbers of `data` from `offset`. */
export type RawValue =
  | { readonly picture: Picture }
  | { readonly data: RawArray; readonly offset: number };

/** What is known of an array before any item is read. */
export interface SourceArray {
  /** The model input that it feeds. */
  readonly input: string | undefined;
  readonly type: DataType;
  /** For pictures, the number of colour channels; `undefined` where it differs between files. */
  readonly picture: { readonly channels: number | undefined } | undefined;
  /**
   * Shape of one item: for pictures `[height, width]`, whatever their channels. `undefined` where it differs
   * between items.
   */
  readonly dims: readonly number[] | undefined;
}

/** Raw items that were asked for, in the order of the question. */
export interface RawItems {
  /** By array, then by item. */
  readonly arrays: readonly (readonly RawValue[])[];
  readonly targets?: readonly RawValue[];
}

/** What headers tell, before any item is read. */
export interface SourceShape {
  /** What it is called in messages: a file or folder. */
  readonly origin: string;
  readonly arrays: readonly SourceArray[];
  /** An array of expected outputs. */
  readonly target?: SourceArray;
  /** Class names, where the format has them. */
  readonly classes?: readonly string[];
}

/** An opened file or set of files. */
export interface Source extends SourceShape {
  readonly length: number;
  /** Label of each item. */
  readonly labels?: Int32Array;
  /** What an item is called in messages. */
  nameOf(item: number): string;
  /**
   * Reads items.
   *
   * @throws {UserError} If a file is missing, changed, or does not decode; names the file and item.
   */
  read(items: ArrayLike<number>): RawItems | Promise<RawItems>;
}
