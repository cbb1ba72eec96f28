/**
 * A thread that advances islands of a genetic search.
 *
 * @module
 */

import { advanceIsland } from "./genetic.ts";
import type { IslandAnswer, IslandRequest } from "./islands.ts";
import type { SearchProblem } from "./problem.ts";

/** This thread as the one that started it sees it; the compiler takes it for a window. */
const thread = globalThis as unknown as {
  onmessage: (event: MessageEvent<IslandRequest>) => void;
  postMessage(answer: IslandAnswer): void;
};

let problem: SearchProblem | undefined;

thread.onmessage = ({ data }) => {
  problem = data.problem ?? problem;
  const { options, index, from, to, state } = data;
  thread.postMessage({ state: advanceIsland(problem!, options, index, to - from, state) });
};
