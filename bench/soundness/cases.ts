/**
 * The pairs of models and boxes on which bounds are held against points.
 *
 * @module
 */

import type { Model } from "../../src/onnx/model.ts";
import { type Box, box } from "../../src/verify/box.ts";
import {
  acasBox,
  acasNetworks,
  type AcasProperty,
  type Narrowed,
  narrowedModel,
  network,
  property,
} from "../verify/pairs.ts";
import { roundedActivations, samplesOf } from "../verify/rounded.ts";

/** A pair of models on a box, and how much to look at. */
export interface Case {
  readonly name: string;
  readonly models: () => Promise<readonly [original: Model, quantized: Model]>;
  readonly box: () => Promise<Box>;
  readonly points: number;
  /** Ascents for each output and direction. */
  readonly restarts: number;
  /** Boxes that the whole one is cut into at most, and parts of any size that are bounded by themselves. */
  readonly boxes: number;
  readonly parts: number;
}

/** What becomes of the original. */
interface Copy {
  readonly name: string;
  readonly weights: Narrowed;
  readonly rounds: boolean;
}

const HALF: Copy = { name: "half precision", weights: "half", rounds: false };
const TENSOR: Copy = { name: "int8 weights", weights: "int8 tensor", rounds: false };
const TENSOR_8: Copy = {
  name: "int8 weights and activations",
  weights: "int8 tensor",
  rounds: true,
};
const CHANNEL: Copy = { name: "int8 weights", weights: "int8 channel", rounds: false };
const CHANNEL_4: Copy = { name: "int4 weights", weights: "int4 channel", rounds: false };
const CHANNEL_8: Copy = {
  name: "int8 weights and activations",
  weights: "int8 channel",
  rounds: true,
};

interface Source {
  readonly name: string;
  readonly path: string;
  readonly boxes: readonly (readonly [name: string, box: () => Promise<Box>])[];
  readonly copies: readonly Copy[];
  readonly effort: Pick<Case, "points" | "restarts" | "boxes" | "parts">;
}

const file = (path: string) => [path.split("/")[1]!, () => property(path)] as const;

/** ±0.004 around the middle of a box of larger sides. */
const narrower = (path: string) =>
  [
    `${path.split("/")[1]} narrowed`,
    async () => {
      const { lower, upper } = await property(path);
      const middle = lower.map((from, at) => (from + upper[at]!) / 2);
      return box(middle.map((x) => x - 0.004), middle.map((x) => x + 0.004));
    },
  ] as const;

const IMAGE = { points: 20_000, restarts: 4, boxes: 1, parts: 2 };
const LARGE = { points: 5000, restarts: 2, boxes: 1, parts: 1 };
const FULLY_CONNECTED = ["mnistfc/prop_0_0.03.vnnlib", "mnistfc/prop_1_0.05.vnnlib"].map(file);

const IMAGES: readonly Source[] = [
  ...([2, 4, 6] as const).map((layers): Source => ({
    name: `mnist 256×${layers}`,
    path: `mnistfc/mnist-net_256x${layers}.onnx`,
    boxes: [...FULLY_CONNECTED, narrower("mnistfc/prop_2_0.03.vnnlib")],
    copies: [HALF, CHANNEL, CHANNEL_8],
    effort: IMAGE,
  })),
  {
    name: "mnist 3×100",
    path: "mnist_3x100/mnist_relu_3_100.onnx",
    boxes: [...FULLY_CONNECTED, narrower("mnistfc/prop_2_0.03.vnnlib")],
    copies: [HALF, CHANNEL, CHANNEL_8],
    effort: IMAGE,
  },
  {
    name: "mnist average pool",
    path: "conv/Convnet_avgpool.onnx",
    boxes: [file("conv/avgpool_specs_prop_0_0.02.vnnlib")],
    copies: [HALF, CHANNEL, CHANNEL_8],
    effort: IMAGE,
  },
  {
    name: "mnist max pool",
    path: "conv/Convnet_maxpool.onnx",
    boxes: [file("conv/maxpool_specs_prop_0_0.004.vnnlib")],
    copies: [HALF, CHANNEL, CHANNEL_8],
    effort: IMAGE,
  },
  {
    name: "cifar conv",
    path: "conv/cifar_base_kw.onnx",
    boxes: [
      file("conv/cifar_base_kw-img1697-eps0.0014379084967320263.vnnlib"),
      file("conv/cifar_base_kw-img4549-eps0.00392156862745098.vnnlib"),
    ],
    copies: [HALF, CHANNEL, CHANNEL_8],
    effort: IMAGE,
  },
  {
    name: "cifar ResNet 2b",
    path: "cifar10_resnet/resnet_2b.onnx",
    boxes: [file("cifar10_resnet/resnet_2b_prop_0_eps_0.008.vnnlib")],
    copies: [CHANNEL, CHANNEL_4, CHANNEL_8],
    effort: LARGE,
  },
];

function acas(number: AcasProperty): Source[] {
  return acasNetworks(number).map((name) => ({
    name: `acas ${name}`,
    path: `acasxu/ACASXU_run2a_${name}.onnx`,
    boxes: [[`p${number}`, () => Promise.resolve(acasBox(number))]],
    copies: [HALF, TENSOR, TENSOR_8],
    effort: { points: 70_000, restarts: 8, boxes: 64, parts: 64 },
  }));
}

/** All of them; images first, since those of ACAS Xu are many of one kind. */
export function* cases(): Generator<Case> {
  for (
    const { name, path, boxes, copies, effort } of [
      ...IMAGES,
      ...([1, 3, 4] as const).flatMap(acas),
    ]
  ) {
    for (const [where, boxOf] of boxes) {
      for (const copy of copies) {
        yield {
          name: `${name}, ${where}, ${copy.name}`,
          ...effort,
          // A box takes longer where activations are rounded.
          boxes: copy.rounds ? Math.ceil(effort.boxes / 8) : effort.boxes,
          box: boxOf,
          models: async () => {
            const original = await network(path);
            const weights = narrowedModel(original, copy.weights);
            return [
              original,
              copy.rounds ? roundedActivations(weights, samplesOf(await boxOf())) : weights,
            ];
          },
        };
      }
    }
  }
}
