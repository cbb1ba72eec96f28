/**
 * The search for inputs on which two networks differ most: lower ends of brackets.
 *
 * Random points and corners are screened; projected gradient ascent (Madry et al., 2018) goes on from the best of them,
 * for every output in both directions, by the sign of the gradient, with steps that grow shorter. Rounding of activations
 * passes gradients on. Where inputs are few, the surroundings of the best points are searched. Every point that is evaluated counts for all
 * outputs.
 *
 * @module
 */

import { Random } from "../../base/random.ts";
import { type Box, center } from "../box.ts";
import { type PairedNetwork, sizeOf } from "../network/network.ts";
import { DifferenceGradients } from "./difference_gradient.ts";
import { Extremes, type PointSnap, snapToFloat32 } from "./extremes.ts";

/** How hard to search. */
export interface AttackOptions {
  readonly seed?: number;
  /** Random points to begin with; unless told 512 where a box has at most {@linkcode FEW} sides, else 64. */
  readonly samples?: number;
  /** Ascents for each output and direction, from the best points so far; 4 unless told. */
  readonly restarts?: number;
  /** Steps of an ascent; 40 unless told. */
  readonly steps?: number;
  /** Rounds of looking around the best points, where a box has at most {@linkcode FEW} sides; 16 unless told. */
  readonly refinements?: number;
  /** Points worth starting from, such as middles of subdomains. */
  readonly starts?: readonly Float64Array[];
  /** Takes a point of the box to one that the network can be fed. Float32 unless told. */
  readonly snap?: PointSnap;
  readonly signal?: AbortSignal;
  /** Told how much is done, from 0 to 1. */
  readonly progress?: (share: number) => void;
}

/** The most and the least difference of one output that was seen. */
export interface OutputExtremes {
  readonly highest: FoundDifference;
  readonly lowest: FoundDifference;
}

/** A point and f′ − f of one output there, in float32 arithmetic of the search's own graph. */
export interface FoundDifference {
  readonly input: Float64Array;
  readonly difference: number;
}

/** The surroundings of points with more inputs than this are too large to look around in. */
export const FEW = 32;

const LOCAL_TRIALS = 16;

/** Elements of a batch of points: keeps the values of inner layers in the cache. */
const BATCH_ELEMENTS = 1 << 17;

/** Attacks one pair of networks on one box after another. */
export class Attacker implements AsyncDisposable {
  readonly #network: PairedNetwork;
  readonly #gradients: DifferenceGradients;
  readonly #outputs: number;

  private constructor(network: PairedNetwork, gradients: DifferenceGradients) {
    this.#network = network;
    this.#gradients = gradients;
    this.#outputs = sizeOf(network, network.output);
  }

  /** @throws {UserError} If a step has no gradient. */
  static async open(network: PairedNetwork, threads = 1): Promise<Attacker> {
    const widest = network.steps.reduce(
      (most, { size }) => Math.max(most, size),
      network.input.size,
    );
    const goals = 2 * sizeOf(network, network.output);
    const points = Math.max(8, Math.min(goals * 8, Math.floor(BATCH_ELEMENTS / widest)));
    return new Attacker(network, await DifferenceGradients.open(network, points, threads));
  }

