/**
 * The stage `sensitivity`: what each layer loses at each width.
 *
 * @module
 */

import { importLater } from "../../base/import_later.ts";
import { defineStage, type ParameterProblem } from "../../registry/stage.ts";
import { inputs, outputs, type Parameters, parameters } from "./ports.ts";

export const sensitivity = defineStage({
  name: "sensitivity",
  version: 12,
  summary: "Measure what each layer loses at each width",
  description: [
    "Quantizes the weights of one layer at a time, or the activations of one scale, and measures what that costs: the table " +
    "that `search` chooses widths from. Everything else stays float.",
    "Losses of different layers are taken to add up, except inside blocks at the least width, where every set of layers " +
    "is measured together (as BRECQ does). Every measurement is kept: an interrupted stage goes on where it was.",
  ].join("\n\n"),
  parameters,
  inputs,
  outputs,
  metrics: {
    layers: { title: "layers", description: "Layers that were measured.", unit: "count" },
    measurements: { title: "measurements", description: "Losses in the table.", unit: "count" },
    items: {
      title: "items",
      description: "Items that losses were measured on.",
      unit: "count",
    },
    activations: {
      title: "activations",
      description: "Activations with scales of their own that were measured.",
      unit: "count",
    },
    greatest_loss: {
      title: "greatest loss",
      description: "The loss of the most sensitive layer at the least width.",
      unit: "number",
    },
  },
  engine: true,
  rehearse: ({ reconstruction }) => ({
    probes: 1,
    reconstruction: { ...reconstruction, steps: 2 },
  }),
  validate: findProblems,
  load: () => importLater<typeof import("./run.ts")>(import.meta.resolve("./run.ts")),
});

export default sensitivity;

/** Methods that measure activations too. */
const WITH_ACTIVATIONS: readonly Parameters["method"][] = ["output", "reconstruction", "certified"];

/** What the schema cannot say. */
function findProblems({ targets, method, domain }: Parameters): ParameterProblem[] {
  const problems: ParameterProblem[] = [];
  if (targets !== "weights" && !WITH_ACTIVATIONS.includes(method)) {
    problems.push({
      path: ["targets"],
      message:
        `Activations are measured with method output, reconstruction or certified: the method is ${method}`,
      hint: "Say method: output, or targets: weights",
    });
  }
  if (method === "certified" && domain === undefined) {
    problems.push({
      path: ["method"],
      message: "Method certified needs the domain that bounds speak of",
      hint: "Say domain: { linf: 0.01, take: 5 }, or domain: { box: { lower: 0, upper: 1 } }",
    });
  }
  if (method !== "certified" && domain !== undefined) {
    problems.push({
      path: ["domain"],
      message: `A domain is for method certified: the method is ${method}`,
      hint: "Leave it out",
    });
  }
  return problems;
}
