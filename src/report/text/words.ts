/**
 * What every form of a report says in the same words.
 *
 * @module
 */

import { formatQuantity } from "../../base/units.ts";
import type { ReportStage, ReportTable, RunSummary } from "../document.ts";

type Status = RunSummary["run"]["status"];

/** How a run ended. */
export function outcomeOf(status: Status): string {
  return OUTCOMES[status];
}

const OUTCOMES: Readonly<Record<Status, string>> = {
  "running": "Running, or killed",
  "done": "Done",
  "failed": "Failed",
  "expectation-failed": "Done, but not as expected",
  "interrupted": "Interrupted",
};

/** How a stage came out. */
export function stageOutcome(status: ReportStage["status"]): string {
  return STAGE_OUTCOMES[status];
}

const STAGE_OUTCOMES: Readonly<Record<ReportStage["status"], string>> = {
  "pending": "not started",
  "running": "running, or killed",
  "hit": "cached",
  "ran": "ran",
  "failed": "failed",
  "skipped": "not started",
  "blocked": "not started",
};

/** How many stages came out in which way, what there is none of left out. */
export function countsOf({ stages }: RunSummary): { count: number; what: string }[] {
  return ["ran", "running, or killed", "cached", "failed", "not started"].map((what) => ({
    what,
    count: stages.filter(({ status }) => stageOutcome(status) === what).length,
  })).filter(({ count }) => count > 0);
}

/** The values of a row of a table, as text. */
export function cellsOf(
  { columns }: ReportTable,
  { values }: ReportTable["rows"][number],
): string[] {
  return columns.map(({ metric, unit }) => {
    const value = values[metric];
    return value === undefined ? "–" : formatQuantity(value, unit);
  });
}
