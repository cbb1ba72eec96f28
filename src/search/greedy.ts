/**
 * Choosing widths step by step: what loses least for what it saves.
 *
 * @module
 */

import { Evaluator } from "./evaluator.ts";
import type { Genome, SearchProblem } from "./problem.ts";
import { closestToFeasible, type Solution, solutionOf } from "./solution.ts";

/**
 * Starts from the choice of least loss a layer, takes the step that loses least for what it saves until all limits are
 * kept, and then takes every step back that still fits, most helpful first.
 */
export function solveGreedily(problem: SearchProblem): Solution {
  const steps = new Steps(problem);
  const width = problem.widths.length;
  const genome = Uint8Array.from(
    problem.allowed,
    (choices, layer) =>
      choices.reduce(
        (best, choice) =>
          problem.loss[layer * width + choice]! <= problem.loss[layer * width + best]!
            ? choice
            : best,
        choices[0]!,
      ),
  );
  steps.repair(genome);
  steps.improve(genome);
  return solutionOf(steps.evaluator, genome);
}

/** Steps from one genome to a neighbouring one, by rules that are the same each time. */
export class Steps {
  readonly evaluator: Evaluator;
  readonly #problem: SearchProblem;
  readonly #width: number;
  /** What the costs may still grow by. */
  readonly #room: Float64Array;
  /** What each cost counts for where several are over their limits. */
  readonly #weight: Float64Array;
  /** Gains below this are rounding errors. */
  readonly #least: number;

  constructor(problem: SearchProblem) {
    this.evaluator = new Evaluator(problem);
    this.#problem = problem;
    this.#width = problem.widths.length;
    this.#room = new Float64Array(problem.costs.length);
    this.#weight = new Float64Array(problem.costs.length);
    this.#least = 1e-12 * problem.loss.reduce((most, loss) => Math.max(most, Math.abs(loss)), 0);
  }

  /** Makes a genome keep all limits, if it can. */
  repair(genome: Genome): void {
    const { allowed, costs } = this.#problem;
    this.#measure(genome);
    // Costs that work against each other could go round in circles.
    for (let steps = 4 * genome.length * this.#width; !this.evaluator.isFeasible; steps--) {
      for (let cost = 0; cost < costs.length; cost++) {
        const over = -this.#room[cost]!;
        this.#weight[cost] = over > 0 ? 1 / over : 0;
      }
      let least = Infinity;
      let layer = -1;
      let choice = -1;
      for (let at = 0; at < genome.length; at++) {
        for (const other of allowed[at]!) {
          if (other === genome[at]) continue;
          const saving = this.#saving(genome, at, other);
          if (saving <= 0) continue;
          const change = this.evaluator.lossChange(genome, at, other);
          // A step that also loses less is taken at once, the largest saving first.
          const price = change <= 0 ? -saving : change / saving;
          if (price < least) [least, layer, choice] = [price, at, other];
        }
      }
      if (layer < 0 || steps === 0) {
        genome.set(closestToFeasible(this.#problem));
        this.#measure(genome);
        return;
      }
      this.#take(genome, layer, choice);
    }
  }

  /** Takes every single step that lowers the loss and fits, best first; returns whether there was one. */
  fill(genome: Genome): boolean {
    this.#measure(genome);
    if (!this.evaluator.isFeasible) return false;
    for (let steps = 0;; steps++) {
      let best = -this.#least;
      let layer = -1;
      let choice = -1;
      for (let at = 0; at < genome.length; at++) {
        for (const other of this.#problem.allowed[at]!) {
          if (other === genome[at]) continue;
          const change = this.evaluator.lossChange(genome, at, other);
          if (change >= best || !this.#fits(genome, at, other)) continue;
          [best, layer, choice] = [change, at, other];
        }
      }
      if (layer < 0) return steps > 0;
      this.#take(genome, layer, choice);
    }
  }

  /** Takes steps, alone and in pairs, until none lowers the loss. */
  improve(genome: Genome): void {
    this.fill(genome);
    if (!this.evaluator.isFeasible) return;
    while (this.#exchange(genome)) this.fill(genome);
  }

  /** The best pair of steps that lowers the loss and fits together. */
  #exchange(genome: Genome): boolean {
    const { allowed, costs } = this.#problem;
    const growth = new Float64Array(costs.length);
    let best = -this.#least;
    let found: [number, number, number, number] | undefined;
    for (let first = 0; first < genome.length; first++) {
      const before = genome[first]!;
      for (const choice of allowed[first]!) {
        if (choice === before) continue;
        const change = this.evaluator.lossChange(genome, first, choice);
        for (let cost = 0; cost < costs.length; cost++) {
          growth[cost] = this.evaluator.costChange(cost, genome, first, choice);
          this.#room[cost]! -= growth[cost]!;
        }
        genome[first] = choice;
        for (let second = 0; second < genome.length; second++) {
          if (second === first) continue;
          for (const other of allowed[second]!) {
            if (other === genome[second]) continue;
            const both = change + this.evaluator.lossChange(genome, second, other);
            if (both >= best || !this.#fits(genome, second, other)) continue;
            best = both;
            found = [first, choice, second, other];
          }
        }
        genome[first] = before;
        for (let cost = 0; cost < costs.length; cost++) {
          this.#room[cost]! += growth[cost]!;
        }
      }
    }
    if (found === undefined) return false;
    this.#take(genome, found[0], found[1]);
    this.#take(genome, found[2], found[3]);
    return true;
  }

  #measure(genome: Genome): void {
    this.evaluator.measure(genome);
    for (let cost = 0; cost < this.#room.length; cost++) {
      this.#room[cost] = this.evaluator.limits[cost]! - this.evaluator.costs[cost]!;
    }
  }

  #take(genome: Genome, layer: number, choice: number): void {
    genome[layer] = choice;
    this.#measure(genome);
  }

  #fits(genome: Genome, layer: number, choice: number): boolean {
    for (let cost = 0; cost < this.#room.length; cost++) {
      if (this.evaluator.costChange(cost, genome, layer, choice) > this.#room[cost]!) return false;
    }
    return true;
  }

  /** How much of what is over the limits a step takes away, at most all of it. */
  #saving(genome: Genome, layer: number, choice: number): number {
    let sum = 0;
    for (let cost = 0; cost < this.#room.length; cost++) {
      const weight = this.#weight[cost]!;
      if (weight === 0) continue;
      const saved = -this.evaluator.costChange(cost, genome, layer, choice) * weight;
      sum += saved > 1 ? 1 : saved;
    }
    return sum;
  }
}
