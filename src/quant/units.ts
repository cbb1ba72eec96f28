/**
 * Cutting a network into the units that block reconstruction works on.
 *
 * A unit has one way in and one way out (its entry dominates it, its exit post-dominates it), so that it can be
 * run and trained by itself. Granularities as in BRECQ (Li et al., 2021, section 3.2).
 *
 * @module
 */

import { UserError } from "../base/errors.ts";
import { ActivationFlow } from "../onnx/flow.ts";
import type { Graph, Model, Node } from "../onnx/model.ts";
import { findBlocks } from "./units/blocks.ts";
import { PartChain } from "./units/chains.ts";
import { LayerKinds } from "./units/layers.ts";
import {
  boundary,
  type Part,
  weightsOf,
  withActivation,
  withInputQuantizers,
} from "./units/parts.ts";

/** How large units are. */
export type UnitGranularity = "layer" | "block" | "stage" | "network";

/** A part of a network that is reconstructed together. */
export interface Unit {
  /** Names of its first and last layer, such as `"conv3..conv6"`; of a single layer, its name. */
  readonly name: string;
  /** Its nodes in the order of the graph, with those that only compute its constants. */
  readonly nodes: readonly Node[];
  /** The activations it reads: one, but for a layer of two inputs or a whole network of several. */
  readonly inputs: readonly string[];
  /** The activation that leaves it. */
  readonly output: string;
  /** Its layers with weights, in topological order. */
  readonly weights: readonly Node[];
}

/**
 * Finds the units of a float or quantized model.
 *
 * - `layer`: each layer with a weight, with what follows it on single values: batch norm, bias, activation function.
 * - `block`: residual blocks with their addition and the activation after it, modules of parallel branches, inverted
 *   residual blocks; every other layer by itself.
 * - `stage`: neighbouring blocks, or neighbouring layers, of the same resolution.
 * - `network`: everything.
 *
 * Every layer that depends on an input and leads to an output is in exactly one unit. Nodes without weights that are
 * in no unit (pooling, reshaping) are run as they are. Of a pair QuantizeLinear and DequantizeLinear, the pair on a
 * result belongs to the unit that makes the result, unless its readers have pairs of their own.
 *
 * @returns The units in topological order.
 * @throws {UserError} If `network` is asked of a model with several outputs, which has no single exit.
 */
export function findUnits(model: Model, granularity: UnitGranularity): Unit[] {
  const { graph } = model;
  const flow = new ActivationFlow(graph);
  const kinds = new LayerKinds(graph, flow);
  const describe = (part: Part) => describeUnit(graph, flow, part);
  if (granularity === "network") {
    const network = wholeNetwork(graph, flow, kinds);
    return network.weights.length === 0 ? [] : [describe(network)];
  }
  let parts = findParts(flow, kinds, granularity === "layer" ? [] : findBlocks(flow, kinds));
  const chain = new PartChain(flow, kinds);
  if (granularity !== "layer") parts = chain.joinModules(parts);
  if (granularity === "stage") parts = chain.joinStages(parts);
  return parts.map(describe);
}

/** The blocks with their activations, and every layer that is in none of them, in topological order. */
function findParts(flow: ActivationFlow, kinds: LayerKinds, blocks: readonly Part[]): Part[] {
  const taken = new Set(blocks.flatMap((block) => [...block.nodes]));
  const grow = (part: Part, change: typeof withActivation): Part => {
    const grown = change(flow, kinds, part, taken);
    for (const node of grown.nodes) taken.add(node);
    return grown;
  };
  const layers = flow.nodes
    .filter((node) => kinds.hasWeight(node) && !taken.has(node))
    .map((node): Part => ({
      kind: "layer",
      nodes: new Set([node]),
      exit: node,
      weights: [node],
    }));
  for (const { exit } of layers) taken.add(exit);
  return [...blocks, ...layers]
    .map((part) => grow(part, withActivation))
    .map((part) => grow(part, withInputQuantizers))
    .sort((a, b) => flow.position(a.weights[0]!) - flow.position(b.weights[0]!));
}

function wholeNetwork(graph: Graph, flow: ActivationFlow, kinds: LayerKinds): Part {
  const outputs = graph.outputs.map(({ name }) => name);
  const exit = flow.maker(outputs[0]!);
  if (outputs.length > 1 || typeof exit === "string") {
    throw new UserError({
      message: `The model cannot be one unit: it has ${outputs.length} outputs (${
        outputs.join(", ")
      })`,
      hint: "Choose a smaller unit: stage, block or layer",
    });
  }
  const nodes = new Set(flow.nodes);
  return { kind: "block", nodes, exit, weights: weightsOf(flow, kinds, nodes) };
}

function describeUnit(graph: Graph, flow: ActivationFlow, part: Part): Unit {
  const members = new Set(part.nodes);
  for (const node of part.nodes) {
    for (const constant of flow.constantNodes(node)) members.add(constant);
  }
  const { inputs, outputs } = boundary(flow, part.nodes);
  const [first, last] = [part.weights[0]!, part.weights.at(-1)!].map(({ name, outputs }) =>
    name || outputs[0]!
  );
  return {
    name: first === last ? first! : `${first}..${last}`,
    nodes: graph.nodes.filter((node) => members.has(node)),
    inputs,
    output: outputs[0]!,
    weights: part.weights,
  };
}
