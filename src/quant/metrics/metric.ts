/**
 * What a metric of model outputs is: something that is fed batches and adds up.
 *
 * @module
 */

/** Floating-point numbers of any storage. */
export type Reals = Float32Array | Float64Array;

/** Outputs of a model, `size` rows of `width` values, with what they are compared to. */
export interface OutputBatch {
  readonly size: number;
  readonly width: number;
  readonly values: Reals;
  /** The float model's outputs for the same items. */
  readonly reference?: Reals;
  /** The class of each item. */
  readonly labels?: Int32Array;
  /** What the outputs should be. */
  readonly targets?: Reals;
}

/** One metric, or a few that go together, over all batches. */
export interface Metric {
  add(batch: OutputBatch): void;
  /** The numbers by name, after the last batch. */
  result(): Record<string, number>;
}

/** Index of the largest value of a row; the first one of equals. */
export function argmax(values: Reals, row: number, width: number): number {
  const start = row * width;
  let best = start;
  for (let index = start + 1; index < start + width; index++) {
    if (values[index]! > values[best]!) best = index;
  }
  return best - start;
}
