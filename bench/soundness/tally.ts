/**
 * Counting what was looked at, and what is beyond its bounds.
 *
 * @module
 */

import { compareExact, type Exact } from "./exact.ts";

/** Bounds of f′ − f by output. */
export interface Bounds {
  readonly lower: Float64Array;
  readonly upper: Float64Array;
}

/** Counts of one pair, or of all. */
export class Tally {
  points = 0;
  attacks = 0;
  /** Points that were evaluated without rounding. */
  exact = 0;
  violations = 0;
  /** How far differences came, as a share of the bound: on the whole box, and on parts of it that are not points. */
  nearest = 0;
  nearestInParts = 0;
  /** What was beyond, in words; the first ones only. */
  readonly said: string[] = [];

  /** Holds differences of points, [points × outputs], against bounds. Returns the largest share of a bound. */
  look(
    differences: ArrayLike<number>,
    { lower, upper }: Bounds,
    slack: number,
    what: string,
  ): number {
    const outputs = lower.length;
    let closest = 0;
    for (let at = 0, output = 0; at < differences.length; at++, output++) {
      if (output === outputs) output = 0;
      const [from, to, value] = [lower[output]!, upper[output]!, differences[at]!];
      // Written so that what is no number counts.
      if (!(value >= from - slack && value <= to + slack)) {
        this.violated(`${what}: output ${output} is ${value}, bounds are ${from} … ${to}`);
      }
      const share = value > 0 ? value / to : value / from;
      if (share > closest) closest = share;
    }
    return closest;
  }

  /** The same without any slack. */
  lookExactly(differences: readonly Exact[], { lower, upper }: Bounds, what: string): void {
    this.exact++;
    differences.forEach((value, output) => {
      if (compareExact(value, lower[output]!) >= 0 && compareExact(value, upper[output]!) <= 0) {
        return;
      }
      const [from, to] = [lower[output], upper[output]];
      this.violated(`${what}: output ${output} is exactly beyond ${from} … ${to}`);
    });
  }

  add({ points, attacks, exact, violations, said }: Tally): void {
    this.points += points;
    this.attacks += attacks;
    this.exact += exact;
    this.violations += violations;
    this.said.push(...said);
  }

  /** Counts something beyond. */
  violated(text: string): void {
    this.violations++;
    if (this.said.length < 5) this.said.push(text);
  }
}
