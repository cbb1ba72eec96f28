/**
 * How far a recorded run is, also while it goes on.
 *
 * @module
 */

import type { RunRecord, Store } from "../store/store.ts";
import { readHistory } from "./history.ts";

/** What is known of a run now. */
export interface RunState {
  readonly record: RunRecord;
  /** `stopped`: it was killed, or its machine was, before it could say how it ended. */
  readonly status: RunRecord["status"] | "stopped";
  /** Seconds from its start to its end, or to now while it is running. */
  readonly seconds?: number;
  /** Seconds that the stages which are left took last time; only while it is running, and where all are known. */
  readonly left?: number;
}

/** A run without any stage at work may be between two of them; one that was so for this long is not. */
const PAUSE_MILLISECONDS = 10_000;
/** From the end of a stage to its entry in the record, and on to the next stage's lock. */
const STEP_MILLISECONDS = 400;

/**
 * Finds out how far a run is.
 *
 * @param now Milliseconds since 1970; given by tests only.
 */
export async function stateOf(
  record: RunRecord,
  store: Store,
  now: number = Date.now(),
): Promise<RunState> {
  const { status, started, finished } = record;
  const seconds = (until: number) => (until - Date.parse(started)) / 1000;
  if (status !== "running") {
    return {
      record,
      status,
      ...(finished !== undefined && { seconds: seconds(Date.parse(finished)) }),
    };
  }
  if (!(await isAlive(record, store, now))) return { record, status: "stopped" };
  const left = await timeLeft(record, store, now);
  return { record, status, seconds: seconds(now), ...(left !== undefined && { left }) };
}

/** A stage at work holds the lock of its key, and the operating system takes it from a process that dies. */
async function isAlive(record: RunRecord, store: Store, now: number): Promise<boolean> {
  if (await isAtWork(record, store)) return true;
  const times = record.stages.flatMap(({ started, seconds }) =>
    started === undefined ? [] : [Date.parse(started) + (seconds ?? 0) * 1000]
  );
  if (now - Math.max(Date.parse(record.started), ...times) > PAUSE_MILLISECONDS) return false;
  await new Promise((resolve) => setTimeout(resolve, STEP_MILLISECONDS));
  const later = await store.runs.read(record.id);
  if (later === undefined) return false;
  return JSON.stringify(later) !== JSON.stringify(record) || await isAtWork(later, store);
}

async function isAtWork({ stages }: RunRecord, store: Store): Promise<boolean> {
  for (const { status, key } of stages) {
    if (status === "running" && key !== undefined && await store.isLocked(key)) return true;
  }
  return false;
}

/** As if one stage ran after the other. */
async function timeLeft(
  { id, pipeline, stages }: RunRecord,
  store: Store,
  now: number,
): Promise<number | undefined> {
  const history = await readHistory(store, pipeline, stages.map((stage) => stage.id), id);
  let left = 0;
  for (const { id, status, started } of stages) {
    if (status !== "running" && status !== "pending") continue;
    const expected = history.get(id)?.seconds;
    if (expected === undefined) return undefined;
    const spent = status === "pending" || started === undefined
      ? 0
      : (now - Date.parse(started)) / 1000;
    left += Math.max(0, expected - spent);
  }
  return left;
}
