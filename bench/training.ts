/**
 * How long a training step takes: residual blocks like ResNet-20's, their weights' rounding learned (AdaRound's
 * relaxation, Adam, mean squared error to targets), batches of 32 out of 256.
 *
 *     deno run --allow-read --allow-ffi --allow-env --allow-sys bench/training.ts [THREADS]
 *
 * A step gathers a batch, runs forward and backward, and updates. Shown are the milliseconds a step takes by the
 * clock (best chunk) and of processor time (all chunks: on a busy machine the steadier of the two), the share of
 * the time outside ONNX Runtime, and how long it takes to make the loop's session, and to derive and compile the loop
 * before. Above that, how fast the machine multiplies matrices: what a step could take at best.
 *
 * @module
 */

import { cpuUsage } from "node:process";
import { Emitter } from "../src/engine/autodiff/emitter.ts";
import { openSession } from "../src/engine/session.ts";
import type { TrainingOptions } from "../src/engine/training/options.ts";
import { createTrainer } from "../src/engine/training/trainer.ts";
import { GraphBuilder } from "../src/onnx/build.ts";
import { elementCount, float32, type Tensor } from "../src/onnx/tensor.ts";
import { emitRectified, emitRoundingTerm } from "../src/quant/reconstruct/rounding.ts";

const ITEMS = 256;
const BATCH = 32;
const STEPS = 300;
const CHUNK = 10;

const random = (dims: readonly number[], scale = 1): Tensor<"float32"> =>
  float32(
    dims,
    Float32Array.from({ length: elementCount(dims) }, () => scale * (Math.random() - 0.5)),
  );

/** A residual block of two 3×3 convolutions with learned rounding, and its loss, as the stage reconstruct writes it. */
function block(channels: number, size: number): TrainingOptions {
  const builder = new GraphBuilder();
  const dims = [channels, channels, 3, 3];
  const image = [BATCH, channels, size, size];
  const x = builder.input("x", "float32", image);
  const target = builder.input("target", "float32", image);
  const count = elementCount(dims);
  const alpha = builder.input("alpha", "float32", [2 * count]);
  const emit = new Emitter(builder.graph(), "unit");
  const c = (value: number) => emit.scalar(value, "float32");
  const h = emitRectified(emit, alpha);
  const weights = emit.ops("Split", [h, emit.ints([count, count])], 2, { axis: 0 }).map((part) =>
    emit.add(
      emit.mul(emit.reshape(part, dims), emit.constant(random(dims), "steps")),
      emit.constant(random(dims, 0.5), "floor"),
    )
  );
  const conv = (input: string, weight: string) =>
    emit.op("Conv", [input, weight, emit.constant(random([channels]), "bias")], {
      kernel_shape: [3, 3],
      pads: [1, 1, 1, 1],
    });
  const inner = emit.op("Relu", [conv(x, weights[0]!)]);
  const output = emit.op("Relu", [emit.add(conv(inner, weights[1]!), x)]);
  const error = emit.sub(output, target);
  const loss = emit.add(
    emit.mul(emit.op("ReduceSumSquare", [error], { keepdims: 0 }), c(1 / elementCount(image))),
    emit.mul(emitRoundingTerm(emit, h, 2 * count, c(5)), c(0.01 / count)),
  );
  return {
    graph: builder.graph(),
    loss,
    trainable: new Map([[alpha, { initial: random([2 * count]) }]]),
    data: new Map([
      [x, random([ITEMS, ...image.slice(1)])],
      [target, random([ITEMS, ...image.slice(1)])],
    ]),
    batch: BATCH,
    steps: STEPS,
    optimizer: { kind: "adam" },
    learningRate: 1e-2,
    seed: 0,
    threads,
  };
}

const threads = Number(Deno.args[0] ?? "2");
console.log(`${(await multiplicationRate() / 1e9).toFixed(0)} GFLOPS in products of matrices`);

for (const [channels, size] of [[16, 32], [32, 16], [64, 8]] as const) {
  const options = block(channels, size);
  let before = performance.now();
  await using trainer = await createTrainer(options);
  const session = 1000 * trainer.sessionSeconds;
  const compiling = performance.now() - before - session;
  await trainer.run(CHUNK, { chunk: CHUNK });
  let best = Infinity;
  let inside = 0;
  before = performance.now();
  const [start, processor] = [before, cpuUsage()];
  await trainer.run(STEPS, {
    chunk: CHUNK,
    onChunk: ({ seconds }) => {
      const now = performance.now();
      best = Math.min(best, (now - before) / CHUNK);
      inside += 1000 * seconds;
      before = now;
    },
  });
  const { user, system } = cpuUsage(processor);
  const done = STEPS - CHUNK;
  console.log(
    `${channels} channels, ${size}²: ${best.toFixed(2)} ms a step, processor ${
      ((user + system) / 1000 / done).toFixed(2)
    } ms, outside ${(100 * (1 - inside / (before - start))).toFixed(1)} %, session made in ${
      session.toFixed(0)
    } ms, compiled in ${compiling.toFixed(0)} ms`,
  );
}

/** The best rate of a product of two square matrices, in floating-point operations a second. */
async function multiplicationRate(): Promise<number> {
  const size = 1024;
  const builder = new GraphBuilder();
  const inputs = ["a", "b"].map((name) => builder.input(name, "float32", [size, size]));
  // One number comes out, so that nothing large is copied.
  builder.output(builder.op("ReduceSum", [builder.op("MatMul", inputs)], { keepdims: 0 }));
  await using session = await openSession(builder.build(), { threads });
  const feeds = { a: random([size, size]), b: random([size, size]) };
  let best = Infinity;
  for (let run = 0; run < 20; run++) {
    const before = performance.now();
    await session.run(feeds);
    best = Math.min(best, performance.now() - before);
  }
  return 2 * size ** 3 / (best / 1000);
}
