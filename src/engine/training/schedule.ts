/**
 * Learning-rate schedules as functions of the step, inside the graph.
 *
 * @module
 */

import type { Emitter } from "../autodiff/emitter.ts";

/** How the learning rate changes from step to step, as a factor of the base rate. */
export type Schedule =
  | { readonly kind: "constant"; readonly warmup?: number }
  /** Half a cosine wave from 1 to `final` (0 unless told) over all steps. */
  | { readonly kind: "cosine"; readonly warmup?: number; readonly final?: number }
  /** A straight line from 1 to `final` (0 unless told) over all steps. */
  | { readonly kind: "linear"; readonly warmup?: number; readonly final?: number }
  /**
   * Multiplied by `factor` whenever the mean loss of `window` steps has not fallen below `1 − threshold` times
   * the best for more than `patience` windows.
   */
  | {
    readonly kind: "plateau";
    readonly warmup?: number;
    readonly factor: number;
    readonly patience: number;
    readonly window: number;
    readonly threshold?: number;
  };

/** The state that the plateau schedule carries from step to step, with its start values. */
export const PLATEAU_STATE = { best: 3e38, bad: 0, factor: 1, sum: 0, count: 0 } as const;

/** Values of the plateau's state, by name. */
export type PlateauValues = Record<keyof typeof PLATEAU_STATE, string>;

/** Constants that schedules share: everything is a float32 scalar. */
function constants(emit: Emitter) {
  return (value: number) => emit.scalar(value, "float32");
}

/** `condition ? yes : no` for scalars. */
function choose(emit: Emitter, condition: string, yes: string, no: string): string {
  return emit.op("Where", [condition, yes, no]);
}

/**
 * The factor at a step.
 *
 * @param step The number of the step from 0, a float32 scalar.
 * @param steps How many steps there will be.
 * @param plateau The carried factor, for the plateau schedule.
 */
export function scheduleFactor(
  emit: Emitter,
  schedule: Schedule,
  step: string,
  steps: number,
  plateau?: PlateauValues,
): string {
  const c = constants(emit);
  const warmup = schedule.warmup ?? 0;
  const shape = (): string => {
    if (schedule.kind === "constant") return c(1);
    if (schedule.kind === "plateau") return plateau!.factor;
    const final = schedule.final ?? 0;
    const elapsed = emit.div(emit.sub(step, c(warmup)), c(Math.max(1, steps - warmup)));
    const progress = emit.op("Clip", [elapsed, c(0), c(1)]);
    const down = schedule.kind === "linear" ? emit.sub(c(1), progress) : emit.mul(
      emit.add(emit.op("Cos", [emit.mul(progress, c(Math.PI))]), c(1)),
      c(0.5),
    );
    return emit.add(emit.mul(down, c(1 - final)), c(final));
  };
  if (warmup <= 0) return shape();
  const rise = emit.op("Min", [emit.div(emit.add(step, c(1)), c(warmup)), c(1)]);
  return emit.mul(rise, shape());
}

/** The plateau's state after a step with the given loss. */
export function plateauUpdate(
  emit: Emitter,
  schedule: Extract<Schedule, { kind: "plateau" }>,
  state: PlateauValues,
  loss: string,
): PlateauValues {
  const c = constants(emit);
  const sum = emit.add(state.sum, loss);
  const count = emit.add(state.count, c(1));
  const full = emit.op("GreaterOrEqual", [count, c(schedule.window)]);
  const mean = emit.div(sum, count);
  const goal = emit.mul(state.best, c(1 - (schedule.threshold ?? 1e-3)));
  const better = emit.op("Less", [mean, goal]);
  const bad = choose(emit, better, c(0), emit.add(state.bad, c(1)));
  const tired = emit.op("Greater", [bad, c(schedule.patience)]);
  const lowered = choose(emit, tired, emit.mul(state.factor, c(schedule.factor)), state.factor);
  return {
    best: choose(emit, full, choose(emit, better, mean, state.best), state.best),
    bad: choose(emit, full, choose(emit, tired, c(0), bad), state.bad),
    factor: choose(emit, full, lowered, state.factor),
    sum: choose(emit, full, c(0), sum),
    count: choose(emit, full, c(0), count),
  };
}
