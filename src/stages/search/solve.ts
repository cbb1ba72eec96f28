/**
 * Solving the problem that a table and a budget state.
 *
 * @module
 */

import { UserError } from "../../base/errors.ts";
import type { StageContext } from "../../registry/stage.ts";
import { solveExactly } from "../../search/exact.ts";
import { Evaluator } from "../../search/evaluator.ts";
import { exactFront, type Front, pointOfLoss } from "../../search/front.ts";
import { type GeneticState, searchGenetically } from "../../search/genetic.ts";
import { solveGreedily } from "../../search/greedy.ts";
import { searchIslands } from "../../search/islands.ts";
import { kneeOf, limitedFront } from "../../search/limited_front.ts";
import type { Cost, SearchProblem } from "../../search/problem.ts";
import { type Solution, solutionOf } from "../../search/solution.ts";
import type { Parameters } from "./ports.ts";

/** The name of a cost in problems. */
export function costName(minimize: NonNullable<Parameters["minimize"]>): string {
  return COST_NAMES[minimize] ?? minimize;
}

const COST_NAMES: Readonly<Record<string, string>> = {
  mean_bits: "bits",
  mean_activation_bits: "activation_bits",
};

/** What is to be least. */
export function objectiveOf(
  { minimize, targets }: Parameters,
): NonNullable<Parameters["minimize"]> {
  return minimize ?? (targets === "activations" ? "bops" : "size");
}

/** The cost that a front shows. */
export function frontCost({ costs }: SearchProblem, parameters: Parameters): Cost {
  return costs.find(({ name }) => name === costName(objectiveOf(parameters)))!;
}

/**
 * The front of loss against cost: within all limits for method `pareto`, else of all choices. `undefined` if it has too
 * many points to be found.
 */
export function frontOf(
  problem: SearchProblem,
  parameters: Parameters,
  { warn, signal, progress }: StageContext,
): Front | undefined {
  const cost = frontCost(problem, parameters);
  try {
    const isLimited = problem.costs.some(({ limit }) => limit !== Infinity);
    if (parameters.method !== "pareto" || !isLimited) {
      return exactFront({ ...problem, costs: [{ ...cost, limit: Infinity }] });
    }
    return limitedFront(problem, cost.name, (done, total) => {
      signal.throwIfAborted();
      progress({ phase: "front", done, total, unit: "points" });
    });
  } catch (error) {
    if (!(error instanceof UserError)) throw error;
    if (parameters.method === "pareto" || parameters.budget?.loss !== undefined) throw error;
    warn(`${error.message}: the front is left out`);
    return undefined;
  }
}

/** The choice by the table alone. */
export async function solve(
  problem: SearchProblem,
  { method, budget = {}, genetic }: Parameters,
  context: StageContext,
  front: Front | undefined,
): Promise<Solution> {
  if (budget.loss !== undefined) return leastCost(problem, front!, budget.loss);
  if (method === "exact") return solveExactly(problem);
  if (method === "greedy") return solveGreedily(problem);
  if (method === "genetic") return await solveGenetically(problem, genetic, context);
  // Where the limits cannot be kept, there is no front.
  if (front!.cost.length === 0) return solveExactly(problem);
  return solutionOf(new Evaluator(problem), front!.genome(kneeOf(front!)));
}

function leastCost(problem: SearchProblem, front: Front, limit: number): Solution {
  const point = pointOfLoss(front, limit);
  const chosen = front.genome(point < 0 ? front.loss.length - 1 : point);
  const solution = solutionOf(new Evaluator(problem), chosen);
  if (point >= 0) return solution;
  return { ...solution, violations: [{ cost: "loss", value: solution.loss, limit }] };
}

const CHECKPOINT = "generation";

async function solveGenetically(
  problem: SearchProblem,
  options: Parameters["genetic"],
  { seed, threads, signal, checkpoints, progress }: StageContext,
): Promise<Solution> {
  const { generations, migration, islands } = options;
  const saved = await checkpoints.load(CHECKPOINT);
  let state: GeneticState | undefined = saved && JSON.parse(new TextDecoder().decode(saved));
  using pool = islands > 1 && threads > 1
    ? searchIslands(problem, { ...options, seed }, Math.min(threads, islands))
    : undefined;
  for (;;) {
    signal.throwIfAborted();
    const end = Math.min(generations, (state?.generation ?? 0) + migration);
    const report = (done: number, least: number) =>
      progress({
        phase: "searching",
        done,
        total: generations,
        unit: "generations",
        ...(Number.isFinite(least) && { values: { loss: least } }),
      });
    const part = { ...options, seed, generations: end };
    if (pool !== undefined) {
      state = await pool.advance(state, end);
      report(end, pool.least(state));
    } else {
      searchGenetically(problem, part, (current, least) => {
        const now = current();
        if (now.generation === end) state = now;
        report(now.generation, least);
      }, state);
    }
    if (end === generations) return searchGenetically(problem, part, undefined, state).solution;
    await checkpoints.save(CHECKPOINT, new TextEncoder().encode(JSON.stringify(state)));
  }
}
