/**
 * Moving high biases into the layers that follow.
 *
 * Nagel et al., 2019, section 4.1.3: where nearly all of a channel is above c = max(0, β − 3γ), Relu(x) is about
 * Relu(x − c) + c, so that c can leave the first bias and come back, through the weights, in the second. Activations
 * then have smaller ranges. What lies below c, 0.13 % of a normal distribution, comes out too large.
 *
 * @module
 */

import { getInts, getString } from "../../onnx/attributes.ts";
import { uniqueName } from "../../onnx/edit.ts";
import type { Graph, Model, Node } from "../../onnx/model.ts";
import { float32 } from "../../onnx/tensor.ts";
import { foldedStatistics, setFoldedStatistics } from "../distributions/batch_norm.ts";
import { meanOfSums } from "../distributions/linear.ts";
import { channelLayer, layerBias } from "../layer_channels.ts";
import type { Link } from "./links.ts";

/** How far below its mean a channel is taken never to be, in deviations. */
const DEVIATIONS = 3;

/** What was moved. */
export interface Absorption {
  /** Channels whose bias became smaller. */
  readonly channels: number;
  /** Links that could not take part, and why, by name of the first layer. */
  readonly skipped: ReadonlyMap<string, string>;
}

/** Moves biases over links whose layers are equalized already, in place. */
export function absorbBiases(model: Model, links: readonly Link[]): Absorption {
  const { graph } = model;
  const statistics = foldedStatistics(model);
  const skipped = new Map<string, string>();
  let channels = 0;
  for (const { first, seconds, path } of links) {
    const value = first.node.outputs[0]!;
    const known = statistics.get(value);
    const reason = known === undefined
      ? "nothing is known of its output"
      : path.length !== 1 || path[0]!.opType !== "Relu"
      ? "what follows is not just a Relu"
      : seconds.some(({ layer }) => layer.node.opType === "MatMul")
      ? "a MatMul follows, which has no bias"
      : seconds.some(({ layer }) => isPadded(layer.node))
      ? "what follows pads with zeros, which would have to be padded with what was moved"
      : undefined;
    if (reason !== undefined || known === undefined) {
      skipped.set(first.node.name, reason!);
      continue;
    }
    const moved = known.mean.map((mean, channel) =>
      Math.max(0, mean - DEVIATIONS * known.deviation[channel]!)
    );
    const count = moved.filter((each) => each > 0).length;
    if (count === 0) continue;
    channels += count;
    addToBias(graph, first.node, moved.map((each) => -each));
    for (const { layer, positions } of seconds) {
      // The weights as they are now.
      const current = channelLayer(graph, layer.node)!;
      const inputs = Float64Array.from(
        { length: current.inputs },
        (_, input) => moved[Math.floor(input / positions)]!,
      );
      addToBias(graph, layer.node, meanOfSums(current, current.weights.data, inputs));
    }
    statistics.set(value, {
      mean: known.mean.map((mean, channel) => mean - moved[channel]!),
      deviation: known.deviation,
    });
  }
  setFoldedStatistics(model, statistics);
  return { channels, skipped };
}

function isPadded(node: Node): boolean {
  if (node.opType !== "Conv") return false;
  return getString(node, "auto_pad", "NOTSET") !== "NOTSET" &&
      getString(node, "auto_pad", "NOTSET") !== "VALID" ||
    getInts(node, "pads", []).some((pad) => pad !== 0);
}

function addToBias(graph: Graph, node: Node, change: Float64Array): void {
  const layer = channelLayer(graph, node)!;
  const beta = node.attributes.get("beta");
  const factor = beta?.kind === "float" ? beta.value : 1;
  const bias = layerBias(graph, layer)!;
  const values = bias.map((value, channel) => (value + change[channel]!) / factor);
  let name = node.inputs[2] ?? "";
  if (name === "" || !graph.initializers.has(name)) {
    name = uniqueName(graph, `${node.name}.bias`);
    node.inputs[2] = name;
  }
  graph.initializers.set(name, float32([values.length], values));
}
