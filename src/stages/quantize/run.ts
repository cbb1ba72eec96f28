/**
 * The work of the stage `quantize`.
 *
 * @module
 */

import { UserError } from "../../base/errors.ts";
import { checkModel } from "../../onnx/check.ts";
import { describeNode } from "../../onnx/attributes.ts";
import { nameEverything } from "../../onnx/edit.ts";
import type { Model } from "../../onnx/model.ts";
import { chooseActivations } from "../../quant/activation_parameters.ts";
import { applyQuantization, raiseOpset } from "../../quant/apply.ts";
import type { FloatNode } from "../../quant/placement.ts";
import { placeQuantizers } from "../../quant/placement.ts";
import type { Ranges } from "../../quant/ranges.ts";
import { weightSize } from "../../quant/weight_size.ts";
import type { StageContext, StageRun } from "../../registry/stage.ts";
import type { Assignment } from "../../search/assignment.ts";
import { assignedActivations, assignedWidths, checkAssignment } from "./assignment.ts";
import { matchOverrides } from "./overrides.ts";
import type { inputs, outputs, Parameters, parameters } from "./ports.ts";
import { resolveSettings } from "./settings.ts";
import { quantizeLayers } from "./weights.ts";

export const run: StageRun<typeof parameters, typeof inputs, typeof outputs> = async (
  parameters,
  inputs,
  context,
) => {
  const float = await inputs.model.load();
  const ranges = await inputs.ranges?.load();
  const assignment = inputs.assignment && {
    origin: inputs.assignment.origin,
    value: await inputs.assignment.load(),
  };
  return quantizeModel(float, ranges, parameters, context, assignment);
};

/**
 * Quantizes a model.
 *
 * @param ranges Statistics of its activations, for static quantization.
 * @param assignment Widths of single layers.
 * @throws {UserError} If an override or an assigned width is for nothing, or statistics are missing.
 */
export function quantizeModel(
  float: Model,
  ranges: Ranges | undefined,
  parameters: Parameters,
  context: Pick<StageContext, "seed" | "signal" | "warn">,
  assignment?: { readonly origin: string; readonly value: Assignment },
): { outputs: { model: Model }; metrics: Record<string, number> } {
  const { activations, encoding } = parameters;
  if (activations.mode === "static" && ranges === undefined) {
    throw new UserError({
      message: "Static activations need calibrated ranges, and there are none",
      hint:
        'Put the stage "calibrate" before, or say activations: { mode: dynamic } or { mode: none }',
    });
  }
  if (assignment !== undefined) checkAssignment(assignment.value, assignment.origin);
  const model = raiseOpset(float, widthsIn(parameters, assignment?.value), encoding);
  const { graph } = model;
  nameEverything(graph);
  const overrides = matchOverrides(graph, parameters.overrides);
  const skipped = overrides.filter(({ override }) => override.skip === true);
  const placement = placeQuantizers(model, {
    at: activations.at,
    skip: (node) => skipped.some(({ nodes }) => nodes.has(node)),
  });
  if (placement.layers.length === 0) {
    throw new UserError([
      {
        message: "The model has no layer that can be quantized",
        hint:
          "Weights are quantized in Conv, ConvTranspose, Gemm and MatMul nodes with float32 constants",
      },
      ...floatWarnings(placement.float).map((message) => ({ message })),
    ]);
  }
  const assigned = assignment === undefined
    ? []
    : assignedWidths(graph, assignment.value, assignment.origin)
      .filter(({ nodes }) => !skipped.some((skip) => skip.nodes.isSupersetOf(nodes)));
  const settings = resolveSettings(
    placement,
    parameters,
    [...assigned, ...overrides],
    assignment &&
      assignedActivations(placement, assignment.value, assignment.origin, activations.mode),
  );
  const { weights, signal, noise } = quantizeLayers(graph, settings.layers, {
    seed: context.seed,
    reduceRange: parameters.reduce_range,
    signal: context.signal,
  });
  const { floatBiases } = applyQuantization(model, placement, {
    encoding,
    integerBias: parameters.bias === "int32",
    activations: activations.mode === "dynamic"
      ? "dynamic"
      : activations.mode === "none"
      ? new Map()
      : chooseActivations(placement, settings.activations, ranges!, activations),
    weights,
  });
  for (const { node } of floatBiases) {
    context.warn(`The bias of ${describeNode(node)} stays float: it does not fit into 32 bits`);
  }
  // Without quantized activations every other operator is float on purpose.
  const float32 = activations.mode === "static" ? placement.float : [];
  for (const warning of floatWarnings(float32)) context.warn(warning);
  refuseProblems(model);
  const { bits, bytes } = weightSize(model);
  return {
    outputs: { model },
    metrics: {
      bits,
      weight_bytes: bytes,
      ...(noise > 0 && { weight_sqnr: 10 * Math.log10(signal / noise) }),
      quantized_nodes: activations.mode === "static"
        ? placement.nodes.length
        : placement.layers.length,
      float_nodes: float32.length,
    },
  };
}

/** Every width that the parameters and the assignment name. */
function widthsIn(
  { weights, activations, overrides }: Parameters,
  assignment?: Assignment,
): number[] {
  const widths = [weights.bits, activations.bits];
  for (const { weights } of Object.values(assignment?.layers ?? {})) widths.push(weights);
  for (const { bits } of Object.values(assignment?.activations ?? {})) widths.push(bits);
  for (const { weights, activations } of overrides) {
    widths.push(weights?.bits ?? 8, activations?.bits ?? 8);
  }
  return widths.map((width) => width === "ternary" ? 2 : width);
}

/** One sentence for each reason why nodes stay in float. */
function floatWarnings(nodes: readonly FloatNode[]): string[] {
  const byReason = new Map<string, string[]>();
  for (const { node, reason } of nodes) {
    byReason.set(reason, [...byReason.get(reason) ?? [], node.name]);
  }
  return Array.from(byReason, ([reason, names]) => {
    const shown = names.slice(0, 5).map((name) => `"${name}"`).join(", ");
    const more = names.length > 5 ? ` and ${names.length - 5} more` : "";
    return `${names.length === 1 ? "Node" : "Nodes"} ${shown}${more} ${
      names.length === 1 ? "stays" : "stay"
    } in float: ${reason}`;
  });
}

function refuseProblems(model: Model): void {
  const problems = checkModel(model);
  if (problems.length > 0) throw new Error(problems.map(({ message }) => message).join("\n"));
}
