/**
 * Small training runs whose result can be computed by hand.
 *
 * @module
 */

import { Random } from "../../../src/base/random.ts";
import { Emitter } from "../../../src/engine/autodiff/emitter.ts";
import { mean } from "../../../src/engine/training/losses.ts";
import type { TrainingOptions } from "../../../src/engine/training/options.ts";
import { GraphBuilder } from "../../../src/onnx/build.ts";
import { float32 } from "../../../src/onnx/tensor.ts";

/** Items of the regression, and numbers an item has. */
export const ITEMS = 24;
export const WIDTH = 5;

/** Inputs and targets of a linear regression. */
export function regressionData(): { x: Float32Array; y: Float32Array } {
  const random = Random.from(7);
  const x = Float32Array.from({ length: ITEMS * WIDTH }, () => random.normal());
  const y = Float32Array.from({ length: ITEMS }, () => random.normal());
  return { x, y };
}

/** Least squares: loss = mean (x · w + b − y)², over the batch. */
export function regression(changes: Partial<TrainingOptions> = {}): TrainingOptions {
  const batch = changes.batch ?? 6;
  const builder = new GraphBuilder();
  const x = builder.input("x", "float32", [batch, WIDTH]);
  const y = builder.input("y", "float32", [batch, 1]);
  const w = builder.input("w", "float32", [WIDTH, 1]);
  const b = builder.input("b", "float32", [1]);
  const emit = new Emitter(builder.graph(), "loss");
  const error = emit.sub(emit.add(emit.op("MatMul", [x, w]), b), y);
  const data = regressionData();
  return {
    graph: builder.graph(),
    loss: mean(emit, emit.mul(error, error)),
    trainable: new Map([
      [w, { initial: float32([WIDTH, 1], [0.5, -0.5, 0.25, 1, -1]) }],
      [b, { initial: float32([1], [0.1]) }],
    ]),
    data: new Map([
      [x, float32([ITEMS, WIDTH], data.x)],
      [y, float32([ITEMS, 1], data.y)],
    ]),
    batch,
    steps: 40,
    optimizer: { kind: "sgd", momentum: 0.9 },
    learningRate: 0.05,
    seed: 3,
    ...changes,
  };
}
