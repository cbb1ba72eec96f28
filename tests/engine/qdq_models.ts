/**
 * Small models with quantizers in every combination of widths, as several tools write them.
 *
 * @module
 */

import { GraphBuilder } from "../../src/onnx/build.ts";
import type { Model } from "../../src/onnx/model.ts";
import {
  type DataType,
  elementCount,
  float32,
  scalar,
  type Tensor,
} from "../../src/onnx/tensor.ts";

/** What a quantized layer looks like. */
export interface Layer {
  readonly operator: "Conv" | "MatMul";
  readonly weightBits: 2 | 4 | 8;
  /** 0 leaves activations in float. */
  readonly activationBits: 0 | 2 | 4 | 8;
  /** Whether the weights have a scale for each block along their inputs, rather than for each output. */
  readonly blocked: boolean;
}

/** The width of the range that the layer's output is quantized to. */
export const OUTPUT_RANGE = { Conv: 20, MatMul: 6 } as const;

/** Numbers between −3 and 3 that look random and are the same everywhere. */
export function waves(dims: readonly number[], phase = 0): Tensor<"float32"> {
  return float32(
    dims,
    Float32Array.from(
      { length: elementCount(dims) },
      (_, index) => 3 * Math.sin(index * 1.7 + phase),
    ),
  );
}

/** Integers packed as a tensor of 2, 4 or 8 bits, low bits first. */
export function packed(
  type: DataType,
  bits: number,
  dims: readonly number[],
  values: number[],
): Tensor {
  if (bits === 8) {
    const data = type === "int8" ? Int8Array.from(values) : Uint8Array.from(values);
    return { type, dims, data } as Tensor;
  }
  const perByte = 8 / bits;
  const data = new Uint8Array(Math.ceil(values.length / perByte));
  values.forEach((value, index) => {
    data[Math.floor(index / perByte)]! |= (value & (2 ** bits - 1)) << (bits * (index % perByte));
  });
  return { type, dims, data } as Tensor;
}

/** One layer: quantized input, dequantized weights, quantized output. */
export function qdqModel({ operator, weightBits, activationBits, blocked }: Layer): Model {
  const graph = new GraphBuilder();
  const isConv = operator === "Conv";
  const weightDims = isConv ? [8, 4, 3, 3] : [32, 8];
  const inputDims = isConv ? [1, 4, 8, 8] : [4, 32];
  const scaleDims = blocked ? (isConv ? [8, 2, 3, 3] : [2, 8]) : [8];
  const high = 2 ** (weightBits - 1) - 1;
  const weights = Array.from(
    { length: elementCount(weightDims) },
    (_, index) => Math.round((high + 0.49) * Math.sin(index * 0.9)),
  );
  const scales = new Float32Array(elementCount(scaleDims)).fill(0.8 / high);
  const weight = graph.op(
    "DequantizeLinear",
    [
      graph.constant(
        packed(`int${weightBits}` as DataType, weightBits, weightDims, weights),
        "w.q",
      ),
      graph.constant(float32(scaleDims, scales), "w.scale"),
    ],
    blocked ? { axis: isConv ? 1 : 0, block_size: isConv ? 2 : 16 } : { axis: isConv ? 0 : 1 },
  );
  const quantize = (value: string, range: number) => {
    if (activationBits === 0) return value;
    const steps = 2 ** activationBits;
    const scale = graph.constant(scalar(range / (steps - 1)), `${value}.scale`);
    const type = `uint${activationBits}` as DataType;
    const zero = graph.constant(packed(type, activationBits, [], [steps / 2]), `${value}.zero`);
    const whole = graph.op("QuantizeLinear", [value, scale, zero], {}, {
      outputs: [`${value}.q`],
    });
    return graph.op("DequantizeLinear", [whole, scale, zero]);
  };
  const input = quantize(graph.input("x", "float32", inputDims), 6);
  const product = graph.op(operator, [input, weight], {}, { name: "layer", outputs: ["product"] });
  graph.output(
    graph.op("Identity", [quantize(product, OUTPUT_RANGE[operator])], {}, { outputs: ["y"] }),
  );
  const widest = Math.min(weightBits, activationBits || 8);
  return graph.build(widest === 2 ? { opset: 25, ir: 13 } : { opset: 21, ir: 10 });
}
