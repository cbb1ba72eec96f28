/**
 * Boxes and what is proven of them, for both arithmetics.
 *
 * @module
 */

import type { Random } from "../../src/base/random.ts";
import type { Box } from "../../src/verify/box.ts";
import type { PairedNetwork } from "../../src/verify/network/network.ts";
import { sizeOf } from "../../src/verify/network/network.ts";
import { Expander } from "../../src/verify/split/expand.ts";
import { MOST_SPLIT_INPUTS, Verifier } from "../../src/verify/verify.ts";
import type { Bounds } from "./tally.ts";

/** A box with its bounds. */
export interface Region {
  readonly box: Box;
  readonly real: Bounds;
  readonly float32: Bounds;
}

/** Bounds of a box by a search of some boxes, or as a whole where it has many sides. */
export async function searched(network: PairedNetwork, box: Box, boxes: number): Promise<Region> {
  const bounds = async (semantics: "real" | "float32"): Promise<Bounds> => {
    const options = { method: "differential", split: boxes > 1, boxes, ratio: 1.05 } as const;
    await using verifier = new Verifier(network, { ...options, semantics });
    const { outputs } = await verifier.verify(box);
    return {
      lower: Float64Array.from(outputs, ({ lower }) => lower),
      upper: Float64Array.from(outputs, ({ upper }) => upper),
    };
  };
  return { box, real: await bounds("real"), float32: await bounds("float32") };
}

/** Parts of a box, anywhere, down to a thousandth of a percent of it. */
export async function parts(
  network: PairedNetwork,
  whole: Box,
  count: number,
  random: Random,
): Promise<Region[]> {
  const boxes = Array.from(
    { length: count },
    () => part(whole, 2 ** (-16 * random.uniform()), random),
  );
  if (whole.lower.length > MOST_SPLIT_INPUTS) {
    const regions: Region[] = [];
    for (const box of boxes) regions.push(await searched(network, box, 1));
    return regions;
  }
  const outputs = sizeOf(network, network.output);
  const flat = (side: "lower" | "upper") =>
    Float64Array.from(boxes.flatMap((box) => [...box[side]]));
  const expand = async (semantics: "real" | "float32") => {
    await using expander = new Expander(network, { semantics, rows: "values" });
    const { bounds } = await expander.expand({
      batch: { count, lower: flat("lower"), upper: flat("upper") },
      inherited: undefined,
      wanted: new Uint8Array(count * 2 * outputs).fill(1),
      // Never reached, so that rows are refined as far as they can be.
      goals: new Float64Array(2 * outputs),
    });
    return bounds;
  };
  const found = { real: await expand("real"), float32: await expand("float32") };
  const boundsOf = (bounds: Float64Array, at: number): Bounds => ({
    lower: Float64Array.from({ length: outputs }, (_, i) => -bounds[2 * (at * outputs + i) + 1]!),
    upper: Float64Array.from({ length: outputs }, (_, i) => bounds[2 * (at * outputs + i)]!),
  });
  return boxes.map((box, at) => ({
    box,
    real: boundsOf(found.real, at),
    float32: boundsOf(found.float32, at),
  }));
}

function part({ lower, upper }: Box, scale: number, random: Random): Box {
  const from = lower.map((value, at) =>
    Math.min(value + random.uniform() * (1 - scale) * (upper[at]! - value), upper[at]!)
  );
  const to = from.map((value, at) =>
    Math.min(value + scale * random.uniform() * (upper[at]! - lower[at]!), upper[at]!)
  );
  return { lower: from, upper: to };
}
