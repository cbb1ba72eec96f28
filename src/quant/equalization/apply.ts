/**
 * Writing factors of channels into a model.
 *
 * @module
 */

import { constantValue, uniqueName } from "../../onnx/edit.ts";
import type { Graph, Model, Node } from "../../onnx/model.ts";
import { float32 } from "../../onnx/tensor.ts";
import { foldedStatistics, setFoldedStatistics } from "../distributions/batch_norm.ts";
import type { ChannelLayer } from "../layer_channels.ts";
import type { Link } from "./links.ts";

/** What becomes of a Clip between two layers. */
export type ClipHandling =
  /** Bounds of its own for each channel: the same function. */
  | "per-channel"
  /** No upper bound: another function where values would have been above it. */
  | "relu";

/** Divides the output channels of first layers and multiplies the input channels of second ones, in place. */
export function applyFactors(
  model: Model,
  factors: ReadonlyMap<Link, Float64Array>,
  clips: ClipHandling,
): void {
  const { graph } = model;
  const divisors = new Map<Node, Float64Array>();
  const multipliers = new Map<Node, Float64Array>();
  const layers = new Map<Node, ChannelLayer>();
  const statistics = foldedStatistics(model);
  for (const [link, each] of factors) {
    const { first, seconds, values } = link;
    divisors.set(first.node, each);
    layers.set(first.node, first);
    for (const { layer, positions } of seconds) {
      layers.set(layer.node, layer);
      const inputs = { length: layer.inputs };
      multipliers.set(
        layer.node,
        Float64Array.from(inputs, (_, input) => each[Math.floor(input / positions)]!),
      );
    }
    for (const name of values) {
      const known = statistics.get(name);
      if (known === undefined) continue;
      const divide = (numbers: Float64Array) =>
        numbers.map((value, channel) => value / each[channel]!);
      statistics.set(name, { mean: divide(known.mean), deviation: divide(known.deviation) });
    }
    for (const clip of link.clips) replaceClip(graph, clip, each, clips);
  }
  for (const [node, layer] of layers) {
    scaleLayer(graph, layer, divisors.get(node), multipliers.get(node));
  }
  setFoldedStatistics(model, statistics);
}

/** Computed in float64 and rounded once. */
function scaleLayer(
  graph: Graph,
  layer: ChannelLayer,
  divisors: Float64Array | undefined,
  multipliers: Float64Array | undefined,
): void {
  const { node, weights } = layer;
  const scaled = weights.data.map((value, index) =>
    value * (multipliers?.[layer.inputAt(index)] ?? 1) / (divisors?.[layer.outputAt(index)] ?? 1)
  );
  setConstant(graph, node, 1, float32(weights.dims, scaled));
  const bias = constantValue(graph, node.inputs[2] ?? "");
  if (divisors === undefined || bias === undefined) return;
  const values = (bias.data as Float32Array).map((value, channel) => value / divisors[channel]!);
  setConstant(graph, node, 2, float32(bias.dims, values));
}

function setConstant(graph: Graph, node: Node, index: number, value: ReturnType<typeof float32>) {
  const name = node.inputs[index]!;
  if (graph.initializers.has(name)) graph.initializers.set(name, value);
  else {
    const own = uniqueName(graph, `${node.name}.equalized_${index}`);
    graph.initializers.set(own, value);
    node.inputs[index] = own;
  }
}

/** Replaces clip(x, low, high) by bounds for each channel, or by what is left without the upper one. */
function replaceClip(
  graph: Graph,
  clip: Node,
  factors: Float64Array,
  handling: ClipHandling,
): void {
  const bound = (index: number, none: number) => {
    const name = clip.inputs[index] ?? "";
    const value = name === "" ? none : Number(constantValue(graph, name)!.data[0]);
    return Math.abs(value) < 3e38 ? value : none;
  };
  const [low, high] = [bound(1, -Infinity), bound(2, Infinity)];
  const rank = graph.values.get(clip.outputs[0]!)?.dims?.length ?? 4;
  const perChannel = (value: number, what: string) => {
    const name = uniqueName(graph, `${clip.name}.${what}`);
    const dims = [factors.length, ...Array<number>(Math.max(0, rank - 2)).fill(1)];
    graph.initializers.set(name, float32(dims, factors.map((factor) => value / factor)));
    return name;
  };
  const steps: { opType: string; operands: string[] }[] = [];
  if (low === 0) steps.push({ opType: "Relu", operands: [] });
  else if (low > -Infinity) steps.push({ opType: "Max", operands: [perChannel(low, "low")] });
  if (high < Infinity && handling === "per-channel") {
    steps.push({ opType: "Min", operands: [perChannel(high, "high")] });
  }
  if (steps.length === 0) steps.push({ opType: "Identity", operands: [] });
  const at = graph.nodes.indexOf(clip);
  let value = clip.inputs[0]!;
  const nodes = steps.map(({ opType, operands }, index): Node => {
    const isLast = index === steps.length - 1;
    const name = isLast ? clip.name : uniqueName(graph, `${clip.name}.${opType}`);
    const output = isLast ? clip.outputs[0]! : uniqueName(graph, `${clip.outputs[0]}.${opType}`);
    const node: Node = {
      name,
      opType,
      domain: "",
      inputs: [value, ...operands],
      outputs: [output],
      attributes: new Map(),
    };
    const info = graph.values.get(clip.outputs[0]!);
    if (info !== undefined && !isLast) {
      graph.values.set(output, { ...info, name: output, dims: info.dims && [...info.dims] });
    }
    value = output;
    return node;
  });
  graph.nodes.splice(at, 1, ...nodes);
}
