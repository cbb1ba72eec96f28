/**
 * Whether the class that a classifier gives can change on a box, from one network to the other.
 *
 * @module
 */

import type { Propagated } from "./bounds/engine.ts";
import { Propagator } from "./bounds/propagate.ts";
import type { Semantics } from "./bounds/roundoff.ts";
import type { Watch } from "./bounds/watch.ts";
import type { Box } from "./box.ts";
import { type PairedNetwork, type PairedStep, sizeOf } from "./network/network.ts";

/** Classifiers with more classes than this have too many pairs of them. */
export const MOST_CLASSES = 64;

/** Whether a classifier has few enough classes, and more than one. */
export function hasMargins(network: PairedNetwork): boolean {
  const classes = sizeOf(network, network.output);
  return classes > 1 && classes <= MOST_CLASSES;
}

/** Bounds the margins of one pair of classifiers on one box after another. */
export class MarginProver implements AsyncDisposable {
  readonly #classes: number;
  readonly #propagator: Propagator;

  /** @throws {RangeError} If there are less than two classes, or more than {@linkcode MOST_CLASSES}. */
  constructor(network: PairedNetwork, semantics: Semantics, threads = 1, watch: Watch = {}) {
    this.#classes = sizeOf(network, network.output);
    if (!hasMargins(network)) {
      throw new RangeError(`Classes must be 2 to ${MOST_CLASSES}: there are ${this.#classes}`);
    }
    this.#propagator = new Propagator(marginNetwork(network), { semantics, threads, watch });
  }

  /**
   * Whether both networks give a class to every input of a box: f_c − f_j > 0 and f′_c − f′_j > 0 for all others j.
   * The latter margin is bounded by itself, and as the former plus a difference.
   *
   * @param known What is known of the box, with rows of differences, by a propagator whose option `within` was
   *   {@linkcode marginNetwork} of the network.
   */
  async isKept(box: Box, chosen: number, known?: Propagated): Promise<boolean> {
    const state = known === undefined
      ? await this.#propagator.propagate({ count: 1, ...box }, "differences")
      : await this.#propagator.extend(known, "differences");
    const others = Array.from({ length: this.#classes }, (_, at) => at).filter((at) =>
      at !== chosen
    );
    const bound = async (view: "z" | "y" | "joint", sign: 1 | -1) => {
      const rows = {
        width: others.length,
        group: Int32Array.of(0),
        index: Int32Array.from(others, (other) => chosen * this.#classes + other),
        sign: new Float64Array(others.length).fill(sign),
      };
      // Numbers of values are not those of the network where max pools were taken apart.
      const { output } = this.#propagator.network;
      return (await this.#propagator.boundRows(output, view, rows, state)).bounds;
    };
    const original = await bound("z", 1);
    if (!original.every((margin) => margin > 0)) return false;
    const quantized = await bound("y", 1);
    // −e = f′'s margin − f's margin.
    const change = await bound("joint", -1);
    return others.every((_, at) =>
      quantized[at]! > 0 || original[at]! + change[at]! > ROUNDING * Math.abs(change[at]!)
    );
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#propagator[Symbol.asyncDispose]();
  }
}

/** More than the rounding of a sum, relative to its second term. */
const ROUNDING = 2 ** -50;

/** The network whose output n·c + j is output c less output j. */
export function marginNetwork(network: PairedNetwork): PairedNetwork {
  const classes = sizeOf(network, network.output);
  const rows = classes * classes;
  const weights = new Float64Array(rows * classes);
  for (let row = 0; row < rows; row++) {
    weights[row * classes + Math.floor(row / classes)]! += 1;
    weights[row * classes + row % classes]! -= 1;
  }
  const map = { kind: "dense", rows, columns: classes, weights } as const;
  const offset = { values: new Float64Array(rows) };
  const names = { value: "margins", nodes: ["margins"] };
  const step: PairedStep = {
    kind: "affine",
    terms: [{ input: network.output, map: { original: map, quantized: map } }],
    offset: { original: offset, quantized: offset },
    size: rows,
    dims: [1, rows],
    names: { original: names, quantized: names },
  };
  const steps = [...network.steps, step];
  return { ...network, steps, output: steps.length };
}
