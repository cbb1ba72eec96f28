/**
 * The stage `quantize`: a float model, in few bits.
 *
 * @module
 */

import { importLater } from "../../base/import_later.ts";
import { defineStage, type ParameterProblem } from "../../registry/stage.ts";
import { inputs, outputs, type Parameters, parameters } from "./ports.ts";

export const quantize = defineStage({
  name: "quantize",
  version: 2,
  summary: "Round weights and activations to few bits",
  description: [
    "Writes a QDQ model: integer weights with their scales, and a QuantizeLinear and DequantizeLinear pair at every " +
    "activation between layers, in the places where ONNX Runtime turns them into integer operators. A result is quantized " +
    "behind the Relu or Clip that follows it; operators that only move values keep the scale of what they move.",
    "Every combination of widths, granularity and encoding loads in ONNX Runtime with its default options. Operators " +
    "without a quantized form stay in float and are named in a warning.",
  ].join("\n\n"),
  parameters,
  inputs,
  outputs,
  metrics: {
    bits: {
      title: "bits",
      description: "Mean width of a weight.",
      unit: "bits",
      better: "lower",
    },
    weight_bytes: {
      title: "weights",
      description: "Bytes of all weights at their own width, with scales and zero points.",
      unit: "bytes",
      better: "lower",
    },
    weight_sqnr: {
      title: "weight SQNR",
      description: "Mean square of the weights over that of their rounding errors.",
      unit: "decibel",
      better: "higher",
    },
    quantized_nodes: {
      title: "quantized",
      description: "Nodes that compute on quantized values.",
      unit: "count",
    },
    float_nodes: {
      title: "float",
      description: "Nodes that stay in float although they compute on activations.",
      unit: "count",
      better: "lower",
    },
  },
  engine: false,
  validate: findProblems,
  load: () => importLater<typeof import("./run.ts")>(import.meta.resolve("./run.ts")),
});

export default quantize;

/** What the schema cannot say. */
function findProblems({ weights, activations, overrides }: Parameters): ParameterProblem[] {
  const problems: ParameterProblem[] = [];
  if (activations.mode === "dynamic" && activations.bits !== 8) {
    problems.push({
      path: ["activations", "bits"],
      message: `Dynamic activations are 8 bits wide: current value is ${activations.bits}`,
      hint: "Leave bits out, or say mode: static",
    });
  }
  if (activations.mode !== "static" && activations.at !== "operators") {
    problems.push({
      path: ["activations", "at"],
      message:
        `Where activations are quantized is chosen only with mode: static: current value is ${activations.mode}`,
      hint: "Leave at out, or say mode: static",
    });
  }
  checkWidth(weights, ["weights"], problems);
  overrides.forEach((override, index) => {
    const path = ["overrides", index];
    if (override.match === undefined && override.op === undefined) {
      problems.push({
        path,
        message: "An override must say which nodes it is for",
        hint: "Give match: NAME or op: OPERATOR",
      });
    }
    const { skip, weights: own, activations: ownActivations } = override;
    if (skip !== true && own === undefined && ownActivations === undefined) {
      problems.push({
        path,
        message: "An override must say what is different",
        hint: "Give skip: true, weights: { … } or activations: { … }",
      });
    }
    if (skip === true && (own !== undefined || ownActivations !== undefined)) {
      problems.push({
        path,
        message: "Nodes that are skipped stay in float, so nothing else can be set for them",
      });
    }
    if (ownActivations !== undefined && activations.mode !== "static") {
      problems.push({
        path: [...path, "activations"],
        message:
          `Activations are set by node only with mode: static: current value is ${activations.mode}`,
      });
    }
    if (own !== undefined) checkWidth({ ...weights, ...own }, [...path, "weights"], problems);
  });
  return problems;
}

function checkWidth(
  { bits, mapping }: Parameters["weights"],
  path: readonly (string | number)[],
  problems: ParameterProblem[],
): void {
  if (mapping === "codebook" && (bits === 16 || bits === "ternary" || bits === 1)) {
    problems.push({
      path: [...path, "bits"],
      message: `A codebook has 2 to 8 bits: current value is ${bits}`,
    });
  }
}
