/**
 * A text with its lines, to point at parts of it.
 *
 * @module
 */

import type { SourcePlace } from "../base/errors.ts";

/** Keys and indices from the top of a document down. */
export type Path = readonly (string | number)[];

/** Offsets of the first character and of the one after the last. */
export type Span = readonly [start: number, end: number];

/** A file's text. */
export class SourceText {
  readonly file: string;
  readonly #text: string;
  /** Offset of the first character of each line. */
  readonly starts: readonly number[];

  constructor(file: string, text: string, starts: readonly number[]) {
    this.file = file;
    this.#text = text;
    this.starts = starts.length === 0 ? [0] : starts;
  }

  /** A part of the text as a place; the caret stays on the part's first line. */
  place([start, end]: Span): SourcePlace {
    let line = this.starts.length - 1;
    while (line > 0 && this.starts[line]! > start) line--;
    const begin = this.starts[line]!;
    const stop = this.starts[line + 1] ?? this.#text.length + 1;
    const text = this.#text.slice(begin, stop).replace(/\r?\n$/, "").replace(/\r$/, "");
    const column = start - begin + 1;
    const length = Math.max(1, Math.min(end - start, text.length - column + 1));
    return { file: this.file, line: line + 1, column, text, length };
  }
}
