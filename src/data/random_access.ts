/**
 * Reading parts of files.
 *
 * A file is open only while a batch is read, so an opened data set holds nothing that would have to be closed.
 *
 * @module
 */

import { fileError } from "./problems.ts";
import { similarHint } from "./similar.ts";

/** A part of a file, in bytes. */
export interface ByteRange {
  readonly offset: number;
  readonly length: number;
}

/**
 * The size of a file in bytes.
 *
 * @throws {UserError} If there is no such file, or it is a folder.
 */
export function fileSize(path: string): number {
  const info = attempt(path, () => Deno.statSync(path));
  if (info.isDirectory) throw fileError(`"${path}" is a folder, not a file`, "Name a file in it");
  return info.size;
}

/**
 * Reads one part of a file.
 *
 * @throws {UserError} If the file cannot be read or ends before the part does.
 */
export function readRange(path: string, offset: number, length: number): Uint8Array<ArrayBuffer> {
  const into = new Uint8Array(length);
  readRanges(path, [{ offset, length }], into);
  return into;
}

/**
 * Reads parts of a file one after the other into `into`; neighbours are read together.
 *
 * @throws {UserError} If the file cannot be read or ends before a part does.
 */
export function readRanges(path: string, ranges: readonly ByteRange[], into: Uint8Array): void {
  using file = attempt(path, () => Deno.openSync(path, { read: true }));
  let filled = 0;
  for (let index = 0; index < ranges.length;) {
    const { offset } = ranges[index]!;
    let length = 0;
    do length += ranges[index++]!.length; while (
      index < ranges.length && ranges[index]!.offset === offset + length
    );
    attempt(path, () => file.seekSync(offset, Deno.SeekMode.Start));
    const end = filled + length;
    while (filled < end) {
      const count = attempt(path, () => file.readSync(into.subarray(filled, end)));
      if (count === null) {
        throw fileError(
          `File "${path}" is truncated: it ends at byte ${
            offset + length - (end - filled)
          }, expected at least ` +
            `${offset + length}`,
          "Get the file again",
        );
      }
      filled += count;
    }
  }
}

/**
 * Reads a whole file.
 *
 * @throws {UserError} If the file cannot be read.
 */
export function readWhole(path: string): Uint8Array<ArrayBuffer> {
  return attempt(path, () => Deno.readFileSync(path));
}

/** Turns what the operating system says about a file into an error for its user. */
function attempt<T>(path: string, action: () => T): T {
  try {
    return action();
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) {
      throw fileError(`File "${path}" does not exist`, similarHint(path, "file"));
    }
    if (error instanceof Deno.errors.PermissionDenied || error instanceof Deno.errors.NotCapable) {
      throw fileError(`File "${path}" cannot be read: permission denied`, undefined, error);
    }
    if (error instanceof Deno.errors.IsADirectory) {
      throw fileError(`"${path}" is a folder, not a file`, "Name a file in it");
    }
    throw error;
  }
}
