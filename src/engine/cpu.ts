/**
 * What this machine's processor does to integer arithmetic.
 *
 * @module
 */

import { GraphBuilder } from "../onnx/build.ts";
import type { Model } from "../onnx/model.ts";
import { tensor } from "../onnx/tensor.ts";
import { openSession } from "./session.ts";

const LENGTH = 32;

let answer: Promise<boolean> | undefined;

/**
 * Whether products of full-range uint8 and int8 values saturate at 16 bits, as they do on x86 without VNNI
 * instructions. Found by multiplying, since an instruction list would need more permissions and says less.
 */
export function productsSaturate(): Promise<boolean> {
  return answer ??= multiply();
}

async function multiply(): Promise<boolean> {
  await using session = await openSession(probe(), { arithmetic: "integer" });
  const left = tensor("uint8", [LENGTH, LENGTH], new Uint8Array(LENGTH * LENGTH).fill(255));
  const { product } = await session.run({ left });
  return (product!.data as Int32Array)[0] !== LENGTH * 255 * 127;
}

/** uint8 [32, 32] × a constant int8 [32, 32] of 127. */
function probe(): Model {
  const graph = new GraphBuilder("products");
  const left = graph.input("left", "uint8", [LENGTH, LENGTH]);
  const right = graph.constant(
    tensor("int8", [LENGTH, LENGTH], new Int8Array(LENGTH * LENGTH).fill(127)),
  );
  graph.output(graph.op("MatMulInteger", [left, right], {}, { outputs: ["product"] }));
  return graph.build();
}
