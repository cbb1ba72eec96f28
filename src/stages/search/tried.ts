/**
 * Choosing by trials.
 *
 * @module
 */

import { UserError } from "../../base/errors.ts";
import { compassSearch } from "../../search/compass.ts";
import { Evaluator } from "../../search/evaluator.ts";
import { solveExactly } from "../../search/exact.ts";
import { type Front, pointOfLoss } from "../../search/front.ts";
import { searchGenetically } from "../../search/genetic.ts";
import { solveGreedily } from "../../search/greedy.ts";
import type { Genome, SearchProblem } from "../../search/problem.ts";
import { type Solution, solutionOf } from "../../search/solution.ts";
import { findThreshold } from "../../search/threshold.ts";
import { type Tilt, tiltProblem, UPRIGHT } from "../../search/tilt.ts";
import type { SensitivityTable } from "../../search/table.ts";
import { goalOf } from "./goals.ts";
import type { Parameters } from "./ports.ts";
import type { Losses, Trials } from "./trials.ts";

/** One model that was measured. */
export interface Tried {
  readonly genome: Genome;
  readonly losses: Losses;
  /** How losses were seen for this choice; upright where the table itself was asked. */
  readonly tilt: Tilt;
}

/** What trials led to. */
export interface TriedSolution {
  readonly solution: Solution;
  /** In order. */
  readonly tried: readonly Tried[];
  /** What the chosen model loses. */
  readonly losses: Losses;
}

/** First steps of the search for how losses add up. */
const STEPS = { power: 0.5, slope: 3 };

/** The choice within the limits that loses least when it is measured. */
export async function chooseByTrials(
  problem: SearchProblem,
  trials: Trials,
  parameters: Parameters,
  seed: number,
): Promise<TriedSolution> {
  const tiltAt = ([power, slope]: readonly number[]): Tilt => ({ power: power!, slope: slope! });
  const measured = await compassSearch<Genome>({
    start: [UPRIGHT.power, UPRIGHT.slope],
    steps: [STEPS.power, STEPS.slope],
    trials: parameters.trials!.count,
    candidate: (point) => solvePlainly(tiltProblem(problem, tiltAt(point)), parameters, seed),
    key: (genome) => genome.join(","),
    measure: async (genome) => (await trials.losses(genome))[trials.measure]!,
  });
  const tried: Tried[] = [];
  for (const { candidate, point } of measured) {
    tried.push({
      genome: candidate,
      losses: await trials.losses(candidate),
      tilt: tiltAt(point),
    });
  }
  const best = tried.reduce((best, each) =>
    each.losses[trials.measure]! < best.losses[trials.measure]! ? each : best
  );
  const solution = solutionOf(new Evaluator(problem), best.genome);
  return { solution, tried, losses: best.losses };
}

function solvePlainly(
  problem: SearchProblem,
  { method, genetic }: Parameters,
  seed: number,
): Genome {
  if (method === "genetic") return searchGenetically(problem, { ...genetic, seed }).solution.genome;
  return (method === "greedy" ? solveGreedily(problem) : solveExactly(problem)).genome;
}

/** The cheapest choice of the front whose measured loss is within the budget's goal. */
export async function cheapestByTrials(
  problem: SearchProblem,
  front: Front | undefined,
  { measure }: SensitivityTable,
  trials: Trials,
  parameters: Parameters,
): Promise<TriedSolution> {
  const { name, limit } = goalOf(parameters.budget)!;
  if (front === undefined) {
    throw new UserError({
      message: `A limit of ${name} needs the front, which has too many points`,
      hint: "Leave widths out: bits: [2, 4, 8]",
    });
  }
  const evaluator = new Evaluator(problem);
  const tried: Tried[] = [];
  const attempt = async (point: number): Promise<Tried> => {
    const genome = front.genome(point);
    const each = { genome, losses: await trials.losses(genome), tilt: UPRIGHT };
    if (!tried.some(({ genome: other }) => `${other}` === `${genome}`)) tried.push(each);
    return each;
  };
  const points = front.cost.length;
  // A loss in the table's own measure says where to begin.
  const guess = measure === name ? pointOfLoss(front, limit) : points >> 1;
  const found = await findThreshold({
    points,
    guess: guess < 0 ? points - 1 : guess,
    trials: parameters.trials!.count,
    cost: (point) => front.cost[point]!,
    isEnough: async (point) => (await attempt(point)).losses[name]! <= limit,
  });
  if (found !== undefined) {
    const { genome, losses } = await attempt(found);
    return { solution: solutionOf(evaluator, genome), tried, losses };
  }
  const best = tried.reduce((best, each) => each.losses[name]! < best.losses[name]! ? each : best);
  const solution = solutionOf(evaluator, best.genome);
  const violations = [{ cost: name, value: best.losses[name]!, limit }];
  return { solution: { ...solution, violations }, tried, losses: best.losses };
}
