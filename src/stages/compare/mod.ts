/**
 * The stage `compare`: models side by side.
 *
 * @module
 */

import { importLater } from "../../base/import_later.ts";
import { defineStage } from "../../registry/stage.ts";
import { inputs, outputs, parameters } from "./ports.ts";

export const compare = defineStage({
  name: "compare",
  version: 1,
  summary: "Put all that was measured into one table, with the models that none beats",
  description: [
    "Takes the evaluations of every `evaluate` before it and makes one table of them: a row for each model, with the values " +
    "of the axes it was made with, where it is an item of a matrix. Rows on the front are marked: no other model is at " +
    "least as good in both metrics of `front` and better in one.",
    "`gather: [AXIS, …]` makes several tables: each gathers the items of these axes, and there is one for each value of " +
    "the others. `in: { evaluations: [STAGE, …] }` takes only some stages.",
  ].join("\n\n"),
  parameters,
  inputs,
  outputs,
  metrics: {
    models: { title: "models", description: "Rows of the table.", unit: "count" },
    front: { title: "on the front", description: "Models that no other beats.", unit: "count" },
  },
  engine: false,
  publish: ({ to }) =>
    to === undefined
      ? []
      : [{ output: "markdown", to: `${to}.md` }, { output: "csv", to: `${to}.csv` }],
  load: () => importLater<typeof import("./run.ts")>(import.meta.resolve("./run.ts")),
});

export default compare;
