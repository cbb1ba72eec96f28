/**
 * Records of runs to report on.
 *
 * @module
 */

import type { RunRecord, RunStage } from "../../src/store/store.ts";

/** A digest that differs by its argument. */
export const digest = (digit: string) => digit.repeat(64);

/** A stage that ran. */
export function stage(id: string, uses: string, rest: Partial<RunStage> = {}): RunStage {
  return { id, uses, status: "ran", inputs: {}, reason: "has not run before", ...rest };
}

/** A run of some stages. */
export function record(stages: readonly RunStage[], rest: Partial<RunRecord> = {}): RunRecord {
  return {
    version: 2,
    id: "20260131-120000-abcdef",
    pipeline: "digits",
    file: "digits.yaml",
    settings: [],
    seed: 0,
    versions: { bitbound: "0.1.0" },
    started: "2026-01-31T12:00:00.000Z",
    finished: "2026-01-31T12:00:07.500Z",
    status: "done",
    inputs: {},
    stages,
    metrics: {},
    ...rest,
  };
}

/** Two widths of one network, and how good they are. */
export function twoWidths(): RunStage[] {
  const evaluation = (id: string, top1: number, bits: number, rest: Partial<RunStage> = {}) =>
    stage(id, "evaluate", {
      inputs: { model: `${id.replace("-test", "")}.model`, reference: "prepare.model" },
      metrics: {
        bits,
        top1,
        reference_top1: 0.99,
        float_bits: 32,
        top1_drop: 0.99 - top1,
        items: 100,
      },
      ...rest,
    });
  return [
    stage("prepare", "prepare", { inputs: { model: "inputs.model" }, seconds: 0.5 }),
    stage("w8", "quantize", { inputs: { model: "prepare.model" }, status: "hit" }),
    evaluation("w8-test", 0.98, 8),
    stage("w4", "quantize", { inputs: { model: "prepare.model" } }),
    evaluation("w4-test", 0.9, 4, {
      expects: [{
        metric: "top1_drop",
        condition: "<= 0.01",
        met: false,
        value: 0.09,
        message: "top1_drop is 0.09, expected <= 0.01: 0.08 too high",
      }],
    }),
  ];
}
