/**
 * The pipelines without data that the bench measures, and those with data that they are compared with.
 *
 * @module
 */

import { evaluation, NETWORKS, type Row } from "../reconstruct/rows.ts";

type Stage = Readonly<Record<string, unknown>>;

/** Real images that a pipeline on made-up ones is compared with: as many as are made. */
const IMAGES = 256;

/** Every row by name. */
export function rowsWith(threads: number): Map<string, Row> {
  const rows = new Map<string, Row>();
  const add = (name: string, row: Row) => rows.set(name, row);
  mobilenetRows().forEach(([name, row]) => add(name, row));
  return residualRows(threads).reduce((all, [name, row]) => all.set(name, row), rows);
}

/**
 * MobileNetV2 with one scale for a whole weight tensor. Its file has no statistics of batch normalization, so ranges
 * and means come from noise; `real` takes them from photographs.
 */
function mobilenetRows(): [string, Row][] {
  const { model, test: photographs } = NETWORKS.mobilenet!;
  const test = { ...photographs as object, skip: 100 };
  const tensor = { granularity: "tensor", range: "minmax" };
  const equalize: Stage = { id: "equalize", uses: "equalize" };
  const noise: Stage = {
    id: "noise",
    uses: "synthesize",
    in: { model: "prepare.model" },
    with: { method: "range", images: 64, input_range: [-1, 1] },
  };
  const build = (
    name: string,
    description: string,
    { before = [], weights = tensor, activations = {}, corrected = false }: {
      before?: readonly Stage[];
      weights?: Stage;
      activations?: Stage;
      corrected?: boolean;
    },
  ): [string, Row] => {
    const float = before.length === 0 ? "prepare.model" : "equalize.model";
    const isWeightsOnly = activations.mode === "none";
    const stages: Stage[] = [
      { id: "prepare", uses: "prepare", with: { batch: "dynamic" } },
      ...before,
      ...isWeightsOnly && !corrected ? [] : [noise],
      ...isWeightsOnly ? [] : [{
        id: "calibrate",
        uses: "calibrate",
        in: { model: float, calibration: "noise.calibration" },
        with: { method: "minmax" },
      }],
      { id: "quantized", uses: "quantize", in: { model: float }, with: { weights, activations } },
      ...corrected
        ? [{
          id: "corrected",
          uses: "correct-bias",
          in: { reference: float, calibration: "noise.calibration" },
          with: { method: "empirical", take: 32 },
        }]
        : [],
      ...evaluation(
        "result",
        corrected ? "corrected.model" : "quantized.model",
        "test",
        ["kl", "agreement", "top1"],
        "prepare.model",
      ),
    ];
    return [name, {
      description,
      network: "mobilenet",
      widths: "W8A8",
      parameters: {},
      timed: "corrected",
      pipeline: (seed) => ({ name, seed, inputs: { model: { onnx: model }, test }, stages }),
    }];
  };
  const channel = { granularity: "channel", range: "minmax" };
  const none = { mode: "none" };
  return [
    build("mobilenet-channel", "a scale for each channel", { weights: channel }),
    build("mobilenet-nearest", "rounded to nearest", {}),
    build("mobilenet-nearest-weights", "weights alone", { activations: none }),
    build("mobilenet-equalized-weights", "equalized, weights alone", {
      before: [equalize],
      activations: none,
    }),
    build("mobilenet-equalized", "equalized", { before: [equalize] }),
    build("mobilenet-corrected", "equalized, biases corrected", {
      before: [equalize],
      corrected: true,
    }),
  ];
}

