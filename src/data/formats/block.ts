/**
 * Items of one shape that lie one after the other in a file or in memory.
 *
 * @module
 */

import { elementCount } from "../../onnx/tensor.ts";
import { capital, fileError, shown } from "../problems.ts";
import { readRanges } from "../random_access.ts";
import type { RawArray } from "../source.ts";
import { bytesPerNumber, numbers, type NumericType } from "./numbers.ts";

/** Where a block's bytes are. */
export type BlockStorage =
  | { readonly path: string; readonly offset: number }
  /** Unpacked or reordered when first needed, then kept. */
  | { readonly load: () => Uint8Array<ArrayBuffer> };

/** Items of one shape, one after the other. */
export interface Block {
  readonly type: NumericType;
  readonly bigEndian: boolean;
  readonly count: number;
  /** Shape of one item. */
  readonly dims: readonly number[];
  readonly storage: BlockStorage;
}

/**
 * Refuses items without values: a file of a few bytes could claim any number of them.
 *
 * @param dims Shape of one item.
 * @param name What the array is called in messages.
 * @throws {UserError} If a dimension is 0.
 */
export function requireValues(dims: readonly number[], name: string): void {
  if (!dims.includes(0)) return;
  throw fileError(`${capital(name)} holds items of shape ${shown(dims)}, which have no values`);
}

/** Bytes that one item takes. */
export function itemBytes(block: Block): number {
  return elementCount(block.dims) * bytesPerNumber(block.type);
}

/**
 * Reads items of a block, one after the other into one array.
 *
 * @throws {UserError} If the file cannot be read or is too short.
 */
export function readBlock(block: Block, items: ArrayLike<number>): RawArray {
  const size = itemBytes(block);
  const bytes = new Uint8Array(items.length * size);
  const { storage } = block;
  if ("load" in storage) {
    const all = storage.load();
    for (let index = 0; index < items.length; index++) {
      const start = items[index]! * size;
      bytes.set(all.subarray(start, start + size), index * size);
    }
  } else {
    const ranges = Array.from(
      items,
      (item) => ({ offset: storage.offset + item * size, length: size }),
    );
    readRanges(storage.path, ranges, bytes);
  }
  return numbers(block.type, bytes, block.bigEndian);
}

/** All items of a block. */
export function readAll(block: Block): RawArray {
  return readBlock(block, Array.from({ length: block.count }, (_, index) => index));
}

/** A loader that does its work once. */
export function once<T>(load: () => T): () => T {
  let value: { readonly loaded: T } | undefined;
  return () => (value ??= { loaded: load() }).loaded;
}
