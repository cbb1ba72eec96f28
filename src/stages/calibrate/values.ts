/**
 * Which activations of a model are calibrated.
 *
 * @module
 */

import { type Problem, UserError } from "../../base/errors.ts";
import { globPattern } from "../../base/glob.ts";
import { didYouMean } from "../../base/suggest.ts";
import type { Model, Node } from "../../onnx/model.ts";
import { observedValues } from "../../quant/placement.ts";

/**
 * The values whose statistics `quantize` needs.
 *
 * @param exclude Patterns of the names of nodes that stay in float.
 * @throws {UserError} If a pattern fits no node, or nothing can be quantized.
 */
export function valuesToObserve(model: Model, exclude: readonly string[]): string[] {
  const problems: Problem[] = [];
  const skipped = new Set(exclude.flatMap((pattern) => {
    const found = matchNodes(model, pattern);
    if (found.length === 0) problems.push(nothingFound(model, pattern));
    return found;
  }));
  if (problems.length > 0) throw new UserError(problems);
  const names = observedValues(model, { skip: (node) => skipped.has(node) });
  if (names.length > 0) return names;
  throw new UserError({
    message: "The model has no activation that can be quantized",
    hint: "Activations are quantized around Conv, ConvTranspose, Gemm and MatMul nodes",
  });
}

function matchNodes({ graph }: Model, pattern: string): Node[] {
  const expression = globPattern(pattern);
  return graph.nodes.filter(({ name }) => expression.test(name));
}

function nothingFound({ graph }: Model, pattern: string): Problem {
  const hint = didYouMean(pattern.replaceAll("*", ""), graph.nodes.map(({ name }) => name));
  return {
    message: `exclude: no node of the model has a name like "${pattern}"`,
    ...(hint && { hint }),
  };
}
