/**
 * The thread that bounds rows through receptive fields.
 *
 * @module
 */

import type { Noise } from "../batch.ts";
import type { Relaxation } from "../relu.ts";
import { FieldRows, type FieldState } from "./rows.ts";
import type { FieldAnswer, FieldMessage } from "./threads.ts";

interface WorkerScope {
  onmessage: ((event: MessageEvent<FieldMessage>) => void) | null;
  postMessage(answer: FieldAnswer, transfer?: ArrayBuffer[]): void;
}

const scope = globalThis as unknown as WorkerScope;
let rows: FieldRows | undefined;
let state: FieldState | undefined;
const noise = new Map<number, Noise>();
const relaxations = new Map<number, Relaxation>();

scope.onmessage = ({ data }) => {
  if ("setup" in data) rows = new FieldRows(data.setup);
  else if ("known" in data) know(data.known, data.isNew);
  else answer(data);
};

function know(known: FieldState, isNew: boolean): void {
  if (isNew) {
    noise.clear();
    relaxations.clear();
  }
  known.noise.forEach((each, value) => noise.set(value, each));
  known.relaxations.forEach((each, value) => relaxations.set(value, each));
  state = { batch: known.batch, noise, relaxations };
}

function answer({ request, target, groups }: Extract<FieldMessage, { request: number }>): void {
  try {
    const bounds = groups.map((group) => {
      const made = new Float64Array(group.rows.length);
      for (const _ of rows!.bound(target, group, state!, made));
      return made;
    });
    scope.postMessage({ request, bounds }, bounds.map(({ buffer }) => buffer));
  } catch (error) {
    const failure = error instanceof Error ? error.message : String(error);
    scope.postMessage({ request, failure });
  }
}
