/**
 * Widths that a search has chosen, as exceptions for single nodes.
 *
 * @module
 */

import { type Problem, UserError } from "../../base/errors.ts";
import { didYouMean } from "../../base/suggest.ts";
import type { Graph } from "../../onnx/model.ts";
import type { Placement } from "../../quant/placement.ts";
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
  const activations: unknown = assignment.activations ?? {};
  if (typeof activations !== "object") {
    throw new UserError({
      message: `The assignment "${origin}" has activations that are no map from names to widths`,
      hint: 'Write activations: { NAME: { "bits": 4 } }; docs/search.md describes its form',
    });
  }
  const problems = Object.entries(layers)
    .filter(([, layer]) => !isWidth(layer?.weights))
    .map(([name, layer]): Problem => ({
      message: `The assignment "${origin}" gives layer "${name}" ${layer?.weights} bits`,
      hint: "Weights have 1 to 8 bits, or 16",
    }));
  for (const [name, activation] of Object.entries(assignment.activations ?? {})) {
    const bits: unknown = activation?.bits;
    if (isWidth(bits) && bits > 1) continue;
    problems.push({
      message: `The assignment "${origin}" gives activation "${name}" ${bits} bits`,
      hint: "Activations have 2 to 8 bits, or 16",
    });
  }
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

/**
 * The widths that an assignment gives activations.
 *
 * @param origin What messages call the assignment.
 * @throws {UserError} If activations are not quantized by calibrated ranges, or the model has no such ones.
 */
export function assignedActivations(
  { points }: Placement,
  { activations = {} }: Assignment,
  origin: string,
  mode: string,
): Map<string, number> {
  const entries = Object.entries(activations);
  if (entries.length > 0 && mode !== "static") {
    throw new UserError({
      message:
        `The assignment "${origin}" gives activations widths, but activations.mode is ${mode}`,
      hint: "Say activations: { mode: static }, or in: { assignment: none }",
    });
  }
  const groups = new Set(points.map(({ group }) => group));
  const problems = entries.filter(([name]) => !groups.has(name)).map(([name]): Problem => ({
    message:
      `The assignment "${origin}" has an activation "${name}", which is not quantized in this model`,
    hint: didYouMean(name, groups) ??
      "Say activations.at as the sensitivity was measured with, and skip the same nodes",
  }));
  if (problems.length > 0) throw new UserError(problems.slice(0, 10));
  return new Map(entries.map(([name, { bits }]) => [name, bits]));
}

function isWidth(bits: unknown): bits is number {
  return Number.isInteger(bits) && (bits as number) >= 1 &&
    ((bits as number) <= 8 || bits === 16);
}
