/**
 * The stage `synthesize`: makes a data set from what a network knows of the one it was trained on.
 *
 * @module
 */

import { importLater } from "../../base/import_later.ts";
import { defineStage, type ParameterProblem } from "../../registry/stage.ts";
import { inputs, outputs, type Parameters, parameters } from "./ports.ts";

export const synthesize = defineStage({
  name: "synthesize",
  version: 4,
  summary: "Make calibration images from what a model knows, without any data",
  description: [
    "Optimizes random images until the means and deviations of all channels are those that batch normalization saw in " +
    "training. The result is an ordinary data set, which `calibrate`, `reconstruct`, `sensitivity` and `finetune` take " +
    "instead of a real one.",
    "Put it after `prepare`, which folds batch normalization and keeps what it knew, or before. A model that has none " +
    "needs `method: range`, or real data.",
    "The work can be interrupted at any moment and goes on where it was, with the same result.",
  ].join("\n\n"),
  parameters,
  inputs,
  outputs,
  metrics: {
    images: { title: "images", description: "Images that were made.", unit: "count" },
    batch_norms: {
      title: "batch norms",
      description: "Batch normalizations whose statistics were matched.",
      unit: "count",
    },
    matching_loss: {
      title: "matching",
      description:
        "Squared distances of channels' means and deviations from those that batch normalization knows, in units of the " +
        "latter, mean over channels and batch normalizations.",
      unit: "number",
      better: "lower",
    },
    worst_matching_loss: {
      title: "worst",
      description: "The same for the batch normalization that is matched worst.",
      unit: "number",
      better: "lower",
    },
    noise_matching_loss: {
      title: "noise",
      description: "The same for the random images that the work began with.",
      unit: "number",
    },
    seconds: {
      title: "time",
      description: "Seconds that the work took, since it was last resumed.",
      unit: "seconds",
    },
  },
  engine: true,
  rehearse: ({ images, batch }) => ({
    images: Math.min(images, 64),
    batch: Math.min(batch, 16),
    steps: 2,
  }),
  validate: findProblems,
  publish: ({ sheet }) => sheet === undefined ? [] : [{ output: "sheet", to: sheet }],
  load: () => importLater<typeof import("./run.ts")>(import.meta.resolve("./run.ts")),
});

export default synthesize;

/** What the schema cannot say. */
function findProblems(
  { method, input_range: range, steps, class_weight: classWeight }: Parameters,
): ParameterProblem[] {
  const problems: ParameterProblem[] = [];
  if (method === "range") {
    if (range === undefined) {
      problems.push({
        path: ["method"],
        message: "method: range needs the range of the model's input",
        hint: "Say input_range: [LEAST, GREATEST], as values are after preprocessing",
      });
    }
    const unused = { steps, class_weight: classWeight || undefined };
    for (const [name, value] of Object.entries(unused)) {
      if (value === undefined) continue;
      problems.push({
        path: [name],
        message: `Method range learns nothing, so ${name} has no meaning`,
        hint: `Leave ${name} out, or choose another method`,
      });
    }
  }
  if (range !== undefined && !(range[0] < range[1])) {
    problems.push({
      path: ["input_range"],
      message: `input_range must go from the least to the greatest value: it is [${
        range.join(", ")
      }]`,
    });
  }
  return problems;
}
