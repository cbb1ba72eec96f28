/**
 * The largest differences that a search has seen.
 *
 * @module
 */

import type { Box } from "../box.ts";
import type { Witness } from "../bracket.ts";
import { refineWitnesses } from "./witness.ts";

/** f′ − f at points, [points × outputs]. */
type Differences = (points: Float64Array) => Promise<Float64Array>;

/** Points of a domain beside those that are given. */
const SPREAD = 256;

const PRIMES = [2, 3, 5, 7, 11, 13, 17, 19];

/** The witnesses of all outputs on one domain. */
export class Witnesses {
  readonly #domain: Box;
  #list: readonly (Witness | undefined)[];

  /** @param list By output. */
  constructor(domain: Box, list: readonly (Witness | undefined)[]) {
    this.#domain = domain;
    this.#list = list;
  }

  /** By output; `undefined` where no difference was seen. */
  get list(): readonly (Witness | undefined)[] {
    return this.#list;
  }

  /** The largest difference of an output. */
  found(output: number): number {
    return Math.abs(this.#list[output]?.difference ?? 0);
  }

  /** Looks at points all over the domain, and climbs from the best of them. */
  async look(given: readonly Float64Array[], differences: Differences): Promise<void> {
    const { lower, upper } = this.#domain;
    const size = lower.length;
    const points = new Float64Array((given.length + SPREAD) * size);
    given.forEach((point, at) => points.set(point, at * size));
    for (let at = 0; at < SPREAD; at++) {
      for (let input = 0; input < size; input++) {
        // A lattice of irrational steps covers a box evenly without random numbers (Kronecker's theorem).
        const step = (Math.sqrt(PRIMES[input % PRIMES.length]! + input) * (at + 1)) % 1;
        points[(given.length + at) * size + input] = lower[input]! +
          (upper[input]! - lower[input]!) * step;
      }
    }
    this.see(points, await differences(points));
    await this.climb([], differences);
  }

  /** Keeps points where an output differs more than at those before. */
  see(points: Float64Array, differences: Float64Array): void {
    const outputs = this.#list.length;
    const size = this.#domain.lower.length;
    const list = [...this.#list];
    for (let at = 0; at < differences.length; at++) {
      const output = at % outputs;
      const difference = differences[at]!;
      if (Math.abs(difference) <= Math.abs(list[output]?.difference ?? 0)) continue;
      const point = Math.floor(at / outputs);
      list[output] = { input: points.slice(point * size, (point + 1) * size), difference };
    }
    this.#list = list;
  }

  /** Climbs from the witnesses that are not those of before. */
  async climb(
    before: readonly (Witness | undefined)[],
    differences: Differences,
  ): Promise<void> {
    const better = this.#list.map((each, at) => each === before[at] ? undefined : each);
    if (better.every((each) => each === undefined)) return;
    const climbed = await refineWitnesses(this.#domain, better, differences);
    this.#list = this.#list.map((each, at) => {
      const other = climbed[at];
      return other !== undefined && Math.abs(other.difference) > this.found(at) ? other : each;
    });
  }
}
