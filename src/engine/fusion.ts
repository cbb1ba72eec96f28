/**
 * What ONNX Runtime makes of a model.
 *
 * @module
 */

import { dirname, join } from "../base/path.ts";
import { UserError } from "../base/errors.ts";
import type { Model } from "../onnx/model.ts";
import { decodeModel } from "../onnx/read.ts";
import { explainFailure } from "./failures.ts";
import { sourceOf } from "./model_source.ts";
import { completeOptions, type ExecutionOptions, sessionOptionsFor } from "./options.ts";
import { loadRuntime } from "./runtime.ts";

/** Operators that compute with integers, by the names of ONNX and ONNX Runtime. */
const INTEGER_OPERATOR =
  /^(QLinear|QGemm|QAttention|QEmbed|QOrdered|ConvInteger|MatMulInteger|DynamicQuantizeMatMul|DynamicQuantizeLSTM)/;

/**
 * How many nodes of each operator ONNX Runtime executes, after its fusions.
 *
 * @throws {UserError} If the runtime refuses the model with these options.
 */
export async function executedOperators(
  model: Model | Uint8Array | string,
  options: ExecutionOptions = {},
): Promise<Map<string, number>> {
  const [runtime, source] = await Promise.all([loadRuntime(), sourceOf(model)]);
  const folder = await Deno.makeTempDir({ prefix: "bitbound-" });
  try {
    const path = `${folder}/optimized.onnx`;
    const native = { ...sessionOptionsFor(completeOptions(options)), optimizedModelFilePath: path };
    const session = typeof source.model === "string"
      ? await runtime.InferenceSession.create(source.model, native)
      : await runtime.InferenceSession.create(source.model, native);
    await session.release();
    const counts = new Map<string, number>();
    // Tensors that were in files beside the model still are.
    const folderOfTensors = typeof source.model === "string" ? dirname(source.model) : ".";
    const optimized = decodeModel(await Deno.readFile(path), {
      external: (location) => Deno.readFileSync(join(folderOfTensors, location)),
    });
    for (const { opType } of optimized.graph.nodes) {
      counts.set(opType, (counts.get(opType) ?? 0) + 1);
    }
    return counts;
  } catch (error) {
    if (error instanceof UserError) throw error;
    throw new UserError(explainFailure(error), { cause: error });
  } finally {
    await source.release();
    await Deno.remove(folder, { recursive: true });
  }
}

/** Whether an operator of ONNX Runtime computes with integers. */
export function isIntegerOperator(operator: string): boolean {
  return INTEGER_OPERATOR.test(operator);
}
