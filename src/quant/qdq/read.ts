/**
 * Reading quantization back from a model's file form: ours, or that of any other tool that writes QuantizeLinear and
 * DequantizeLinear.
 *
 * @module
 */

import { getInt } from "../../onnx/attributes.ts";
import { consumers, producers } from "../../onnx/edit.ts";
import { fromFloat16 } from "../../onnx/float16.ts";
import type { Graph, Model, Node } from "../../onnx/model.ts";
import type { Tensor } from "../../onnx/tensor.ts";
import type { Grid, QuantizationParameters } from "../grid.ts";
import { OPERATOR_RULES } from "../placement/operators.ts";

import { markedBits, markedValue } from "./metadata.ts";
import { integerValues, type TypeRange, typeRange } from "./storage.ts";
import type { QuantizedWeights } from "./weights.ts";

/** Weights of a node that are stored as integers. */
export interface WeightReading extends QuantizedWeights {
  /** The node that computes with them. */
  readonly node: Node;
  /** Index of the node input. */
  readonly input: number;
  /** Name of the constant that holds the integers. */
  readonly constant: string;
}

/** Weights of a node that are stored as numbers of a codebook. */
export interface CodebookReading {
  readonly node: Node;
  readonly input: number;
  /** Name of the constant that holds the indices. */
  readonly constant: string;
  readonly indices: ArrayLike<number>;
  readonly dims: readonly number[];
  readonly codebook: Float32Array;
  /** How many bits an index takes. */
  readonly bits: number;
}

/** A bias in 32-bit integers. */
export interface BiasReading {
  readonly node: Node;
  readonly input: number;
  readonly values: Int32Array;
  readonly scale: Float32Array;
}

/** Weights that are stored in float. */
export interface FloatWeights {
  readonly node: Node;
  readonly input: number;
  readonly constant: string;
  readonly dims: readonly number[];
}

/** A quantized activation. */
export interface ActivationReading {
  /** The value of the float model that is quantized. */
  readonly value: string;
  /** The value behind the quantizer, that other nodes read. */
  readonly result: string;
  /** How many bits its integers take. */
  readonly bits: number;
  /** `undefined` where the scale is found at run time. */
  readonly parameters: QuantizationParameters | undefined;
  readonly quantize: Node;
  readonly dequantize: Node;
}

/** All quantization in a model's main graph. */
export interface QuantizationReading {
  readonly weights: readonly WeightReading[];
  readonly codebooks: readonly CodebookReading[];
  readonly biases: readonly BiasReading[];
  readonly floatWeights: readonly FloatWeights[];
  readonly activations: readonly ActivationReading[];
}

/** Reads where and how a model is quantized. */
export function readQuantization(model: Model): QuantizationReading {
  const reader = new Reader(model.graph);
  const weights: WeightReading[] = [];
  const codebooks: CodebookReading[] = [];
  const biases: BiasReading[] = [];
  const floatWeights: FloatWeights[] = [];
  const activations: ActivationReading[] = [];
  for (const node of model.graph.nodes) {
    const rule = node.domain === "" ? OPERATOR_RULES[node.opType] : undefined;
    if (rule?.role === "weighted") {
      const found = reader.weights(node, 1);
      if (found === undefined) continue;
      if ("codebook" in found) codebooks.push(found);
      else if ("parameters" in found) weights.push(found);
      else floatWeights.push(found);
      const bias = rule.bias === undefined ? undefined : reader.bias(node, rule.bias);
      if (bias !== undefined) biases.push(bias);
    } else if (isQuantizer(node, "QuantizeLinear") || node.opType === "DynamicQuantizeLinear") {
      activations.push(...reader.activations(node));
    }
  }
  return { weights, codebooks, biases, floatWeights, activations };
}

/** Operators between weights and the node that reads them. */
const FOLLOWED = new Set([
  "Cast",
  "Identity",
  "Max",
  "Reshape",
  "Squeeze",
  "Transpose",
  "Unsqueeze",
]);

class Reader {
  readonly #graph: Graph;
  readonly #makers: Map<string, Node>;
  readonly #uses: ReturnType<typeof consumers>;

  constructor(graph: Graph) {
    this.#graph = graph;
    this.#makers = producers(graph);
    this.#uses = consumers(graph);
  }

  weights(node: Node, input: number): WeightReading | CodebookReading | FloatWeights | undefined {
    let name = node.inputs[input] ?? "";
    for (;;) {
      const constant = this.#graph.initializers.get(name);
      if (constant !== undefined) return { node, input, constant: name, dims: constant.dims };
      const maker = this.#makers.get(name);
      if (maker === undefined) return undefined;
      if (isQuantizer(maker, "DequantizeLinear")) return this.#integers(node, input, maker);
      if (maker.opType === "Gather") return this.#codebook(node, input, maker);
      if (!FOLLOWED.has(maker.opType)) return undefined;
      name = maker.inputs[0]!;
    }
  }

  bias(node: Node, input: number): BiasReading | undefined {
    const maker = this.#makers.get(node.inputs[input] ?? "");
    if (maker === undefined || !isQuantizer(maker, "DequantizeLinear")) return undefined;
    const integers = this.#graph.initializers.get(maker.inputs[0]!);
    const scale = this.#floats(maker.inputs[1]!);
    if (integers?.type !== "int32" || scale === undefined) return undefined;
    return { node, input, values: integers.data as Int32Array, scale };
  }

