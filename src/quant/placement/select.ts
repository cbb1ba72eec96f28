/**
 * Which nodes compute on quantized activations, and where their results are quantized.
 *
 * @module
 */

import type { Node } from "../../onnx/model.ts";
import type { GraphView } from "./graph_view.ts";
import type { WeightAxes, WeightedRule } from "./operators.ts";
import type { FloatNode } from "./types.ts";

/** The weights of one node. */
export interface SelectedWeights {
  readonly weight: string;
  readonly axes: WeightAxes;
  readonly bias?: string;
}

/** The nodes that are quantized. */
export interface Selection {
  readonly nodes: readonly Node[];
  /** The activations that each of them reads. */
  readonly inputs: ReadonlyMap<Node, readonly string[]>;
  /** The value at which the result of each is quantized. */
  readonly results: ReadonlyMap<Node, string>;
  /** Those with constant weights. */
  readonly layers: ReadonlyMap<Node, SelectedWeights>;
  readonly float: readonly FloatNode[];
}

/** Selects the nodes of a graph that are quantized. */
export function selectNodes(view: GraphView): Selection {
  const nodes: Node[] = [];
  const inputs = new Map<Node, string[]>();
  const results = new Map<Node, string>();
  const layers = new Map<Node, SelectedWeights>();
  const float: FloatNode[] = [];
  const computed = new Set<string>();
  const absorbed = new Set<Node>();
  for (const node of view.graph.nodes) {
    const activations = node.inputs.filter((input) => view.isActivation(input));
    if (absorbed.has(node) || activations.length === 0) continue;
    if (!node.outputs.some((output) => view.isActivation(output))) continue;
    const choice = choose(view, node, activations, computed);
    if (typeof choice === "string") {
      float.push({ node, reason: choice });
      continue;
    }
    if (choice === undefined) continue;
    nodes.push(node);
    inputs.set(node, choice.activations);
    if (choice.layer !== undefined) layers.set(node, choice.layer);
    const { result, through } = behind(view, node);
    for (const other of through) absorbed.add(other);
    results.set(node, result);
    computed.add(result);
  }
  return { nodes, inputs, results, layers, float };
}

interface Choice {
  readonly activations: string[];
  readonly layer?: SelectedWeights;
}

/** How a node is quantized; why it stays in float; or `undefined` if it is neither, such as a Reshape. */
function choose(
  view: GraphView,
  node: Node,
  activations: string[],
  computed: ReadonlySet<string>,
): Choice | string | undefined {
  const rule = view.rule(node);
  if (rule === undefined) {
    if (view.skipped(node)) return "it is skipped by an override";
    if (node.domain !== "") return `operator ${node.domain}.${node.opType} is not a standard one`;
    return `operator ${node.opType} has no quantized form`;
  }
  const touches = () => activations.some((input) => computed.has(view.root(input)));
  switch (rule.role) {
    case "weighted":
      return chooseWeighted(view, node, rule);
    case "combine":
      if (!touches()) return undefined;
      return activations.length === node.inputs.length && activations.length > 1
        ? { activations }
        : `${node.opType} with a constant operand has no quantized form`;
    case "unary":
      return touches() ? { activations: [node.inputs[0]!] } : undefined;
    case "move":
    case "clamp":
      return undefined;
  }
}

function chooseWeighted(view: GraphView, node: Node, rule: WeightedRule): Choice | string {
  const input = node.inputs[0]!;
  const other = node.inputs[1] ?? "";
  if (!view.isActivation(input)) return `the left operand of ${node.opType} is constant`;
  const weight = view.constant(other);
  if (weight === undefined) {
    if (node.opType === "MatMul" && view.isActivation(other)) {
      return { activations: [...new Set([input, other])] };
    }
    return "its weights are not constant";
  }
  if (weight.type !== "float32") return `its weights are ${weight.type}, not float32`;
  const axes = rule.axes(node, weight.dims.length);
  if (axes === undefined) return `its weights have ${weight.dims.length} dimensions`;
  const bias = rule.bias === undefined ? "" : node.inputs[rule.bias] ?? "";
  return {
    activations: [input],
    layer: {
      weight: other,
      axes,
      ...(bias !== "" && view.constant(bias)?.type === "float32" ? { bias } : {}),
    },
  };
}

/** The value to quantize for a node's result: behind a bias that is added to it and clamps. */
function behind(view: GraphView, node: Node): { result: string; through: Node[] } {
  const through: Node[] = [];
  let result = node.outputs[0]!;
  if (view.rule(node)?.role === "weighted") {
    const add = view.onlyReader(result);
    if (add?.opType === "Add" && add.domain === "" && !view.skipped(add)) {
      if (add.inputs.some((input) => view.constant(input) !== undefined)) {
        through.push(add);
        result = add.outputs[0]!;
      }
    }
  }
  for (;;) {
    const clamp = view.onlyReader(result);
    if (clamp === undefined || clamp.inputs[0] !== result) break;
    if (view.rule(clamp)?.role !== "clamp") break;
    if (!clamp.inputs.slice(1).every((bound) => bound === "" || view.constant(bound))) break;
    through.push(clamp);
    result = clamp.outputs[0]!;
  }
  return { result, through };
}
