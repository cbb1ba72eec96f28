/**
 * Which nodes an override means.
 *
 * @module
 */

import { type Problem, UserError } from "../../base/errors.ts";
import { globPattern } from "../../base/glob.ts";
import { didYouMean } from "../../base/suggest.ts";
import type { Graph, Node } from "../../onnx/model.ts";
import type { Parameters } from "./ports.ts";

/** One exception of the parameters. */
export type Override = Parameters["overrides"][number];

/** An override and the nodes it is for. */
export interface MatchedOverride {
  readonly override: Override;
  /** How messages call it, such as `overrides[0]`. */
  readonly name: string;
  readonly nodes: ReadonlySet<Node>;
}

/**
 * Finds the nodes of each override.
 *
 * @throws {UserError} If an override is for no node; all such overrides at once.
 */
export function matchOverrides(graph: Graph, overrides: readonly Override[]): MatchedOverride[] {
  const problems: Problem[] = [];
  const matched = overrides.map((override, index): MatchedOverride => {
    const name = `overrides[${index}]`;
    const byName = override.match === undefined ? undefined : globPattern(override.match);
    const found = graph.nodes.filter((node) =>
      (byName?.test(node.name) ?? true) && (override.op ?? node.opType) === node.opType
    );
    if (found.length === 0) problems.push(nothingFound(graph, name, override));
    return { override, name, nodes: new Set(found) };
  });
  if (problems.length > 0) throw new UserError(problems);
  return matched;
}

function nothingFound(graph: Graph, name: string, { match, op }: Override): Problem {
  const operators = [...new Set(graph.nodes.map((node) => node.opType))];
  if (op !== undefined && !operators.includes(op)) {
    const hint = didYouMean(op, operators);
    return {
      message: `${name}: the model has no node with operator "${op}"`,
      ...(hint && { hint }),
    };
  }
  const names = graph.nodes.filter((node) => (op ?? node.opType) === node.opType)
    .map((node) => node.name);
  const kind = op === undefined ? "node" : `${op} node`;
  const hint = didYouMean((match ?? "").replaceAll("*", ""), names);
  return {
    message: `${name}: no ${kind} of the model has a name like "${match}"`,
    ...(hint && { hint }),
  };
}
