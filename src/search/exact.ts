/**
 * The choice of widths with the least loss, exactly.
 *
 * @module
 */

import { UserError } from "../base/errors.ts";
import { Evaluator } from "./evaluator.ts";
import { exactFront } from "./front.ts";
import { solveGreedily } from "./greedy.ts";
import { type Group, groupsOf } from "./groups.ts";
import { lagrangeMultipliers } from "./lagrange.ts";
import type { SearchProblem } from "./problem.ts";
import { closestToFeasible, type Solution, solutionOf } from "./solution.ts";

/**
 * Solves a problem exactly: the end of the front where there is one limit, else dynamic programming over groups of
 * layers with what the Lagrangian bound leaves.
 *
 * @returns The optimum, or what comes closest to the limits where they cannot be kept.
 * @throws {UserError} If there are too many combinations.
 */
export function solveExactly(problem: SearchProblem): Solution {
  const evaluator = new Evaluator(problem);
  const limited = problem.costs.filter(({ limit }) => limit !== Infinity);
  if (limited.length <= 1) {
    const cost = limited[0] ?? problem.costs[0] ?? free(problem);
    const front = exactFront({ ...problem, costs: [cost] });
    return solutionOf(
      evaluator,
      front.cost.length === 0 ? closestToFeasible(problem) : front.genome(front.cost.length - 1),
    );
  }
  const incumbent = solveGreedily(problem);
  const found = solveWithin({ ...problem, costs: limited }, incumbent);
  if (found !== undefined) return solutionOf(evaluator, found);
  return incumbent.violations.length === 0
    ? incumbent
    : solutionOf(evaluator, closestToFeasible(problem));
}

function free({ layers, widths }: SearchProblem): SearchProblem["costs"][number] {
  const values = new Float64Array(layers.length * widths.length);
  return { name: "none", values, constant: 0, limit: Infinity };
}

/** Labels that one step may have, so that memory and time stay bearable. */
const MOST_LABELS = 2_000_000;
/** With how many kept labels a new one is compared. */
const COMPARED = 24;

/** Partial choices after a step: sums, and where they come from. */
interface Labels {
  readonly loss: number[];
  /** By cost. */
  readonly costs: readonly number[][];
  readonly parent: number[];
  readonly option: number[];
}

/** The genome that is better than the incumbent and within all limits; `undefined` if there is none. */
function solveWithin(problem: SearchProblem, incumbent: Solution): Uint8Array | undefined {
  const best = incumbent.violations.length === 0 ? incumbent.loss : Infinity;
  const all = groupsOf(problem).sort((a, b) => b.loss.length - a.loss.length);
  const { multipliers, bound } = lagrangeMultipliers(all, problem.costs, best);
  const groups = all.map((group) => withoutHopeless(group, multipliers, bound, best));
  const penalized = ({ loss, costs }: Group, option: number) =>
    multipliers.reduce((sum, price, cost) => sum + price * costs[cost]![option]!, loss[option]!);
  const rest = suffixMinima(groups, (group, option) => penalized(group, option));
  const restCosts = problem.costs.map((_, cost) =>
    suffixMinima(groups, (group, option) => group.costs[cost]![option]!)
  );
  const limits = problem.costs.map(({ limit, constant }) =>
    limit + Math.abs(limit) * 1e-12 - constant
  );
  const allowance = multipliers.reduce((sum, price, cost) => sum + price * limits[cost]!, 0);
  // Rounding must not cut off the optimum.
  const slack = 1e-9 * Math.max(Math.abs(bound), Math.abs(best === Infinity ? 0 : best));

  const steps: Labels[] = [];
  let labels: Labels = {
    loss: [0],
    costs: limits.map(() => [0]),
    parent: [0],
    option: [0],
  };
  groups.forEach((group, step) => {
    const made: Labels = { loss: [], costs: limits.map(() => []), parent: [], option: [] };
    for (let parent = 0; parent < labels.loss.length; parent++) {
      options: for (let option = 0; option < group.loss.length; option++) {
        const loss = labels.loss[parent]! + group.loss[option]!;
        let penalty = 0;
        for (let cost = 0; cost < limits.length; cost++) {
          const sum = labels.costs[cost]![parent]! + group.costs[cost]![option]!;
          if (sum + restCosts[cost]![step + 1]! > limits[cost]!) continue options;
          penalty += multipliers[cost]! * sum;
        }
        if (loss + penalty + rest[step + 1]! - allowance >= best + slack) continue;
        made.loss.push(loss);
        for (let cost = 0; cost < limits.length; cost++) {
          made.costs[cost]!.push(labels.costs[cost]![parent]! + group.costs[cost]![option]!);
        }
        made.parent.push(parent);
        made.option.push(option);
      }
      if (made.loss.length > 4 * MOST_LABELS) throw tooMany();
    }
    labels = withoutBeaten(made);
    if (labels.loss.length > MOST_LABELS) throw tooMany();
    steps.push(labels);
  });
  let winner = -1;
  labels.loss.forEach((loss, label) => {
    if (loss < (winner < 0 ? best : labels.loss[winner]!)) winner = label;
  });
  if (winner < 0) return undefined;
  const genome = new Uint8Array(problem.layers.length);
  for (let step = groups.length - 1; step >= 0; step--) {
    const { layers, choices } = groups[step]!;
    const option = steps[step]!.option[winner]!;
    layers.forEach((layer, place) => {
      genome[layer] = choices[option * layers.length + place]!;
    });
    winner = steps[step]!.parent[winner]!;
  }
  return genome;
}

