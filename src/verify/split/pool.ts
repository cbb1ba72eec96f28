/**
 * Expanders that work side by side, each in a thread with one thread of ONNX Runtime.
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

/** A pool of so many threads: this one, with the expander that is there, and others beside it. */
export function expandPool(
  network: PairedNetwork,
  options: ExpandOptions,
  threads: number,
  local: Expander,
): ExpandPool {
  return threads <= 1 ? new LocalPool(local) : new WorkerPool({ network, options }, threads, local);
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

/** This thread and others, which begin when there is work for them. */
class WorkerPool implements ExpandPool {
  readonly #setup: WorkerSetup;
  readonly #local: Expander;
  readonly #others: number;
  #workers: Worker[] = [];

  constructor(setup: WorkerSetup, threads: number, local: Expander) {
    this.#setup = setup;
    this.#others = threads - 1;
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
    if (requests.length > 1) this.#start();
    // Other threads first: this one is busy until its request is done.
    await Promise.all([
      ...this.#workers.map((worker) => work((request) => ask(worker, request))),
      work((request) => this.#local.expand(request)),
    ]);
    return results;
  }

  [Symbol.asyncDispose](): Promise<void> {
    for (const worker of this.#workers) worker.terminate();
    return Promise.resolve();
  }

  #start(): void {
    while (this.#workers.length < this.#others) {
      const worker = new Worker(new URL("./worker.ts", import.meta.url), { type: "module" });
      worker.postMessage(this.#setup);
      this.#workers.push(worker);
    }
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
