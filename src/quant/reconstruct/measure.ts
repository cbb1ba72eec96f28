/**
 * Measuring how far values of two networks are apart.
 *
 * @module
 */

import { openSession } from "../../engine/session.ts";
import { GraphBuilder } from "../../onnx/build.ts";
import type { Tensor } from "../../onnx/tensor.ts";
import type { ItemValues } from "./item_values.ts";
import { pieceItems, type PieceOptions } from "./prefix.ts";
import { positions } from "./unit_training.ts";

/** Mean over items and space of the sum over channels of (weighted) squared differences. */
export async function meanError(
  values: ItemValues,
  target: ItemValues,
  importance: ItemValues | undefined,
  { threads, signal }: PieceOptions,
): Promise<number> {
  const builder = new GraphBuilder();
  const dims = [undefined, ...target.dims.slice(1)];
  const difference = builder.op("Sub", [
    builder.input("values", "float32", dims),
    builder.input("target", "float32", dims),
  ]);
  const square = builder.op("Mul", [difference, difference]);
  const terms = importance === undefined
    ? square
    : builder.op("Mul", [square, builder.input("importance", "float32", dims)]);
  // The sum of each item in float32, over items in float64.
  const axes = builder.constant(target.dims.slice(1).map((_, axis) => axis + 1));
  const error = builder.output(builder.op("ReduceSum", [terms, axes], { keepdims: 0 }));
  await using session = await openSession(builder.build(), { threads });
  const items = target.dims[0]!;
  let sum = 0;
  const most = pieceItems([target]);
  for (let start = 0; start < items; start += most) {
    signal.throwIfAborted();
    const count = Math.min(most, items - start);
    const feeds: Record<string, Tensor> = {
      values: values.read(start, count),
      target: target.read(start, count),
      ...(importance && { importance: importance.read(start, count) }),
    };
    const results = await session.run(feeds);
    for (const value of results[error]!.data as Float32Array) sum += value;
  }
  return sum / (items * positions(target.dims));
}