  activations(quantize: Node): ActivationReading[] {
    const dynamic = quantize.opType === "DynamicQuantizeLinear";
    const value = quantize.inputs[0]!;
    // A float constant that is quantized when the model runs is no activation.
    if (this.#graph.initializers.has(value)) return [];
    const readings: ActivationReading[] = [];
    for (const { node } of this.#uses.get(quantize.outputs[0]!) ?? []) {
      const clip = node.opType === "Clip" ? node : undefined;
      const next = clip === undefined ? [node] : this.#readers(clip);
      for (const dequantize of next) {
        if (!isQuantizer(dequantize, "DequantizeLinear")) continue;
        const parameters = dynamic ? undefined : this.#parameters(dequantize, clip);
        if (!dynamic && parameters === undefined) continue;
        readings.push({
          value: markedValue(dequantize) ?? value,
          result: this.#behind(dequantize),
          bits: parameters?.grid.bits ?? 8,
          parameters,
          quantize,
          dequantize,
        });
      }
    }
    return readings;
  }

  #readers(node: Node): Node[] {
    return (this.#uses.get(node.outputs[0]!) ?? []).map((use) => use.node);
  }

  /** The value behind the Max that keeps narrow integers apart, where there is one. */
  #behind(dequantize: Node): string {
    const readers = this.#readers(dequantize);
    const [guard] = readers;
    const result = dequantize.outputs[0]!;
    const guarded = readers.length === 1 && guard?.opType === "Max" &&
      guard.inputs.every((input) => input === result || this.#graph.initializers.has(input));
    return guarded ? guard.outputs[0]! : result;
  }

  #integers(node: Node, input: number, dequantize: Node): WeightReading | undefined {
    const [constant] = dequantize.inputs as [string];
    const tensor = this.#graph.initializers.get(constant);
    const parameters = this.#parameters(dequantize);
    if (tensor === undefined || parameters === undefined) return undefined;
    return {
      node,
      input,
      constant,
      values: integerValues(tensor),
      dims: tensor.dims,
      parameters,
      bits: markedBits(dequantize) ?? parameters.grid.bits,
    };
  }

  #codebook(node: Node, input: number, gather: Node): CodebookReading | undefined {
    const codebook = this.#floats(gather.inputs[0]!);
    const cast = this.#makers.get(gather.inputs[1]!);
    const constant = cast?.opType === "Cast" ? cast.inputs[0]! : gather.inputs[1]!;
    const indices = this.#graph.initializers.get(constant);
    if (codebook === undefined || indices === undefined || typeRange(indices.type) === undefined) {
      return undefined;
    }
    return {
      node,
      input,
      constant,
      indices: integerValues(indices),
      dims: indices.dims,
      codebook,
      bits: markedBits(gather) ?? Math.max(Math.ceil(Math.log2(codebook.length)), 1),
    };
  }

  /** Scales, zero points and grid of a DequantizeLinear; `undefined` where they are not constant. */
  #parameters(dequantize: Node, clip?: Node): QuantizationParameters | undefined {
    const [data, scaleName, zeroName = ""] = dequantize.inputs as [string, string, string?];
    const scale = this.#floats(scaleName);
    const zero = this.#graph.initializers.get(zeroName);
    const stored = this.#graph.initializers.get(data);
    const type = zero?.type ?? stored?.type ?? "uint8";
    const range = typeRange(type);
    if (scale === undefined || range === undefined || zeroName !== "" && zero === undefined) {
      return undefined;
    }
    const scaleDims = this.#graph.initializers.get(scaleName)!.dims;
    const zeroPoint = zero === undefined
      ? new Int32Array(scale.length)
      : Int32Array.from(integerValues(zero));
    const blockSize = getInt(dequantize, "block_size", 0);
    return {
      scale,
      zeroPoint,
      grid: this.#grid(narrowed(range, markedBits(dequantize)), zeroPoint, clip),
      ...(scaleDims.length === 0 || scale.length === 1 && blockSize === 0
        ? {}
        : { axis: getInt(dequantize, "axis", 1) }),
      ...(blockSize === 0 ? {} : { blockSize }),
    };
  }

  #grid(
    range: TypeRange,
    zeroPoint: Int32Array,
    clip: Node | undefined,
  ): Grid {
    const bound = (index: number, fallback: number) => {
      const tensor = this.#graph.initializers.get(clip?.inputs[index] ?? "");
      return tensor === undefined ? fallback : integerValues(tensor)[0]!;
    };
    const qmin = bound(1, range.min);
    const qmax = bound(2, range.max);
    const bits = Math.min(range.bits, Math.ceil(Math.log2(qmax - qmin + 1)));
    const symmetric = range.signed && zeroPoint.every((zero) => zero === 0);
    return { bits, signed: range.signed, symmetric, qmin, qmax };
  }

  #floats(name: string): Float32Array | undefined {
    const tensor: Tensor | undefined = this.#graph.initializers.get(name);
    if (tensor?.type === "float32") return tensor.data as Float32Array;
    if (tensor?.type === "float16") return fromFloat16(tensor.data as Uint16Array);
    return undefined;
  }
}

/** The range of an unsigned type of which only some bits are used. */
function narrowed(range: TypeRange, bits: number | undefined): TypeRange {
  if (bits === undefined || bits >= range.bits || range.signed) return range;
  return { ...range, bits, max: 2 ** bits - 1 };
}

function isQuantizer(node: Node, opType: "QuantizeLinear" | "DequantizeLinear"): boolean {
  return node.opType === opType && (node.domain === "" || node.domain === "com.microsoft");
}
