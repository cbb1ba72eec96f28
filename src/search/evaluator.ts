/**
 * The loss and the costs of genomes, fast.
 *
 * @module
 */

import type { CostPair, Genome, SearchProblem } from "./problem.ts";

/** Sums of costs in another order may be off by this much, relatively. */
const TOLERANCE = 1e-12;

/** Evaluates genomes of one problem; allocates nothing while it does. */
export class Evaluator {
  readonly problem: SearchProblem;
  /** The costs of the genome that was measured last, in the order of the problem's costs. */
  readonly costs: Float64Array;
  /** The greatest value that counts as within each limit. */
  readonly limits: Float64Array;
  readonly #layers: number;
  readonly #width: number;
  readonly #loss: Float64Array;
  /** By layer: the block it is in, or −1, and its bit in that block's sets. */
  readonly #blockOf: Int32Array;
  readonly #bitOf: Uint8Array;
  /** By cost that has pairs, and layer: the pairs with this layer. */
  readonly #pairs: readonly (readonly (readonly CostPair[])[] | undefined)[];

  constructor(problem: SearchProblem) {
    this.problem = problem;
    this.costs = new Float64Array(problem.costs.length);
    this.limits = Float64Array.from(
      problem.costs,
      ({ limit }) => limit + Math.abs(limit === Infinity ? 0 : limit) * TOLERANCE,
    );
    this.#layers = problem.layers.length;
    this.#width = problem.widths.length;
    this.#loss = problem.loss;
    this.#blockOf = new Int32Array(this.#layers).fill(-1);
    this.#bitOf = new Uint8Array(this.#layers);
    this.#pairs = problem.costs.map(({ pairs }) =>
      pairs &&
      problem.layers.map((_, layer) =>
        pairs.filter(({ first, second }) => first === layer || second === layer)
      )
    );
    problem.blocks.forEach(({ layers }, block) =>
      layers.forEach((layer, bit) => {
        this.#blockOf[layer] = block;
        this.#bitOf[layer] = bit;
      })
    );
  }

  /**
   * The loss of a genome; its costs are in {@linkcode costs} afterwards.
   *
   * @param genomes One genome, or several in a row.
   * @param offset Where the genome begins.
   */
  measure(genomes: Genome, offset = 0): number {
    const layers = this.#layers;
    const width = this.#width;
    for (let cost = 0; cost < this.costs.length; cost++) {
      const { values, constant, pairs } = this.problem.costs[cost]!;
      let sum = constant;
      for (let layer = 0, row = 0; layer < layers; layer++, row += width) {
        sum += values[row + genomes[offset + layer]!]!;
      }
      if (pairs !== undefined) {
        for (let index = 0; index < pairs.length; index++) {
          const { first, second, values } = pairs[index]!;
          sum += values[genomes[offset + first]! * width + genomes[offset + second]!]!;
        }
      }
      this.costs[cost] = sum;
    }
    return this.loss(genomes, offset);
  }

  /** The loss of a genome. */
  loss(genomes: Genome, offset = 0): number {
    const layers = this.#layers;
    const width = this.#width;
    const loss = this.#loss;
    let sum = 0;
    for (let layer = 0, row = 0; layer < layers; layer++, row += width) {
      sum += loss[row + genomes[offset + layer]!]!;
    }
    const { blocks } = this.problem;
    for (let index = 0; index < blocks.length; index++) {
      sum += blocks[index]!.terms[this.#setOf(index, genomes, offset)]!;
    }
    return sum;
  }

  /** How much the loss changes when one layer of a genome gets another width. */
  lossChange(genome: Genome, layer: number, choice: number): number {
    const row = layer * this.#width;
    const before = genome[layer]!;
    const change = this.#loss[row + choice]! - this.#loss[row + before]!;
    const index = this.#blockOf[layer]!;
    if (index < 0 || before === choice) return change;
    const { terms, choice: joint } = this.problem.blocks[index]!;
    if (before !== joint && choice !== joint) return change;
    const bit = 1 << this.#bitOf[layer]!;
    const set = this.#setOf(index, genome, 0);
    return change + (choice === joint ? terms[set | bit]! : terms[set & ~bit]!) - terms[set]!;
  }

  /** How much a cost changes when one layer of a genome gets another width. */
  costChange(cost: number, genome: Genome, layer: number, choice: number): number {
    const width = this.#width;
    const row = layer * width;
    const before = genome[layer]!;
    const { values } = this.problem.costs[cost]!;
    let change = values[row + choice]! - values[row + before]!;
    const pairs = this.#pairs[cost]?.[layer];
    if (pairs === undefined) return change;
    for (let index = 0; index < pairs.length; index++) {
      const { first, second, values } = pairs[index]!;
      change += first === layer
        ? values[choice * width + genome[second]!]! - values[before * width + genome[second]!]!
        : values[genome[first]! * width + choice]! - values[genome[first]! * width + before]!;
    }
    return change;
  }

  /** Whether the costs that were measured last are within their limits. */
  get isFeasible(): boolean {
    for (let cost = 0; cost < this.costs.length; cost++) {
      if (this.costs[cost]! > this.limits[cost]!) return false;
    }
    return true;
  }

  /** By how much the costs that were measured last are over their limits: a sum of fractions of the limits. */
  get excess(): number {
    let sum = 0;
    for (let cost = 0; cost < this.costs.length; cost++) {
      const limit = this.problem.costs[cost]!.limit;
      if (this.costs[cost]! > this.limits[cost]!) {
        sum += (this.costs[cost]! - limit) / (limit > 0 ? limit : 1);
      }
    }
    return sum;
  }

  #setOf(index: number, genomes: Genome, offset: number): number {
    const { layers, choice } = this.problem.blocks[index]!;
    let set = 0;
    for (let bit = 0; bit < layers.length; bit++) {
      if (genomes[offset + layers[bit]!] === choice) set |= 1 << bit;
    }
    return set;
  }
}
