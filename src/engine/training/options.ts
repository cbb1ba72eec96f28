/**
 * What a training run is made of.
 *
 * @module
 */

import type { Graph } from "../../onnx/model.ts";
import type { DataType, Tensor } from "../../onnx/tensor.ts";
import type { Optimizer } from "./optimizer.ts";
import type { Schedule } from "./schedule.ts";

/** A tensor that training changes. */
export interface Trainable {
  /** Its start value. */
  readonly initial: Tensor<"float32">;
  /** Base learning rate; the run's unless told. */
  readonly learningRate?: number;
  /** Weight decay; the run's unless told. */
  readonly weightDecay?: number;
  /** The run's unless told. */
  readonly optimizer?: Optimizer;
  /** The run's unless told. */
  readonly schedule?: Schedule;
}

/** A tensor that the graph itself carries from step to step, such as running statistics. */
export interface Carried {
  readonly initial: Tensor;
  /** The value that replaces it after each step. */
  readonly next: string;
}

/** Data that is fetched as steps need it, where not all of it is in memory. */
export interface DataSource {
  readonly type: DataType;
  /** Shape of all items, items first. */
  readonly dims: readonly number[];
  /** Some items, in the order asked for. */
  gather(items: BigInt64Array): Tensor;
}

/** A tensor over all items, items first. */
export type TrainingData = Tensor | DataSource;

/** A training run. */
export interface TrainingOptions {
  /**
   * The forward pass and the loss. Names of `trainable`, `data`, `carried`, `uniform` and `step` may be its
   * inputs or initializers: their values come from the run.
   */
  readonly graph: Graph;
  /** The graph's operator set; 21 unless told. */
  readonly opset?: number;
  /** The value to make small: one element. */
  readonly loss: string;
  readonly trainable: ReadonlyMap<string, Trainable>;
  /** Tensors over all items, items first; the graph sees the items of one batch. */
  readonly data: ReadonlyMap<string, TrainingData>;
  readonly batch: number;
  /** How many steps the run has: what schedules are stretched over. */
  readonly steps: number;
  readonly carried?: ReadonlyMap<string, Carried>;
  /** Shapes of fresh random tensors, uniform in [0, 1), that each step is given. */
  readonly uniform?: ReadonlyMap<string, readonly number[]>;
  /** Name under which the graph reads the step's number from 0, a float32 scalar. */
  readonly step?: string;
  /** One-element values recorded at every step beside the loss. */
  readonly monitors?: readonly string[];
  readonly optimizer: Optimizer;
  readonly learningRate: number;
  readonly weightDecay?: number;
  /** Constant unless told. */
  readonly schedule?: Schedule;
  /** Decides the order of items and the random tensors. */
  readonly seed: number;
  /** Threads inside one operator; 1 unless told. */
  readonly threads?: number;
}