/** Leaves out options that cannot be part of a choice better than the incumbent. */
function withoutHopeless(
  group: Group,
  multipliers: Float64Array,
  bound: number,
  best: number,
): Group {
  if (best === Infinity) return group;
  const price = Float64Array.from(
    group.loss,
    (loss, option) =>
      multipliers.reduce((sum, factor, cost) => sum + factor * group.costs[cost]![option]!, loss),
  );
  const least = price.reduce((a, b) => Math.min(a, b), Infinity);
  const slack = 1e-9 * Math.max(Math.abs(bound), Math.abs(best));
  const kept = [...price.keys()].filter((option) => bound + price[option]! - least <= best + slack);
  const { layers, choices, loss, costs } = group;
  return {
    layers,
    choices: Uint8Array.from(
      kept.flatMap((option) => [
        ...choices.subarray(option * layers.length, (option + 1) * layers.length),
      ]),
    ),
    loss: Float64Array.from(kept, (option) => loss[option]!),
    costs: costs.map((cost) => Float64Array.from(kept, (option) => cost[option]!)),
  };
}

/** The sum of the least values of each group and of all after it; 0 after the last. */
function suffixMinima(
  groups: readonly Group[],
  value: (group: Group, option: number) => number,
): Float64Array {
  const sums = new Float64Array(groups.length + 1);
  for (let step = groups.length - 1; step >= 0; step--) {
    let least = Infinity;
    for (let option = 0; option < groups[step]!.loss.length; option++) {
      least = Math.min(least, value(groups[step]!, option));
    }
    sums[step] = sums[step + 1]! + least;
  }
  return sums;
}

/** Leaves out labels that one of the last few kept ones beats in everything. */
function withoutBeaten({ loss, costs, parent, option }: Labels): Labels {
  const first = costs[0]!;
  const order = Uint32Array.from(loss.keys()).sort((a, b) =>
    first[a]! - first[b]! || loss[a]! - loss[b]!
  );
  const kept: number[] = [];
  labels: for (const label of order) {
    for (let at = kept.length - 1; at >= Math.max(0, kept.length - COMPARED); at--) {
      const other = kept[at]!;
      if (loss[other]! > loss[label]!) continue;
      if (costs.every((cost) => cost[other]! <= cost[label]!)) continue labels;
    }
    kept.push(label);
  }
  return {
    loss: kept.map((label) => loss[label]!),
    costs: costs.map((cost) => kept.map((label) => cost[label]!)),
    parent: kept.map((label) => parent[label]!),
    option: kept.map((label) => option[label]!),
  };
}

function tooMany(): UserError {
  return new UserError({
    message: "Method exact has too many combinations to compare under these limits",
    hint: "Use method: genetic",
  });
}
