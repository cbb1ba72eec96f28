/**
 * Writing quantized weights and biases.
 *
 * @module
 */

import type { Graph, Node } from "../../onnx/model.ts";
import { float32, int64s, scalar, tensor } from "../../onnx/tensor.ts";
import { scaleDims } from "../granularity.ts";
import { type QuantizationParameters, roundHalfEven } from "../grid.ts";

import { markBits } from "./metadata.ts";
import { addConstant, LOWEST_FLOAT32, makeNode } from "./nodes.ts";
import { type Encoding, integerTensor, storageType } from "./storage.ts";

/** Quantized weights of a node. */
export interface QuantizedWeights {
  /** One integer an element. */
  readonly values: ArrayLike<number>;
  /** The shape that axis and blocks of the parameters refer to. */
  readonly dims: readonly number[];
  readonly parameters: QuantizationParameters;
  /** How many bits a value takes when packed for its own width. */
  readonly bits: number;
}

/** The constants of quantized weights in a graph, which several nodes can share. */
export interface WeightConstants {
  readonly values: string;
  readonly scale: string;
  readonly zeroPoint: string;
  readonly weights: QuantizedWeights;
}

/** Adds the constants of quantized weights to a graph. */
export function addWeights(
  graph: Graph,
  name: string,
  weights: QuantizedWeights,
  encoding: Encoding,
): WeightConstants {
  const { values, dims, parameters } = weights;
  const type = storageType(parameters.grid, encoding);
  const shape = scaleDims(dims, parameters);
  return {
    values: addConstant(graph, `${name}.quantized`, integerTensor(type, dims, values)),
    scale: addConstant(graph, `${name}.scale`, float32(shape, parameters.scale)),
    zeroPoint: addConstant(
      graph,
      `${name}.zero_point`,
      integerTensor(type, shape, parameters.zeroPoint),
    ),
    weights,
  };
}

/**
 * Lets a node read quantized weights.
 *
 * @param input Index of the node input that holds the weights.
 * @param dims The shape that the node expects.
 * @param integers Whether the node also reads quantized activations. Then weights that ONNX Runtime would take for
 *   integer weights, but cannot compute with, are kept apart by a Max that changes nothing.
 */
export function readWeights(
  graph: Graph,
  node: Node,
  input: number,
  dims: readonly number[],
  constants: WeightConstants,
  integers: boolean,
): void {
  const { weights } = constants;
  const { axis, blockSize } = weights.parameters;
  const name = `${node.name}.weight`;
  const nodes: Node[] = [];
  const dequantize = makeNode(
    graph,
    "DequantizeLinear",
    [constants.values, constants.scale, constants.zeroPoint],
    `${name}.dequantized`,
    {
      ...(axis === undefined ? {} : { axis }),
      ...(blockSize === undefined ? {} : { block_size: blockSize }),
    },
  );
  markBits(dequantize, weights.bits);
  nodes.push(dequantize);
  let last = dequantize.outputs[0]!;
  const append = (opType: string, operand: string, suffix: string) => {
    const added = makeNode(graph, opType, [last, operand], `${name}.${suffix}`);
    nodes.push(added);
    last = added.outputs[0]!;
  };
  if (weights.dims.join() !== dims.join()) {
    append("Reshape", addConstant(graph, `${name}.shape`, int64s(dims)), "reshaped");
  } else if (integers && isMistaken(graph, constants)) {
    append("Max", addConstant(graph, `${name}.lowest`, scalar(LOWEST_FLOAT32)), "guarded");
  }
  node.inputs[input] = last;
  graph.nodes.splice(graph.nodes.indexOf(node), 0, ...nodes);
}

/** ONNX Runtime 1.30 fuses 2-bit and blocked 8-bit weights into integer operators that do not take them. */
function isMistaken(graph: Graph, { values, weights }: WeightConstants): boolean {
  const { type } = graph.initializers.get(values)!;
  return type === "int2" || type === "uint2" ||
    weights.parameters.blockSize !== undefined && (type === "int8" || type === "uint8");
}

/**
 * Lets a node read its bias in 32-bit integers with the scale of its products, as integer operators add it.
 *
 * @param input Index of the node input that holds the bias.
 * @param bias One value an output channel.
 * @param scale The scale of the activations times that of the weights; one, or one a channel.
 * @returns Whether the bias fits; where it does not, nothing changes.
 */
export function quantizeBias(
  graph: Graph,
  node: Node,
  input: number,
  bias: Float32Array,
  scale: Float32Array,
): boolean {
  const values = biasIntegers(bias, scale);
  if (values === undefined) return false;
  const name = `${node.name}.bias`;
  const perChannel = scale.length > 1;
  const dims = perChannel ? [scale.length] : [];
  const dequantize = makeNode(
    graph,
    "DequantizeLinear",
    [
      addConstant(graph, `${name}.quantized`, tensor("int32", [bias.length], values)),
      addConstant(graph, `${name}.scale`, float32(dims, scale)),
      addConstant(graph, `${name}.zero_point`, tensor("int32", dims, new Int32Array(scale.length))),
    ],
    `${name}.dequantized`,
    perChannel ? { axis: 0 } : {},
  );
  node.inputs[input] = dequantize.outputs[0]!;
  graph.nodes.splice(graph.nodes.indexOf(node), 0, dequantize);
  return true;
}

/** The integers of a bias; `undefined` if some do not fit into 32 bits with room for the sum of products. */
export function biasIntegers(bias: Float32Array, scale: Float32Array): Int32Array | undefined {
  const values = new Int32Array(bias.length);
  for (let index = 0; index < bias.length; index++) {
    const value = roundHalfEven(bias[index]! / scale[scale.length > 1 ? index : 0]!);
    if (!(Math.abs(value) <= MAX_BIAS)) return undefined;
    values[index] = value;
  }
  return values;
}

/** Half of the accumulator's range. */
export const MAX_BIAS = 2 ** 30;
