/**
 * The genetic search that BRECQ describes (Li et al. 2021, section 3.4 and algorithm 2), which was never published as
 * code: a population, the best of all times as parents, half of each generation by crossover and half by mutation.
 *
 * @module
 */

import { Random } from "../base/random.ts";
import { Evaluator } from "./evaluator.ts";
import { Steps } from "./greedy.ts";
import type { Genome, SearchProblem } from "./problem.ts";
import { closestToFeasible, type Solution, solutionOf } from "./solution.ts";

/** How a genetic search goes. */
export interface GeneticOptions {
  /** Genomes a generation and island. */
  readonly population: number;
  readonly generations: number;
  /** How many of the best are parents. */
  readonly parents: number;
  /** The probability that a layer of a mutated genome gets another width. */
  readonly mutation: number;
  /** Populations that search by themselves. */
  readonly islands: number;
  /** After how many generations the best genome of an island goes to the next one. */
  readonly migration: number;
  /**
   * What becomes of genomes over a limit. `repair`: they take the steps that lose least for what they save; genomes
   * with room to spare take what helps most. `reject`: another one is made.
   */
  readonly infeasible: "repair" | "reject";
  readonly seed: number;
}

/** The sizes that BRECQ gives. */
export const GENETIC_DEFAULTS: GeneticOptions = {
  population: 50,
  generations: 100,
  parents: 25,
  mutation: 0.1,
  islands: 1,
  migration: 10,
  infeasible: "repair",
  seed: 0,
};

/** Everything that a search needs to go on, as plain data. */
export interface GeneticState {
  /** Generations that are done. */
  readonly generation: number;
  readonly islands: readonly {
    /** The state of its random numbers. */
    readonly random: readonly number[];
    /** The best so far, best first: genomes as lists of indices of widths. */
    readonly best: readonly (readonly number[])[];
    readonly population: readonly (readonly number[])[];
  }[];
}

/** A search that has gone on for some generations. */
export interface GeneticResult {
  readonly solution: Solution;
  /** The least loss after each generation of this call. */
  readonly history: readonly number[];
  readonly evaluated: number;
}

/**
 * Searches. The same problem, options and state give the same result, whether or not the search was interrupted.
 *
 * @param each Called after each generation; the state can be saved.
 * @param from Where to go on.
 */
export function searchGenetically(
  problem: SearchProblem,
  options: GeneticOptions = GENETIC_DEFAULTS,
  each: (state: () => GeneticState, least: number) => void = () => {},
  from?: GeneticState,
): GeneticResult {
  const islands = Array.from(
    { length: options.islands },
    (_, index) => new Island(problem, options, index, from?.islands[index]),
  );
  const history: number[] = [];
  for (let generation = from?.generation ?? 0; generation < options.generations; generation++) {
    if (travelsBefore(generation, options)) exchange(islands);
    for (const island of islands) island.advance();
    const least = Math.min(...islands.map((island) => island.best[0]?.loss ?? Infinity));
    history.push(least);
    each(
      () => ({ generation: generation + 1, islands: islands.map((island) => island.state()) }),
      least,
    );
  }
  const best = islands.flatMap((island) => island.best.slice(0, 1)).sort(byLoss)[0];
  return {
    solution: solutionOf(new Evaluator(problem), best?.genome ?? closestToFeasible(problem)),
    history,
    evaluated: islands.reduce((sum, { evaluated }) => sum + evaluated, 0),
  };
}

/** Whether best genomes travel before a generation. */
function travelsBefore(generation: number, { migration, islands }: GeneticOptions): boolean {
  return generation > 0 && generation % migration === 0 && islands > 1;
}

/** The best genome of each island goes to the next one. */
function exchange(islands: readonly Island[]): void {
  const travellers = islands.map((island) => island.best[0]);
  travellers.forEach((traveller, index) => {
    if (traveller !== undefined) islands[(index + 1) % islands.length]!.welcome(traveller);
  });
}

/** A state as its next generation begins: after best genomes have travelled, if it is time for it. */
export function migrate(
  problem: SearchProblem,
  options: GeneticOptions,
  state: GeneticState,
): GeneticState {
  if (!travelsBefore(state.generation, options)) return state;
  const islands = state.islands.map((island, index) => new Island(problem, options, index, island));
  exchange(islands);
  return { ...state, islands: islands.map((island) => island.state()) };
}

