/**
 * Pairs of models and boxes that certificates are made of, one of each kind.
 *
 * @module
 */

import type { Semantics } from "../../src/checker/rounding.ts";
import type { Model } from "../../src/onnx/model.ts";
import { type Box, box } from "../../src/verify/box.ts";
import type { VerifyOptions } from "../../src/verify/verify.ts";
import { acasBox, narrowedModel, network, property } from "../verify/pairs.ts";
import { roundedActivations, samplesOf } from "../verify/rounded.ts";

/** What is certified. */
export interface CertificateCase {
  readonly name: string;
  readonly semantics: Semantics;
  readonly models: () => Promise<readonly [original: Model, quantized: Model]>;
  readonly boxes: () => Promise<readonly Box[]>;
  readonly options: Partial<VerifyOptions>;
}

/** A narrower box around the middle. */
function around({ lower, upper }: Box, radius: number): Box {
  const middle = lower.map((from, at) => (from + upper[at]!) / 2);
  return box(middle.map((x) => x - radius), middle.map((x) => x + radius));
}

const split = { split: true, boxes: 20_000 } as const;
const whole = { split: false } as const;

async function weightsOf(path: string, how: Parameters<typeof narrowedModel>[1]) {
  const original = await network(path);
  return [original, narrowedModel(original, how)] as const;
}

async function roundedOf(path: string, on: Box) {
  const [original, copy] = await weightsOf(path, "int8 channel");
  return [original, roundedActivations(copy, samplesOf(on))] as const;
}

const ACAS = (name: string) => `acasxu/ACASXU_run2a_${name}.onnx`;
const DIGITS = "mnistfc/mnist-net_256x2.onnx";
const CONV = "conv/cifar_base_kw.onnx";
const AVERAGE_POOL = "conv/Convnet_avgpool.onnx";

const convBox = () => property("conv/cifar_base_kw-img1697-eps0.0014379084967320263.vnnlib");
const averagePoolBox = () => property("conv/avgpool_specs_prop_0_0.02.vnnlib");

/** Images by the numbers of their boxes, ±radius. */
const digits = (count: number, radius: number) =>
  Promise.all(
    Array.from(
      { length: count },
      async (_, at) => around(await property(`mnistfc/prop_${at}_0.03.vnnlib`), radius),
    ),
  );

/** All of them. */
export const CASES: readonly CertificateCase[] = [
  {
    name: "ACAS Xu 2_3, property 3, 8 bits, within 1.1",
    semantics: "real",
    models: () => weightsOf(ACAS("2_3"), "int8 tensor"),
    boxes: () => Promise.resolve([acasBox(3)]),
    options: { ...split, ratio: 1.1 },
  },
  {
    name: "ACAS Xu 1_1, property 3, half precision, bound 0.01 (cells)",
    semantics: "real",
    models: () => weightsOf(ACAS("1_1"), "half"),
    boxes: () => Promise.resolve([acasBox(3)]),
    options: { ...split, ratio: 1, target: 0.01 },
  },
  {
    name: "ACAS Xu 3_3, property 4, 8 bits, within 1.1",
    semantics: "float32",
    models: () => weightsOf(ACAS("3_3"), "int8 tensor"),
    boxes: () => Promise.resolve([acasBox(4)]),
    options: { ...split, ratio: 1.1 },
  },
  {
    name: "MNIST 256×2, five boxes of ±0.004, 8 bits",
    semantics: "float32",
    models: () => weightsOf(DIGITS, "int8 channel"),
    boxes: () => digits(5, 0.004),
    options: whole,
  },
  {
    name: "MNIST 256×2, three boxes of ±0.004, weights and activations of 8 bits",
    semantics: "float32",
    models: async () => await roundedOf(DIGITS, (await digits(1, 0.004))[0]!),
    boxes: () => digits(3, 0.004),
    options: whole,
  },
  {
    name: "CIFAR-10 convolutions, 8 bits",
    semantics: "real",
    models: () => weightsOf(CONV, "int8 channel"),
    boxes: async () => [await convBox()],
    options: whole,
  },
  {
    name: "CIFAR-10 convolutions, weights and activations of 8 bits",
    semantics: "real",
    models: async () => await roundedOf(CONV, await convBox()),
    boxes: async () => [await convBox()],
    options: whole,
  },
  {
    name: "MNIST with average pools, ±0.002, 8 bits",
    semantics: "real",
    models: () => weightsOf(AVERAGE_POOL, "int8 channel"),
    boxes: async () => [around(await averagePoolBox(), 0.002)],
    options: whole,
  },
];
