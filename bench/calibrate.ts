/**
 * How long calibrating and quantizing real networks takes, what part of that ONNX Runtime and image decoding take,
 * and how much memory is used at most.
 *
 *     deno run --allow-read --allow-ffi --allow-env --allow-sys bench/calibrate.ts resnet20 [METHOD] [THREADS] [BATCH]
 *     deno run --allow-read --allow-ffi --allow-env --allow-sys bench/calibrate.ts squeezenet [METHOD] [THREADS] [BATCH]
 *
 * `peers/ort_quantization.py` does the same with the quantizer that comes with ONNX Runtime.
 *
 * @module
 */

import { Value } from "@sinclair/typebox/value";
import { canonicalJson, type JsonValue } from "../src/base/canonical_json.ts";
import type { Dataset } from "../src/data/dataset.ts";
import { describeDataset, openDataset } from "../src/data/recipe.ts";
import type { DatasetSpec } from "../src/data/spec.ts";
import { loadRuntime } from "../src/engine/runtime.ts";
import { readModel } from "../src/onnx/read.ts";
import { RANGE_METHODS, type RangeMethod } from "../src/quant/ranges.ts";
import type { Artifact, ArtifactKind, ArtifactValues } from "../src/registry/artifact.ts";
import type { StageContext } from "../src/registry/stage.ts";
import { parameters as calibrateParameters } from "../src/stages/calibrate/ports.ts";
import { run as calibrate } from "../src/stages/calibrate/run.ts";
import { parameters as prepareParameters } from "../src/stages/prepare/ports.ts";
import { prepareModel } from "../src/stages/prepare/run.ts";
import { parameters as quantizeParameters } from "../src/stages/quantize/ports.ts";
import { quantizeModel } from "../src/stages/quantize/run.ts";
import { digestFile } from "../src/store/digest.ts";
import { sharedData } from "../tests/shared_data.ts";

interface Case {
  readonly model: string;
  readonly data: DatasetSpec;
}

const CASES: Readonly<Record<string, Case>> = {
  resnet20: {
    model: sharedData("models/cifar10_resnet20.onnx")!,
    data: {
      cifar: sharedData("cifar10/train_4000.bin")!,
      take: 512,
      preprocess: { mean: [0.485, 0.456, 0.406], std: [0.229, 0.224, 0.225] },
    },
  },
  squeezenet: {
    model: sharedData("models/squeezenet1.1.onnx")!,
    data: {
      images: sharedData("imagenet/images")!,
      take: 500,
      preprocess: { resize: [227, 227], channels: "bgr", scale: 1, mean: [104, 117, 123] },
    },
  },
};

const [name = "resnet20", method = "minmax", threads = "2", batch] = Deno.args;
const selected = CASES[name];
if (selected === undefined || !RANGE_METHODS.includes(method as RangeMethod)) {
  throw new Error(`Usage: bench/calibrate.ts ${Object.keys(CASES).join("|")} METHOD THREADS BATCH`);
}

/** Seconds spent in a part of the work. */
class Clock {
  seconds = 0;

  async run<T>(work: () => Promise<T> | T): Promise<T> {
    const start = performance.now();
    try {
      return await work();
    } finally {
      this.seconds += (performance.now() - start) / 1000;
    }
  }
}

const [inRuntime, inData] = [new Clock(), new Clock()];
const { InferenceSession } = await loadRuntime();
const probe = await InferenceSession.create(
  await Deno.readFile(new URL("../examples/digits/cnn.onnx", import.meta.url)),
);
const prototype = Object.getPrototypeOf(probe) as { run(...given: unknown[]): Promise<unknown> };
const nativeRun = prototype.run;
prototype.run = function (...given) {
  return inRuntime.run(() => nativeRun.apply(this, given));
};
const nativeCreate = InferenceSession.create.bind(InferenceSession) as (
  ...given: unknown[]
) => Promise<typeof probe>;
Object.assign(InferenceSession, {
  create: (...given: unknown[]) => inRuntime.run(() => nativeCreate(...given)),
});

const described = await describeDataset(selected.data, {
  baseDir: ".",
  digestFile: async (path) => (await digestFile(path)).digest,
});
const opened = await openDataset(described.recipe, (digest) => described.files.get(digest)!);
const data: Dataset = {
  ...opened,
  length: opened.length,
  nameOf: (index) => opened.nameOf(index),
  batch: (start, count) => inData.run(() => opened.batch(start, count)),
  batches: (size) => opened.batches(size),
};
const context: StageContext = {
  seed: 0,
  threads: Number(threads),
  memory: 2 ** 30,
  signal: new AbortController().signal,
  checkpoints: { load: () => Promise.resolve(undefined), save: () => Promise.resolve() },
  progress() {},
  warn: (message) => console.warn(message),
};

const defaults = <T extends Parameters<typeof Value.Default>[0]>(schema: T, given: object = {}) =>
  Value.Default(schema, given);
let inside = 0;
const total = new Clock();
const [calibration, quantization] = [new Clock(), new Clock()];
await total.run(async () => {
  const float = await readModel(selected.model);
  const settings = defaults(prepareParameters) as Parameters<typeof prepareModel>[1];
  const { model } = await prepareModel(float, settings);
  inRuntime.seconds = 0;
  const { outputs } = await calibration.run(() =>
    calibrate(
      defaults(calibrateParameters, {
        method,
        ...(batch !== undefined && { batch: Number(batch) }),
      }) as Parameters<typeof calibrate>[0],
      {
        model: artifactOf("model", model),
        calibration: artifactOf("dataset", data),
      },
      context,
    )
  );
  inside = (inRuntime.seconds + inData.seconds) / calibration.seconds;
  const { ranges } = outputs;
  if (ranges instanceof Uint8Array) throw new TypeError("Ranges must be a value");
  const bytes = canonicalJson(ranges as unknown as JsonValue).length;
  console.log(`ranges: ${Object.keys(ranges.tensors).length} activations, ${bytes} bytes of JSON`);
  await quantization.run(() =>
    quantizeModel(
      model,
      ranges,
      defaults(quantizeParameters, {
        weights: { range: "minmax" },
      }) as Parameters<typeof quantizeModel>[2],
      context,
    )
  );
});

const seconds = (clock: Clock) => `${clock.seconds.toFixed(2)} s`;
console.log(`${name}, ${method}, ${data.length} images, ${threads} threads:
calibrate ${seconds(calibration)}, quantize ${seconds(quantization)}, all ${seconds(total)}
of calibrate: ONNX Runtime ${seconds(inRuntime)}, reading images ${seconds(inData)}, together ${
  (100 * inside).toFixed(1)
} %
peak memory ${(peakMemory() / 1e6).toFixed(0)} MB`);

function artifactOf<K extends ArtifactKind>(kind: K, value: ArtifactValues[K]): Artifact<K> {
  return { kind, digest: kind, origin: kind, path: "", load: () => Promise.resolve(value) };
}

/** The most memory that the process had, in bytes; on Linux. */
function peakMemory(): number {
  const match = /VmHWM:\s+(\d+) kB/.exec(Deno.readTextFileSync("/proc/self/status"));
  return Number(match?.[1]) * 1024;
}
