/**
 * Compares the formulations of convolution gradients, on which the gradient rules' choices rest.
 *
 *     deno run --allow-read --allow-ffi --allow-env --allow-sys bench/gradients.ts [THREADS] [weights|inputs|both] [NETWORK]
 *
 * For each convolution: the forward pass for comparison, then every formulation that fits. The one that the rules
 * choose is marked. Times are the best of several runs, and with one thread processor time, so that a busy machine
 * disturbs little.
 *
 * @module
 */

import { cpuUsage } from "node:process";
import { Emitter, type EmitterOptions } from "../src/engine/autodiff/emitter.ts";
import {
  type InputFormulation,
  inputFormulation,
  scatterWindows,
} from "../src/engine/autodiff/rules/convolution.ts";
import {
  type WeightFormulation,
  weightFormulation,
  weightGradient,
} from "../src/engine/autodiff/rules/weight_gradient.ts";
import type { Window } from "../src/engine/autodiff/rules/window.ts";
import { blockSize } from "../src/engine/block_size.ts";
import { formulateConvolutions } from "../src/engine/training/forward_convolutions.ts";
import { openSession } from "../src/engine/session.ts";
import { GraphBuilder } from "../src/onnx/build.ts";
import { elementCount, float32, type Tensor } from "../src/onnx/tensor.ts";

interface Convolution {
  readonly from: string;
  readonly batch: number;
  readonly channels: number;
  readonly outputs: number;
  readonly size: number;
  readonly kernel: number;
  readonly stride?: number;
  readonly group?: number;
}

const CONVOLUTIONS: readonly Convolution[] = [
  { from: "ResNet-20 stage 1", batch: 32, channels: 16, outputs: 16, size: 32, kernel: 3 },
  { from: "ResNet-20 stage 2", batch: 32, channels: 32, outputs: 32, size: 16, kernel: 3 },
  { from: "ResNet-20 stage 3", batch: 32, channels: 64, outputs: 64, size: 8, kernel: 3 },
  { from: "ResNet-20 down", batch: 32, channels: 16, outputs: 32, size: 32, kernel: 3, stride: 2 },
  { from: "ResNet-18 stage 1", batch: 8, channels: 64, outputs: 64, size: 56, kernel: 3 },
  { from: "ResNet-18 stage 2", batch: 8, channels: 128, outputs: 128, size: 28, kernel: 3 },
  { from: "ResNet-18 stage 3", batch: 16, channels: 256, outputs: 256, size: 14, kernel: 3 },
  { from: "ResNet-18 stage 4", batch: 16, channels: 512, outputs: 512, size: 7, kernel: 3 },
  { from: "ResNet-18 stem", batch: 4, channels: 3, outputs: 64, size: 224, kernel: 7, stride: 2 },
  { from: "SqueezeNet squeeze", batch: 8, channels: 256, outputs: 32, size: 27, kernel: 1 },
  { from: "SqueezeNet expand", batch: 8, channels: 64, outputs: 256, size: 13, kernel: 1 },
  ...[[32, 112, 1], [144, 56, 1], [192, 28, 1], [384, 14, 1], [960, 7, 1], [96, 112, 2], [
    576,
    14,
    2,
  ]]
    .map(([channels, size, stride]): Convolution => ({
      from: "MobileNetV2 depthwise",
      batch: 8,
      channels: channels!,
      outputs: channels!,
      size: size!,
      kernel: 3,
      stride: stride!,
      group: channels!,
    })),
];

const WEIGHT_FORMULATIONS: readonly WeightFormulation[] = [
  "item-shifts",
  "batch-shifts",
  "bands",
  "convolution",
  "item-convolution",
  "blocks",
  "tiles",
  "columns",
];
const INPUT_FORMULATIONS: readonly InputFormulation[] = [
  "tiles",
  "blocks",
  "flipped",
  "transposed",
];

const [threads = "1", part, network = ""] = Deno.args;
const block = await blockSize();
const random = (dims: readonly number[]): Tensor =>
  float32(dims, Float32Array.from({ length: elementCount(dims) }, () => Math.random() - 0.5));

/** Milliseconds of processor time; with several threads by the clock, since idle ones take processor time too. */
function now(): number {
  if (Number(threads) > 1) return performance.now();
  const { user, system } = cpuUsage();
  return (user + system) / 1000;
}

