/**
 * Points of a box where bounds of a small network could be wrong.
 *
 * @module
 */

import type { Random } from "../../src/base/random.ts";
import type { Box } from "../../src/verify/box.ts";
import { valuesOf } from "../../src/verify/network/evaluate.ts";
import { type PairedNetwork, SIDES } from "../../src/verify/network/network.ts";
import { pick } from "./models.ts";

const CORNERS = 16;
const INSIDE = 14;
/** Neurons of a layer whose kinks and ties are looked for. */
const NEURONS = 4;
/** Halvings on the way to a place: as many as float32 numbers allow, and some more. */
const HALVINGS = 40;

/** Corners, the middle, points anywhere, and both sides of where a Relu bends or a quantizer has a tie. */
export function pointsOf(network: PairedNetwork, { lower, upper }: Box, random: Random) {
  const within = (share: (side: number) => number) =>
    lower.map((from, side) => {
      const value = Math.fround(from + share(side) * (upper[side]! - from));
      return Math.min(Math.max(value, from), upper[side]!);
    });
  const points: Float64Array[] = [];
  for (let corner = 0; corner < Math.min(2 ** lower.length, CORNERS); corner++) {
    points.push(lower.map((from, side) => (corner >> side) & 1 ? upper[side]! : from));
  }
  for (let at = 0; at < INSIDE; at++) points.push(within(() => random.uniform()));
  points.push(within(() => 0.5));
  const addCrossing = (a: Float64Array, b: Float64Array, value: (x: Float64Array) => number) => {
    const on = (share: number) =>
      a.map((from, side) => {
        const between = Math.fround(from + share * (b[side]! - from));
        return Math.min(Math.max(between, lower[side]!), upper[side]!);
      });
    const isBelow = value(on(0)) < 0;
    if ((value(on(1)) < 0) === isBelow) return;
    let [from, to] = [0, 1];
    for (let step = 0; step < HALVINGS; step++) {
      const middle = (from + to) / 2;
      if ((value(on(middle)) < 0) === isBelow) from = middle;
      else to = middle;
    }
    points.push(on(from), on(to));
  };
  network.steps.forEach((step, at) => {
    const relu = network.steps[at + 1];
    if (step.kind !== "affine" || relu?.kind !== "relu") return;
    const rounding = network.steps.find((each) =>
      each.kind === "quantize" && each.input === at + 2
    );
    const grid = rounding?.kind === "quantize" ? rounding.quantizer.quantized : undefined;
    for (const side of SIDES) {
      for (let neuron = 0; neuron < Math.min(step.size, NEURONS); neuron++) {
        const [a, b] = [pick(random, points), pick(random, points)];
        const value = (x: Float64Array) => valuesOf(network, side, x)[at + 1]![neuron]!;
        addCrossing(a, b, value);
        if (grid === undefined) continue;
        const scale = grid.scale[grid.scale.length === 1 ? 0 : neuron]!;
        const tie = (Math.round(value(a) / scale) + 0.5) * scale;
        if (Number.isFinite(tie)) addCrossing(a, b, (x) => value(x) - tie);
      }
    }
  });
  return points;
}
