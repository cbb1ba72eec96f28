/**
 * The work of the stage `prepare`.
 *
 * @module
 */

import type { Static } from "../../base/type.ts";
import { UserError } from "../../base/errors.ts";
import { describeNode } from "../../onnx/attributes.ts";
import { checkModel } from "../../onnx/check.ts";
import { cloneModel, nameEverything, prune, sortNodes } from "../../onnx/edit.ts";
import type { Model } from "../../onnx/model.ts";
import { elementCount } from "../../onnx/tensor.ts";
import { upgradeOpset } from "../../onnx/upgrade.ts";
import { foldedStatistics, setFoldedStatistics } from "../../quant/distributions/batch_norm.ts";
import type { StageRun } from "../../registry/stage.ts";
import { moveClampsUp } from "./passes/clamps.ts";
import { largestDifference } from "../../engine/compare.ts";
import { foldConstants, liftConstants } from "./passes/constants.ts";
import { foldAffine } from "./passes/fold_affine.ts";
import { matMulToGemm, normalizeGemm } from "./passes/gemm.ts";
import { removeNoOps } from "./passes/no_ops.ts";
import type { inputs, outputs, parameters } from "./ports.ts";
import { recordShapes, setInputShapes } from "./passes/shapes.ts";

type Parameters = Static<typeof parameters>;

export const run: StageRun<typeof parameters, typeof inputs, typeof outputs> = async (
  parameters,
  inputs,
  context,
) => {
  const original = await inputs.model.load();
  const { model, batchNormsFolded } = await prepareModel(original, parameters);
  context.signal.throwIfAborted();
  for (const node of model.graph.nodes) {
    if (node.opType !== "BatchNormalization") continue;
    const why = parameters.fold_batch_norm
      ? "it does not directly follow a layer with constant weights"
      : "fold_batch_norm is false";
    context.warn(`${describeNode(node)} is not folded: ${why}`);
  }
  const difference = await largestDifference(original, model, context.seed);
  if (!(difference <= parameters.tolerance)) {
    throw new UserError({
      message: `The prepared model's outputs differ from the original's by ${
        difference.toPrecision(3)
      } of the largest output value on random input: tolerance is ${parameters.tolerance}`,
      hint:
        "Weights of very different size lose precision when folded: try fold_batch_norm: false, or raise tolerance",
    });
  }
  return {
    outputs: { model },
    metrics: {
      nodes: model.graph.nodes.length,
      nodes_before: original.graph.nodes.length,
      parameters: countParameters(model),
      batch_norms_folded: batchNormsFolded,
      max_relative_difference: difference,
    },
  };
};

/**
 * A copy of a model in the form that the other stages work on.
 *
 * @throws {UserError} If the model is broken, cannot be upgraded, or leaves a dimension open that must be fixed.
 */
export async function prepareModel(
  original: Model,
  parameters: Omit<Parameters, "tolerance">,
): Promise<{ model: Model; batchNormsFolded: number }> {
  refuseProblems(original);
  const model = upgradeOpset(cloneModel(original), parameters.opset);
  const { graph } = model;
  liftConstants(graph);
  setInputShapes(graph, parameters);
  await recordShapes(model);
  const types = new Map([...graph.initializers].map(([name, { type }]) => [name, type]));
  for (const { name, type } of [...graph.inputs, ...graph.values.values()]) {
    if (type !== undefined) types.set(name, type);
  }
  removeNoOps(graph, types);
  if (parameters.fold_constants) await foldConstants(model);
  const ranks = new Map<string, number>();
  for (const { name, dims } of [...graph.inputs, ...graph.values.values()]) {
    if (dims !== undefined) ranks.set(name, dims.length);
  }
  if (parameters.fold_arithmetic) matMulToGemm(graph, ranks);
  normalizeGemm(graph);
  const folded = foldAffine(graph, {
    batchNorm: parameters.fold_batch_norm,
    arithmetic: parameters.fold_arithmetic,
    statistics: foldedStatistics(model),
  });
  moveClampsUp(graph);
  prune(graph);
  sortNodes(graph);
  nameEverything(graph);
  await recordShapes(model);
  const made = new Set(graph.nodes.flatMap(({ outputs }) => outputs));
  setFoldedStatistics(model, new Map([...folded.statistics].filter(([name]) => made.has(name))));
  refuseProblems(model);
  return { model, batchNormsFolded: folded.batchNorms };
}

function refuseProblems(model: Model): void {
  const problems = checkModel(model);
  if (problems.length > 0) throw new UserError(problems);
}

function countParameters(model: Model): number {
  let count = 0;
  for (const { type, dims } of model.graph.initializers.values()) {
    if (type === "float32" || type === "float16") count += elementCount(dims);
  }
  return count;
}
