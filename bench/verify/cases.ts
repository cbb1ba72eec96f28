/**
 * Pairs of networks and boxes, by where they come from.
 *
 * @module
 */

import type { Model } from "../../src/onnx/model.ts";
import { readModel } from "../../src/onnx/read.ts";
import { type Box, box } from "../../src/verify/box.ts";
import type { PairedNetwork } from "../../src/verify/network/network.ts";
import { pairModels } from "../../src/verify/network/pair.ts";
import { withGrids, withoutEnds } from "../../src/verify/variants.ts";
import { sharedData } from "../../tests/shared_data.ts";
import {
  ACAS_PROPERTIES,
  acasBox,
  acasNetworks,
  type AcasProperty,
  type Narrowed,
  narrowed,
  narrowedModel,
  network,
  property,
  shared,
} from "./pairs.ts";
import { roundedActivations, samplesOf } from "./rounded.ts";

/** One case: a name, a pair, the box. */
export interface Case {
  readonly name: string;
  readonly pair: PairedNetwork;
  readonly box: Box;
  /** Inputs that are worth looking at. */
  readonly points?: readonly Float64Array[];
}

/** Cases; those of one pair one after the other. */
export type Cases = AsyncIterable<Case>;

/** The networks of ACAS Xu that a property speaks of, on its box. */
export async function* acas(property: AcasProperty, how: Narrowed): Cases {
  for (const name of acasNetworks(property)) {
    const model = await network(`acasxu/ACASXU_run2a_${name}.onnx`);
    yield {
      name: `${name}, property ${property}`,
      pair: narrowed(model, how),
      box: acasBox(property),
      ...how === "half" && name === "2_9" && String(property) === "8" && { points: [FAR_APART] },
    };
  }
}

/**
 * Where 2_9 and its copy in half precision differ by 0.01246 in the first output, so that nobody can prove 0.01 on property 8:
 * found by 200 ascents again and again, in smaller and smaller boxes around the best of them.
 */
export const FAR_APART = Float64Array.of(
  -0.2713618278503418,
  -0.37500232458114624,
  -0.005274489987641573,
  0.08631433546543121,
  0.48825669288635254,
);

/** All pairs of networks and properties of ACAS Xu that ReluDiff and NeuroDiff are measured on. */
export async function* acasPairs(how: Narrowed): Cases {
  for (const property of ACAS_PROPERTIES) yield* acas(property, how);
}

/** Every input that a network of ACAS Xu can have. */
export async function* wholeRange(): Cases {
  const pair = narrowed(await network("acasxu/ACASXU_run2a_1_1.onnx"), "int8 tensor");
  yield { name: "1_1", pair, box: acasBox("all") };
}

/** The images that come with MNIST 784-100-100-10-10. */
async function digitImages(): Promise<Float64Array[]> {
  // 100 images of bytes stand behind the header.
  const file = await Deno.readFile(shared("mnist_3x100/images.npy"));
  return Array.from({ length: 100 }, (_, image) => {
    const from = file.length - (100 - image) * 784;
    return Float64Array.from(file.subarray(from, from + 784), (byte) => byte / 255);
  });
}

/**
 * ±radius around images of MNIST, against half precision or weights and activations of 8 bits; `endless`: on grids of the
 * same step that nothing can leave.
 */
export async function* digits(radius: number, how: "half" | "W8A8" | "endless"): Cases {
  const original = await network("mnist_3x100/mnist_relu_3_100.onnx");
  const images = await digitImages();
  const copy = how === "half"
    ? await network("mnist_3x100/mnist_relu_3_100_fp16.onnx")
    : roundedActivations(narrowedModel(original, "int8 tensor"), images);
  const rounded = pairModels(original, copy);
  const pair = how === "endless" ? withGrids(rounded, withoutEnds) : rounded;
  for (const [image, pixels] of images.entries()) {
    yield { name: `${image}`, pair, box: around(pixels, radius) };
  }
}

/** What a copy of a network of the shared data is, and the files of its boxes. */
export interface PropertyCases {
  readonly path: string;
  readonly properties: readonly string[];
  readonly how: Narrowed;
  /** Whether activations are rounded to 8 bits, on grids that reach as far as at points of the box. */
  readonly rounds?: boolean;
  /** Boxes of ±this around the pixels, in the place of the files' own of ±0.03. */
  readonly radius?: number;
}

/** The boxes of VNN-LIB files. */
export async function* properties({ path, properties, how, rounds, radius }: PropertyCases): Cases {
  const original = await network(path);
  const weights = narrowedModel(original, how);
  const shared = rounds ? undefined : pairModels(original, weights);
  for (const name of properties) {
    const whole = await property(name);
    const domain = radius === undefined ? whole : around(pixelsOf(whole), radius);
    const pair = shared ??
      pairModels(original, roundedActivations(weights, samplesOf(domain)));
    yield { name, pair, box: domain };
  }
}

/** Boxes of radius 0.03 around pixels are cut to 0 … 1: a pixel is where a side that was not cut says. */
function pixelsOf({ lower, upper }: Box): Float64Array {
  return upper.map((to, at) => to < 1 ? to - 0.03 : lower[at]! + 0.03);
}

function around(pixels: Float64Array, radius: number): Box {
  return box(
    pixels.map((pixel) => Math.max(pixel - radius, 0)),
    pixels.map((pixel) => Math.min(pixel + radius, 1)),
  );
}

const MEANS = [0.485, 0.456, 0.406];
const DEVIATIONS = [0.229, 0.224, 0.225];

/** ±1/255 around images of CIFAR-10, for ResNet-20. */
export async function* resnet20(images: number): Cases {
  const [path, file] = [
    sharedData("models/cifar10_resnet20.onnx"),
    sharedData("cifar10/test_300.bin"),
  ];
  if (path === undefined || file === undefined) throw new Error("There is no shared data");
  const model: Model = await readModel(path);
  const pair = narrowed(model, "int8 channel");
  const bytes = await Deno.readFile(file);
  for (let image = 0; image < images; image++) {
    const from = image * 3073 + 1;
    const pixels = Float64Array.from(bytes.subarray(from, from + 3072), (byte) => byte / 255);
    const { lower, upper } = around(pixels, 1 / 255);
    const normalize = (value: number, at: number) =>
      (value - MEANS[at >> 10]!) / DEVIATIONS[at >> 10]!;
    yield { name: `${image}`, pair, box: box(lower.map(normalize), upper.map(normalize)) };
  }
}
