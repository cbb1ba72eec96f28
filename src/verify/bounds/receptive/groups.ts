/**
 * Rows that share a receptive field.
 *
 * @module
 */

import type { Rows } from "../rows.ts";

/** Rows whose field is one. */
export interface RowGroup {
  readonly box: number;
  /** Their elements, each once. */
  readonly elements: Int32Array;
  /** Numbers of the rows among all. */
  readonly rows: Int32Array;
  /** Where the element of each row stands among the elements. */
  readonly places: Int32Array;
}

/** Rows of neighboring places are put together until there are as many, so that fields are not made for a few. */
const LEAST = 8;

/**
 * Groups rows by the place of their elements, [channels × places], box by box.
 *
 * Rows that only fill up belong to no group.
 */
export function* groupsOf({ width, group, index, sign }: Rows, places: number): Iterable<RowGroup> {
  for (let at = 0; at < group.length;) {
    const box = group[at]!;
    const own: number[] = [];
    for (; at < group.length && group[at] === box; at++) {
      for (let row = at * width; row < (at + 1) * width; row++) if (sign[row] !== 0) own.push(row);
    }
    own.sort((a, b) => index[a]! % places - index[b]! % places || a - b);
    for (let from = 0; from < own.length;) {
      let to = from;
      while (to < own.length) {
        const place = index[own[to]!]! % places;
        if (to - from >= LEAST && place !== index[own[to - 1]!]! % places) break;
        to++;
      }
      yield grouped(box, own.slice(from, to), index);
      from = to;
    }
  }
}

function grouped(box: number, rows: readonly number[], index: Int32Array): RowGroup {
  const known = new Map<number, number>();
  const places = rows.map((row) => {
    const element = index[row]!;
    const place = known.get(element) ?? known.size;
    known.set(element, place);
    return place;
  });
  return {
    box,
    elements: Int32Array.from(known.keys()),
    rows: Int32Array.from(rows),
    places: Int32Array.from(places),
  };
}
