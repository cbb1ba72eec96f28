/**
 * What a model takes on disk.
 *
 * @module
 */

import { dirname, join } from "../../base/path.ts";
import type { Model } from "../../onnx/model.ts";
import { externalFiles } from "../../onnx/read.ts";
import { weightSize } from "../../quant/weight_size.ts";
import type { Artifact } from "../../registry/artifact.ts";

/** Sizes of a model. */
export interface ModelSizes {
  /** Bytes of its file, with the files beside it that hold tensors. */
  readonly file: number;
  /** Bytes of its weights, packed. */
  readonly weights: number;
  /** Mean bits of a weight. */
  readonly bits: number;
}

/** Measures a model. */
export async function modelSizes(
  artifact: Artifact<"model" | "quantized-model">,
  model: Model,
): Promise<ModelSizes> {
  const { bytes, bits } = weightSize(model);
  return { file: await fileBytes(artifact.path, model), weights: bytes, bits };
}

async function fileBytes(path: string, { graph }: Model): Promise<number> {
  let { size } = await Deno.stat(path);
  let tensors = 0;
  for (const { data } of graph.initializers.values()) {
    if (!Array.isArray(data)) tensors += data.byteLength;
  }
  // Only a file that is smaller than its tensors keeps some elsewhere.
  if (size >= tensors) return size;
  for (const location of externalFiles(await Deno.readFile(path))) {
    size += (await Deno.stat(join(dirname(path), location))).size;
  }
  return size;
}
