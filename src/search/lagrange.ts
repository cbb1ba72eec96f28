/**
 * Prices for costs, so that paying for them bounds the least loss from below.
 *
 * @module
 */

import type { Group } from "./groups.ts";
import type { Cost } from "./problem.ts";

/** Prices and the bound that they give. */
export interface LagrangianBound {
  /** Loss a unit of each cost, not negative. */
  readonly multipliers: Float64Array;
  /** No choice within the limits loses less. */
  readonly bound: number;
}

const ITERATIONS = 400;

/**
 * Maximizes Σ_groups min_options (loss + Σ λ·cost) − Σ λ·limit over λ ≥ 0 by subgradient steps of Polyak's length.
 *
 * @param target The loss of a known choice, or infinity.
 */
export function lagrangeMultipliers(
  groups: readonly Group[],
  costs: readonly Cost[],
  target: number,
): LagrangianBound {
  const limits = costs.map(({ limit, constant }) => limit + Math.abs(limit) * 1e-12 - constant);
  const unit = limits.map((limit) => Math.max(Math.abs(limit), 1e-9));
  // In units of the limits, so that prices of bytes and of operations are comparable.
  const price = new Float64Array(costs.length);
  const slope = new Float64Array(costs.length);
  let best = new Float64Array(costs.length);
  let bound = -Infinity;
  let pace = 1;
  let stale = 0;
  const magnitude = groups.reduce(
    (sum, { loss }) => sum + loss.reduce((most, each) => Math.max(most, Math.abs(each)), 0),
    0,
  );
  for (let iteration = 0; iteration < ITERATIONS; iteration++) {
    let value = 0;
    limits.forEach((limit, cost) => {
      value -= price[cost]! * limit / unit[cost]!;
      slope[cost] = -limit / unit[cost]!;
    });
    for (const { loss, costs } of groups) {
      let least = Infinity;
      let chosen = 0;
      for (let option = 0; option < loss.length; option++) {
        let sum = loss[option]!;
        for (let cost = 0; cost < unit.length; cost++) {
          sum += price[cost]! * costs[cost]![option]! / unit[cost]!;
        }
        if (sum < least) [least, chosen] = [sum, option];
      }
      value += least;
      for (let cost = 0; cost < unit.length; cost++) {
        slope[cost]! += costs[cost]![chosen]! / unit[cost]!;
      }
    }
    if (value > bound) {
      bound = value;
      best = price.slice();
      stale = 0;
    } else if (++stale === 10) {
      pace /= 2;
      stale = 0;
    }
    const norm = slope.reduce((sum, each) => sum + each * each, 0);
    if (norm === 0) break;
    const gap = target === Infinity ? 0.1 * magnitude : Math.max(target - value, 0);
    for (let cost = 0; cost < price.length; cost++) {
      price[cost] = Math.max(0, price[cost]! + pace * gap * slope[cost]! / norm);
    }
  }
  return { multipliers: best.map((each, cost) => each / unit[cost]!), bound };
}
