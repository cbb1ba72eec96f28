/**
 * Widths that a search has chosen, as exceptions for single nodes.
 *
 * @module
 */

import { type Problem, UserError } from "../../base/errors.ts";
import { didYouMean } from "../../base/suggest.ts";
import type { Graph } from "../../onnx/model.ts";
import type { Assignment } from "../../search/assignment.ts";
import type { MatchedOverride } from "./overrides.ts";

/**
 * The widths of an assignment; they come before all overrides of the user's.
 *
 * @param origin What messages call the assignment.
 * @throws {UserError} If the model lacks a layer of the assignment, or the width cannot be written.
 */
export function assignedWidths(
  graph: Graph,
  { layers }: Assignment,
  origin: string,
): MatchedOverride[] {
  const nodes = new Map(graph.nodes.map((node) => [node.name, node]));
  const problems: Problem[] = [];
  const matched = Object.entries(layers).flatMap(([name, { weights }]): MatchedOverride[] => {
    const node = nodes.get(name);
    if (node === undefined) {
      const hint = didYouMean(name, nodes.keys());
      problems.push({
        message: `The assignment "${origin}" has a layer "${name}", which the model does not have`,
        ...(hint && { hint }),
      });
      return [];
    }
    if (!Number.isInteger(weights) || weights < 1 || weights > 8 && weights !== 16) {
      problems.push({
        message: `The assignment "${origin}" gives layer "${name}" ${weights} bits`,
        hint: "Weights have 1 to 8 bits, or 16",
      });
      return [];
    }
    return [{
      override: { weights: { bits: weights } },
      name: `assignment "${origin}", layer "${name}"`,
      nodes: new Set([node]),
    }];
  });
  if (problems.length > 0) throw new UserError(problems.slice(0, 10));
  return matched;
}