/** Milliseconds of the fastest of several runs; `undefined` where the formulation does not fit. */
async function time(
  inputs: Readonly<Record<string, readonly number[]>>,
  emitInto: (emit: Emitter) => string,
): Promise<number | undefined> {
  const builder = new GraphBuilder();
  for (const [name, dims] of Object.entries(inputs)) builder.input(name, "float32", dims);
  try {
    builder.output(emitInto(new Emitter(builder.graph(), "grad", { block, native: true })));
  } catch (error) {
    if (error instanceof RangeError) return undefined;
    throw error;
  }
  const model = builder.build();
  for (const { domain } of model.graph.nodes) if (domain !== "") model.opsets.set(domain, 1);
  await using session = await openSession(model, { threads: Number(threads) });
  const feeds = Object.fromEntries(
    Object.entries(inputs).map(([name, dims]) => [name, random(dims)]),
  );
  let best = Infinity;
  const start = performance.now();
  for (let run = 0; run < 5 || (run < 40 && performance.now() - start < 600); run++) {
    const before = now();
    await session.run(feeds);
    best = Math.min(best, now() - before);
  }
  return best;
}

/** Only asked what would be chosen. */
const chooser = new Emitter(new GraphBuilder().graph(), "grad", { block, native: true });

for (const convolution of CONVOLUTIONS) {
  if (!convolution.from.includes(network)) continue;
  const { from, batch, channels, outputs, size, kernel, stride = 1, group = 1 } = convolution;
  const pad = kernel >> 1;
  const narrow = Math.floor((size + 2 * pad - kernel) / stride) + 1;
  const window: Window = {
    kernel: [kernel, kernel],
    strides: [stride, stride],
    dilations: [1, 1],
    begins: [pad, pad],
    ends: [pad, pad],
    group,
  };
  const x = [batch, channels, size, size];
  const y = [batch, outputs, narrow, narrow];
  const w = [outputs, channels / group, kernel, kernel];
  const work = 2 * elementCount(y) * elementCount(w.slice(1)) / 1e9;
  console.log(
    `${from}: ${batch}×${channels}×${size}² → ${outputs}×${narrow}², ${work.toFixed(3)} GFLOP`,
  );
  const show = (name: string, ms: number | undefined, chosen: boolean) => {
    if (ms === undefined) return;
    const rate = (1000 * work / ms).toFixed(1);
    console.log(
      `  ${chosen ? "→" : " "} ${name.padEnd(26)}${ms.toFixed(2).padStart(9)} ms${
        rate.padStart(8)
      } GFLOPS`,
    );
  };
  const attributes = {
    kernel_shape: [kernel, kernel],
    strides: [stride, stride],
    pads: [pad, pad, pad, pad],
    group,
  };
  const types = new Map(
    [["x", x], ["w", w], ["y", y]].map(([name, dims]) =>
      [name as string, { type: "float32", dims: dims as number[] }] as const
    ),
  );
  const forward = (own: EmitterOptions) => (emit: Emitter) => {
    emit.ops("Conv", ["x", "w"], ["y"], attributes);
    formulateConvolutions(emit.graph, types, own);
    return "y";
  };
  const plain = await time({ x, w }, forward({}));
  const blocks = await time({ x, w }, forward({ block }));
  const chosen = await time({ x, w }, forward({ block, native: true }));
  show("forward", plain, false);
  show("forward, blocks", blocks, false);
  show("forward, chosen", chosen, true);
  if (part !== "weights") {
    const byInput = {
      upstream: "y",
      upstreamDims: y,
      weight: "w",
      weightDims: w,
      xDims: x,
      window,
      type: "float32" as const,
    };
    for (const formulation of INPUT_FORMULATIONS) {
      if (formulation !== "transposed" && stride !== 1) continue;
      const ms = await time({ y, w }, (emit) => scatterWindows(emit, byInput, formulation));
      const chosen = inputFormulation(chooser, byInput);
      show(`by input, ${formulation}`, ms, formulation === chosen);
    }
  }
  if (part !== "inputs") {
    const problem = {
      x: "x",
      xDims: x,
      upstream: "y",
      upstreamDims: y,
      window,
      type: "float32" as const,
    };
    for (const formulation of WEIGHT_FORMULATIONS) {
      const ms = await time({ x, y }, (emit) => weightGradient(emit, problem, formulation));
      show(`by weights, ${formulation}`, ms, formulation === weightFormulation(chooser, problem));
    }
  }
}
