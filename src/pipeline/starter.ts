/**
 * A first pipeline for a model: what it takes is read from the model, so that the pipeline works as it is.
 *
 * @module
 */

import { UserError } from "../base/errors.ts";
import type { Dimension, Model, ValueInfo } from "../onnx/model.ts";
import { NAME_PATTERN } from "./paths.ts";

/** What a starter is made for. */
export interface StarterOptions {
  /** The model's path as the pipeline should name it. */
  readonly modelPath: string;
  /** For messages. */
  readonly modelName: string;
  readonly model: Model;
  /** The data as the pipeline should name it; random numbers unless told. */
  readonly data?: StarterData;
}

/** Data of the user's. */
export interface StarterData {
  readonly path: string;
  readonly format: "images" | "npy" | "npz" | "csv";
}

const SYNTHETIC_ITEMS = 64;
/** For a dimension that the model leaves open, such as the length of a text. */
const OPEN_DIMENSION = 16;
const FLOATS = ["float32", "float64", "float16", "bfloat16"];
const INTEGERS = ["int8", "int16", "int32", "int64", "uint8", "uint16", "uint32", "uint64"];

/**
 * Writes the pipeline.
 *
 * @throws {UserError} If the model cannot be quantized: it is already, or takes what no data set gives.
 */
export function starterPipeline(options: StarterOptions): string {
  const { model, modelName, modelPath, data } = options;
  requireFloat(model, modelName);
  const fed = model.graph.inputs.filter(({ name }) => !model.graph.initializers.has(name));
  if (fed.length === 0) throw new UserError({ message: `"${modelName}" has no input` });
  const lines = [
    `# Quantizes ${oneLine(modelName)} to 8 and to 4 bits and compares both with the original.`,
    "#",
    "#     bitbound run THIS_FILE",
    `name: ${pipelineName(modelName)}`,
    "seed: 0",
    "",
    "inputs:",
    `  model: { onnx: ${JSON.stringify(modelPath)} }`,
    ...fed.map((input) => `  # takes ${JSON.stringify(input.name)}, ${typeText(input)}`),
    ...(data === undefined ? syntheticLines(fed, modelName) : dataLines(data, fed)),
    "",
    "stages:",
    "  - uses: prepare # fold batch norm, infer shapes, check",
    "",
    "  - uses: calibrate # what values do the activations take?",
    "",
    "  - id: w8",
    "    uses: quantize",
    "    with: { weights: { bits: 8 }, activations: { bits: 8 } }",
    "  - id: w8-test",
    "    uses: evaluate",
    '    # expect: { top1_drop: "<= 1%" } # let the run fail if more is lost',
    "",
    "  - id: w4",
    "    uses: quantize # from the float model again: quantize takes the nearest float model",
    "    with: { weights: { bits: 4 }, activations: { bits: 8 } }",
    "  - id: w4-test",
    "    uses: evaluate",
    "",
    "  - uses: export # exports/NAME/: the model with a summary of what it is",
    "    in: { model: w8.model, evaluation: w8-test.evaluation }",
  ];
  return `${lines.join("\n")}\n`;
}

function requireFloat({ graph }: Model, name: string): void {
  const quantized = graph.nodes.some(({ opType }) => /^(?:De)?[qQ]uantizeLinear$/.test(opType));
  if (!quantized) return;
  throw new UserError({
    message: `"${name}" is quantized already`,
    hint:
      "Give the float model that it was made from; a quantized one is an input { onnx: FILE, kind: quantized-model } of evaluate",
  });
}

function syntheticLines(fed: readonly ValueInfo[], modelName: string): string[] {
  const draws = fed.map((input) => [input.name, drawOf(input, modelName)] as const);
  const entry = (seed: number) => {
    const [first] = draws;
    const drawn = draws.length === 1
      ? first![1]
      : `inputs: { ${
        draws.map(([name, draw]) => `${JSON.stringify(name)}: { ${draw} }`).join(", ")
      } }`;
    return `{ synthetic: { count: ${SYNTHETIC_ITEMS}, seed: ${seed}, ${drawn} } }`;
  };
  return [
    "  # Random numbers: they show that the pipeline works, not how good the models are. Put your own data here:",
    ...exampleLines(fed),
    `  calibration: ${entry(0)}`,
    `  test: ${entry(1)}`,
  ];
}

