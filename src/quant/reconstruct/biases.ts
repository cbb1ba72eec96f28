/**
 * Biases in float while a network is reconstructed, and in integers again afterwards.
 *
 * @module
 */

import { constantValue, prune, uniqueName } from "../../onnx/edit.ts";
import type { Graph, Model, Node } from "../../onnx/model.ts";
import { float32, type Tensor } from "../../onnx/tensor.ts";
import { quantizeBias, readQuantization } from "../qdq.ts";
import { dequantizerOf, type Layer } from "./layers.ts";

/** Where a layer of two inputs and a weight has its bias. */
const BIAS_INPUT = 2;

/**
 * Gives every layer that reads integer biases those of the float model instead.
 *
 * @returns The layers whose biases have to become integers again.
 */
export function liftBiases(quantized: Model, reference: Model): Node[] {
  const originals = new Map(reference.graph.nodes.map((node) => [node.name, node]));
  return readQuantization(quantized).biases.map(({ node, input, values, scale }) => {
    const name = originals.get(node.name)?.inputs[input] ?? "";
    const float = constantValue(reference.graph, name);
    const bias = float?.type === "float32" && float.data.length === values.length
      ? float32([values.length], (float as Tensor<"float32">).data)
      : float32(
        [values.length],
        Float32Array.from(values, (value, index) => value * scale[scale.length > 1 ? index : 0]!),
      );
    setBias(quantized.graph, node, bias);
    return node;
  });
}

/**
 * Gives a layer a bias of its own, if it can have one that is constant.
 *
 * @returns Its values; `undefined` where the operator has no bias, or one that is computed.
 */
export function ownBias(graph: Graph, { node, dims, reading }: Layer): Float32Array | undefined {
  if (!/^(Conv|ConvTranspose|Gemm)$/.test(node.opType)) return undefined;
  const name = node.inputs[BIAS_INPUT] ?? "";
  const channels = channelCount(node, dims);
  if (channels === undefined || reading.input !== 1) return undefined;
  const constant = name === ""
    ? float32([channels], new Float32Array(channels))
    : constantValue(graph, name);
  if (constant?.type !== "float32" || constant.data.length !== channels) return undefined;
  const bias = float32([channels], (constant as Tensor<"float32">).data);
  setBias(graph, node, bias);
  return bias.data;
}

function channelCount({ opType, attributes }: Node, dims: readonly number[]): number | undefined {
  const attribute = (name: string, fallback: number) => {
    const found = attributes.get(name);
    return found === undefined ? fallback : Number(found.value);
  };
  if (opType === "Conv") return dims[0];
  if (opType === "ConvTranspose") return dims[1]! * attribute("group", 1);
  if (attribute("beta", 1) !== 1) return undefined;
  return attribute("transB", 0) === 0 ? dims[1] : dims[0];
}

function setBias(graph: Graph, node: Node, bias: Tensor): void {
  const name = uniqueName(graph, `${node.name}.bias`);
  graph.initializers.set(name, bias);
  while (node.inputs.length < BIAS_INPUT) node.inputs.push("");
  node.inputs[BIAS_INPUT] = name;
}

/**
 * Turns biases into 32-bit integers with the scale of their layer's products.
 *
 * @returns The nodes whose bias does not fit, and stays float.
 */
export function lowerBiases(
  { graph, ...model }: Model,
  nodes: readonly Node[],
  layers: ReadonlyMap<string, Layer>,
): Node[] {
  const { activations } = readQuantization({ ...model, graph });
  const stays: Node[] = [];
  for (const node of nodes) {
    const layer = layers.get(node.name);
    const input = activations.find(({ result }) => result === node.inputs[0])?.parameters;
    const bias = graph.initializers.get(node.inputs[BIAS_INPUT]!)!.data as Float32Array;
    const weightScale = layer === undefined ? undefined : graph.initializers
      .get(dequantizerOf(graph, layer).inputs[1]!)!.data as Float32Array;
    const fits = input !== undefined && weightScale !== undefined &&
      quantizeBias(
        graph,
        node,
        BIAS_INPUT,
        bias,
        weightScale.map((scale) => scale * input.scale[0]!),
      );
    if (!fits) stays.push(node);
  }
  prune(graph);
  return stays;
}
