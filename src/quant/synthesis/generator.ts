/**
 * A small network that makes images from random vectors.
 *
 * Jeon et al., "Genie", 2023: a fully connected layer, twice an enlargement and a convolution, each with batch
 * normalization, and a last convolution. Vectors and network are learned together, anew for each batch.
 *
 * @module
 */

import type { Random } from "../../base/random.ts";
import type { Emitter } from "../../engine/autodiff/emitter.ts";
import type { Trainable } from "../../engine/training/options.ts";
import { elementCount, float32 } from "../../onnx/tensor.ts";

/** What is learned, and how fast. */
export interface GeneratorOptions {
  /** `[batch, channels, height, width]` of the images. */
  readonly dims: readonly number[];
  /** Length of the vectors. */
  readonly latent: number;
  /** Channels of the first convolution; the second has half as many. */
  readonly width: number;
  readonly latentRate: number;
  readonly rate: number;
  /** Least and greatest value of an image; unlimited unless given, with a scale and an offset that are learned. */
  readonly range?: readonly [number, number];
}

const SLOPE = { kind: "float", value: 0.2 } as const;
const PADS = [1, 1, 1, 1];

/**
 * Emits a generator.
 *
 * @returns The images, and what is to be learned by name.
 */
export function emitGenerator(
  emit: Emitter,
  { dims, latent, width, latentRate, rate, range }: GeneratorOptions,
  random: Random,
): { images: string; trainable: Map<string, Trainable> } {
  const [batch, channels, height, wide] = dims as [number, number, number, number];
  const trainable = new Map<string, Trainable>();
  const parameter = (name: string, shape: number[], make: () => number, learningRate = rate) => {
    const values = Array.from({ length: elementCount(shape) }, make);
    trainable.set(`generator/${name}`, { initial: float32(shape, values), learningRate });
    return `generator/${name}`;
  };
  // He et al., 2015, equation 10.
  const weights = (name: string, shape: number[], fanIn: number) =>
    parameter(name, shape, () => Math.sqrt(2 / fanIn) * random.normal());
  const norm = (name: string, x: string, size: number) => {
    const scale = parameter(`${name}.scale`, [size], () => 1);
    const bias = parameter(`${name}.bias`, [size], () => 0);
    return batchNorm(emit, x, scale, bias);
  };
  const conv = (name: string, x: string, from: number, to: number) =>
    emit.op("Conv", [x, weights(name, [to, from, 3, 3], 9 * from)], { pads: PADS });
  /** Every position twice in both directions. */
  const enlarge = (x: string, rows: number, columns: number) => {
    const wide = emit.ints([batch, width, rows, 2, columns, 2]);
    const repeated = emit.op("Expand", [
      emit.reshape(x, [batch, width, rows, 1, columns, 1]),
      wide,
    ]);
    return emit.reshape(repeated, [batch, width, 2 * rows, 2 * columns]);
  };

  const [rows, columns] = [Math.ceil(height / 4), Math.ceil(wide / 4)];
  const z = parameter("latent", [batch, latent], () => random.normal(), latentRate);
  const size = width * rows * columns;
  const first = emit.op("MatMul", [z, weights("linear", [latent, size], latent)]);
  let x = norm("norm0", emit.reshape(first, [batch, width, rows, columns]), width);
  x = conv("conv1", enlarge(x, rows, columns), width, width);
  x = emit.op("LeakyRelu", [norm("norm1", x, width)], { alpha: SLOPE });
  const half = Math.max(1, width >> 1);
  x = conv("conv2", enlarge(x, 2 * rows, 2 * columns), width, half);
  x = emit.op("LeakyRelu", [norm("norm2", x, half)], { alpha: SLOPE });
  x = emit.op("Tanh", [conv("conv3", x, half, channels)]);
  if (range === undefined) x = norm("norm3", x, channels);
  else {
    const [low, high] = range;
    x = emit.add(
      emit.mul(x, emit.scalar((high - low) / 2, "float32")),
      emit.scalar((high + low) / 2, "float32"),
    );
  }
  const isWhole = 4 * rows === height && 4 * columns === wide;
  return { images: isWhole ? x : emit.slice(x, [2, 3], [0, 0], [height, wide]), trainable };
}

/** Batch normalization by the statistics of the batch. */
function batchNorm(emit: Emitter, x: string, scale: string, bias: string): string {
  // ONNX Runtime writes over the running statistics, which must therefore be no one else's.
  const scratch = [emit.sub(scale, scale), emit.sub(bias, bias)];
  return emit.ops("BatchNormalization", [x, scale, bias, ...scratch], 3, {
    training_mode: 1,
    momentum: { kind: "float", value: 0 },
  })[0]!;
}