/** Some generations of one island by itself. */
export function advanceIsland(
  problem: SearchProblem,
  options: GeneticOptions,
  index: number,
  generations: number,
  state?: GeneticState["islands"][number],
): GeneticState["islands"][number] {
  const island = new Island(problem, options, index, state);
  for (let generation = 0; generation < generations; generation++) island.advance();
  return island.state();
}

interface Individual {
  readonly genome: Genome;
  readonly loss: number;
}

function byLoss(a: Individual, b: Individual): number {
  return a.loss - b.loss;
}

/** How often a child that is over a limit is made again. */
const ATTEMPTS = 100;

class Island {
  /** The best feasible genomes of all times, best first, each once. */
  best: Individual[] = [];
  evaluated = 0;
  readonly #problem: SearchProblem;
  readonly #options: GeneticOptions;
  readonly #random: Random;
  readonly #steps: Steps;
  #population: Genome[];

  constructor(
    problem: SearchProblem,
    options: GeneticOptions,
    index: number,
    state?: GeneticState["islands"][number],
  ) {
    this.#problem = problem;
    this.#options = options;
    this.#steps = new Steps(problem);
    if (state !== undefined) {
      this.#random = Random.restore(state.random);
      this.best = state.best.map((choices) => this.#individual(Uint8Array.from(choices)));
      this.#population = state.population.map((choices) => Uint8Array.from(choices));
      return;
    }
    this.#random = Random.from(options.seed, `search/genetic/${index}`);
    this.#population = Array.from({ length: options.population }, () => this.#create(this.#any));
  }

  /** One generation: the population is measured and makes the next one. */
  advance(): void {
    const leader = this.best[0];
    for (const genome of this.#population) this.#consider(genome);
    if (this.#options.infeasible === "repair" && this.best.length > 0 && this.best[0] !== leader) {
      const polished = this.best[0]!.genome.slice();
      this.#steps.improve(polished);
      this.#consider(polished);
    }
    const { population } = this.#options;
    const half = population >> 1;
    this.#population = Array.from(
      { length: population },
      (_, index) => this.#create(index < half ? this.#cross : this.#mutate),
    );
  }

  welcome({ genome }: Individual): void {
    this.#consider(genome);
  }

  state(): GeneticState["islands"][number] {
    return {
      random: this.#random.state,
      best: this.best.map(({ genome }) => [...genome]),
      population: this.#population.map((genome) => [...genome]),
    };
  }

  #individual(genome: Genome): Individual {
    return { genome, loss: this.#steps.evaluator.loss(genome) };
  }

  /** Counts a genome among the best, if it is feasible and good enough. */
  #consider(genome: Genome): void {
    const { evaluator } = this.#steps;
    const loss = evaluator.measure(genome);
    this.evaluated++;
    if (!evaluator.isFeasible) return;
    const { best } = this;
    const { parents } = this.#options;
    if (best.length === parents && loss >= best.at(-1)!.loss) return;
    let place = best.length;
    while (place > 0 && best[place - 1]!.loss > loss) place--;
    for (let at = place - 1; at >= 0 && best[at]!.loss === loss; at--) {
      if (best[at]!.genome.every((choice, layer) => choice === genome[layer])) return;
    }
    best.splice(place, 0, { genome: genome.slice(), loss });
    if (best.length > parents) best.pop();
  }

  /** A genome that keeps all limits, where that can be. */
  #create(make: () => Genome): Genome {
    let genome = make();
    if (this.#options.infeasible === "repair") {
      this.#steps.repair(genome);
      this.#steps.fill(genome);
      return genome;
    }
    const { evaluator } = this.#steps;
    for (let attempt = 1; attempt < ATTEMPTS; attempt++) {
      evaluator.measure(genome);
      if (evaluator.isFeasible) return genome;
      genome = make();
    }
    // Tight limits leave few genomes to chance.
    this.#steps.repair(genome);
    return genome;
  }

  #any = (): Genome =>
    Uint8Array.from(
      this.#problem.allowed,
      (choices) => choices[this.#random.integer(choices.length)]!,
    );

  #parent(): Genome {
    const { best } = this;
    return best.length === 0 ? this.#any() : best[this.#random.integer(best.length)]!.genome;
  }

  #cross = (): Genome => {
    const [a, b] = [this.#parent(), this.#parent()];
    return a.map((choice, layer) => (this.#random.bits() & 1) === 1 ? b[layer]! : choice);
  };

  #mutate = (): Genome =>
    this.#parent().map((choice, layer) => {
      if (this.#random.uniform() >= this.#options.mutation) return choice;
      const choices = this.#problem.allowed[layer]!;
      return choices[this.#random.integer(choices.length)]!;
    });
}
