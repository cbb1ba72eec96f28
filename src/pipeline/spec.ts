/**
 * What a pipeline file can say, apart from what each stage takes under `with:`.
 *
 * @module
 */

import { type Static, Type } from "../base/type.ts";
import { PUBLIC_KEY_PATTERN } from "../base/signature_form.ts";
import { INPUT_SCHEMAS } from "../data/spec.ts";
import { asSchema, type Schema } from "../registry/schema.ts";
import { CONDITION_FORMS } from "./gate.ts";

const closed = { additionalProperties: false };

/** Inputs for stages of plugins. */
const OTHER_INPUT_SCHEMAS = {
  json: Type.Object({
    json: Type.String({
      minLength: 1,
      description: "A JSON file; relative paths count from the pipeline file",
      examples: ["table.json"],
    }),
    kind: Type.Optional(Type.Unsafe<"json" | "sensitivity" | "assignment" | "latency">(
      Type.String({
        enum: ["json", "sensitivity", "assignment", "latency"],
        description:
          "What it holds: `json` for anything, such as a stage of a plugin takes, or a table of losses, chosen widths, or a " +
          "table of latencies, in the form of docs/search.md",
        default: "json",
      }),
    )),
  }, { ...closed, description: "A JSON file" }),
  file: Type.Object({
    file: Type.String({
      minLength: 1,
      description: "A file; relative paths count from the pipeline file",
      examples: ["vocabulary.txt"],
    }),
  }, { ...closed, description: "Any file, for a stage of a plugin" }),
} as const;

/** An entry of `inputs:`. */
export const inputEntrySchema = Type.Union([
  ...Object.values(INPUT_SCHEMAS),
  ...Object.values(OTHER_INPUT_SCHEMAS),
], { description: "A model, a data set, or a file" });

/** A value that can stand in an address. */
const axisValue = Type.Unsafe<string | number | boolean>(
  Type.Union([Type.String({ minLength: 1 }), Type.Number(), Type.Boolean()]),
);

/** What `exclude:` and `include:` say. */
const combination = Type.Record(Type.String(), axisValue);

/** What `matrix:` says. */
export type MatrixSpec = {
  readonly include?: readonly Readonly<Record<string, string | number | boolean>>[];
  readonly exclude?: readonly Readonly<Record<string, string | number | boolean>>[];
} & {
  readonly [axis: string]: readonly unknown[] | Readonly<Record<string, unknown>>;
};

/** `matrix:`, of a stage or of the pipeline. */
export const matrixSchema = Type.Unsafe<MatrixSpec>(Type.Object({
  exclude: Type.Optional(Type.Array(combination, {
    description:
      "Combinations to leave out: each names some axes, and what has these values is left out",
    examples: [[{ bits: 8, method: "mse" }]],
  })),
  include: Type.Optional(Type.Array(combination, {
    description:
      "More combinations, each with a value of every axis; a value may be one that the axis does not list",
    examples: [[{ bits: 2, method: "mse" }]],
  })),
}, {
  additionalProperties: Type.Union([
    Type.Array(axisValue, { minItems: 1, description: "The values of an axis" }),
    Type.Record(Type.String(), Type.Unknown(), {
      minProperties: 1,
      description:
        "The values of an axis, of any form, by the names that stand for them in addresses",
    }),
  ]),
  description:
    "Axes by name, each a list of values: every combination is an item, and `${matrix.AXIS}` stands for the item's value",
  examples: [{ bits: [8, 4], method: ["mse", "minmax"] }],
}));

