/**
 * Where channels can be scaled in one layer and scaled back in the next ones.
 *
 * @module
 */

import { getInt } from "../../onnx/attributes.ts";
import { constantValue, consumers } from "../../onnx/edit.ts";
import type { Graph, Node } from "../../onnx/model.ts";
import { type ChannelLayer, channelLayer, layerBias } from "../layer_channels.ts";

/** A layer whose output channels only its followers read, through operators that commute with positive factors. */
export interface Link {
  readonly first: ChannelLayer;
  readonly seconds: readonly LinkEnd[];
  /** The operators between them, in no order. */
  readonly path: readonly Node[];
  /** Those among them that bound values: their bounds have to be scaled too. */
  readonly clips: readonly Node[];
  /** The values between the layers, the first layer's output in front. */
  readonly values: readonly string[];
}

/** A layer that reads what another makes. */
export interface LinkEnd {
  readonly layer: ChannelLayer;
  /** How many consecutive inputs belong to each channel: more than 1 behind a Flatten. */
  readonly positions: number;
}

/** Operators f with f(s · x) = s · f(x) for every s > 0, channel by channel. */
const HOMOGENEOUS = new Set([
  "Relu",
  "LeakyRelu",
  "PRelu",
  "MaxPool",
  "AveragePool",
  "GlobalAveragePool",
  "GlobalMaxPool",
  "Identity",
  "Dropout",
  "Pad",
  "Flatten",
  "Reshape",
  "Squeeze",
]);

/** Operators that may put the positions of a channel beside each other. */
const FLATTENING = new Set(["Flatten", "Reshape", "Squeeze"]);

/**
 * Finds all links of a graph.
 *
 * @param throughClips Whether Clip may lie between two layers.
 */
export function findLinks(graph: Graph, throughClips: boolean): Link[] {
  const uses = consumers(graph);
  const outputs = new Set(graph.outputs.map(({ name }) => name));
  const isOwn = (name: string) => name === "" || uses.get(name)?.length === 1;
  const layers = new Map<Node, ChannelLayer>();
  for (const node of graph.nodes) {
    const layer = channelLayer(graph, node);
    if (layer !== undefined && isOwn(node.inputs[1]!)) layers.set(node, layer);
  }
  const links: Link[] = [];
  for (const first of layers.values()) {
    if (first.node.opType === "MatMul" || layerBias(graph, first) === undefined) continue;
    if (!isOwn(first.node.inputs[2] ?? "")) continue;
    const link = follow(first);
    if (link !== undefined) links.push(link);
  }
  return links;

  function follow(first: ChannelLayer): Link | undefined {
    const seconds: LinkEnd[] = [];
    const path: Node[] = [];
    const clips: Node[] = [];
    const values: string[] = [];
    const pending = [first.node.outputs[0]!];
    while (pending.length > 0) {
      const value = pending.pop()!;
      values.push(value);
      if (outputs.has(value)) return undefined;
      for (const { node, index } of uses.get(value) ?? []) {
        const layer = layers.get(node);
        if (index !== 0 || node.domain !== "") return undefined;
        if (layer !== undefined) {
          const positions = layer.inputs / first.outputs;
          const isFlat = path.some(({ opType }) => FLATTENING.has(opType));
          if (!Number.isInteger(positions) || positions > 1 && !isFlat) return undefined;
          // Behind a convolution it multiplies along the last dimension, not along channels.
          if (node.opType === "MatMul" && first.node.opType === "Conv" && !isFlat) return undefined;
          seconds.push({ layer, positions });
          continue;
        }
        if (node.opType === "Clip") {
          if (!throughClips || !hasConstantBounds(graph, node)) return undefined;
          clips.push(node);
        } else if (!commutes(graph, node)) return undefined;
        path.push(node);
        pending.push(node.outputs[0]!);
      }
    }
    return seconds.length === 0 ? undefined : { first, seconds, path, clips, values };
  }
}

function hasConstantBounds(graph: Graph, { inputs }: Node): boolean {
  return inputs.slice(1).every((name) =>
    name === "" || constantValue(graph, name)?.type === "float32"
  );
}

function commutes(graph: Graph, node: Node): boolean {
  if (!HOMOGENEOUS.has(node.opType) || node.outputs.slice(1).some((name) => name !== "")) {
    return false;
  }
  const rank = (name: string) => graph.values.get(name)?.dims?.length;
  switch (node.opType) {
    case "Pad":
      return padsWithZeros(graph, node);
    case "Flatten":
      return getInt(node, "axis", 1) === 1;
    case "Reshape":
    case "Squeeze": {
      // Only what a Flatten could be: items stay items.
      const before = graph.values.get(node.inputs[0]!)?.dims;
      const after = graph.values.get(node.outputs[0]!)?.dims;
      return rank(node.outputs[0]!) === 2 && before?.[0] !== undefined && before[0] === after?.[0];
    }
    case "PRelu": {
      const slope = constantValue(graph, node.inputs[1]!);
      return slope !== undefined;
    }
    default:
      return true;
  }
}

function padsWithZeros(graph: Graph, node: Node): boolean {
  const mode = node.attributes.get("mode");
  const value = constantValue(graph, node.inputs[2] ?? "");
  const pads = constantValue(graph, node.inputs[1] ?? "");
  if (pads === undefined || (node.inputs[3] ?? "") !== "") return false;
  const each = Array.from(pads.data as BigInt64Array, Number);
  const channels = [each[0], each[1], each[each.length / 2], each[each.length / 2 + 1]];
  if (channels.some((pad) => pad !== 0)) return false;
  const isConstant = mode === undefined || mode.value === "constant";
  return !isConstant || value === undefined || Number(value.data[0]) === 0;
}
