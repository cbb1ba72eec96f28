/**
 * Taking channels out of a network.
 *
 * @module
 */

import { getInt, int } from "../../onnx/attributes.ts";
import { constantValue, uniqueName } from "../../onnx/edit.ts";
import type { Graph, Model, Node } from "../../onnx/model.ts";
import { elementCount, float32, int64s, type Tensor } from "../../onnx/tensor.ts";
import { foldedStatistics, setFoldedStatistics } from "../distributions/batch_norm.ts";
import type { ChannelLayer } from "../layer_channels.ts";
import type { RemovableChannels } from "./removable.ts";

/** Channels of a layer, and which of them stay. */
export interface Removal {
  readonly channels: RemovableChannels;
  /** For each channel. At least one stays. */
  readonly stays: readonly boolean[];
}

/** What stays of a layer; all where nothing is said. */
interface Remains {
  readonly layer: ChannelLayer;
  inputs?: readonly boolean[];
  outputs?: readonly boolean[];
}

/** Takes channels out of a model, in place: of the layers that make them, and of all that has a part for each. */
export function removeChannels(model: Model, removals: readonly Removal[]): void {
  const { graph } = model;
  const statistics = foldedStatistics(model);
  for (const remains of remainsOf(removals)) cutLayer(graph, remains);
  for (const { channels: { depthwise, path, values }, stays } of removals) {
    const count = stays.filter(Boolean).length;
    for (const { node } of depthwise) node.attributes.set("group", int(count));
    for (const node of path) cutOperator(graph, node, stays);
    for (const name of values) {
      const info = graph.values.get(name);
      const size = info?.dims?.[1];
      if (typeof size === "number") {
        const dims = info!.dims!.with(1, size / stays.length * count);
        graph.values.set(name, { ...info!, dims });
      }
      const known = statistics.get(name);
      if (known === undefined) continue;
      const cut = (numbers: Float64Array) => numbers.filter((_, channel) => stays[channel]);
      statistics.set(name, { mean: cut(known.mean), deviation: cut(known.deviation) });
    }
  }
  setFoldedStatistics(model, statistics);
}

/**
 * Sets the weights to zero that read channels, in place: the function of the model without them in the form that the
 * model has with them.
 */
export function silenceChannels({ graph }: Model, removals: readonly Removal[]): void {
  for (const { layer, inputs } of remainsOf(removals)) {
    if (inputs === undefined || isReadAlone(layer)) continue;
    const { dims, data } = layer.weights;
    const silenced = data.map((value, index) => inputs[layer.inputAt(index)] ? value : 0);
    setConstant(graph, layer.node, 1, float32(dims, silenced));
  }
}

/** Each layer that loses something once, since one may read channels of one layer and make those of another. */
function remainsOf(removals: readonly Removal[]): Remains[] {
  const found = new Map<Node, Remains>();
  const of = (layer: ChannelLayer) => {
    const known = found.get(layer.node) ?? { layer };
    found.set(layer.node, known);
    return known;
  };
  for (const { channels: { first, depthwise, readers }, stays } of removals) {
    of(first).outputs = stays;
    for (const layer of depthwise) Object.assign(of(layer), { inputs: stays, outputs: stays });
    for (const { layer, positions } of readers) {
      of(layer).inputs = Array.from(
        { length: layer.inputs },
        (_, input) => stays[Math.floor(input / positions)]!,
      );
    }
  }
  return [...found.values()];
}

function cutLayer(graph: Graph, { layer, inputs, outputs }: Remains): void {
  const { node, weights: { dims, data } } = layer;
  const kept = data.filter((_, index) =>
    (inputs?.[layer.inputAt(index)] ?? true) && (outputs?.[layer.outputAt(index)] ?? true)
  );
  const isByOutput = node.opType === "Conv" || getInt(node, "transB", 0) === 1;
  const count = (stays: readonly boolean[] | undefined, all: number) =>
    stays === undefined ? all : stays.filter(Boolean).length;
  const sides = [
    count(outputs, layer.outputs),
    isReadAlone(layer) ? dims[1]! : count(inputs, layer.inputs),
  ];
  setConstant(
    graph,
    node,
    1,
    float32([...isByOutput ? sides : sides.reverse(), ...dims.slice(2)], kept),
  );
  const bias = constantValue(graph, node.inputs[2] ?? "");
  if (bias !== undefined && outputs !== undefined) {
    setConstant(graph, node, 2, cutAlong(bias as Tensor<"float32">, outputs));
  }
}

/** Whether each output of a layer has one input for itself, which its weights then have no dimension for. */
function isReadAlone({ node, weights, inputs }: ChannelLayer): boolean {
  return node.opType === "Conv" && weights.dims[1] !== inputs;
}

/** What an operator between layers says of channels. */
function cutOperator(graph: Graph, node: Node, stays: readonly boolean[]): void {
  if (node.opType === "PRelu") {
    const slope = constantValue(graph, node.inputs[1]!) as Tensor<"float32">;
    setConstant(graph, node, 1, cutAlong(slope, stays));
  } else if (node.opType === "Reshape") {
    // Such a one only flattens.
    setConstant(graph, node, 1, int64s([0, -1]));
    node.attributes.delete("allowzero");
  }
}

/** A tensor with one number for each channel, or one for all. */
function cutAlong(tensor: Tensor<"float32">, stays: readonly boolean[]): Tensor<"float32"> {
  const { dims, data } = tensor;
  if (elementCount(dims) !== stays.length) return tensor;
  const kept = data.filter((_, channel) => stays[channel]);
  return float32(dims.map((dim) => dim === stays.length ? kept.length : dim), kept);
}

/** Gives a node another constant, under the name of the one that it has unless others read that too. */
function setConstant(graph: Graph, node: Node, index: number, value: Tensor): void {
  const name = node.inputs[index]!;
  const isShared = graph.nodes.some((other) => other !== node && other.inputs.includes(name));
  const own = isShared || !graph.initializers.has(name) ? uniqueName(graph, name) : name;
  graph.initializers.set(own, value);
  node.inputs[index] = own;
}
