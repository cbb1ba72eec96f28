/**
 * Threads that bound rows through receptive fields beside this one.
 *
 * @module
 */

import type { ValueNumber } from "../../network/network.ts";
import type { RowGroup } from "./groups.ts";
import type { FieldNetwork, FieldState, FieldTarget } from "./rows.ts";

/** What a thread is told: a network first, then what is known and is new to it, then groups of rows. */
export type FieldMessage =
  | { readonly setup: FieldNetwork }
  | { readonly known: FieldState; readonly isNew: boolean }
  | {
    readonly request: number;
    readonly target: FieldTarget;
    readonly groups: readonly RowGroup[];
  };

/** What it answers: bounds of each group's rows. */
export type FieldAnswer =
  & { readonly request: number }
  & (
    | { readonly bounds: readonly Float64Array[] }
    | { readonly failure: string }
  );

interface Waiting {
  resolve(bounds: readonly Float64Array[]): void;
  reject(error: Error): void;
}

/** One thread. */
export class FieldThread implements Disposable {
  readonly #worker: Worker;
  readonly #waiting = new Map<number, Waiting>();
  #next = 0;
  #state: object | undefined;
  /** Values whose relaxations the thread has, of that state. */
  readonly #sent = new Set<ValueNumber>();

  constructor(network: FieldNetwork) {
    const worker = new Worker(new URL("./worker.ts", import.meta.url), { type: "module" });
    this.#worker = worker;
    worker.onmessage = ({ data }: MessageEvent<FieldAnswer>) => {
      const waiting = this.#waiting.get(data.request);
      this.#waiting.delete(data.request);
      if ("bounds" in data) waiting?.resolve(data.bounds);
      else waiting?.reject(new Error(data.failure));
    };
    worker.onerror = (event) => {
      event.preventDefault();
      const failed = [...this.#waiting.values()];
      this.#waiting.clear();
      for (const each of failed) each.reject(new Error(event.message));
    };
    this.#tell({ setup: network });
  }

  /** Makes a state known, as far as it is in front of a target. */
  know({ batch, noise, relaxations }: FieldState, target: ValueNumber): void {
    const isNew = this.#state !== relaxations;
    if (isNew) this.#sent.clear();
    this.#state = relaxations;
    const isMissing = ([value]: readonly [ValueNumber, unknown]) =>
      value < target && !this.#sent.has(value);
    const known = {
      batch,
      noise: new Map([...noise].filter(isMissing)),
      relaxations: new Map([...relaxations].filter(isMissing)),
    };
    for (let value = 0; value < target; value++) this.#sent.add(value);
    this.#tell({ known, isNew });
  }

  /** Bounds groups of rows; what is asked for together is answered in that order. */
  ask(target: FieldTarget, groups: readonly RowGroup[]): Promise<readonly Float64Array[]> {
    const request = this.#next++;
    const { promise, resolve, reject } = Promise.withResolvers<readonly Float64Array[]>();
    this.#waiting.set(request, { resolve, reject });
    this.#tell({ request, target, groups });
    return promise;
  }

  [Symbol.dispose](): void {
    this.#worker.terminate();
    this.#waiting.clear();
  }

  #tell(message: FieldMessage): void {
    this.#worker.postMessage(message);
  }
}
