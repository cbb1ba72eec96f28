/**
 * How each layer of a model is quantized, and how far its weights are from those of the float model.
 *
 * @module
 */

import { withConstantsAsInitializers } from "../onnx/constants.ts";
import { cloneModel, constantValue, nameEverything, producers } from "../onnx/edit.ts";
import type { Model, Node } from "../onnx/model.ts";
import { bitsPerElement, elementCount } from "../onnx/tensor.ts";
import { dequantize } from "./grid.ts";
import {
  type CodebookReading,
  type FloatWeights,
  readQuantization,
  type WeightReading,
} from "./qdq.ts";

/** A layer with weights. */
export interface LayerReading {
  /** Name of the node that computes with the weights. */
  readonly name: string;
  readonly op: string;
  /** Shape of the weights. */
  readonly dims: readonly number[];
  /** How many weights there are. */
  readonly elements: number;
  readonly mapping: "uniform" | "codebook" | "float";
  /** Width of a weight. */
  readonly bits: number;
  /** How many scales the weights share. */
  readonly scales?: number;
  /**
   * Σw² / Σ(w − ŵ)² in decibel, w being the weights of the float model; absent where there is no such layer, or no
   * error.
   */
  readonly sqnr?: number;
}

/**
 * Reads the layers of a model, in the order of its nodes.
 *
 * @param reference The float model that it was made from: layers are matched by name.
 */
export function readLayers(given: Model, reference?: Model): LayerReading[] {
  const model = withConstantsAsInitializers(given);
  const { weights, codebooks, floatWeights } = readQuantization(model);
  const original = reference === undefined
    ? undefined
    : new FloatModel(withConstantsAsInitializers(reference));
  const transposed = transposedInputs(model);
  const found = new Map<Node, LayerReading>();
  for (const reading of [...weights, ...codebooks, ...floatWeights]) {
    const { node, input, dims } = reading;
    const float = transposed.has(node.inputs[input]!) ? undefined : original?.weights(reading);
    found.set(node, {
      name: node.name,
      op: node.opType,
      dims: float?.dims ?? dims,
      elements: elementCount(dims),
      ...formOf(reading, model),
      ...errorOf(reading, float?.data),
    });
  }
  return model.graph.nodes.map((node) => found.get(node)).filter((layer) => layer !== undefined);
}

type Reading = WeightReading | CodebookReading | FloatWeights;

function formOf(
  reading: Reading,
  { graph }: Model,
): Pick<LayerReading, "mapping" | "bits" | "scales"> {
  if ("codebook" in reading) return { mapping: "codebook", bits: reading.bits };
  if ("parameters" in reading) {
    const { bits, parameters } = reading;
    return { mapping: "uniform", bits, scales: parameters.scale.length };
  }
  const { type } = graph.initializers.get(reading.constant)!;
  return { mapping: "float", bits: bitsPerElement(type) ?? 0 };
}

function errorOf(reading: Reading, float: Float32Array | undefined): { sqnr?: number } {
  const values = valuesOf(reading);
  if (float === undefined || values === undefined || float.length !== values.length) return {};
  let signal = 0;
  let noise = 0;
  for (let index = 0; index < float.length; index++) {
    const value = float[index]!;
    const error = value - values[index]!;
    signal += value * value;
    noise += error * error;
  }
  const sqnr = 10 * Math.log10(signal / noise);
  return Number.isFinite(sqnr) ? { sqnr } : {};
}

/** What quantized weights stand for, row-major. */
function valuesOf(reading: Reading): Float32Array | undefined {
  if ("codebook" in reading) {
    const { codebook, indices } = reading;
    return Float32Array.from(indices, (index) => codebook[index]!);
  }
  if (!("parameters" in reading)) return undefined;
  return dequantize(reading.values, reading.dims, reading.parameters);
}

/** Values that are a constant transposed: their order is not that of the constant. */
function transposedInputs({ graph }: Model): Set<string> {
  const makers = producers(graph);
  const found = new Set<string>();
  for (const { inputs } of graph.nodes) {
    for (const input of inputs) {
      for (let name = input;;) {
        const maker = makers.get(name);
        if (maker === undefined || maker.inputs.length === 0) break;
        if (maker.opType === "Transpose") found.add(input);
        if (maker.opType === "DequantizeLinear" || maker.opType === "Transpose") break;
        if (!["Max", "Reshape", "Identity", "Squeeze", "Unsqueeze"].includes(maker.opType)) break;
        name = maker.inputs[0]!;
      }
    }
  }
  return found;
}

/** The weights of a float model by the name of their node. */
class FloatModel {
  readonly #graph: Model["graph"];
  readonly #nodes: ReadonlyMap<string, Node>;

  constructor(model: Model) {
    this.#graph = cloneModel(model).graph;
    nameEverything(this.#graph);
    this.#nodes = new Map(this.#graph.nodes.map((node) => [node.name, node]));
  }

  weights({ node, input }: Reading): { data: Float32Array; dims: readonly number[] } | undefined {
    const original = this.#nodes.get(node.name);
    if (original?.opType !== node.opType) return undefined;
    const tensor = constantValue(this.#graph, original.inputs[input] ?? "");
    return tensor?.type === "float32"
      ? { data: tensor.data as Float32Array, dims: tensor.dims }
      : undefined;
  }
}
