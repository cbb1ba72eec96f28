import assert from "node:assert/strict";
import { Random } from "../../src/base/random.ts";
import { loadRuntime } from "../../src/engine/runtime.ts";
import { openSession } from "../../src/engine/session.ts";
import { checkModel } from "../../src/onnx/check.ts";
import type { Model } from "../../src/onnx/model.ts";
import { readModel } from "../../src/onnx/read.ts";
import { elementCount, float32 } from "../../src/onnx/tensor.ts";
import { encodeModel } from "../../src/onnx/write.ts";
import { prepareModel } from "../../src/stages/prepare/run.ts";
import { testWithSharedData } from "../shared_data.ts";
import { networkInput, type PlanOptions, quantizeMinMax, smallNetwork } from "./small_network.ts";

/** Runs a model in ONNX Runtime with nothing but its default options. */
async function runByDefault(model: Model): Promise<Float32Array> {
  const { InferenceSession, Tensor } = await loadRuntime();
  const session = await InferenceSession.create(encodeModel(model), { logSeverityLevel: 4 });
  const input = networkInput();
  const feed = new Tensor("float32", input.data, input.dims);
  const { y } = await session.run({ x: feed });
  await session.release();
  return y!.data as Float32Array;
}

async function simulate(model: Model): Promise<Float32Array> {
  await using session = await openSession(model, { arithmetic: "simulated" });
  const { y } = await session.run({ x: networkInput() });
  return y!.data as Float32Array;
}

function largestGap(a: Float32Array, b: Float32Array): number {
  return a.reduce((most, value, index) => Math.max(most, Math.abs(value - b[index]!)), 0);
}

const WIDTHS = [8, 4, 2] as const;

const PREPARE = {
  shape: {},
  batch: "keep",
  opset: 21,
  fold_batch_norm: true,
  fold_arithmetic: true,
  fold_constants: true,
} as const;

for (
  const [activationBits, at] of [
    ...(["none", "dynamic", 16, 8, 4, 3, 2] as const).map((bits) => [bits, "operators"] as const),
    ...([16, 8, 4, 3, 2] as const).map((bits) => [bits, "layers"] as const),
  ]
) {
  Deno.test(`every weight form loads by default beside activations: ${activationBits}, at ${at}`, async () => {
    const float = smallNetwork();
    for (const weightBits of activationBits === 3 ? [3] : WIDTHS) {
      for (const granularity of ["tensor", "channel", "group"] as const) {
        const results: Float32Array[] = [];
        for (const encoding of ["native", "container"] as const) {
          const options: PlanOptions = { weightBits, activationBits, at, granularity, encoding };
          const model = await quantizeMinMax(float, options);
          assert.deepEqual(checkModel(model), [], JSON.stringify(options));
          const byDefault = await runByDefault(model);
          const simulated = await simulate(model);
          // Probabilities of 12 classes; saturating products of 8-bit integers account for the rest.
          assert.ok(largestGap(byDefault, simulated) < 0.1, JSON.stringify(options));
          results.push(simulated);
        }
        assert.deepEqual(results[0], results[1], `native and container ${weightBits} differ`);
      }
    }
  });
}

for (
  const [path, dims] of [
    ["models/cifar10_resnet20.onnx", [2, 3, 32, 32]],
    ["models/squeezenet1.1.onnx", [1, 3, 227, 227]],
    ["models/mobilenet_v1_0.25_128_dequantized.onnx", [1, 3, 128, 128]],
  ] as const
) {
  testWithSharedData(
    `native and container load and agree bit for bit: ${path}`,
    path,
    async (file) => {
      const original = await readModel(file);
      const { model: float } = await prepareModel(original, PREPARE);
      const random = Random.from(0);
      const size = elementCount(dims);
      const input = float32(dims, Float32Array.from({ length: size }, () => random.normal()));
      const feeds = { [float.graph.inputs[0]!.name]: input };
      for (const [weightBits, activationBits] of [[4, 4], [2, 2], [3, 5]] as const) {
        const outputs = [];
        for (const encoding of ["native", "container"] as const) {
          const model = await quantizeMinMax(float, {
            weightBits,
            activationBits,
            granularity: "channel",
            encoding,
            feeds,
          });
          const { InferenceSession } = await loadRuntime();
          const byDefault = await InferenceSession.create(encodeModel(model), {
            logSeverityLevel: 4,
          });
          await byDefault.release();
          await using session = await openSession(model);
          outputs.push((await session.run(feeds)).output!.data);
        }
        assert.deepEqual(outputs[0], outputs[1]);
      }
    },
  );
}
