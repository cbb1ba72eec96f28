/**
 * Expanders that work side by side, each in a thread with one thread of ONNX Runtime.
 *
 * @module
 */

import type { PairedNetwork } from "../network/network.ts";
import type { Expander, ExpandOptions, ExpandRequest, ExpandResult } from "./expand.ts";

/** Expands several batches at once. */
export interface ExpandPool {
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

/**
 * Threads beside this one. They begin when there is work for them, and stay for the next search: what a thread has
 * compiled by then is worth more than what it takes.
 */
export class ExpandThreads implements AsyncDisposable {
  readonly #others: number;
  #workers: Worker[] = [];

  /** @param threads How many there are with this one. */
  constructor(threads: number) {
    this.#others = threads - 1;
  }

  /** Those that there are, begun if need be. */
  start(): readonly Worker[] {
    while (this.#workers.length < this.#others) {
      this.#workers.push(
        new Worker(new URL("./worker.ts", import.meta.url), { type: "module" }),
      );
    }
    return this.#workers;
  }

  [Symbol.asyncDispose](): Promise<void> {
    for (const worker of this.#workers) worker.terminate();
    this.#workers = [];
    return Promise.resolve();
  }
}

/** A pool of these threads, and of this one with the expander that is there. */
export function expandPool(
  network: PairedNetwork,
  options: ExpandOptions,
  threads: ExpandThreads | undefined,
  local: Expander,
): ExpandPool {
  return threads === undefined
    ? new LocalPool(local)
    : new WorkerPool({ network, options }, threads, local);
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
}

/** This thread and others. */
class WorkerPool implements ExpandPool {
  readonly #setup: WorkerSetup;
  readonly #local: Expander;
  readonly #threads: ExpandThreads;
  /** Those that know of the network. */
  #workers: readonly Worker[] = [];

  constructor(setup: WorkerSetup, threads: ExpandThreads, local: Expander) {
    this.#setup = setup;
    this.#threads = threads;
    this.#local = local;
  }

  async expand(requests: readonly ExpandRequest[]): Promise<ExpandResult[]> {
    const results = new Array<ExpandResult>(requests.length);
    let next = 0;
    const work = async (expand: (request: ExpandRequest) => Promise<ExpandResult>) => {
      while (next < requests.length) {
        const at = next++;
        results[at] = await expand(requests[at]!);
      }
    };
    if (requests.length > 1 && this.#workers.length === 0) {
      this.#workers = this.#threads.start();
      for (const worker of this.#workers) worker.postMessage(this.#setup);
    }
    // Other threads first: this one is busy until its request is done.
    await Promise.all([
      ...this.#workers.map((worker) => work((request) => ask(worker, request))),
      work((request) => this.#local.expand(request)),
    ]);
    return results;
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
    // Nobody reads what parts inherit but who bounds them.
    worker.postMessage(request, request.inherited ? [request.inherited.buffer] : []);
  });
}
