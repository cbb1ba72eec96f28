/**
 * Where stages run: in Workers, or in this thread.
 *
 * @module
 */

import type { Progress } from "../registry/stage.ts";
import type { Registry } from "../registry/registry.ts";
import type { Store } from "../store/store.ts";
import type { StageFailure } from "./events.ts";
import { failureOf, type Job, type JobHooks, type JobResult, runJob } from "./job.ts";

/** How a job came out. */
export type JobOutcome =
  | { readonly result: JobResult }
  | { readonly failure: StageFailure };

/** Runs jobs. */
export interface Executor {
  /**
   * Runs a job to its end.
   *
   * @throws The signal's reason, if aborted; whatever the job was doing has stopped then.
   */
  run(job: Job, hooks: JobHooks): Promise<JobOutcome>;
  close(): void;
}

/** Runs jobs in this thread. Interrupting waits until the stage looks at its signal. */
export class InlineExecutor implements Executor {
  readonly #registry: Registry;
  readonly #store: Store;

  constructor(registry: Registry, store: Store) {
    this.#registry = registry;
    this.#store = store;
  }

  async run(job: Job, hooks: JobHooks): Promise<JobOutcome> {
    try {
      const { definition } = this.#registry.get(job.stage)!;
      return { result: await runJob(job, definition, this.#store, hooks) };
    } catch (error) {
      hooks.signal.throwIfAborted();
      return { failure: failureOf(error) };
    }
  }

  close(): void {}
}

/** What a Worker tells. */
export type WorkerMessage =
  | { readonly type: "progress"; readonly progress: Progress }
  | { readonly type: "warn"; readonly message: string }
  | { readonly type: "end"; readonly outcome: JobOutcome }
  /** Something threw where the stage could not catch it: the Worker is of no use any more. */
  | { readonly type: "stray"; readonly failure: StageFailure };

/** Thrown in a Worker, outside of what the stage waits for. */
class StrayError extends Error {
  readonly failure: StageFailure;

  constructor(failure: StageFailure) {
    super();
    this.failure = failure;
  }
}

/** Runs each job in a Worker; Workers are used again, and started only when needed. */
export class WorkerExecutor implements Executor {
  readonly #idle: Worker[] = [];
  readonly #busy = new Set<Worker>();

  async run(job: Job, hooks: JobHooks): Promise<JobOutcome> {
    hooks.signal.throwIfAborted();
    const worker = this.#idle.pop() ?? startWorker();
    this.#busy.add(worker);
    try {
      const outcome = await this.#converse(worker, job, hooks);
      this.#keep(worker, job);
      return outcome;
    } catch (error) {
      worker.terminate();
      hooks.signal.throwIfAborted();
      return { failure: error instanceof StrayError ? error.failure : failureOf(error) };
    } finally {
      this.#busy.delete(worker);
    }
  }

  /**
   * What a user's stage left behind in its thread, such as a timer that will throw, must not meet another stage. What
   * ours leave is a defect of ours that ends only the thread.
   */
  #keep(worker: Worker, job: Job): void {
    if (job.plugin !== undefined) return worker.terminate();
    const drop = () => {
      const index = this.#idle.indexOf(worker);
      if (index >= 0) this.#idle.splice(index, 1);
      worker.terminate();
    };
    worker.onmessage = drop;
    worker.onerror = (event) => {
      event.preventDefault();
      drop();
    };
    this.#idle.push(worker);
  }

  #converse(worker: Worker, job: Job, { signal, ...hooks }: JobHooks): Promise<JobOutcome> {
    return new Promise<JobOutcome>((resolve, reject) => {
      const stop = () => reject(signal.reason);
      signal.addEventListener("abort", stop, { once: true });
      const settle = (end: () => void) => {
        signal.removeEventListener("abort", stop);
        end();
      };
      worker.onmessage = ({ data }: MessageEvent<WorkerMessage>) => {
        switch (data.type) {
          case "progress":
            return hooks.progress(data.progress);
          case "warn":
            return hooks.warn(data.message);
          case "end":
            return settle(() => resolve(data.outcome));
          case "stray":
            return settle(() => reject(new StrayError(data.failure)));
        }
      };
      worker.onerror = (event) => {
        // Without this, a Worker that cannot even start ends the whole process.
        event.preventDefault();
        const cause = event.error instanceof Error ? event.error : new Error(event.message);
        settle(() => reject(cause));
      };
      worker.postMessage(job);
    });
  }

  close(): void {
    for (const worker of [...this.#idle, ...this.#busy]) worker.terminate();
    this.#idle.length = 0;
    this.#busy.clear();
  }
}

function startWorker(): Worker {
  return new Worker(new URL("./worker.ts", import.meta.url).href, { type: "module" });
}
