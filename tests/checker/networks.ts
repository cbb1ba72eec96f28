/**
 * Small pairs of models, as files, for tests of the checker.
 *
 * @module
 */

import { Random } from "../../src/base/random.ts";
import { float } from "../../src/onnx/attributes.ts";
import { GraphBuilder } from "../../src/onnx/build.ts";
import type { Model } from "../../src/onnx/model.ts";
import { elementCount, float32, tensor } from "../../src/onnx/tensor.ts";
import { encodeModel } from "../../src/onnx/write.ts";

type Weights = (dims: number[], scale?: number) => string;

/** A network and a copy with every weight a little different. */
export function pairOf(
  seed: number,
  dims: number[],
  error: number,
  make: (builder: GraphBuilder, x: string, weights: Weights, isCopy: boolean) => string,
): [Model, Model] {
  const built = (which: number): Model => {
    const random = Random.from(seed, "weights");
    const other = Random.from(seed + which, "errors");
    const builder = new GraphBuilder();
    const weights: Weights = (shape, scale = 1) =>
      builder.constant(float32(
        shape,
        Array.from({ length: elementCount(shape) }, () => {
          const value = random.normal() * scale;
          return value + which * error * scale * (other.uniform() - 0.5);
        }),
      ));
    builder.output(make(builder, builder.input("x", "float32", dims), weights, which === 1));
    return builder.build({ opset: 17 });
  };
  return [built(0), built(1)];
}

/** Layers of Relus on `inputs` numbers, with two outputs. */
export function dense(seed: number, inputs: number, widths: readonly number[], error: number) {
  return pairOf(seed, [1, inputs], error, (b, x, weights) => {
    let [value, width] = [x, inputs];
    for (const hidden of widths) {
      const z = b.op("MatMul", [value, weights([width, hidden], Math.sqrt(2 / width))]);
      value = b.op("Relu", [b.op("Add", [z, weights([hidden], 0.3)])]);
      width = hidden;
    }
    return b.op("Gemm", [value, weights([2, width], 0.5), weights([2])], { transB: 1 });
  });
}

/** Convolutions, a residual, batch normalization and pools. */
export function convolutional(error: number) {
  return pairOf(3, [1, 2, 6, 5], error, (b, x, weights) => {
    const normalized = b.op("BatchNormalization", [
      x,
      weights([2]),
      weights([2]),
      weights([2]),
      b.constant(float32([2], [0.7, 1.9])),
    ]);
    const first = b.op("Relu", [
      b.op("Conv", [normalized, weights([4, 2, 3, 3], 0.3), weights([4])], {
        pads: [1, 1, 1, 1],
        strides: [2, 1],
      }),
    ]);
    const z = b.op("Conv", [first, weights([4, 2, 3, 3], 0.3), weights([4])], {
      pads: [1, 1, 1, 1],
      group: 2,
    });
    const a = b.op("Relu", [b.op("Add", [z, first])]);
    const pooled = b.op("AveragePool", [a], { kernel_shape: [2, 2], strides: [1, 2] });
    const global = b.op("GlobalAveragePool", [pooled]);
    return b.op("Gemm", [b.op("Flatten", [global]), weights([4, 2], 0.5)]);
  });
}

/** Max pools, one of them padded, around a convolution; the copy rounds activations between them. */
export function pooled(error: number): [Model, Model] {
  return pairOf(13, [1, 1, 6, 6], error, (b, x, weights, isCopy) => {
    const first = b.op("MaxPool", [x], { kernel_shape: [3, 2], strides: [1, 2] });
    const z = b.op("Conv", [first, weights([2, 1, 2, 2], 0.6), weights([2], 0.3)]);
    const a = b.op("Relu", [z]);
    const value = isCopy ? rounding(b, a, [0.02], 0) : a;
    const second = b.op("MaxPool", [value], {
      kernel_shape: [2, 2],
      strides: [2, 2],
      pads: [1, 0, 0, 0],
    });
    return b.op("Gemm", [b.op("Flatten", [second]), weights([4, 2], 0.5)]);
  });
}

/** The same network with its weights stored as integers of 8 or 4 bits a channel. */
export function stored(bits: 4 | 8): [Model, Model] {
  const random = Random.from(11, "stored");
  const numbers = (count: number) => Float32Array.from({ length: count }, () => random.normal());
  const [first, second, bias] = [numbers(3 * 6), numbers(6 * 2), numbers(6)];
  const make = (quantized: boolean) => {
    const b = new GraphBuilder();
    const limit = 2 ** (bits - 1) - 1;
    const matrix = (values: Float32Array, rows: number, columns: number) => {
      if (!quantized) return b.constant(float32([rows, columns], values));
      const scales = Float32Array.from({ length: columns }, (_, column) => {
        const most = values.filter((_, at) => at % columns === column)
          .reduce((all, value) => Math.max(all, Math.abs(value)), 0);
        return most / limit;
      });
      const integers = values.map((value, at) => Math.round(value / scales[at % columns]!));
      const packed = bits === 8
        ? tensor("int8", [rows, columns], Int8Array.from(integers))
        : tensor(
          "int4",
          [rows, columns],
          Uint8Array.from({ length: values.length / 2 }, (_, at) =>
            (integers[2 * at]! & 15) | ((integers[2 * at + 1]! & 15) << 4)),
        );
      return b.op(
        "DequantizeLinear",
        [b.constant(packed), b.constant(float32([columns], scales))],
        {
          axis: 1,
        },
      );
    };
    const x = b.input("x", "float32", ["batch", 3]);
    const z = b.op("Gemm", [x, matrix(first, 3, 6), b.constant(float32([6], bias))]);
    b.output(b.op("MatMul", [b.op("Relu", [z]), matrix(second, 6, 2)]));
    return b.build({ opset: 21 });
  };
  return [make(false), make(true)];
}

