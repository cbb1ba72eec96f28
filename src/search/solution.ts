/**
 * What a search found.
 *
 * @module
 */

import { Evaluator } from "./evaluator.ts";
import type { Genome, SearchProblem } from "./problem.ts";

/** A limit that is not kept. */
export interface Violation {
  /** The cost's name. */
  readonly cost: string;
  readonly value: number;
  readonly limit: number;
}

/** A choice of widths with what it loses and costs. */
export interface Solution {
  readonly genome: Genome;
  readonly loss: number;
  /** By name; the greatest, where several costs have one name. */
  readonly costs: Readonly<Record<string, number>>;
  /** Empty if all limits are kept. */
  readonly violations: readonly Violation[];
}

/** Measures a genome. */
export function solutionOf(evaluator: Evaluator, genome: Genome): Solution {
  const { problem: { costs }, limits } = evaluator;
  const loss = evaluator.measure(genome);
  const values = Array.from(evaluator.costs);
  const greatest: Record<string, number> = {};
  costs.forEach(({ name }, index) => {
    greatest[name] = Math.max(greatest[name] ?? -Infinity, values[index]!);
  });
  return {
    genome: genome.slice(),
    loss,
    costs: greatest,
    violations: costs.flatMap(({ name, limit }, index) => {
      const value = values[index]!;
      return value > limits[index]! && value === greatest[name]
        ? [{ cost: name, value, limit }]
        : [];
    }),
  };
}

/**
 * The genome that comes closest to keeping all limits: the least sum of what is over them, as fractions of them. Exact
 * where costs fall together when a layer gets narrower, as sizes, operations and memory do; else a local optimum.
 */
export function closestToFeasible(problem: SearchProblem): Genome {
  const evaluator = new Evaluator(problem);
  const width = problem.widths.length;
  const genome = Uint8Array.from(problem.allowed, (choices, layer) => {
    const share = (choice: number) =>
      problem.costs.reduce(
        (sum, { values, limit }) =>
          limit === Infinity
            ? sum
            : sum + values[layer * width + choice]! / (limit > 0 ? limit : 1),
        0,
      );
    return choices.reduce(
      (best, choice) => share(choice) < share(best) ? choice : best,
      choices[0]!,
    );
  });
  evaluator.measure(genome);
  let least = evaluator.excess;
  for (let improved = true; improved && least > 0;) {
    improved = false;
    for (let layer = 0; layer < genome.length; layer++) {
      const before = genome[layer]!;
      let best = before;
      for (const choice of problem.allowed[layer]!) {
        genome[layer] = choice;
        evaluator.measure(genome);
        if (evaluator.excess >= least) continue;
        least = evaluator.excess;
        best = choice;
        improved = true;
      }
      genome[layer] = best;
    }
  }
  return genome;
}
