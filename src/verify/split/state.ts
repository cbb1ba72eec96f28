/**
 * A search that was interrupted, as bytes.
 *
 * @module
 */

import type { Witness } from "../bracket.ts";
import type { Entry } from "./heap.ts";
import type { Mark } from "./standstill.ts";

/** A box that is not done. */
export interface Leaf {
  readonly lower: Float64Array;
  readonly upper: Float64Array;
  /** Upper bounds of ±(f′ − f) by row. */
  readonly bounds: Float64Array;
  /** The input to split, −1 where none has any width. */
  readonly side: number;
  /** What its parts inherit; see `pack.ts`. */
  readonly packed: Float32Array;
  /** Its share of the domain. */
  readonly volume: number;
}

/** Everything that a search knows between two rounds. */
export interface SearchState {
  readonly rows: "values" | "differences";
  /** Whether boxes are cut into regions. */
  readonly regions: boolean;
  readonly boxes: number;
  readonly splits: number;
  readonly settled: number;
  /** Milliseconds that it took so far. */
  readonly elapsed: number;
  /** How many times a split made the excess smaller, and by what sum of logarithms. */
  readonly shrink: readonly [count: number, sum: number];
  /** How far it was when it last got on. */
  readonly mark: Mark;
  readonly closed: Float64Array;
  readonly witnesses: readonly (Witness | undefined)[];
  readonly open: readonly Entry<Leaf>[];
  /** The order of the next box that is put among the open ones. */
  readonly next: number;
}

/** In front of the bytes; other versions are not read. */
const VERSION = 3;

/** The bytes of a state: a length, a header in JSON, and its numbers. */
export function encodeState(state: SearchState): Uint8Array<ArrayBuffer> {
  const { rows, regions, boxes, splits, settled, elapsed, shrink, mark } = state;
  const { closed, witnesses, open, next } = state;
  const [inputs, packed] = [open[0]?.item.lower.length ?? 0, open[0]?.item.packed.length ?? 0];
  const header = {
    version: VERSION,
    rows,
    regions,
    boxes,
    splits,
    settled,
    elapsed,
    shrink,
    // JSON has no infinity.
    mark: mark.map((each) => each === Infinity ? null : each),
    next,
    inputs,
    packed,
    bounds: closed.length,
    open: open.length,
    witnesses: witnesses.map((witness) => witness === undefined ? -1 : witness.input.length),
  };
  const text = new TextEncoder().encode(JSON.stringify(header));
  const numbers: number[] = [...closed];
  for (const witness of witnesses) {
    if (witness !== undefined) numbers.push(witness.difference, ...witness.input);
  }
  const perLeaf = 2 * inputs + closed.length + 4;
  // Numbers of eight bytes begin where such numbers may begin.
  const start = Math.ceil((4 + text.length) / 8) * 8;
  const wide = numbers.length + open.length * perLeaf;
  const bytes = new Uint8Array(start + 8 * wide + 4 * open.length * packed);
  new DataView(bytes.buffer).setUint32(0, text.length, true);
  bytes.set(text, 4);
  const data = new Float64Array(bytes.buffer, start, wide);
  const packs = new Float32Array(bytes.buffer, start + 8 * wide);
  data.set(numbers);
  let at = numbers.length;
  open.forEach(({ item, priority, order }, index) => {
    data.set(item.lower, at);
    data.set(item.upper, at + inputs);
    data.set(item.bounds, at + 2 * inputs);
    at += 2 * inputs + closed.length;
    data.set([item.side, item.volume, priority, order], at);
    at += 4;
    packs.set(item.packed, index * packed);
  });
  return bytes;
}

/**
 * What bytes of {@linkcode encodeState} hold.
 *
 * @returns `undefined` for bytes of another version.
 */
export function decodeState(given: Uint8Array): SearchState | undefined {
  const bytes = given.slice();
  const length = new DataView(bytes.buffer).getUint32(0, true);
  const header = JSON.parse(new TextDecoder().decode(bytes.subarray(4, 4 + length)));
  if (header.version !== VERSION) return undefined;
  const { inputs, packed, bounds, open: count } = header;
  const start = Math.ceil((4 + length) / 8) * 8;
  const wide = (bytes.length - start - 4 * count * packed) / 8;
  const data = new Float64Array(bytes.buffer, start, wide);
  const packs = new Float32Array(bytes.buffer, start + 8 * wide);
  let at = 0;
  const take = (size: number) => data.slice(at, at += size);
  const closed = take(bounds);
  const witnesses = (header.witnesses as number[]).map((size): Witness | undefined => {
    if (size < 0) return undefined;
    const [difference] = take(1);
    return { difference: difference!, input: take(size) };
  });
  const open = Array.from({ length: count as number }, (_, index): Entry<Leaf> => {
    const [lower, upper, own] = [take(inputs), take(inputs), take(bounds)];
    const [side, volume, priority, order] = take(4);
    const pack = packs.slice(index * packed, (index + 1) * packed);
    return {
      item: { lower, upper, bounds: own, side: side!, packed: pack, volume: volume! },
      priority: priority!,
      order: order!,
    };
  });
  const { rows, regions, boxes, splits, settled, elapsed, shrink, next } = header;
  return {
    rows,
    regions,
    boxes,
    splits,
    settled,
    elapsed,
    shrink,
    mark: header.mark.map((each: number | null) => each ?? Infinity) as Mark,
    closed,
    witnesses,
    open,
    next,
  };
}
