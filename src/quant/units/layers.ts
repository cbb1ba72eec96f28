/**
 * What unit finding knows of single operators: which have weights, which only pass values on.
 *
 * @module
 */

import { getInt, getInts } from "../../onnx/attributes.ts";
import { constantValue } from "../../onnx/edit.ts";
import type { ActivationFlow } from "../../onnx/flow.ts";
import type { Graph, Node } from "../../onnx/model.ts";

/** The inputs that can hold an operator's weight. */
const WEIGHT_INPUTS: Readonly<Record<string, readonly number[]>> = {
  Conv: [1],
  ConvTranspose: [1],
  Gemm: [1],
  MatMul: [1, 0],
};

/** Operators on single values that are linear in them, given constants for their other inputs. */
const LINEAR = new Set([
  "Add",
  "BatchNormalization",
  "Cast",
  "DequantizeLinear",
  "Div",
  "Dropout",
  "DynamicQuantizeLinear",
  "Identity",
  "Mul",
  "Neg",
  "QuantizeLinear",
  "Sub",
]);

/** Activation functions, and the operators that exporters spell them with. */
const NONLINEAR = new Set([
  "Abs",
  "Celu",
  "Clip",
  "Elu",
  "Erf",
  "Exp",
  "Gelu",
  "HardSigmoid",
  "HardSwish",
  "LeakyRelu",
  "Log",
  "Max",
  "Min",
  "Mish",
  "Pow",
  "PRelu",
  "Reciprocal",
  "Relu",
  "Selu",
  "Sigmoid",
  "Softplus",
  "Softsign",
  "Sqrt",
  "Swish",
  "Tanh",
  "ThresholdedRelu",
]);

/** Answers about the nodes of one graph. */
export class LayerKinds {
  constructor(readonly graph: Graph, readonly flow: ActivationFlow) {}

  /** Whether a node is a layer that can be quantized: one whose weight is constant. */
  hasWeight(node: Node): boolean {
    return this.#weightInput(node) !== undefined;
  }

  /** Whether a node works on each value by itself, so that it can follow a layer as its activation. */
  isElementwise(node: Node): boolean {
    return node.domain === "" && (LINEAR.has(node.opType) || NONLINEAR.has(node.opType));
  }

  /** Whether a node bends values: an activation function, or a quantizer that cuts off at zero in its place. */
  isNonlinear(node: Node): boolean {
    if (node.domain !== "") return false;
    if (node.opType === "QuantizeLinear") return this.#cutsAtZero(node);
    return NONLINEAR.has(node.opType) && !this.#isBound(node);
  }

  /** Whether a node is part of a quantizer: one of the pair, or a bound of its integers or around it. */
  isQuantizer(node: Node): boolean {
    return isPairNode(node) || this.#isBound(node);
  }

  /** Whether a node only keeps a quantizer's values in its range. */
  #isBound(node: Node): boolean {
    if (!/^(Clip|Max|Min)$/.test(node.opType) || this.flow.reads(node).length !== 1) return false;
    const [value] = this.flow.reads(node) as [string];
    const maker = this.flow.maker(value);
    // After a quantizer come its integers; after a dequantizer, Clip is an activation function again.
    const bounds = (made: Node) =>
      isPairNode(made) && (made.opType !== "DequantizeLinear" || node.opType === "Max");
    if (typeof maker !== "string" && bounds(maker)) return true;
    const readers = this.flow.successors(node);
    const low = node.opType === "Max" ? constantValue(this.graph, node.inputs[1] ?? "") : undefined;
    // A bound below zero is no Relu.
    return low !== undefined && Number(low.data[0]) < 0 &&
      readers.every(({ opType }) => opType === "QuantizeLinear");
  }

  /** A convolution of each channel by itself. */
  isDepthwise(node: Node): boolean {
    const dims = this.weightDims(node);
    const group = getInt(node, "group", 1);
    return node.opType === "Conv" && group > 1 && dims?.[1] === 1 && dims[0]! % group === 0;
  }

  /** Channels in and out of a 1×1 convolution; `undefined` for everything else. */
  pointwiseChannels(node: Node): { input: number; output: number } | undefined {
    const dims = this.weightDims(node);
    if (node.opType !== "Conv" || dims === undefined || getInt(node, "group", 1) !== 1) {
      return undefined;
    }
    if (dims.slice(2).some((size) => size !== 1) || this.changesResolution(node)) return undefined;
    return { input: dims[1]!, output: dims[0]! };
  }

  /** Whether a node's result has another resolution than its input. */
  changesResolution(node: Node): boolean {
    if (
      /^(Global(Average|Max|Lp)Pool|Resize|Upsample|DepthToSpace|SpaceToDepth)$/.test(node.opType)
    ) {
      return true;
    }
    if (!/^(Conv|ConvTranspose|MaxPool|AveragePool|LpPool)$/.test(node.opType)) return false;
    return getInts(node, "strides", []).some((stride) => stride > 1);
  }

  /** The shape of a node's weight, where it can be told. */
  weightDims(node: Node): readonly number[] | undefined {
    const input = this.#weightInput(node);
    let value = input === undefined ? undefined : node.inputs[input]!;
    while (value !== undefined) {
      const tensor = constantValue(this.graph, value);
      if (tensor !== undefined) return tensor.dims;
      const maker = this.flow.constantMaker(value);
      const keepsShape = maker !== undefined &&
        (isPairNode(maker) || this.isElementwise(maker));
      value = keepsShape ? maker.inputs[0] : undefined;
    }
    return undefined;
  }

  #weightInput(node: Node): number | undefined {
    if (node.domain !== "") return undefined;
    const reads = this.flow.reads(node);
    return WEIGHT_INPUTS[node.opType]?.find((index) => {
      const name = node.inputs[index];
      return name !== undefined && name !== "" && !reads.includes(name);
    });
  }

  /** Whether the zero point is the least value, as quantizers have it that stand in for a Relu. */
  #cutsAtZero(node: Node): boolean {
    const zero = node.inputs[2] ? constantValue(this.graph, node.inputs[2]) : undefined;
    const value = Number(zero?.data[0] ?? 0);
    switch (zero?.type) {
      case undefined:
      case "uint8":
      case "uint16":
        return value === 0;
      case "int8":
        return value === -128;
      case "int16":
        return value === -32768;
      case "uint4":
        return (value & 15) === 0;
      case "int4":
        return (value & 15) === 8;
      case "uint2":
        return (value & 3) === 0;
      case "int2":
        return (value & 3) === 2;
      default:
        return false;
    }
  }
}

function isPairNode({ opType }: Node): boolean {
  return /^(DynamicQuantize|Quantize|Dequantize)Linear$/.test(opType);
}
