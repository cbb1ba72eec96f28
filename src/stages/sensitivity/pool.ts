/**
 * Measuring several losses at the same time: one thread each is faster than several threads for one.
 *
 * @module
 */

import { type Problem, UserError } from "../../base/errors.ts";
import type { HeldItems } from "../../search/trial/items.ts";
import type { Subject, TrialSettings } from "./trial.ts";

/** What a thread needs to begin. */
export interface Start {
  /** The float network's bytes. */
  readonly model: Uint8Array;
  readonly exclude: readonly string[];
  readonly items: HeldItems;
  /** Items to learn from, where something is learned. */
  readonly learning: HeldItems | undefined;
  readonly settings: TrialSettings;
  /** Bytes. */
  readonly memory: number;
}

/** What a thread is asked: to begin, or for a loss. */
export interface Request {
  readonly start?: Start;
  readonly subject?: Subject;
}

/** What a thread tells. */
export type Answer =
  | { readonly loss: number }
  | { readonly warning: string }
  | { readonly problems: readonly Problem[] | undefined; readonly message: string };

/** Threads that measure losses of one network. */
export class Pool implements Disposable {
  readonly #start: Start;
  readonly #warn: (message: string) => void;
  readonly #idle: Worker[] = [];
  readonly #all = new Set<Worker>();

  constructor(start: Start, warn: (message: string) => void) {
    this.#start = start;
    this.#warn = warn;
  }

  /** The loss of a subject, measured in a thread that has nothing else to do, or in a new one. */
  async loss(subject: Subject): Promise<number> {
    const worker = this.#idle.pop() ?? this.#open();
    const { promise, resolve, reject } = Promise.withResolvers<number>();
    worker.onmessage = ({ data }: MessageEvent<Answer>) => {
      if ("warning" in data) this.#warn(data.warning);
      else if ("loss" in data) resolve(data.loss);
      else reject(data.problems ? new UserError(data.problems) : new Error(data.message));
    };
    worker.onerror = (event) => {
      event.preventDefault();
      reject(event.error instanceof Error ? event.error : new Error(event.message));
    };
    worker.postMessage({ subject } satisfies Request);
    const loss = await promise;
    this.#idle.push(worker);
    return loss;
  }

  [Symbol.dispose](): void {
    for (const worker of this.#all) worker.terminate();
  }

  #open(): Worker {
    const worker = new Worker(new URL("./worker.ts", import.meta.url).href, { type: "module" });
    this.#all.add(worker);
    worker.postMessage({ start: this.#start } satisfies Request);
    return worker;
  }
}
