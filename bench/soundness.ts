/**
 * Looks for points beyond proven bounds: samples and attacks on all networks that verification is measured on, with
 * narrower weights and with rounded activations.
 *
 *     deno run -A bench/soundness.ts
 *     deno run -A bench/soundness.ts --share 0.01 --only mnist
 *     deno run -A bench/soundness.ts --share 0.01 --only acas --narrow 0.3
 *
 * Points are taken inside of boxes, at corners, at faces, and where a neuron's Relu has its kink or its quantizer goes to
 * another level; on the whole box, on parts of it down to a hundred thousandth, and on parts that a search comes to, with
 * the bounds that they have from those in front of them. Each is looked at three times: in
 * float64, against bounds of exact arithmetic, and as ONNX Runtime computes the two models without optimizations and
 * with all of them, against bounds of float32 arithmetic. Some are evaluated without any rounding; boxes of one point
 * have to give what is computed there. Ends with code 1 if anything is beyond; with `--narrow`, which makes bounds wrong on
 * purpose, something has to be.
 *
 * @module
 */

import process from "node:process";
import { parseArgs } from "node:util";
import { Random } from "../src/base/random.ts";
import { Attacker } from "../src/verify/attack/attack.ts";
import { type Box, box } from "../src/verify/box.ts";
import { type PairedNetwork, sizeOf } from "../src/verify/network/network.ts";
import { pairModels } from "../src/verify/network/pair.ts";
import { Expander } from "../src/verify/split/expand.ts";
import { MOST_SPLIT_INPUTS } from "../src/verify/verify.ts";
import { BatchedPair } from "./soundness/batched.ts";
import { descended, parts, type Region, searched } from "./soundness/bounds.ts";
import { type Case, cases } from "./soundness/cases.ts";
import { exactDifference, isExactlyKnown } from "./soundness/exact.ts";
import { approach, corner, face, float32Box, inside, type Points } from "./soundness/points.ts";
import { type Bounds, Tally } from "./soundness/tally.ts";

const { values: options } = parseArgs({
  options: {
    share: { type: "string", default: "1" },
    only: { type: "string", default: "" },
    narrow: { type: "string", default: "0" },
  },
});
const share = Number(options.share);

/** Bounds that are wrong on purpose. */
function narrowed({ lower, upper }: Bounds): Bounds {
  const factor = 1 - Number(options.narrow);
  return { lower: lower.map((each) => factor * each), upper: upper.map((each) => factor * each) };
}

/** Float64 evaluation is off by less than this, relative to the largest inner values of these networks. */
const EVALUATION = 1e-12;
/** Elements of the widest value of the points that are computed side by side. */
const BATCH_ELEMENTS = 1 << 20;
/** Points of each pair that are evaluated without rounding, and boxes of one point. */
const EXACT = 6;
const SINGLE = 3;
/** Ways down to small parts, as a search takes them, and halvings on each. */
const DESCENTS = { chains: Math.max(Math.round(8 * share), 2), depth: 24 };
/** Products that evaluating a point without rounding may take. */
const MOST_EXACT = 1 << 20;

/** One pair while it is looked at. */
class Examination implements AsyncDisposable {
  readonly tally = new Tally();
  readonly #network: PairedNetwork;
  readonly #pair: BatchedPair;
  readonly #expander: Expander;
  readonly #random: Random;
  readonly #batch: number;
  #slack = 0;

  private constructor(network: PairedNetwork, pair: BatchedPair, random: Random) {
    this.#network = network;
    this.#pair = pair;
    this.#random = random;
    this.#expander = new Expander(network, { semantics: "real", rows: "values" });
    const widest = network.steps.reduce(
      (most, { size }) => Math.max(most, size),
      network.input.size,
    );
    this.#batch = Math.max(8, Math.min(4096, Math.floor(BATCH_ELEMENTS / widest)));
  }

  static async open(each: Case): Promise<Examination> {
    const [original, quantized] = await each.models();
    const pair = await BatchedPair.open(original, quantized);
    return new Examination(pairModels(original, quantized), pair, Random.from(0, each.name));
  }

