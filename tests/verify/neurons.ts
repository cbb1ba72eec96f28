/**
 * Single neurons of two networks, for tests of relaxations.
 *
 * @module
 */

import type { Random } from "../../src/base/random.ts";
import { close, type ValueBounds } from "../../src/verify/bounds/batch.ts";

/** The bounds of a neuron of both networks. */
export interface Neuron {
  readonly bounds: ValueBounds;
  /** Points (z, e) that the bounds allow, corners and kinks among them. */
  readonly points: [number, number][];
}

/** A neuron with bounds of every sign, wide and narrow. */
export function neuron(random: Random): Neuron {
  const zLower = random.normal(), zUpper = zLower + Math.exp(2 * random.normal());
  const scale = Math.exp(2 * random.normal() - 2);
  const eLower = scale * random.normal(), eUpper = eLower + scale * random.uniform();
  const loose = random.uniform() < 0.5 ? 0 : random.uniform() * scale;
  const bounds: ValueBounds = {
    zLower: Float64Array.of(zLower),
    zUpper: Float64Array.of(zUpper),
    yLower: Float64Array.of(zLower - eUpper + loose),
    yUpper: Float64Array.of(zUpper - eLower - loose),
    eLower: Float64Array.of(eLower),
    eUpper: Float64Array.of(eUpper),
  };
  close(bounds);
  const values = (
    lower: number,
    upper: number,
  ) => [
    lower,
    upper,
    0,
    (lower + upper) / 2,
    ...Array.from({ length: 6 }, () => lower + random.uniform() * (upper - lower)),
  ];
  const zs = values(bounds.zLower[0]!, bounds.zUpper[0]!);
  const es = values(bounds.eLower[0]!, bounds.eUpper[0]!);
  const all = zs.flatMap((z) => [
    ...es.map((e): [number, number] => [z, e]),
    ...[0, bounds.yLower[0]!, bounds.yUpper[0]!].map((y): [number, number] => [z, z - y]),
  ]);
  const points = all.filter(([z, e]) =>
    z >= bounds.zLower[0]! && z <= bounds.zUpper[0]! && e >= bounds.eLower[0]! &&
    e <= bounds.eUpper[0]! &&
    z - e >= bounds.yLower[0]! && z - e <= bounds.yUpper[0]!
  );
  return { bounds, points };
}
