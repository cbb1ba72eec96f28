/**
 * Fronts under limits of other costs, and the point of a front that is worth most.
 *
 * @module
 */

import { Evaluator } from "./evaluator.ts";
import { solveExactly } from "./exact.ts";
import type { Front } from "./front.ts";
import type { Genome, SearchProblem } from "./problem.ts";
import { solutionOf } from "./solution.ts";

/** Steps of the limit that a front under other limits is made with. */
const STEPS = 64;

/**
 * The front of loss against one cost among the choices that keep all limits: the least loss for limits of the cost in
 * even steps, each solved exactly (the ε-constraint method; Haimes, Lasdon and Wismer, 1971).
 *
 * @param name Of the cost.
 * @returns A front of at most 65 points; empty if the limits cannot be kept.
 * @throws {UserError} If there are too many combinations.
 */
export function limitedFront(
  problem: SearchProblem,
  name: string,
  progress: (done: number, total: number) => void = () => {},
): Front {
  const index = problem.costs.findIndex((cost) => cost.name === name);
  const evaluator = new Evaluator(problem);
  const within = (limit: number) =>
    solveExactly({
      ...problem,
      costs: problem.costs.map((cost, at) =>
        at === index ? { ...cost, limit: Math.min(cost.limit, limit) } : cost
      ),
    });
  const genomes: Genome[] = [];
  const best = within(Infinity);
  if (best.violations.length === 0) {
    const cheapest = solveExactly(cheapestProblem(problem, index)).genome;
    const least = solutionOf(evaluator, cheapest).costs[name]!;
    const most = best.costs[name]!;
    for (let step = 0; step < STEPS; step++) {
      progress(step, STEPS);
      const found = within(least + (most - least) * step / STEPS);
      if (found.violations.length === 0) genomes.push(found.genome);
    }
    genomes.push(best.genome);
  }
  const points = genomes
    .map((genome) => ({ genome, solution: solutionOf(evaluator, genome) }))
    .map(({ genome, solution }) => ({ genome, cost: solution.costs[name]!, loss: solution.loss }))
    .sort((a, b) => a.cost - b.cost || a.loss - b.loss)
    .filter(({ loss }, at, all) => all.slice(0, at).every((other) => other.loss > loss));
  return {
    cost: Float64Array.from(points, ({ cost }) => cost),
    loss: Float64Array.from(points, ({ loss }) => loss),
    genome: (point) => points[point]!.genome.slice(),
  };
}

/** The same limits, with the cost in place of the loss. */
function cheapestProblem(problem: SearchProblem, index: number): SearchProblem {
  const { values, pairs = [] } = problem.costs[index]!;
  const width = problem.widths.length;
  // Pairs are no losses of single layers: half of what each choice costs at least bounds them from below.
  const loss = values.slice();
  for (const { first, second, values } of pairs) {
    for (let own = 0; own < width; own++) {
      loss[first * width + own]! += Math.min(
        ...Array.from(problem.allowed[second]!, (other) => values[own * width + other]!),
      );
    }
  }
  return { ...problem, loss, blocks: [] };
}

/**
 * The knee of a front: the point farthest below the straight line between its ends, with the cost and the logarithm of
 * the loss as coordinates.
 */
export function kneeOf({ cost, loss }: Front): number {
  const last = cost.length - 1;
  if (last < 2) return Math.max(0, last);
  const floor = loss.reduce((least, each) => each > 0 ? Math.min(least, each) : least, Infinity);
  const height = (point: number) => Math.log(Math.max(loss[point]!, floor));
  const [top, bottom] = [height(0), height(last)];
  let knee = 0;
  let most = -Infinity;
  for (let point = 0; point <= last; point++) {
    const along = (cost[point]! - cost[0]!) / (cost[last]! - cost[0]!);
    const below = top + (bottom - top) * along - height(point);
    if (below > most) [most, knee] = [below, point];
  }
  return knee;
}
