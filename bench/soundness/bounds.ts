/**
 * Boxes and what is proven of them, for both arithmetics.
 *
 * @module
 */

import type { Random } from "../../src/base/random.ts";
import type { BoxBatch } from "../../src/verify/bounds/batch.ts";
import type { Semantics } from "../../src/verify/bounds/roundoff.ts";
import { type Box, center } from "../../src/verify/box.ts";
import type { PairedNetwork } from "../../src/verify/network/network.ts";
import { sizeOf } from "../../src/verify/network/network.ts";
import { Expander, type ExpandRequest } from "../../src/verify/split/expand.ts";
import { MOST_SPLIT_INPUTS, Verifier } from "../../src/verify/verify.ts";
import type { Bounds } from "./tally.ts";

const SEMANTICS: readonly Semantics[] = ["real", "float32"];

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
  const flat = (side: "lower" | "upper") =>
    Float64Array.from(boxes.flatMap((box) => [...box[side]]));
  const batch = { count, lower: flat("lower"), upper: flat("upper") };
  const found: Record<Semantics, Float64Array> = {
    real: new Float64Array(),
    float32: new Float64Array(),
  };
  for (const semantics of SEMANTICS) {
    await using expander = new Expander(network, { semantics, rows: "values" });
    const first = refined(network, batch, true);
    const { bounds } = await expander.expand(first);
    found[semantics] = await closer(expander, first, bounds, random);
  }
  return boxes.map((box, at) => regionOf(network, box, found, at));
}

/**
 * Parts of a box as a search comes to them: each is half of the one before, cut where the search would cut it, and has
 * that one's bounds.
 *
 * @param depth Halvings.
 */
export async function descended(
  network: PairedNetwork,
  whole: Box,
  chains: number,
  depth: number,
  random: Random,
): Promise<Region[]> {
  await using real = new Expander(network, { semantics: "real", rows: "values" });
  await using float32 = new Expander(network, { semantics: "float32", rows: "values" });
  const inputs = whole.lower.length;
  const repeated = (side: "lower" | "upper") =>
    Float64Array.from({ length: chains * inputs }, (_, at) => whole[side][at % inputs]!);
  const batch = { count: chains, lower: repeated("lower"), upper: repeated("upper") };
  const regions: Region[] = [];
  let packed: Record<Semantics, Float32Array<ArrayBuffer>> | undefined;
  for (let level = 0; level < depth; level++) {
    const request = refined(network, batch, level % 2 === 0);
    const [own, other] = [
      await real.expand({ ...request, inherited: packed?.real }),
      await float32.expand({ ...request, inherited: packed?.float32 }),
    ];
    const before = packed;
    packed = { real: own.packed, float32: other.packed };
    const found = {
      real: await closer(real, { ...request, inherited: before?.real }, own.bounds, random),
      float32: await closer(
        float32,
        { ...request, inherited: before?.float32 },
        other.bounds,
        random,
      ),
    };
    for (let chain = 0; chain < chains; chain++) {
      const [from, to] = [chain * inputs, (chain + 1) * inputs];
      const box = { lower: batch.lower.slice(from, to), upper: batch.upper.slice(from, to) };
      if (level % EVERY === EVERY - 1) regions.push(regionOf(network, box, found, chain));
      const side = own.side[chain]!;
      if (side < 0) continue;
      const middle = center(box)[side]!;
      (random.uniform() < 0.5 ? batch.lower : batch.upper)[from + side] = middle;
    }
  }
  return regions;
}

/** Which of the parts on the way are looked at. */
const EVERY = 3;

/** A request whose rows are refined as far as they can be. */
function refined(network: PairedNetwork, batch: BoxBatch, isThorough: boolean): ExpandRequest {
  const rows = 2 * sizeOf(network, network.output);
  return {
    batch,
    inherited: undefined,
    wanted: new Uint8Array(batch.count * rows).fill(1),
    // Never reached, and never too far away.
    goals: new Float64Array(rows).fill(1e-300),
    reach: Infinity,
    ...(!isThorough && { ratio: 1.1, regions: true }),
  };
}

/**
 * Bounds of the boxes of a request, each with goals of its own below what is known: what can be reached is proven by cells,
 * which are given up early where nothing can.
 */
async function closer(
  expander: Expander,
  { batch: { count, lower, upper }, inherited, wanted, ...request }: ExpandRequest,
  known: Float64Array,
  random: Random,
): Promise<Float64Array> {
  const result = known.slice();
  const [inputs, rows] = [lower.length / count, wanted.length / count];
  const packed = (inherited?.length ?? 0) / count;
  for (let box = 0; box < count; box++) {
    const own = known.subarray(box * rows, (box + 1) * rows);
    const { bounds } = await expander.expand({
      ...request,
      batch: {
        count: 1,
        lower: lower.slice(box * inputs, (box + 1) * inputs),
        upper: upper.slice(box * inputs, (box + 1) * inputs),
      },
      inherited: inherited?.slice(box * packed, (box + 1) * packed),
      wanted: wanted.slice(box * rows, (box + 1) * rows),
      goals: own.map((bound) => Math.abs(bound) * (0.2 + 0.8 * random.uniform())),
    });
    result.set(own.map((bound, row) => Math.min(bound, bounds[row]!)), box * rows);
  }
  return result;
}

function regionOf(
  network: PairedNetwork,
  box: Box,
  found: Readonly<Record<Semantics, Float64Array>>,
  at: number,
): Region {
  const outputs = sizeOf(network, network.output);
  const boundsOf = (bounds: Float64Array): Bounds => ({
    lower: Float64Array.from({ length: outputs }, (_, i) => -bounds[2 * (at * outputs + i) + 1]!),
    upper: Float64Array.from({ length: outputs }, (_, i) => bounds[2 * (at * outputs + i)]!),
  });
  return { box, real: boundsOf(found.real), float32: boundsOf(found.float32) };
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
