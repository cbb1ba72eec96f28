/**
 * Boxes of the domain that are done, kept so that an interrupted run goes on behind them.
 *
 * @module
 */

import type { Confirmed } from "../../verify/attack/found.ts";
import type { SearchResult } from "../../verify/split/search.ts";

/** The name of the checkpoint of boxes that are done. */
export const CHECKPOINT = "domains";

/** The name of the checkpoint of the box that is being split. */
export const SEARCH_CHECKPOINT = "search";

/** The bytes of an interrupted search of the box behind those that are done. */
export function encodeSearch(done: number, state: Uint8Array): Uint8Array {
  const bytes = new Uint8Array(4 + state.length);
  new DataView(bytes.buffer).setUint32(0, done, true);
  bytes.set(state, 4);
  return bytes;
}

/** The state in bytes of {@linkcode encodeSearch}, unless that box is done by now. */
export function decodeSearch(done: number, bytes: Uint8Array | undefined): Uint8Array | undefined {
  if (bytes === undefined) return undefined;
  const { buffer, byteOffset, byteLength } = bytes;
  const of = new DataView(buffer, byteOffset, byteLength).getUint32(0, true);
  return of === done ? bytes.subarray(4) : undefined;
}

/** What is kept of a box. */
export interface DoneDomain {
  readonly result: SearchResult;
  readonly confirmed: Confirmed;
  readonly kept?: boolean;
}

/** Bytes of what is done. */
export function encodeDone(done: readonly DoneDomain[]): Uint8Array {
  const text = JSON.stringify(done, (_, value) => {
    if (value instanceof Float64Array) return { [NUMBERS]: [...value].map(numberText) };
    return typeof value === "number" && !plain(value) ? { [NUMBER]: numberText(value) } : value;
  });
  return new TextEncoder().encode(text);
}

/** What bytes of {@linkcode encodeDone} hold. */
export function decodeDone(bytes: Uint8Array): DoneDomain[] {
  return JSON.parse(new TextDecoder().decode(bytes), (_, value) => {
    if (typeof value !== "object" || value === null) return value;
    if (NUMBERS in value) return Float64Array.from(value[NUMBERS], Number);
    return NUMBER in value ? Number(value[NUMBER]) : value;
  });
}

const NUMBERS = "float64s";
const NUMBER = "float64";

/** Whether JSON gives a number back as it was: it has no infinities, and no negative zero. */
function plain(value: number): boolean {
  return Number.isFinite(value) && !Object.is(value, -0);
}

function numberText(value: number): string | number {
  return plain(value) ? value : Object.is(value, -0) ? "-0" : String(value);
}
