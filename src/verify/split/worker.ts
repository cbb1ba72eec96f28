/**
 * The thread of an expander: a message with a network sets it up, every other one is a batch.
 *
 * @module
 */

import { Expander, type ExpandRequest } from "./expand.ts";
import type { WorkerAnswer, WorkerSetup } from "./pool.ts";

interface WorkerScope {
  onmessage: ((event: MessageEvent<WorkerSetup | ExpandRequest>) => void) | null;
  postMessage(answer: WorkerAnswer, transfer?: ArrayBuffer[]): void;
}

const scope = globalThis as unknown as WorkerScope;
let expander: Expander | undefined;

/** Messages are done with one after another. */
let done = Promise.resolve();

scope.onmessage = ({ data }) => {
  done = done.then(() => answer(data));
};

async function answer(data: WorkerSetup | ExpandRequest): Promise<void> {
  if ("network" in data) {
    const before = expander;
    expander = new Expander(data.network, data.options);
    await before?.[Symbol.asyncDispose]();
    return;
  }
  try {
    const result = await expander!.expand(data);
    scope.postMessage({ result }, [result.packed.buffer]);
  } catch (error) {
    scope.postMessage({ failure: error instanceof Error ? error.message : String(error) });
  }
}
