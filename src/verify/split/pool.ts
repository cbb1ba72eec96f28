/**
 * Expanders that work side by side, each in a thread with one thread of ONNX Runtime.
 *
 * @module
 */

import { setImmediate } from "node:timers";
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
  /** To those that know of the network. */
  #lines: readonly Line[] = [];

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
    if (requests.length > 1 && this.#lines.length === 0) {
      this.#lines = this.#threads.start().map((worker) => new Line(worker, this.#setup));
    }
    // Other threads first: this one is busy until its request is done.
    await Promise.all([
      ...this.#lines.flatMap((line) =>
        Array.from({ length: AHEAD }, () => work((request) => line.ask(request)))
      ),
      work(async (request) => {
        const result = await this.#local.expand(request);
        // Lets answers in.
        await new Promise((resolve) => setImmediate(resolve));
        return result;
      }),
    ]);
    return results;
  }
}

/** Requests that a thread has at once, so that it need not wait until this one, busy with its own, hears of an answer. */
const AHEAD = 2;

/** A thread and who waits for its answers, which come in the order of the requests. */
class Line {
  readonly #worker: Worker;
  readonly #waiting: PromiseWithResolvers<ExpandResult>[] = [];

  constructor(worker: Worker, setup: WorkerSetup) {
    this.#worker = worker;
    worker.onmessage = ({ data }: MessageEvent<WorkerAnswer>) => {
      const first = this.#waiting.shift();
      if ("result" in data) first?.resolve(data.result);
      else first?.reject(new Error(data.failure));
    };
    worker.onerror = (event) => {
      event.preventDefault();
      for (const each of this.#waiting.splice(0)) each.reject(new Error(event.message));
    };
    worker.postMessage(setup);
  }

  ask(request: ExpandRequest): Promise<ExpandResult> {
    const answer = Promise.withResolvers<ExpandResult>();
    this.#waiting.push(answer);
    // Nobody reads what parts inherit but who bounds them.
    this.#worker.postMessage(request, request.inherited ? [request.inherited.buffer] : []);
    return answer.promise;
  }
}
