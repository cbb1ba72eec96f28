/**
 * The stage `reconstruct`: rounds the weights of a quantized model anew, by what they do.
 *
 * @module
 */

import { importLater } from "../../base/import_later.ts";
import { defineStage, type ParameterProblem } from "../../registry/stage.ts";
import { inputs, outputs, type Parameters, parameters } from "./ports.ts";

export const reconstruct = defineStage({
  name: "reconstruct",
  version: 11,
  summary: "Learn which way each weight is rounded, so that few bits lose little",
  description: [
    "Goes through the network unit by unit. For each it learns, from a few hundred unlabelled items, which weights to " +
    "round up and which down, so that the unit's output is as close as possible to that of the float network, given " +
    "what the units before it now give. Scales, zero points and the form of the model stay.",
    "A unit whose error would be larger than before stays as it was. The work can be interrupted at any moment and " +
    "goes on where it was, with the same result.",
  ].join("\n\n"),
  parameters,
  inputs,
  outputs,
  metrics: {
    units: { title: "units", description: "Units that were reconstructed.", unit: "count" },
    units_kept: {
      title: "kept",
      description: "Units whose new roundings are better than the old ones.",
      unit: "count",
    },
    steps: { title: "steps", description: "Steps of learning over all units.", unit: "count" },
    loss_before: {
      title: "loss before",
      description: "Squared errors of all units' outputs before, summed over channels.",
      unit: "number",
      better: "lower",
    },
    loss_after: {
      title: "loss after",
      description: "The same afterwards.",
      unit: "number",
      better: "lower",
    },
    changed: {
      title: "changed",
      description: "Share of weights that are not rounded to nearest, mean over units.",
      unit: "fraction",
    },
    soft: {
      title: "soft",
      description: "Share of roundings that were undecided when learning ended, mean over units.",
      unit: "fraction",
      better: "lower",
    },
    seconds: {
      title: "time",
      description: "Seconds that the work took, since it was last resumed.",
      unit: "seconds",
    },
  },
  engine: true,
  rehearse: ({ method, preset, batch = 16, distill = preset === "standard" ? 2 : 0 }) =>
    method === "gptq" || method === "bias" ? {} : {
      steps: 2,
      activation_steps: 2,
      batch: Math.min(batch, 16),
      distill: Math.min(distill, 2),
    },
  validate: findProblems,
  load: () => importLater<typeof import("./run.ts")>(import.meta.resolve("./run.ts")),
});

export default reconstruct;

/** Parameters of learning, which methods that do not learn have no use for. */
const LEARNING = [
  "steps",
  "learning_rate",
  "lambda",
  "warmup",
  "scale_rate",
  "activations",
  "activation_steps",
  "drop",
  "early_stop",
] as const;

/** What the schema cannot say. */
function findProblems(parameters: Parameters): ParameterProblem[] {
  const { method } = parameters;
  if (method !== "gptq" && method !== "bias") return [];
  return LEARNING.filter((name) => parameters[name] !== undefined).map((name) => ({
    path: [name],
    message: `Method ${method} does not learn roundings, so ${name} has no meaning`,
    hint: `Leave ${name} out, or choose another method`,
  }));
}
