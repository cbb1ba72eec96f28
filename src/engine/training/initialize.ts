/**
 * Fresh parameters.
 *
 * @module
 */

import { Random } from "../../base/random.ts";
import type { Graph } from "../../onnx/model.ts";
import { elementCount, float32, type Tensor } from "../../onnx/tensor.ts";
import { type Parameter, parametersOf } from "./training_mode.ts";

const CONSTANTS = { bias: 0, scale: 1, mean: 0, variance: 1, slope: 0.25 } as const;

/**
 * Replaces every parameter of a graph, in place: weights by normal numbers of variance 2 / fan-in (He et al.,
 * 2015, equation 10), biases by 0, scales by 1, statistics by those of a standard normal input.
 */
export function initializeParameters(graph: Graph, seed: number): void {
  for (const parameter of parametersOf(graph)) {
    graph.initializers.set(parameter.name, initial(parameter, seed));
  }
}

function initial({ name, role, tensor, fanIn }: Parameter, seed: number): Tensor<"float32"> {
  const values = new Float32Array(elementCount(tensor.dims));
  if (role !== "weight") return float32(tensor.dims, values.fill(CONSTANTS[role]));
  const random = Random.from(seed, `initialize/${name}`);
  const deviation = Math.sqrt(2 / fanIn);
  for (let index = 0; index < values.length; index++) values[index] = deviation * random.normal();
  return float32(tensor.dims, values);
}