/** QuantizeLinear and DequantizeLinear, one scale for all or one for each element along axis 1. */
export function rounding(
  b: GraphBuilder,
  x: string,
  scales: readonly number[],
  zero: number,
  clip?: readonly [number, number],
): string {
  const dims = scales.length === 1 ? [] : [scales.length];
  const scale = b.constant(float32(dims, [...scales]));
  const zeros = b.constant(tensor("uint8", dims, new Uint8Array(scales.length).fill(zero)));
  const axis = scales.length === 1 ? {} : { axis: 1 };
  let integers = b.op("QuantizeLinear", [x, scale, zeros], axis);
  if (clip !== undefined) {
    const ends = clip.map((end) => b.constant(tensor("uint8", [], Uint8Array.of(end))));
    integers = b.op("Clip", [integers, ...ends]);
  }
  return b.op("DequantizeLinear", [integers, scale, zeros], axis);
}

/**
 * Layers whose copy rounds activations: the input, behind a Relu, in the place of a Relu, one scale a neuron, with
 * fewer levels than the type has, and in front of a sum.
 */
export function roundedActivations(error = 0.02): [Model, Model] {
  return pairOf(7, [1, 3], error, (b, x, weights, isCopy) => {
    const round = (
      ...given: Parameters<typeof rounding> extends [GraphBuilder, ...infer R] ? R : never
    ) => isCopy ? rounding(b, ...given) : given[0];
    const input = round(x, [0.02], 128);
    const first = b.op("Relu", [b.op("Gemm", [input, weights([3, 8], 0.8), weights([8], 0.3)])]);
    const a = round(first, [0.05, 0.04, 0.03, 0.02, 0.05, 0.01, 0.02, 0.03], 0);
    const z = b.op("Gemm", [a, weights([8, 8], 0.5), weights([8], 0.3)]);
    const second = isCopy ? rounding(b, z, [0.1], 0, [0, 15]) : b.op("Relu", [z]);
    const sum = b.op("Add", [
      round(b.op("MatMul", [second, weights([8, 8], 0.4)]), [0.03], 100),
      a,
    ]);
    return b.op("Gemm", [b.op("Relu", [sum]), weights([8, 2], 0.5)]);
  });
}

/**
 * Layers whose copy rounds activations twice behind a Relu, on a grid that could stand for a Relu; on the same one, since
 * ONNX Runtime makes one quantizer of two.
 */
export function roundedTwice(): [Model, Model] {
  return pairOf(8, [1, 3], 0.02, (b, x, weights, isCopy) => {
    const first = b.op("Relu", [b.op("Gemm", [x, weights([3, 6], 0.8), weights([6], 0.3)])]);
    const a = isCopy ? rounding(b, rounding(b, first, [0.05], 0), [0.05], 0) : first;
    return b.op("Gemm", [a, weights([6, 2], 0.5)]);
  });
}

/** Operators that move values, and functions that are written with Relus. */
export function assorted(error: number): [Model, Model] {
  return pairOf(9, [1, 2, 3, 2], error, (b, x, weights) => {
    const turned = b.op("Transpose", [x], { perm: [0, 1, 3, 2] });
    const padded = b.op("Pad", [turned, b.constant([0, 0, 1, 0, 0, 0, 0, 1])]);
    const part = b.op("Slice", [
      padded,
      b.constant([1, -1]),
      b.constant([3, -9]),
      b.constant([2, 3]),
      b.constant([1, -2]),
    ]);
    const scaled = b.op("Mul", [part, weights([1, 2, 1, 1])]);
    const flat = b.op("Flatten", [b.op("Concat", [scaled, b.op("Neg", [part])], { axis: 1 })]);
    const z = b.op("Gemm", [flat, weights([16, 6], 0.4), weights([6], 0.2)]);
    const leaky = b.op("LeakyRelu", [z], { alpha: float(0.1) });
    const clipped = b.op("Clip", [
      b.op("Div", [b.op("MatMul", [leaky, weights([6, 6], 0.6)]), weights([6], 2)]),
      b.constant(float32([], [-0.2])),
      b.constant(float32([], [0.5])),
    ]);
    const sided = b.op("PRelu", [
      b.op("Max", [clipped, b.constant(float32([], [-0.1]))]),
      b.constant(float32([6], [0.1, 0.2, -0.3, 1.5, 0, 1])),
    ]);
    return b.op("Unsqueeze", [
      b.op("Squeeze", [b.op("MatMul", [sided, weights([6, 2], 0.5)]), b.constant([0])]),
      b.constant([0]),
    ]);
  });
}

/** Sigmoid and Tanh, behind one another and around a sum; the copy rounds what one of them makes. */
export function curved(error: number, rounds = false): [Model, Model] {
  return pairOf(15, [1, 3], error, (b, x, weights, isCopy) => {
    const first = b.op("Tanh", [b.op("Gemm", [x, weights([3, 8], 0.8), weights([8], 0.3)])]);
    const gated = b.op("Sigmoid", [b.op("Gemm", [first, weights([8, 8], 1.2), weights([8])])]);
    const value = rounds && isCopy ? rounding(b, gated, [1 / 255], 0) : gated;
    const sum = b.op("Add", [b.op("MatMul", [value, weights([8, 8], 0.6)]), first]);
    return b.op("Gemm", [b.op("Relu", [sum]), weights([8, 2], 0.5)]);
  });
}

/** As the files that a certificate speaks of. */
export function files([original, quantized]: readonly [Model, Model]) {
  return { original: encodeModel(original), quantized: encodeModel(quantized) };
}
