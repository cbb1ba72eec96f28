/**
 * The layers of a model, and their weights at each width.
 *
 * @module
 */

import { type Problem, UserError } from "../../base/errors.ts";
import { globPattern } from "../../base/glob.ts";
import { didYouMean } from "../../base/suggest.ts";
import { cloneModel, constantValue, nameEverything } from "../../onnx/edit.ts";
import type { Model, Node } from "../../onnx/model.ts";
import { float32, type Tensor } from "../../onnx/tensor.ts";
import { dequantize } from "../../quant/grid.ts";
import { type LayerWeightSettings, quantizeLayer } from "../../quant/layer_weights.ts";
import { placeQuantizers, type QuantizableLayer } from "../../quant/placement.ts";
import type { QuantizedWeights } from "../../quant/qdq.ts";
import { quantizedBytes } from "../../quant/weight_size.ts";

/** How weights are quantized, whatever their width. */
export type GridSettings = Pick<
  LayerWeightSettings,
  "symmetric" | "granularity" | "block_size" | "range" | "percentile"
>;

/** A constant of weights and the nodes that compute with it. */
export interface Layer {
  /** The first node's name. */
  readonly name: string;
  readonly nodes: readonly string[];
  readonly first: QuantizableLayer;
  readonly weights: Tensor<"float32">;
}

/** The weights of a layer at one width. */
export interface NarrowWeights {
  /** What the integers stand for. */
  readonly weights: Tensor<"float32">;
  readonly bytes: number;
  /** Σ (w − ŵ)². */
  readonly squaredError: number;
}

/** A copy of a model in which all weights are initializers and all nodes have names, with its layers. */
export interface LayeredModel {
  readonly model: Model;
  readonly layers: readonly Layer[];
  /** Names of nodes that stay in float. */
  readonly skipped: ReadonlySet<string>;
}

/**
 * Finds the layers whose weights can be quantized.
 *
 * @throws {UserError} If a pattern fits no node, or there are no layers.
 */
export function findLayers(source: Model, exclude: readonly string[]): LayeredModel {
  const model = cloneModel(source);
  const { graph } = model;
  nameEverything(graph);
  const skipped = matchNodes(model, exclude);
  const { layers } = placeQuantizers(model, { skip: (node) => skipped.has(node) });
  if (layers.length === 0) {
    throw new UserError({
      message: "The model has no layer that can be quantized",
      hint:
        "Weights are quantized in Conv, ConvTranspose, Gemm and MatMul nodes with float32 constants",
    });
  }
  const byWeight = Map.groupBy(layers, ({ weight }) => weight);
  const found = Array.from(byWeight, ([weight, users]): Layer => {
    const weights = constantValue(graph, weight) as Tensor<"float32">;
    const nodes = users.map(({ node }) => node.name);
    return { name: nodes[0]!, nodes, first: users[0]!, weights };
  });
  for (const { first, weights } of found) {
    if (graph.initializers.has(first.weight)) continue;
    graph.nodes = graph.nodes.filter(({ outputs }) => outputs[0] !== first.weight);
    graph.initializers.set(first.weight, weights);
  }
  return { model, layers: found, skipped: new Set([...skipped].map(({ name }) => name)) };
}

/** The weights of a layer at a width, exactly as `quantize` rounds them. */
export function narrow(
  { first, weights }: Layer,
  bits: number,
  settings: GridSettings,
  seed: number,
): NarrowWeights {
  const { quantized, meanSquareError } = onGrid({ first, weights }, bits, settings, seed);
  const { values, dims, parameters } = quantized;
  return {
    weights: float32(weights.dims, dequantize(values, dims, parameters)),
    bytes: quantizedBytes(quantized),
    squaredError: meanSquareError * weights.data.length,
  };
}

/** The integers of a layer at a width, as {@linkcode narrow} has them. */
export function onGrid(
  { first, weights }: Pick<Layer, "first" | "weights">,
  bits: number,
  settings: GridSettings,
  seed: number,
): { readonly quantized: QuantizedWeights; readonly meanSquareError: number } {
  const { weights: quantized, meanSquareError } = quantizeLayer(
    weights,
    first,
    { ...settings, bits, rounding: "nearest", mapping: "uniform" },
    { seed, reduceRange: false },
  );
  if ("codebook" in quantized) throw new TypeError("Weights must be on a uniform grid");
  return { quantized, meanSquareError };
}

function matchNodes({ graph }: Model, exclude: readonly string[]): ReadonlySet<Node> {
  const found = new Set<Node>();
  const problems: Problem[] = [];
  for (const text of exclude) {
    const pattern = globPattern(text);
    const nodes = graph.nodes.filter(({ name }) => pattern.test(name));
    for (const node of nodes) found.add(node);
    if (nodes.length > 0) continue;
    const hint = didYouMean(text.replaceAll("*", ""), graph.nodes.map(({ name }) => name));
    problems.push({
      message: `exclude: no node of the model has a name like "${text}"`,
      ...(hint && { hint }),
    });
  }
  if (problems.length > 0) throw new UserError(problems);
  return found;
}
