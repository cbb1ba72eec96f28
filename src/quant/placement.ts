/**
 * Which values and weights of a float model get quantizers: in the places where ONNX Runtime turns
 * "dequantize, compute, quantize" into one integer operator, or only where layers with weights read.
 *
 * @module
 */

import type { Model, Node } from "../onnx/model.ts";
import { GraphView } from "./placement/graph_view.ts";
import { groupPoints } from "./placement/groups.ts";
import { takesWeights } from "./placement/operators.ts";
import { selectNodes } from "./placement/select.ts";
import type {
  ActivationPlaces,
  ActivationPoint,
  Placement,
  QuantizableLayer,
} from "./placement/types.ts";

export type {
  ActivationPlaces,
  ActivationPoint,
  FloatNode,
  Placement,
  QuantizableLayer,
} from "./placement/types.ts";

/** What the user decides about placement. */
export interface PlacementOptions {
  /** Which activations are quantized; `operators` unless told. */
  readonly at?: ActivationPlaces;
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
 *
 * With `at: "layers"` only what operators with weights read is quantized: sums, means and joined branches are
 * computed in float and rounded once, at the end.
 */
export function placeQuantizers(model: Model, options: PlacementOptions = {}): Placement {
  const view = new GraphView(model.graph, options.skip);
  const selection = selectNodes(view);
  const points = new Map<string, ActivationPoint["role"]>();
  const layersOnly = options.at === "layers";
  const nodes = layersOnly ? selection.nodes.filter(takesWeights) : selection.nodes;
  for (const node of nodes) {
    for (const input of selection.inputs.get(node)!) {
      for (const moved of view.movesTo(input)) points.set(moved, "repeat");
      points.set(view.root(input), "source");
    }
  }
  const leads = view.leadingTo(selection.nodes);
  for (const result of selection.results.values()) {
    if (points.has(result)) continue;
    if (!leads.has(result)) points.set(result, "result");
    else if (!layersOnly) points.set(result, "source");
  }
  const groups = layersOnly
    ? new Map(points.keys().map((value) => [value, view.root(value)]))
    : groupPoints(view, selection, points);
  const order = view.order();
  return {
    points: [...points]
      .map(([value, role]) => ({ value, group: groups.get(value)!, role }))
      .sort((a, b) => order.get(a.value)! - order.get(b.value)!),
    layers: layersOf(view, selection, points),
    nodes,
    float: layersOnly ? selection.float.filter(({ node }) => takesWeights(node)) : selection.float,
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
  points: ReadonlyMap<string, unknown>,
): QuantizableLayer[] {
  const nodes = [...selection.layers.keys()];
  const before = view.leadingTo(nodes);
  const after = view.comingFrom(nodes);
  return nodes.map((node) => {
    const { weight, axes, bias } = selection.layers.get(node)!;
    const result = selection.results.get(node)!;
    return {
      node,
      weight,
      axes,
      ...(bias === undefined ? {} : { bias }),
      input: node.inputs[0]!,
      ...(points.has(result) ? { output: result } : {}),
      first: !after.has(node.inputs[0]!),
      last: !before.has(node.outputs[0]!),
    };
  });
}