  async run({ box: boxOf, points, restarts, boxes, parts: partCount }: Case): Promise<void> {
    const whole = await boxOf();
    const region = await searched(this.#network, whole, boxes);
    await this.#measure(whole);
    for (let left = points * share * 0.7; left > 0; left -= this.#batch) {
      this.tally.nearest = Math.max(this.tally.nearest, await this.#sample(region, this.#batch));
    }
    const smaller = await parts(this.#network, whole, partCount, this.#random);
    if (whole.lower.length <= MOST_SPLIT_INPUTS) {
      smaller.push(
        ...await descended(this.#network, whole, DESCENTS.chains, DESCENTS.depth, this.#random),
      );
    }
    const each = Math.ceil(points * share * 0.3 / smaller.length);
    for (const part of smaller) {
      const nearest = await this.#sample(part, Math.min(each, this.#batch));
      this.tally.nearestInParts = Math.max(this.tally.nearestInParts, nearest);
    }
    const found = await this.#attack(region, Math.ceil(restarts * share));
    this.#exactly([...smaller.slice(0, EXACT), region], found);
    for (const point of found.slice(0, SINGLE)) await this.#single(point);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#pair[Symbol.asyncDispose]();
    await this.#expander[Symbol.asyncDispose]();
  }

  /** How large inner values are, which float64 evaluation is inexact by. */
  async #measure(whole: Box): Promise<void> {
    const points = this.#draw(whole, 8);
    for (const threshold of this.#pair.thresholds) {
      for (const value of await this.#pair.values(points, threshold)) {
        this.#slack = Math.max(this.#slack, EVALUATION * Math.abs(value));
      }
    }
  }

  async #look(points: Points, region: Region): Promise<number> {
    const [real, float32] = [narrowed(region.real), narrowed(region.float32)];
    const exact = await this.#expander.differences(points);
    let closest = this.tally.look(exact, real, this.#slack, "float64");
    const [plain, optimized] = await this.#pair.differences(points);
    closest = Math.max(closest, this.tally.look(plain!, float32, 0, "not optimized"));
    closest = Math.max(closest, this.tally.look(optimized!, float32, 0, "optimized"));
    this.tally.points += points.length / this.#network.input.size;
    return closest;
  }

  #draw(box: Box, count: number): Points {
    const within = float32Box(box);
    const size = box.lower.length;
    const points = new Float64Array(count * size);
    const kinds = [inside, inside, corner, face, face];
    for (let at = 0; at < count; at++) {
      kinds[at % kinds.length]!(within, this.#random, points, at * size);
    }
    return points;
  }

  /** Half of the points at thresholds of some step. */
  async #sample(region: Region, count: number): Promise<number> {
    const half = Math.ceil(count / 2);
    const { thresholds } = this.#pair;
    const threshold = thresholds[this.#random.integer(thresholds.length)]!;
    const starts = this.#draw(region.box, half);
    const ends = this.#draw(region.box, half);
    const plain = await this.#look(starts, region);
    const values = this.#pair.values.bind(this.#pair);
    await approach(float32Box(region.box), starts, ends, threshold, values, this.#random);
    return Math.max(plain, await this.#look(starts, region));
  }

  /** The points that ascents end at. */
  async #attack(region: Region, restarts: number): Promise<Float64Array[]> {
    await using attacker = await Attacker.open(this.#network);
    const extremes = await attacker.attack(region.box, { restarts });
    this.tally.attacks += 2 * extremes.length * restarts;
    const found = [
      ...new Set(extremes.flatMap(({ highest, lowest }) => [highest.input, lowest.input])),
    ];
    const points = new Float64Array(found.flatMap((point) => [...point]));
    this.tally.nearest = Math.max(this.tally.nearest, await this.#look(points, region));
    return found;
  }

  #exactly(regions: readonly Region[], found: readonly Float64Array[]): void {
    const products = this.#network.steps.reduce(
      (total, step) =>
        step.kind !== "affine" ? total : total +
          step.terms.reduce((sum, { map }) => sum + map.original.rows * map.original.columns, 0),
      0,
    );
    if (products > MOST_EXACT || !isExactlyKnown(this.#network)) return;
    for (const region of regions) {
      const points = region === regions.at(-1)
        ? found.slice(0, EXACT)
        : [this.#draw(region.box, 1)];
      for (const point of points) {
        this.tally.lookExactly(exactDifference(this.#network, point), region.real, "exactly");
      }
    }
  }

  /** Bounds of a point are as narrow as float64 arithmetic allows, unless a value lies on the border of two levels. */
  async #single(point: Float64Array): Promise<void> {
    const region = await searched(this.#network, box(point, point), 1);
    await this.#look(Float64Array.from(point), region);
    this.#exactly([region], [point]);
    const outputs = sizeOf(this.#network, this.#network.output);
    for (let output = 0; output < outputs; output++) {
      const width = region.real.upper[output]! - region.real.lower[output]!;
      if (!(width < 1e-7)) this.tally.violated(`a point's bounds are ${width} apart`);
    }
  }
}

const percent = (share: number) => `${(100 * share).toFixed(1)} %`;
const all = new Tally();
const counts = { pairs: 0, single: 0 };
for (const each of cases()) {
  if (!each.name.includes(options.only)) continue;
  await using examination = await Examination.open(each);
  await examination.run(each);
  const { tally } = examination;
  all.add(tally);
  counts.pairs++;
  console.log(
    `${each.name}: ${tally.points} points, ${tally.attacks} attacks, ${tally.exact} without rounding, ` +
      `${tally.violations} beyond; nearest ${percent(tally.nearest)}, ` +
      `in parts ${percent(tally.nearestInParts)}`,
  );
  for (const said of tally.said) console.log(`  ${said}`);
}
const { user, system } = process.cpuUsage();
console.log(
  `${counts.pairs} pairs: ${all.points} points, ${all.attacks} attacks, ${all.exact} points without rounding, ` +
    `${all.violations} beyond, in ${((user + system) / 6e7).toFixed(1)} min of processor time`,
);
Deno.exit(all.violations === 0 ? 0 : 1);
