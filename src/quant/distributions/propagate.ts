/**
 * The distributions of a network's activations, from what batch normalization knows.
 *
 * @module
 */

import { constantValue, sortNodes } from "../../onnx/edit.ts";
import type { Model } from "../../onnx/model.ts";
import type { Tensor } from "../../onnx/tensor.ts";
import { batchNormStatistics } from "./batch_norm.ts";
import { type ChannelDistribution, normalChannels } from "./channel_distribution.ts";
import { DISTRIBUTION_RULES } from "./rules.ts";

/**
 * Finds the distributions of all values that statistics lead to: values with statistics, and what operators make of
 * them. Values before the first statistics, and behind operators without a rule, are not known.
 *
 * @param model Its values have declared shapes, as the stage `prepare` records them.
 */
export function activationDistributions(model: Model): Map<string, ChannelDistribution> {
  const graph = { ...model.graph, nodes: [...model.graph.nodes] };
  sortNodes(graph);
  const statistics = batchNormStatistics(model);
  const shapes = new Map(
    [...graph.inputs, ...graph.values.values(), ...graph.outputs].map(({ name, dims }) => [
      name,
      dims?.map((dim) => typeof dim === "number" ? dim : undefined),
    ]),
  );
  const constants = new Map<string, Tensor | undefined>();
  const constant = (name: string) => {
    if (name === "") return undefined;
    if (!constants.has(name)) constants.set(name, constantValue(graph, name));
    return constants.get(name);
  };
  const known = new Map<string, ChannelDistribution>();
  for (const node of graph.nodes) {
    const output = node.outputs[0]!;
    const given = statistics.get(output);
    const found = given !== undefined
      ? normalChannels(given.mean, given.deviation)
      : node.domain !== "" || !Object.hasOwn(DISTRIBUTION_RULES, node.opType)
      ? undefined
      : DISTRIBUTION_RULES[node.opType]!({
        graph,
        node,
        input: (index) => known.get(node.inputs[index]!),
        constant: (index) => constant(node.inputs[index] ?? ""),
        dims: (name) => shapes.get(name),
      });
    if (found !== undefined) known.set(output, found);
  }
  return known;
}