/** Real data of a form that fits the model, as comments. */
function exampleLines(fed: readonly ValueInfo[]): string[] {
  const [input] = fed;
  const of = (file: string) => {
    if (fed.length > 1) {
      const arrays = fed.map(({ name }) => JSON.stringify(name)).map((name) => `${name}: ${name}`);
      return `npz: ${file}.npz, arrays: { ${arrays.join(", ")} }`;
    }
    return isPicture(input!)
      ? `images: photographs/${file}, ${pictureLines(fed)[0]!.trim()}`
      : `npy: ${file}.npy`;
  };
  const labels = fed.length > 1
    ? ", labels: labels"
    : isPicture(input!)
    ? ""
    : ", labels: labels.npy";
  return [
    `  #     calibration: { ${of("train")}, take: 256 }`,
    `  #     test: { ${of("test")}${labels} }`,
  ];
}

/** Whether one item can be a picture, gray or in colours. */
function isPicture(input: ValueInfo): boolean {
  const [first, , last] = itemShape(input);
  return itemShape(input).length === 3 && [first, last].some((size) => size === 1 || size === 3);
}

function drawOf(input: ValueInfo, modelName: string): string {
  const { name, type } = input;
  const shape = `shape: ${JSON.stringify(itemShape(input))}`;
  if (type !== undefined && FLOATS.includes(type)) return shape;
  if (type !== undefined && INTEGERS.includes(type)) return `${shape}, distribution: integer`;
  throw new UserError({
    message: `Input "${name}" of "${modelName}" is ${type ?? "of an unknown type"}`,
    hint: "Data sets feed numbers: change the model's input, or make that part of it a constant",
  });
}

function dataLines({ path, format }: StarterData, fed: readonly ValueInfo[]): string[] {
  const parts = "of: { calibration: 0.2, test: 0.8 }";
  const lines = (part: string) => [
    `  ${part}:`,
    `    ${format}: ${JSON.stringify(path)}`,
    `    split: { part: ${part}, ${parts} }`,
    ...(format === "images" ? pictureLines(fed) : []),
  ];
  const note = format === "csv"
    ? ["  # Which columns are numbers, and which is the label: columns: [...], labels: NAME"]
    : format === "images"
    ? ["  # preprocess has to be what the model was trained with: mean, std, channels, scale"]
    : ["  # With labels beside it, accuracy is measured too: labels: FILE or NAME"];
  return [...note, ...lines("calibration"), ...lines("test")];
}

function pictureLines([input]: readonly ValueInfo[]): string[] {
  const [first = 0, second = 0, third = 0] = itemShape(input!);
  const isLast = third <= 4 && first > 4;
  const size = isLast ? [first, second] : [second, third];
  const gray = (isLast ? third : first) === 1;
  const fields = [
    `resize: ${JSON.stringify(size)}`,
    ...(gray ? ["channels: gray"] : []),
    ...(isLast ? ["layout: nhwc"] : []),
  ];
  return [`    preprocess: { ${fields.join(", ")} }`];
}

/** Without the batch. */
function itemShape({ dims }: ValueInfo): number[] {
  return (dims ?? []).slice(1).map((size: Dimension) =>
    typeof size === "number" && size > 0 ? size : OPEN_DIMENSION
  );
}

function typeText({ type, dims }: ValueInfo): string {
  const shape = dims === undefined
    ? "of any shape"
    : `[${dims.map((size) => size ?? "?").join(", ")}]`;
  return oneLine(`${type ?? "?"} ${shape}`);
}

function oneLine(text: string): string {
  return JSON.stringify(text).slice(1, -1);
}

function pipelineName(modelName: string): string {
  const base = modelName.replace(/^.*[/\\]/, "").replace(/\.onnx$/i, "");
  const name = base.replace(/[^A-Za-z0-9_-]+/g, "-").replace(/^[^A-Za-z]+|-+$/g, "");
  return new RegExp(NAME_PATTERN).test(name) ? name : "model";
}
