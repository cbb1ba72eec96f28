/**
 * Checking what a model is fed before it runs.
 *
 * @module
 */

import type { ValueInfo } from "../onnx/model.ts";
import type { Tensor } from "../onnx/tensor.ts";

/** @throws {TypeError | RangeError} If an input is missing, unknown, or of another type or shape. */
export function checkFeeds(
  inputs: readonly ValueInfo[],
  feeds: Readonly<Record<string, Tensor>>,
): void {
  for (const { name, type, dims } of inputs) {
    const feed = feeds[name];
    if (feed === undefined) {
      throw new TypeError(`Input "${name}" is missing: the model needs ${quoteNames(inputs)}`);
    }
    if (feed.type !== type) {
      throw new TypeError(`Input "${name}" must be ${type}: current value is ${feed.type}`);
    }
    const fits = dims === undefined || dims.length === feed.dims.length &&
        dims.every((dim, axis) => typeof dim !== "number" || dim === feed.dims[axis]);
    if (!fits) {
      throw new RangeError(
        `Input "${name}" must have shape [${dims?.map((dim) => dim ?? "?")}]: ` +
          `current value has [${feed.dims}]`,
      );
    }
  }
  for (const name in feeds) {
    if (!inputs.some((input) => input.name === name)) {
      throw new TypeError(`Input "${name}" does not exist: the model has ${quoteNames(inputs)}`);
    }
  }
}

/** The names of values, for messages. */
export function quoteNames(values: readonly ValueInfo[]): string {
  return values.map((value) => `"${value.name}"`).join(", ");
}
