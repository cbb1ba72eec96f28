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
 * Checks an assignment, which may come from a file of the user's.
 *
 * @param origin What messages call it.
 * @throws {UserError} If it is none, or has a width that cannot be written.
 */
export function checkAssignment(assignment: Assignment, origin: string): void {
  const layers: Assignment["layers"] | undefined = assignment?.layers;
  if (assignment?.version !== 1 || typeof layers !== "object" || layers === null) {
    throw new UserError({
      message: `The assignment "${origin}" is none: it has no version 1 and layers`,
      hint: 'Make one with the stage "search"; docs/search.md describes its form',
    });
  }
  const problems = Object.entries(layers)
    .filter(([, layer]) => !isWidth(layer?.weights))
    .map(([name, layer]): Problem => ({
      message: `The assignment "${origin}" gives layer "${name}" ${layer?.weights} bits`,
      hint: "Weights have 1 to 8 bits, or 16",
    }));
  if (problems.length > 0) throw new UserError(problems.slice(0, 10));
}

/**
 * The widths of an assignment; they come before all overrides of the user's.
 *
 * @param origin What messages call the assignment.
 * @throws {UserError} If the model lacks a layer of the assignment.
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
    return [{
      override: { weights: { bits: weights } },
      name: `assignment "${origin}", layer "${name}"`,
      nodes: new Set([node]),
    }];
  });
  if (problems.length > 0) throw new UserError(problems.slice(0, 10));
  return matched;
}

function isWidth(bits: unknown): bits is number {
  return Number.isInteger(bits) && (bits as number) >= 1 &&
    ((bits as number) <= 8 || bits === 16);
}
