/**
 * Models to be timed: of one layer, and of the whole network, at given widths.
 *
 * @module
 */

import { cloneModel, constantValue, prune } from "../../onnx/edit.ts";
import { zeros } from "../../engine/zeros.ts";
import type { Model, Node } from "../../onnx/model.ts";
import type { Tensor } from "../../onnx/tensor.ts";
import { applyQuantization, raiseOpset } from "../../quant/apply.ts";
import {
  grid,
  parametersFromRange,
  type QuantizationParameters,
  tensorParameters,
} from "../../quant/grid.ts";
import { quantizeLayer } from "../../quant/layer_weights.ts";
import { placeQuantizers, type QuantizableLayer } from "../../quant/placement.ts";
import type { Parameters } from "./ports.ts";
import { nonNegativeValues } from "./signs.ts";

/** Widths; 32 is float. */
export interface Widths {
  readonly weights: number;
  readonly activations: number;
}

/** A model of one layer alone, float, that reads a value of the given shape. */
export function singleLayer(
  source: Model,
  { node, weight, bias }: QuantizableLayer,
  input: readonly number[],
  output: readonly number[],
): Model {
  const initializers = new Map<string, Tensor>();
  for (const name of [weight, ...(bias === undefined ? [] : [bias])]) {
    initializers.set(name, constantValue(source.graph, name)!);
  }
  for (const name of node.inputs.slice(1)) {
    if (name !== "" && !initializers.has(name)) {
      initializers.set(name, constantValue(source.graph, name)!);
    }
  }
  const [x, y] = [node.inputs[0]!, node.outputs[0]!];
  return cloneModel({
    ...source,
    graph: {
      name: node.name,
      nodes: [node],
      inputs: [{ name: x, type: "float32", dims: [...input] }],
      outputs: [{ name: y, type: "float32", dims: [...output] }],
      initializers,
      values: new Map(),
    },
  });
}

/** A model of one node without weights alone, float, that reads values of the given shapes. */
export function singleNode(
  source: Model,
  node: Node,
  shapes: ReadonlyMap<string, readonly number[]>,
): Model {
  const initializers = new Map<string, Tensor>();
  for (const name of node.inputs) {
    const constant = name === "" ? undefined : constantValue(source.graph, name);
    if (constant !== undefined) initializers.set(name, constant);
  }
  const value = (name: string) => ({
    name,
    type: "float32" as const,
    dims: [...shapes.get(name)!],
  });
  const inputs = new Set(node.inputs.filter((name) => name !== "" && !initializers.has(name)));
  return cloneModel({
    ...source,
    graph: {
      name: node.name,
      nodes: [node],
      inputs: [...inputs].map(value),
      outputs: [value(node.outputs[0]!)],
      initializers,
      values: new Map(),
    },
  });
}

/**
 * A model at given widths, with made-up ranges: of them, only whether they begin at zero changes what is fused.
 *
 * @param integers Whether inputs and outputs become the integers that flow between layers.
 */
export function atWidths(
  float: Model,
  { weights, activations }: Widths,
  { encoding, symmetric }: Parameters,
  integers: boolean,
): Model {
  if (weights === 32) return float;
  const model = raiseOpset(float, [weights], encoding);
  const placement = placeQuantizers(model);
  const signed = made(activations, -4);
  const unsigned = made(activations, 0);
  // A Relu is only part of the quantizer behind it where that begins at zero.
  const nonNegative = nonNegativeValues(model.graph);
  applyQuantization(model, placement, {
    encoding,
    integerBias: activations !== 32,
    activations: new Map(
      activations === 32 ? [] : placement.points
        .filter(({ role }) => role === "source" || role === "result" && integers)
        .map(({ value, group }) => [value, nonNegative.has(group) ? unsigned : signed]),
    ),
    weights: new Map(
      placement.layers.map((layer) => [layer, narrowed(model, layer, weights, symmetric)]),
    ),
  });
  if (integers && activations !== 32) exposeIntegers(model);
  return model;
}

/**
 * A model of the same inputs and outputs that computes nothing: what a call takes by itself.
 *
 * @param shapes Of outputs whose own shape is not fixed.
 */
export function handOver(
  model: Model,
  shapes: ReadonlyMap<string, readonly number[]> = new Map(),
): Model {
  const initializers = new Map<string, Tensor>();
  const inputs = model.graph.inputs.filter(({ name }) => !model.graph.initializers.has(name));
  const nodes = model.graph.outputs.map(({ name, type, dims }): Node => {
    const constant = `${name}.constant`;
    initializers.set(constant, zeros(type!, shapes.get(name) ?? (dims ?? []).map(Number)));
    return {
      name,
      opType: "Identity",
      domain: "",
      inputs: [constant],
      outputs: [name],
      attributes: new Map(),
    };
  });
  return { ...model, graph: { ...model.graph, inputs, nodes, initializers, values: new Map() } };
}

function made(bits: number, least: number): QuantizationParameters {
  const levels = grid(bits === 32 ? 8 : bits);
  return tensorParameters(parametersFromRange(least, 4, levels), levels);
}

function narrowed(model: Model, layer: QuantizableLayer, bits: number, symmetric: boolean) {
  const tensor = constantValue(model.graph, layer.weight) as Tensor<"float32">;
  return quantizeLayer(tensor, layer, {
    bits,
    symmetric: symmetric && bits > 1,
    granularity: "channel",
    block_size: 32,
    range: "minmax",
    percentile: 100,
    rounding: "nearest",
    mapping: "uniform",
  }, { seed: 0, reduceRange: false }).weights;
}

/** Leaves out the quantizer of the input and the dequantizer of the output. */
function exposeIntegers({ graph }: Model): void {
  const type = (zeroPoint: string) => constantValue(graph, zeroPoint)!.type;
  for (const input of graph.inputs) {
    const quantizer = graph.nodes.find(({ opType, inputs }) =>
      opType === "QuantizeLinear" && inputs[0] === input.name
    );
    if (quantizer === undefined) continue;
    graph.nodes.splice(graph.nodes.indexOf(quantizer), 1);
    input.name = quantizer.outputs[0]!;
    input.type = type(quantizer.inputs[2]!);
  }
  for (const output of graph.outputs) {
    const dequantizer = graph.nodes.find(({ opType, outputs }) =>
      opType === "DequantizeLinear" && outputs[0] === output.name
    );
    if (dequantizer === undefined) continue;
    graph.nodes.splice(graph.nodes.indexOf(dequantizer), 1);
    output.name = dequantizer.inputs[0]!;
    output.type = type(dequantizer.inputs[2]!);
  }
  prune(graph);
}
