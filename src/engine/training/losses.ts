/**
 * Losses, written into a graph.
 *
 * @module
 */

import type { Emitter } from "../autodiff/emitter.ts";
import { float32 } from "../../onnx/tensor.ts";

/**
 * Mean cross-entropy of logits `[N, classes]` against integer labels `[N]`, a scalar.
 *
 * @param smoothing Share of the probability that goes evenly to all classes (Szegedy et al., 2016, section 7).
 */
export function crossEntropy(
  emit: Emitter,
  logits: string,
  labels: string,
  classes: number,
  smoothing = 0,
): string {
  const off = smoothing / classes;
  const values = emit.constant(float32([2], [off, off + 1 - smoothing]), "targets");
  const targets = emit.op("OneHot", [labels, emit.ints([classes]), values], { axis: 1 });
  const logProbabilities = emit.op("LogSoftmax", [logits], { axis: 1 });
  const perItem = emit.reduceSum(emit.mul(targets, logProbabilities), [1], false);
  return emit.neg(mean(emit, perItem));
}

/** Share of items `[N]` whose largest logit is the label's, a scalar. */
export function accuracy(emit: Emitter, logits: string, labels: string): string {
  const best = emit.op("ArgMax", [logits], { axis: 1, keepdims: 0 });
  return mean(emit, emit.op("Cast", [emit.op("Equal", [best, labels])], { to: 1 }));
}

/** Mean of all elements, a scalar. */
export function mean(emit: Emitter, x: string): string {
  return emit.op("ReduceMean", [x], { keepdims: 0 });
}
