/**
 * The shared models and input values for them.
 *
 * @module
 */

import { readdirSync } from "node:fs";
import { join, relative } from "node:path";
import { Random } from "../../src/base/random.ts";
import { toFloat16 } from "../../src/onnx/float16.ts";
import type { Model, ValueInfo } from "../../src/onnx/model.ts";
import { elementCount, type Tensor } from "../../src/onnx/tensor.ts";

/** Every ONNX file under a folder, as paths relative to it, in a fixed order. */
export function onnxFiles(folder: string): string[] {
  return readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile() && entry.name.endsWith(".onnx"))
    .map((entry) => relative(folder, join(entry.parentPath, entry.name)))
    .sort();
}

/** Seeded values for each input that a model needs; unknown dimensions are 1. */
export function randomFeeds(model: Model, seed = 0): Record<string, Tensor> {
  const random = Random.from(seed, "feeds");
  const needed = model.graph.inputs.filter(({ name }) => !model.graph.initializers.has(name));
  return Object.fromEntries(needed.map((info) => [info.name, randomTensor(info, random)]));
}

function randomTensor({ name, type, dims }: ValueInfo, random: Random): Tensor {
  const shape = (dims ?? []).map((dim) => typeof dim === "number" ? dim : 1);
  const count = elementCount(shape);
  const numbers = (scale: number) => Array.from({ length: count }, () => random.uniform() * scale);
  switch (type) {
    case "float32":
      return { type, dims: shape, data: Float32Array.from(numbers(1)) };
    case "float16":
      return { type, dims: shape, data: toFloat16(numbers(1)) };
    case "uint8":
      return { type, dims: shape, data: Uint8Array.from(numbers(256)) };
    case "int8":
      return { type, dims: shape, data: Int8Array.from(numbers(100)) };
    case "uint16":
      return { type, dims: shape, data: Uint16Array.from(numbers(60000)) };
    case "int16":
      return { type, dims: shape, data: Int16Array.from(numbers(30000)) };
    default:
      throw new TypeError(`Input "${name}" is of type ${type}`);
  }
}