/** ResNet-20 with images from what batch normalization knows, from noise, and with as many real ones. */
function residualRows(threads: number): [string, Row][] {
  const network = NETWORKS.resnet20!;
  const { model, test, labeled } = network;
  const real = { ...network.calibration as object, take: IMAGES };
  const range = { input_range: [-2.12, 2.64] };
  const sources: Readonly<Record<string, Stage>> = {
    real: {},
    generator: { images: IMAGES, threads },
    "bn-statistics": { method: "bn-statistics", images: IMAGES, threads },
    range: { method: "range", images: IMAGES, ...range, threads },
  };
  const build = (
    name: string,
    description: string,
    source: string,
    inner: readonly Stage[],
    last: string,
    timed: string,
    parameters: Stage = {},
  ): [string, Row] => {
    const makes = source !== "real" && source !== "none";
    return [name, {
      description,
      network: "resnet20",
      widths: name.split("-")[0]!,
      parameters,
      timed,
      pipeline: (seed) => ({
        name: name.toLowerCase(),
        seed,
        inputs: {
          model: { onnx: model },
          test,
          labeled,
          ...source === "real" && { calibration: real },
        },
        stages: [
          { id: "prepare", uses: "prepare", with: { batch: "dynamic" } },
          ...makes ? [{ id: "images", uses: "synthesize", with: sources[source] }] : [],
          ...inner,
          ...inner.some(({ id }) => id === "quantized") && last !== "quantized"
            ? evaluation("nearest", "quantized.model", "test", ["kl", "agreement"])
            : [],
          ...evaluation("result", `${last}.model`, "test", ["kl", "agreement"]),
          ...evaluation("result-top1", `${last}.model`, "labeled", ["top1"]),
        ],
      }),
    }];
  };
  const quantized = (source: string, bits: number, activations?: number): Stage[] => [
    ...activations === undefined ? [] : [{
      id: "calibrate",
      uses: "calibrate",
      with: source === "real" ? {} : range,
    }],
    {
      id: "quantized",
      uses: "quantize",
      with: {
        weights: { bits, symmetric: false, range: "mse" },
        activations: activations === undefined
          ? { mode: "none" }
          : { at: "layers", bits: activations, range: "mse" },
        first_last: "brecq",
        encoding: "container",
      },
    },
  ];
  const rows: [string, Row][] = [];
  for (const source of Object.keys(sources)) {
    if (source !== "real") {
      rows.push(
        build(
          `images-${source}`,
          `time to make ${IMAGES} images`,
          source,
          [
            ...quantized(source, 8, 8),
          ],
          "quantized",
          "images",
        ),
      );
    }
    for (const [bits, activations] of [[4, 8], [4, 4], [2, undefined]] as const) {
      const widths = `W${bits}A${activations ?? 32}`;
      const settings = {
        method: activations === undefined ? "brecq" : "qdrop",
        preset: "fast",
        unit: "block",
        steps: 100,
        threads,
        ...bits === 2 && { lambda: 0.05 },
      };
      rows.push(build(
        `${widths}-${source}`,
        `${widths} reconstructed on ${source}`,
        source,
        [...quantized(source, bits, activations), {
          id: "reconstruct",
          uses: "reconstruct",
          with: settings,
        }],
        "reconstruct",
        "reconstruct",
        settings,
      ));
    }
    if (source !== "real" && source !== "generator") continue;
    const learned = {
      id: "reconstruct",
      uses: "reconstruct",
      with: { method: "qdrop", preset: "fast", unit: "block", steps: 100, threads },
    };
    const base = [...quantized(source, 2, 4), learned];
    rows.push(
      build(`W2A4-${source}`, `W2A4 reconstructed on ${source}`, source, base, "reconstruct", ""),
    );
    for (const estimator of ["ste", "dsq"]) {
      const settings = { estimator, steps: 200, threads };
      rows.push(build(
        `W2A4-${source}-${estimator}`,
        `the same, fine-tuned with ${estimator}`,
        source,
        [...base, { id: "finetune", uses: "finetune", with: settings }],
        "finetune",
        "finetune",
        settings,
      ));
    }
  }
  rows.push(...rangesOnly());
  return rows;

  /** W8A8 with ranges from batch normalization alone. */
  function rangesOnly(): [string, Row][] {
    const row = (name: string, description: string, source: string, calibrate: Stage) =>
      build(
        name,
        description,
        source,
        [
          { id: "calibrate", uses: "calibrate", with: calibrate },
          { id: "quantized", uses: "quantize" },
        ],
        "quantized",
        "",
        calibrate,
      );
    return [
      row("W8A8-real", "W8A8, ranges from real images", "real", { method: "mse" }),
      row("W8A8-batchnorm", "W8A8, ranges from batch normalization", "none", {
        method: "batchnorm",
        ...range,
      }),
    ];
  }
}
