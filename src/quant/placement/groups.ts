/**
 * Which activation points share one scale and zero point.
 *
 * @module
 */

import type { GraphView } from "./graph_view.ts";
import type { Selection } from "./select.ts";
import type { ActivationPoint } from "./types.ts";
import type { Node } from "../../onnx/model.ts";

/** The group of each point: the value whose statistics decide. */
export function groupPoints(
  view: GraphView,
  selection: Selection,
  points: ReadonlyMap<string, ActivationPoint["role"]>,
): Map<string, string> {
  const parent = new Map<string, string>();
  const leader = (value: string): string => {
    const next = parent.get(value);
    return next === undefined ? value : leader(next);
  };
  for (const node of selection.nodes) {
    const rule = view.rule(node);
    if (rule?.role !== "combine" || !rule.shares) continue;
    const result = leader(selection.results.get(node)!);
    for (const input of selection.inputs.get(node)!) {
      const root = leader(view.root(input));
      if (root !== result && onlyFeeds(view, view.root(input), node)) parent.set(root, result);
    }
  }
  const groups = new Map<string, string>();
  for (const value of points.keys()) groups.set(value, leader(view.root(value)));
  return groups;
}

/** Whether a value, moved or not, is read by one node only. */
function onlyFeeds(view: GraphView, value: string, target: Node): boolean {
  if (view.isOutput(value)) return false;
  return view.uses(value).every(({ node }) =>
    node === target || view.rule(node)?.role === "move" &&
      node.outputs.every((output) => output === "" || onlyFeeds(view, output, target))
  );
}
