/**
 * Islands of a genetic search in threads of their own.
 *
 * @module
 */

import { Evaluator } from "./evaluator.ts";
import { type GeneticOptions, type GeneticState, migrate } from "./genetic.ts";
import type { SearchProblem } from "./problem.ts";

/** What a thread is asked: to advance one island. */
export interface IslandRequest {
  /** With the first request. */
  readonly problem?: SearchProblem;
  readonly options: GeneticOptions;
  readonly index: number;
  readonly from: number;
  readonly to: number;
  readonly state: GeneticState["islands"][number] | undefined;
}

/** What a thread answers. */
export type IslandAnswer = { readonly state: GeneticState["islands"][number] };

/** Threads that search. */
export interface IslandThreads extends Disposable {
  /**
   * Goes on to a generation; best genomes travel before, if it is time for it.
   *
   * @returns The same state as one thread comes to.
   */
  advance(state: GeneticState | undefined, generation: number): Promise<GeneticState>;
  /** The least loss of a state; infinity if nothing is within the limits. */
  least(state: GeneticState): number;
}

/** Opens threads for the islands of a search. */
export function searchIslands(
  problem: SearchProblem,
  options: GeneticOptions,
  threads: number,
): IslandThreads {
  const workers = Array.from(
    { length: threads },
    () => new Worker(new URL("./island_worker.ts", import.meta.url).href, { type: "module" }),
  );
  const told = new Set<Worker>();
  const evaluator = new Evaluator(problem);
  const ask = (worker: Worker, request: IslandRequest) => {
    const { promise, resolve, reject } = Promise.withResolvers<IslandAnswer>();
    worker.onmessage = ({ data }: MessageEvent<IslandAnswer>) => resolve(data);
    worker.onerror = (event) => {
      event.preventDefault();
      reject(event.error instanceof Error ? event.error : new Error(event.message));
    };
    worker.postMessage({ ...request, ...(!told.has(worker) && { problem }) });
    told.add(worker);
    return promise;
  };
  return {
    async advance(state, generation) {
      const from = state?.generation ?? 0;
      const begin = state && migrate(problem, options, state);
      const islands: GeneticState["islands"][number][] = [];
      const waiting = Array.from({ length: options.islands }, (_, index) => index).values();
      await Promise.all(workers.map(async (worker) => {
        for (const index of waiting) {
          const request = { options, index, from, to: generation, state: begin?.islands[index] };
          islands[index] = (await ask(worker, request)).state;
        }
      }));
      return { generation, islands };
    },
    least: ({ islands }) =>
      Math.min(
        ...islands.map(({ best: [first] }) =>
          first === undefined ? Infinity : evaluator.loss(Uint8Array.from(first))
        ),
      ),
    [Symbol.dispose]() {
      for (const worker of workers) worker.terminate();
    },
  };
}
