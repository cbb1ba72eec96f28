/**
 * What the stage `compare` takes and makes.
 *
 * @module
 */

import { Type } from "../../base/type.ts";
import { REPORTED_METRICS } from "../../quant/metrics/reported.ts";

/** The names of the metrics of evaluations. */
export type EvaluatedMetric = keyof typeof REPORTED_METRICS;

const metric = Type.Unsafe<EvaluatedMetric>(
  Type.String({ enum: Object.keys(REPORTED_METRICS), description: "A metric of `evaluate`" }),
);

/** The parameters under `with:`. */
export const parameters = Type.Object({
  metrics: Type.Array(metric, {
    default: ["bits", "weight_bytes", "top1", "top1_drop", "agreement", "mse"],
    minItems: 1,
    uniqueItems: true,
    description:
      "The columns of the table, in this order; those that nothing measured are left out.",
  }),
  front: Type.Tuple([metric, metric], {
    default: ["weight_bytes", "top1"],
    description:
      "Two metrics that are weighed against each other: a model is on the front if no other is at least as good in both " +
      "and better in one.",
  }),
  to: Type.Optional(Type.String({
    minLength: 1,
    description:
      "Where to write the table, from the pipeline file's folder, without an ending: as Markdown (`.md`) and as CSV " +
      "(`.csv`). Unless given, it stays in the store.",
    examples: ["exports/widths"],
  })),
}, { additionalProperties: false });

/** The artifacts that it takes. */
export const inputs = {
  evaluations: {
    kinds: ["evaluation"],
    many: true,
    description:
      "What was measured of each model: every `evaluate` before it, with all items, unless told.",
  },
} as const;

/** The artifacts that it makes. */
export const outputs = {
  table: { kind: "json", description: "The table, with which rows are on the front." },
  markdown: { kind: "file", description: "The same for readers." },
  csv: { kind: "file", description: "The same for spreadsheets: plain numbers, fractions 0 … 1." },
} as const;