/** An entry of `stages:`. */
export const stageEntrySchema = Type.Object({
  id: Type.Optional(Type.String({
    description:
      "A name that other stages and --set can refer to; the stage's name unless told, with a number if it is taken",
    examples: ["w4"],
  })),
  uses: Type.String({
    minLength: 1,
    description: "The name of a stage; `bitbound stages` lists them",
    examples: ["quantize"],
  }),
  description: Type.Optional(Type.String({ description: "What it is for, for readers" })),
  with: Type.Optional(Type.Record(Type.String(), Type.Unknown(), {
    description: "Parameters of the stage",
  })),
  matrix: Type.Optional(matrixSchema),
  gather: Type.Optional(
    Type.Union([Type.Literal(true), Type.Array(Type.String(), { minItems: 1 })], {
      description:
        "For a stage that takes many artifacts, such as compare: the axes whose items it takes together; `true`, and what it " +
        "does unless told, for all of them. It has an item of its own for each value of the others",
      examples: [["bits"]],
    }),
  ),
  in: Type.Optional(
    Type.Record(Type.String(), Type.Union([Type.String(), Type.Array(Type.String())]), {
      description:
        "What the stage's inputs take, where it is not the nearest fitting artifact: `inputs.NAME`, `STAGE.OUTPUT`, `STAGE` if " +
        "only one of its outputs fits, `STAGE@AXIS=VALUE` for some items of a matrix, or `none` for an input that the stage can " +
        "do without; a list for an input that takes many",
      examples: [{ model: "w4.model" }],
    }),
  ),
  expect: Type.Optional(Type.Record(Type.String(), Type.Union([Type.String(), Type.Number()]), {
    description: `Conditions on the stage's metrics: ${CONDITION_FORMS}`,
    examples: [{ top1_drop: "<= 0.01" }],
  })),
}, { ...closed, description: "A stage of the pipeline" });

/** What `store:` can say. */
export const storeSchema = Type.Object({
  local: Type.Optional(Type.String({
    minLength: 1,
    description:
      "The folder of cached results, from the pipeline file; --store and BITBOUND_STORE go before it",
    examples: ["../cache"],
  })),
  remote: Type.Optional(Type.String({
    minLength: 1,
    description:
      "Where else results are looked for: `https://HOST/PATH`, `s3://BUCKET/PREFIX` or `file:FOLDER`; --remote and " +
      "BITBOUND_REMOTE go before it",
    examples: ["s3://my-bucket/bitbound"],
  })),
  mode: Type.Optional(Type.Unsafe<"read" | "read-write">(Type.String({
    enum: ["read", "read-write"],
    default: "read",
    description:
      "Whether results that are new are also written there; --remote-mode and BITBOUND_REMOTE_MODE go before it",
  }))),
  trust: Type.Optional(Type.Array(Type.String({ pattern: PUBLIC_KEY_PATTERN }), {
    description:
      "If there are any, only results that one of these public keys signed are taken from there",
    examples: [["ed25519:11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo"]],
  })),
}, { ...closed, description: "Where results are kept; no part of them" });

/** A pipeline file. */
export const pipelineSpecSchema = Type.Object({
  name: Type.String({
    minLength: 1,
    description: "The pipeline's name, for tables, records and exported files",
    examples: ["digits"],
  }),
  description: Type.Optional(Type.String({ description: "What it is for, for readers" })),
  seed: Type.Integer({
    minimum: 0,
    maximum: Number.MAX_SAFE_INTEGER,
    default: 0,
    description: "Seed of all random numbers; part of every result's identity",
  }),
  inputs: Type.Optional(Type.Record(Type.String(), inputEntrySchema, {
    description: "Models and data sets, by names of your choice",
    examples: [{ model: { onnx: "model.onnx" } }],
  })),
  plugins: Type.Optional(Type.Array(Type.String({ minLength: 1 }), {
    description:
      "Modules with stages of your own: files, from the folder of the pipeline file, or installed packages, `npm:NAME@X.Y.Z`",
    examples: [["./my_stage.ts", "npm:my-stages@1.0.0"]],
  })),
  store: Type.Optional(storeSchema),
  matrix: Type.Optional(matrixSchema),
  stages: Type.Array(stageEntrySchema, {
    minItems: 1,
    description:
      "What is done, in order: each stage takes the nearest earlier artifacts that fit its inputs",
  }),
}, { ...closed, description: "A Bitbound pipeline" });

/** What an entry of `inputs:` says. */
export type InputEntry = Static<typeof inputEntrySchema>;

/** What an entry of `stages:` says. */
export type StageEntry = Static<typeof stageEntrySchema>;

/** What `store:` says. */
export type StoreSpec = Static<typeof storeSchema>;

/** What a pipeline file says; `seed` may be left out. */
export type PipelineSpec =
  & Omit<Static<typeof pipelineSpecSchema>, "seed">
  & { readonly seed?: number };

/** {@linkcode pipelineSpecSchema} as plain data. */
export function pipelineSchema(): Schema {
  return asSchema(pipelineSpecSchema, "pipeline");
}
