/**
 * The layers of a quantized model beside those of the float model it was made from.
 *
 * @module
 */

import { UserError } from "../../base/errors.ts";
import { describeNode } from "../../onnx/attributes.ts";
import { constantValue, producers } from "../../onnx/edit.ts";
import type { Graph, Model, Node } from "../../onnx/model.ts";
import type { Tensor } from "../../onnx/tensor.ts";
import { forEachRun } from "../granularity.ts";
import { type QuantizationParameters, quantize, type QuantizedValues } from "../grid.ts";
import { readQuantization, type WeightReading } from "../qdq.ts";

/** A layer whose weights can be rounded anew. */
export interface Layer {
  /** The node of the quantized model; also the name of that of the float model. */
  readonly node: Node;
  readonly name: string;
  readonly reading: WeightReading;
  /** Scales and zero points with the grid that the weights really use, not that of their type. */
  readonly parameters: QuantizationParameters;
  /** The float weights, row-major in the shape of `reading.dims`. */
  readonly float: Float32Array;
  /** The shape in which the node takes its weights. */
  readonly dims: readonly number[];
  /** For each weight, which scale it has. */
  readonly scaleOf: Uint32Array;
}

/** Why a layer of a quantized model stays as it is. */
export interface FixedLayer {
  readonly name: string;
  readonly reason: "codebook" | "binary" | "shared";
}

/**
 * Matches the quantized layers of a model with those of its float original, by name.
 *
 * @param origin What messages call the float model.
 * @throws {UserError} If the float model lacks a layer, or has other weights there.
 */
export function matchLayers(
  quantized: Model,
  reference: Model,
  origin: string,
): { layers: Layer[]; fixed: FixedLayer[] } {
  const { weights, codebooks } = readQuantization(quantized);
  const uses = new Map<string, number>();
  for (const { constant } of weights) uses.set(constant, (uses.get(constant) ?? 0) + 1);
  const byName = new Map(reference.graph.nodes.map((node) => [node.name, node]));
  const layers: Layer[] = [];
  const fixed: FixedLayer[] = codebooks.map(({ node }) => ({
    name: node.name,
    reason: "codebook",
  }));
  for (const reading of weights) {
    const { node } = reading;
    if (reading.bits === 1) fixed.push({ name: node.name, reason: "binary" });
    else if (uses.get(reading.constant)! > 1) fixed.push({ name: node.name, reason: "shared" });
    else layers.push(match(reading, byName.get(node.name), reference.graph, origin));
  }
  return { layers, fixed };
}

function match(
  reading: WeightReading,
  original: Node | undefined,
  graph: Graph,
  origin: string,
): Layer {
  const { node, input, values } = reading;
  const float = original?.opType === node.opType
    ? constantValue(graph, original.inputs[input] ?? "")
    : undefined;
  if (float?.type !== "float32" || float.data.length !== values.length) {
    throw new UserError({
      message: float === undefined
        ? `The float model "${origin}" has no layer ${describeNode(node)} with constant weights`
        : `Layer ${
          describeNode(node)
        } has ${values.length} weights, in the float model "${origin}" ` +
          `${float.data.length} of type ${float.type}`,
      hint: "Name the model that was quantized: in: { reference: prepare.model }",
    });
  }
  return {
    node,
    name: node.name,
    reading,
    parameters: { ...reading.parameters, grid: usedGrid(reading) },
    float: (float as Tensor<"float32">).data,
    dims: float.dims,
    scaleOf: scaleIndices(reading),
  };
}

/** The grid of the weights' own width, within that of the type that holds them. */
function usedGrid({ bits, values, parameters }: WeightReading): QuantizationParameters["grid"] {
  const { grid } = parameters;
  const narrow = bits < grid.bits;
  const count = 2 ** bits;
  let qmin = narrow ? grid.signed ? -count / 2 : 0 : grid.qmin;
  const qmax = narrow ? qmin + count - 1 : grid.qmax;
  // Ternary and other narrow grids do without their lowest integer.
  if (grid.symmetric && !Array.prototype.includes.call(values, qmin)) qmin += 1;
  return { ...grid, bits, qmin, qmax };
}

function scaleIndices({ dims, parameters, values }: WeightReading): Uint32Array {
  const indices = new Uint32Array(values.length);
  forEachRun(dims, parameters, (start, length, scale, step) => {
    for (let offset = 0; offset < length; offset++) indices[start + offset] = scale + step * offset;
  });
  return indices;
}

/** The integers that rounding to nearest gives. */
export function nearest({ float, reading, parameters }: Layer): QuantizedValues {
  return quantize(float, reading.dims, parameters);
}

/** The DequantizeLinear that makes a layer's weights. */
export function dequantizerOf(graph: Graph, { node, reading }: Layer): Node {
  const makers = producers(graph);
  let maker = makers.get(node.inputs[reading.input]!)!;
  while (maker.inputs[0] !== reading.constant) maker = makers.get(maker.inputs[0]!)!;
  return maker;
}
