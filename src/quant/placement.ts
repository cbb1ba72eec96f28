/**
 * Which values and weights of a float model get quantizers: in the places where ONNX Runtime turns
 * "dequantize, compute, quantize" into one integer operator.
 *
 * @module
 */

import type { Model, Node } from "../onnx/model.ts";
import { GraphView } from "./placement/graph_view.ts";
import { groupPoints } from "./placement/groups.ts";
import { selectNodes } from "./placement/select.ts";
import type { ActivationPoint, Placement, QuantizableLayer } from "./placement/types.ts";

export type { ActivationPoint, FloatNode, Placement, QuantizableLayer } from "./placement/types.ts";

/** What the user decides about placement. */
export interface PlacementOptions {
  /** Nodes to leave in float. */
  readonly skip?: (node: Node) => boolean;
}

/**
 * Finds where quantizers go in a float model whose nodes are in topological order.
 *
 * - Every activation that an integer operator reads is quantized where it is computed, before operators that
 *   only move values.
 * - Every result of an integer operator is quantized, behind a Relu or Clip that follows it.
 * - What only leads to outputs of the model is marked `result`.
 */
export function placeQuantizers(model: Model, options: PlacementOptions = {}): Placement {
  const view = new GraphView(model.graph, options.skip);
  const selection = selectNodes(view);
  const points = new Map<string, ActivationPoint["role"]>();
  for (const node of selection.nodes) {
    for (const input of selection.inputs.get(node)!) {
      for (const moved of view.movesTo(input)) points.set(moved, "repeat");
      points.set(view.root(input), "source");
    }
  }
  const leads = view.leadingTo(selection.nodes);
  for (const result of selection.results.values()) {
    if (!points.has(result)) points.set(result, leads.has(result) ? "source" : "result");
  }
  const groups = groupPoints(view, selection, points);
  const order = view.order();
  return {
    points: [...points]
      .map(([value, role]) => ({ value, group: groups.get(value)!, role }))
      .sort((a, b) => order.get(a.value)! - order.get(b.value)!),
    layers: layersOf(view, selection),
    nodes: selection.nodes,
    float: selection.float,
  };
}

/**
 * The values whose statistics decide the scales of all activation points: what calibration has to observe.
 */
export function observedValues(model: Model, options: PlacementOptions = {}): string[] {
  return [...new Set(placeQuantizers(model, options).points.map((point) => point.group))];
}

function layersOf(
  view: GraphView,
  selection: ReturnType<typeof selectNodes>,
): QuantizableLayer[] {
  const nodes = [...selection.layers.keys()];
  const before = view.leadingTo(nodes);
  const after = view.comingFrom(nodes);
  return nodes.map((node) => {
    const { weight, axes, bias } = selection.layers.get(node)!;
    const result = selection.results.get(node);
    return {
      node,
      weight,
      axes,
      ...(bias === undefined ? {} : { bias }),
      input: node.inputs[0]!,
      ...(result === undefined ? {} : { output: result }),
      first: !after.has(node.inputs[0]!),
      last: !before.has(node.outputs[0]!),
    };
  });
}
