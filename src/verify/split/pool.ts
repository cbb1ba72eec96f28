/**
 * Expanders that work side by side, each in a thread of its own with one thread of ONNX Runtime.
 *
 * @module
 */

import type { PairedNetwork } from "../network/network.ts";
import type { Expander, ExpandOptions, ExpandRequest, ExpandResult } from "./expand.ts";

/** Expands several batches at once. */
export interface ExpandPool extends AsyncDisposable {
  /** Results in the order of the requests, whatever the order in which they were done. */
  expand(requests: readonly ExpandRequest[]): Promise<ExpandResult[]>;
}

/** What a worker is told first. */
export interface WorkerSetup {
  readonly network: PairedNetwork;
  readonly options: ExpandOptions;
}

/** What a worker answers. */
export type WorkerAnswer = { readonly result: ExpandResult } | { readonly failure: string };

/** A pool of so many threads; with one, the work is done here, by the expander that is there. */
export function expandPool(
  network: PairedNetwork,
  options: ExpandOptions,
  threads: number,
  local: Expander,
): ExpandPool {
  return threads <= 1 ? new LocalPool(local) : new WorkerPool({ network, options }, threads);
}

class LocalPool implements ExpandPool {
  readonly #expander: Expander;

  constructor(expander: Expander) {
    this.#expander = expander;
  }

  async expand(requests: readonly ExpandRequest[]): Promise<ExpandResult[]> {
    const results: ExpandResult[] = [];
    for (const request of requests) results.push(await this.#expander.expand(request));
    return results;
  }

  /** The expander belongs to whoever made it. */
  [Symbol.asyncDispose](): Promise<void> {
    return Promise.resolve();
  }
}

class WorkerPool implements ExpandPool {
  readonly #workers: Worker[];

  constructor(setup: WorkerSetup, threads: number) {
    this.#workers = Array.from({ length: threads }, () => {
      const worker = new Worker(new URL("./worker.ts", import.meta.url), { type: "module" });
      worker.postMessage(setup);
      return worker;
    });
  }

  async expand(requests: readonly ExpandRequest[]): Promise<ExpandResult[]> {
    const results = new Array<ExpandResult>(requests.length);
    let next = 0;
    await Promise.all(this.#workers.map(async (worker) => {
      while (next < requests.length) {
        const at = next++;
        results[at] = await ask(worker, requests[at]!);
      }
    }));
    return results;
  }

  [Symbol.asyncDispose](): Promise<void> {
    for (const worker of this.#workers) worker.terminate();
    return Promise.resolve();
  }
}

function ask(worker: Worker, request: ExpandRequest): Promise<ExpandResult> {
  return new Promise((resolve, reject) => {
    worker.onmessage = ({ data }: MessageEvent<WorkerAnswer>) => {
      if ("result" in data) resolve(data.result);
      else reject(new Error(data.failure));
    };
    worker.onerror = (event) => {
      event.preventDefault();
      reject(new Error(event.message));
    };
    worker.postMessage(request);
  });
}
