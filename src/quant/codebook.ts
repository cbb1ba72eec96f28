/**
 * Weights as numbers of a few values of any size: one-dimensional k-means.
 *
 * @module
 */

import { type WeightError, weightError } from "./weights.ts";

/** Weights that take one of a few values. */
export interface Codebook {
  /** At most 2^bits values, ascending. */
  readonly codebook: Float32Array;
  /** Which of them each weight takes. */
  readonly indices: Uint8Array;
  readonly error: WeightError;
}

/** The finest division on which the means are searched exactly. */
const PIECES = 1024;
const MAX_ROUNDS = 100;

/**
 * Finds the values that are nearest to all weights of a tensor together, in the mean square.
 *
 * The weights are sorted and merged into at most 1024 pieces; for these, the best means are found exactly, by dynamic
 * programming (Wang and Song, "Ckmeans.1d.dp", 2011). They are then refined on the weights themselves until no
 * weight changes its mean (Lloyd's algorithm). No random numbers are involved.
 *
 * @param weights Finite.
 * @param bits 1 to 8.
 */
export function buildCodebook(weights: Float32Array, bits: number): Codebook {
  if (!Number.isInteger(bits) || bits < 1 || bits > 8) {
    throw new RangeError(`bits of a codebook must be 1 to 8: current value is ${bits}`);
  }
  const sorted = new Sorted(weights);
  const codebook = Float32Array.from(refine(sorted, bestMeans(sorted.pieces(), 2 ** bits)));
  const indices = nearest(weights, codebook);
  const approximate = new Float32Array(weights.length);
  for (let index = 0; index < indices.length; index++) {
    approximate[index] = codebook[indices[index]!]!;
  }
  return { codebook, indices, error: weightError(weights, approximate) };
}

/** Sorted numbers and their prefix sums. */
class Sorted {
  readonly values: Float32Array;
  readonly #sums: Float64Array;

  constructor(values: Float32Array) {
    this.values = values.slice().sort();
    this.#sums = new Float64Array(values.length + 1);
    for (let index = 0; index < values.length; index++) {
      this.#sums[index + 1] = this.#sums[index]! + this.values[index]!;
    }
  }

  mean(start: number, end: number): number {
    return (this.#sums[end]! - this.#sums[start]!) / (end - start);
  }

  /** How many numbers are below a limit. */
  below(limit: number): number {
    let low = 0;
    let high = this.values.length;
    while (low < high) {
      const middle = (low + high) >> 1;
      if (this.values[middle]! < limit) low = middle + 1;
      else high = middle;
    }
    return low;
  }

  /** The numbers, those in the same small interval merged into their mean. */
  pieces(): Piece[] {
    const { values } = this;
    if (values.length === 0) return [];
    const low = values[0]!;
    const width = (values.at(-1)! - low) / PIECES;
    const pieces: Piece[] = [];
    let start = 0;
    for (let piece = 1; start < values.length; piece++) {
      const end = piece >= PIECES ? values.length : this.below(low + piece * width);
      if (end > start) pieces.push({ value: this.mean(start, end), count: end - start });
      start = end;
    }
    return pieces;
  }
}

interface Piece {
  readonly value: number;
  readonly count: number;
}

/**
 * The means of at most `clusters` groups of consecutive pieces with the least sum of squares within groups.
 *
 * Row k of the program holds the least cost of the first i pieces in k groups; where the last group begins moves up
 * with i, so each row is filled by halves.
 */
function bestMeans(pieces: readonly Piece[], clusters: number): number[] {
  const length = pieces.length;
  const groups = Math.min(clusters, length);
  if (groups === 0) return [0];
  const counts = new Float64Array(length + 1);
  const sums = new Float64Array(length + 1);
  const squares = new Float64Array(length + 1);
  const shift = pieces[length >> 1]!.value;
  pieces.forEach(({ value, count }, index) => {
    const offset = value - shift;
    counts[index + 1] = counts[index]! + count;
    sums[index + 1] = sums[index]! + count * offset;
    squares[index + 1] = squares[index]! + count * offset * offset;
  });
  const cost = (start: number, end: number): number => {
    const sum = sums[end]! - sums[start]!;
    const spread = squares[end]! - squares[start]! - sum * sum / (counts[end]! - counts[start]!);
    return Math.max(spread, 0);
  };
  let row = Float64Array.from({ length: length + 1 }, (_, end) => end === 0 ? 0 : cost(0, end));
  const starts: Int32Array[] = [new Int32Array(length + 1)];
  for (let group = 1; group < groups; group++) {
    const next = new Float64Array(length + 1);
    const from = new Int32Array(length + 1);
    const before = row;
    const fill = (low: number, high: number, first: number, last: number): void => {
      if (low > high) return;
      const end = (low + high) >> 1;
      let least = Infinity;
      let best = first;
      for (let start = Math.max(first, group); start <= Math.min(last, end - 1); start++) {
        const total = before[start]! + cost(start, end);
        if (total < least) {
          least = total;
          best = start;
        }
      }
      next[end] = least;
      from[end] = best;
      fill(low, end - 1, first, best);
      fill(end + 1, high, best, last);
    };
    fill(group + 1, length, group, length - 1);
    row = next;
    starts.push(from);
  }
  const means: number[] = [];
  for (let group = groups - 1, end = length; group >= 0; group--) {
    const start = starts[group]![end]!;
    means.unshift(shift + (sums[end]! - sums[start]!) / (counts[end]! - counts[start]!));
    end = start;
  }
  return means;
}

/** Moves means to the mean of the numbers that are nearest to them, until nothing moves. */
function refine(sorted: Sorted, means: readonly number[]): number[] {
  let current = [...means];
  for (let round = 0; round < MAX_ROUNDS; round++) {
    let start = 0;
    const next = current.map((mean, index) => {
      const above = current[index + 1];
      const end = above === undefined ? sorted.values.length : sorted.below((mean + above) / 2);
      const moved = end > start ? sorted.mean(start, end) : mean;
      start = Math.max(start, end);
      return moved;
    });
    if (next.every((mean, index) => mean === current[index])) break;
    current = next;
  }
  return current;
}

/** The index of the nearest value, the lower one where two are as near. */
function nearest(values: Float32Array, codebook: Float32Array): Uint8Array {
  const limits = Float64Array.from(
    { length: codebook.length - 1 },
    (_, index) => (codebook[index]! + codebook[index + 1]!) / 2,
  );
  const indices = new Uint8Array(values.length);
  for (let index = 0; index < values.length; index++) {
    const value = values[index]!;
    let low = 0;
    let high = limits.length;
    while (low < high) {
      const middle = (low + high) >> 1;
      if (value > limits[middle]!) low = middle + 1;
      else high = middle;
    }
    indices[index] = low;
  }
  return indices;
}