  /** The extremes of each output on a box that were found. Same box, options and seed: same result. */
  async attack(box: Box, options: AttackOptions = {}): Promise<OutputExtremes[]> {
    const { seed = 0, restarts = 4, steps = 40, signal, snap = snapToFloat32 } = options;
    const extremes = new Extremes(this.#outputs);
    const inputs = this.#network.input.size;
    const free = box.lower.reduce((count, lower, at) => count + Number(lower < box.upper[at]!), 0);
    const starts = [center(box), ...options.starts ?? []].map((point) => snap(point, box));
    const random = Random.from(seed, "verify/attack");
    for (let sample = 0; sample < (options.samples ?? (free <= FEW ? 512 : 64)); sample++) {
      starts.push(snap(sampled(box, random, sample % 2 === 0), box));
    }
    const ranked = ranking(await this.#evaluate(starts, extremes), this.#outputs);
    const points: Float64Array[] = [];
    const goals: number[] = [];
    ranked.forEach((order, goal) => {
      for (const start of order.slice(0, free === 0 ? 0 : restarts)) {
        points.push(starts[start]!);
        goals.push(goal);
      }
    });
    for (let from = 0; from < points.length; from += this.#gradients.points) {
      const part = points.slice(from, from + this.#gradients.points);
      const wanted = goals.slice(from, from + this.#gradients.points);
      for (let step = 0; step < steps; step++) {
        signal?.throwIfAborted();
        options.progress?.((from + part.length * step / steps) / points.length);
        const found = await this.#compute(part, wanted, extremes);
        const next = (length: number) =>
          part.map((point, at) => {
            const gradient = found.subarray(at * inputs, (at + 1) * inputs);
            return snap(moved(point, gradient, box, length), box);
          });
        // The corners that the gradients point to, which only the best way there leads to.
        if (step === 0) await this.#evaluate(next(2), extremes);
        part.splice(0, part.length, ...next(0.5 ** (1 + 9 * step / steps)));
      }
      await this.#evaluate(part, extremes);
    }
    if (free <= FEW) await this.#refine(box, extremes, options, snap, random);
    return extremes.all();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#gradients[Symbol.asyncDispose]();
  }

  /** Gradients of a batch, each point's in the direction of its goal; what is seen counts. */
  async #compute(
    points: readonly Float64Array[],
    goals: readonly number[],
    extremes: Extremes,
  ): Promise<Float32Array> {
    const weights = new Float32Array(this.#gradients.points * this.#outputs);
    goals.forEach((goal, at) => {
      weights[at * this.#outputs + (goal >> 1)] = goal % 2 === 0 ? 1 : -1;
    });
    const result = await this.#gradients.compute(this.#pack(points), weights);
    extremes.note(points, result.difference);
    return result.gradient;
  }

  /** Differences of any number of points, [points × outputs]; what is seen counts. */
  async #evaluate(points: readonly Float64Array[], extremes: Extremes): Promise<Float32Array> {
    const size = this.#gradients.points;
    const weights = new Float32Array(size * this.#outputs);
    const all = new Float32Array(points.length * this.#outputs);
    for (let from = 0; from < points.length; from += size) {
      const part = points.slice(from, from + size);
      const { difference } = await this.#gradients.compute(this.#pack(part), weights, false);
      extremes.note(part, difference);
      all.set(difference.subarray(0, part.length * this.#outputs), from * this.#outputs);
    }
    return all;
  }

  #pack(points: readonly Float64Array[]): Float32Array {
    const inputs = this.#network.input.size;
    const packed = new Float32Array(this.#gradients.points * inputs);
    points.forEach((point, at) => packed.set(point, at * inputs));
    return packed;
  }

  /**
   * Looks around the best points of every goal, nearer and nearer: along each input, and in random directions, which
   * follow ridges that neither inputs nor gradients follow.
   */
  async #refine(
    box: Box,
    extremes: Extremes,
    { refinements = 16, signal }: AttackOptions,
    snap: PointSnap,
    random: Random,
  ): Promise<void> {
    const free = [...box.lower.keys()].filter((at) => box.lower[at]! < box.upper[at]!);
    for (let round = 0; round < refinements; round++) {
      const share = 0.5 ** (2 + round / 2);
      const candidates: Float64Array[] = [];
      for (const point of extremes.points()) {
        const add = (move: (side: number) => number) => {
          const other = point.slice();
          for (const side of free) {
            const [from, to] = [box.lower[side]!, box.upper[side]!];
            other[side] = clamp(other[side]! + move(side) * share * (to - from), from, to);
          }
          candidates.push(snap(other, box));
        };
        for (const chosen of free) {
          for (const sign of [1, -1]) add((side) => side === chosen ? sign : 0);
        }
        for (let trial = 0; trial < LOCAL_TRIALS; trial++) add(() => 2 * random.uniform() - 1);
      }
      signal?.throwIfAborted();
      await this.#evaluate(candidates, extremes);
    }
  }
}

/** A random point, or a random corner: piecewise linear functions are extreme there more often than inside. */
function sampled({ lower, upper }: Box, random: Random, corner: boolean): Float64Array {
  return lower.map((from, at) => {
    const share = random.uniform();
    return from + (upper[at]! - from) * (corner ? Math.round(share) : share);
  });
}

/** For each output upward, then downward, and so on, the points from the best. */
function ranking(differences: Float32Array, outputs: number): number[][] {
  const count = differences.length / outputs;
  return Array.from({ length: 2 * outputs }, (_, goal) => {
    const sign = goal % 2 === 0 ? 1 : -1;
    const values = Float64Array.from(
      { length: count },
      (_, point) => sign * differences[point * outputs + (goal >> 1)]!,
    );
    return Array.from(values.keys()).sort((a, b) => values[b]! - values[a]! || a - b);
  });
}

/** A step by the sign of the gradient, as a share of half the box's sides. */
function moved(
  point: Float64Array,
  gradient: Float32Array,
  { lower, upper }: Box,
  length: number,
): Float64Array {
  return point.map((value, at) => {
    const [from, to] = [lower[at]!, upper[at]!];
    const step = Math.sign(gradient[at]!) * length * (to - from) / 2;
    return clamp(value + step, from, to);
  });
}

function clamp(value: number, from: number, to: number): number {
  return Math.min(Math.max(value, from), to);
}
