/**
 * Points of a box where bounds could be wrong: inside, at corners and faces, where a Relu has its kink, where a
 * quantizer goes from one level to the next.
 *
 * @module
 */

import type { Random } from "../../src/base/random.ts";
import type { Box } from "../../src/verify/box.ts";
import { ceilFloat32, floorFloat32 } from "../../src/verify/neighbors.ts";

/** Points one after the other, [count × inputs]: float32 numbers, unless the box holds none. */
export type Points = Float64Array<ArrayBuffer>;

/** The box of those float32 numbers that are in a box; sides that hold none stay. */
export function float32Box({ lower, upper }: Box): Box {
  const from = lower.map(ceilFloat32);
  const to = upper.map(floorFloat32);
  return {
    lower: from.map((value, at) => value <= to[at]! ? value : lower[at]!),
    upper: to.map((value, at) => from[at]! <= value ? value : upper[at]!),
  };
}

/** A point anywhere. */
export function inside({ lower, upper }: Box, random: Random, out: Points, start: number): void {
  for (let at = 0; at < lower.length; at++) {
    out[start + at] = between(lower[at]!, upper[at]!, random.uniform());
  }
}

/** A corner. */
export function corner({ lower, upper }: Box, random: Random, out: Points, start: number): void {
  for (let at = 0, bits = 0; at < lower.length; at++, bits >>>= 1) {
    if (at % 32 === 0) bits = random.bits();
    out[start + at] = bits & 1 ? upper[at]! : lower[at]!;
  }
}

/** A point of a face, of any dimension, or next to one. */
export function face(box: Box, random: Random, out: Points, start: number): void {
  const { lower, upper } = box;
  const share = random.uniform();
  for (let at = 0; at < lower.length; at++) {
    const [from, to] = [lower[at]!, upper[at]!];
    if (random.uniform() < share) {
      // A quarter of them a little inside.
      const depth = random.integer(4) === 0 ? 2 ** -(4 + random.integer(20)) : 0;
      out[start + at] = between(from, to, random.integer(2) === 0 ? depth : 1 - depth);
    } else out[start + at] = between(from, to, random.uniform());
  }
}

/** What a share of the way from one float32 number to another rounds to. */
function between(from: number, to: number, share: number): number {
  const value = Math.fround(from + share * (to - from));
  return value < from ? from : value > to ? to : value;
}

/** A step of a network whose value bends or jumps, and where. */
export interface Threshold {
  /** The name of the value that is read. */
  readonly value: string;
  /** Distance between two levels; 0 for a Relu, which has its kink at 0. */
  readonly step: number;
}

/** Values of a batch of points, [points × size]. */
export type Values = (points: Points, threshold: Threshold) => Promise<Float32Array>;

/** How many times a line is followed to where it crosses. */
const APPROACHES = 4;
/** Neurons that are tried for one that crosses between two points. */
const TRIALS = 16;

/**
 * Moves points to where some neuron crosses a threshold on the way to other points: as near as false position comes in
 * some steps, which for piecewise linear functions is next to it. Points where none was seen to cross stay.
 */
export async function approach(
  box: Box,
  starts: Points,
  ends: Points,
  threshold: Threshold,
  values: Values,
  random: Random,
): Promise<void> {
  const inputs = box.lower.length;
  const count = starts.length / inputs;
  let [low, high] = [await values(starts, threshold), await values(ends, threshold)];
  const size = low.length / count;
  const neuron = new Int32Array(count).fill(-1);
  const level = new Float64Array(count);
  for (let point = 0; point < count; point++) {
    for (let trial = 0; trial < TRIALS; trial++) {
      const chosen = random.integer(size);
      const [a, b] = [low[point * size + chosen]!, high[point * size + chosen]!];
      const at = threshold.step === 0 ? 0 : border(a, b, threshold.step, random);
      if (!(Math.min(a, b) < at && at < Math.max(a, b))) continue;
      neuron[point] = chosen;
      level[point] = at;
      break;
    }
  }
  for (let round = 0; round < APPROACHES; round++) {
    const middle = starts.slice();
    for (let point = 0; point < count; point++) {
      if (neuron[point]! < 0) continue;
      const place = point * size + neuron[point]!;
      const [a, b] = [low[place]! - level[point]!, high[place]! - level[point]!];
      const share = a === b ? 0.5 : a / (a - b);
      for (let at = point * inputs; at < (point + 1) * inputs; at++) {
        const side = at - point * inputs;
        const value = Math.fround(starts[at]! + share * (ends[at]! - starts[at]!));
        middle[at] = Math.min(Math.max(value, box.lower[side]!), box.upper[side]!);
      }
    }
    const found = await values(middle, threshold);
    const [nextLow, nextHigh] = [low.slice(), high.slice()];
    for (let point = 0; point < count; point++) {
      if (neuron[point]! < 0) continue;
      const place = point * size + neuron[point]!;
      const isBelow = (found[place]! < level[point]!) === (low[place]! < level[point]!);
      const [to, kept] = isBelow ? [starts, nextLow] : [ends, nextHigh];
      to.set(middle.subarray(point * inputs, (point + 1) * inputs), point * inputs);
      kept.set(found.subarray(point * size, (point + 1) * size), point * size);
    }
    [low, high] = [nextLow, nextHigh];
  }
  // Either side of the threshold.
  for (let point = 0; point < count; point++) {
    if (random.integer(2) === 0) continue;
    starts.set(ends.subarray(point * inputs, (point + 1) * inputs), point * inputs);
  }
}

/** Some border between two levels, between a and b if there is one. */
function border(a: number, b: number, step: number, random: Random): number {
  const first = Math.ceil(Math.min(a, b) / step - 0.5);
  const last = Math.floor(Math.max(a, b) / step - 0.5);
  if (last < first) return NaN;
  return (first + random.integer(Math.min(last - first + 1, 2 ** 20)) + 0.5) * step;
}
