/**
 * Writing a whole plan of quantization into a model.
 *
 * @module
 */

import { constantValue, prune } from "../onnx/edit.ts";
import type { Model } from "../onnx/model.ts";
import type { Tensor } from "../onnx/tensor.ts";
import { upgradeOpset } from "../onnx/upgrade.ts";
import { setFoldedStatistics } from "./distributions/batch_norm.ts";
import type { QuantizationParameters } from "./grid.ts";
import type { Placement, QuantizableLayer } from "./placement.ts";
import { activationType, quantizeActivation, quantizeDynamically } from "./qdq/activations.ts";
import { addCodebook, type CodebookWeights, readCodebook } from "./qdq/codebook.ts";
import { guardFloatWeights } from "./qdq/guards.ts";
import { type Encoding, isPacked, typeRange } from "./qdq/storage.ts";
import { addWeights, quantizeBias, type QuantizedWeights, readWeights } from "./qdq/weights.ts";

/** What to quantize, and to what. */
export interface QuantizationPlan {
  readonly encoding: Encoding;
  /** Whether biases become 32-bit integers where their node reads a fixed scale and its result is quantized. */
  readonly integerBias: boolean;
  /**
   * Parameters by value name (sources, and results that are to be quantized; repeats follow their group); `"dynamic"`
   * finds those of each layer's input at run time.
   */
  readonly activations: ReadonlyMap<string, QuantizationParameters> | "dynamic";
  /** The weights of each layer; a layer that is not there keeps float weights. Layers may share one object. */
  readonly weights: ReadonlyMap<QuantizableLayer, QuantizedWeights | CodebookWeights>;
}

/**
 * Brings a model to the operator set that a plan may need. Plans refer to nodes, so this comes before placement.
 *
 * @param bits The widths that will be used.
 */
export function raiseOpset(model: Model, bits: Iterable<number>, encoding: Encoding): Model {
  const narrow = encoding === "native" && [...bits].some((width) => width <= 2);
  return upgradeOpset(model, narrow ? 25 : 21);
}

/**
 * Changes a model in place so that it is quantized.
 *
 * @param model A model whose operator set has the types of the plan, see {@linkcode raiseOpset}.
 * @param placement Where quantizers go in this very model.
 * @returns The layers whose bias stays float because it does not fit into 32 bits.
 */
export function applyQuantization(
  model: Model,
  placement: Placement,
  plan: QuantizationPlan,
): { floatBiases: QuantizableLayer[] } {
  const { graph } = model;
  const constants = new Map<unknown, (layer: QuantizableLayer, integers: boolean) => void>();
  const floatBiases: QuantizableLayer[] = [];
  const inputs = inputParameters(placement, plan);
  for (const layer of placement.layers) {
    const weights = plan.weights.get(layer);
    if (weights === undefined) continue;
    const input = inputs.get(layer);
    const float = constantValue(graph, layer.weight)!;
    const isInteger = input !== undefined && layer.output !== undefined;
    if (isInteger && plan.integerBias && layer.bias !== undefined) {
      if (!biasOf(model, layer, weights, input)) floatBiases.push(layer);
    }
    let read = constants.get(weights);
    if (read === undefined) {
      read = writeWeights(model, layer.weight, weights, plan.encoding, float);
      constants.set(weights, read);
    }
    read(layer, input !== undefined || plan.activations === "dynamic");
  }
  if (plan.activations === "dynamic") writeDynamic(model, placement, plan);
  else writeStatic(model, placement, plan.activations, plan.encoding);
  prune(graph);
  guardFloatWeights(model);
  // It has done what it is for, and would be wrong of the values that are there now.
  setFoldedStatistics(model, new Map());
  return { floatBiases };
}

/** The parameters of the value that each layer reads. */
function inputParameters(
  placement: Placement,
  { activations }: QuantizationPlan,
): Map<QuantizableLayer, QuantizationParameters> {
  const found = new Map<QuantizableLayer, QuantizationParameters>();
  if (activations === "dynamic") return found;
  const groups = new Map(placement.points.map(({ value, group }) => [value, group]));
  const byGroup = new Map<string, QuantizationParameters>();
  for (const [value, parameters] of activations) byGroup.set(groups.get(value)!, parameters);
  for (const layer of placement.layers) {
    const parameters = byGroup.get(groups.get(layer.input) ?? "");
    if (parameters !== undefined) found.set(layer, parameters);
  }
  return found;
}

function writeWeights(
  model: Model,
  name: string,
  weights: QuantizedWeights | CodebookWeights,
  encoding: Encoding,
  { dims }: Tensor,
): (layer: QuantizableLayer, integers: boolean) => void {
  const { graph } = model;
  if ("codebook" in weights) {
    const constants = addCodebook(graph, name, weights, encoding);
    return ({ node, axes }) => readCodebook(graph, node, axes.input, dims, constants);
  }
  const constants = addWeights(graph, name, weights, encoding);
  return ({ node, axes }, integers) =>
    readWeights(graph, node, axes.input, dims, constants, integers);
}

/** Quantizes the bias of a layer; false if it stays float although its scale is fixed. */
function biasOf(
  model: Model,
  layer: QuantizableLayer,
  weights: QuantizedWeights | CodebookWeights,
  input: QuantizationParameters,
): boolean {
  if ("codebook" in weights || weights.parameters.blockSize !== undefined) return true;
  const bias = constantValue(model.graph, layer.bias!)!.data as Float32Array;
  const scale = weights.parameters.scale.map((each) => Math.fround(each * input.scale[0]!));
  if (scale.length !== 1 && scale.length !== bias.length || bias.length === 0) return true;
  return quantizeBias(model.graph, layer.node, 2, bias, scale);
}

function writeStatic(
  model: Model,
  placement: Placement,
  activations: ReadonlyMap<string, QuantizationParameters>,
  encoding: Encoding,
): void {
  const groups = new Map<string, QuantizationParameters>();
  for (const { value, group } of placement.points) {
    const parameters = activations.get(value);
    if (parameters !== undefined) groups.set(group, parameters);
  }
  const stored = activationEncoding(groups.values(), encoding);
  for (const { value, group, role } of placement.points) {
    const parameters = role === "repeat" ? groups.get(group) : activations.get(value);
    if (parameters === undefined) continue;
    // ONNX Runtime moves nothing on integers below 8 bits, so there is nothing to gain by quantizing again.
    if (role === "repeat" && isPacked(activationType(parameters.grid, stored))) continue;
    quantizeActivation(model.graph, value, parameters, {
      encoding: stored,
      repeat: role === "repeat",
      outputs: role === "result",
    });
  }
}

/**
 * How activations are stored. ONNX Runtime (1.30) plans the memory of packed integers as if each had a byte, but
 * gives them less, and uses it again for other integers of the same shape: those of another width then overwrite what
 * lies behind. So activations of several widths are in containers.
 */
function activationEncoding(
  parameters: Iterable<QuantizationParameters>,
  encoding: Encoding,
): Encoding {
  const widths = new Set<number>();
  for (const { grid } of parameters) {
    const { bits } = typeRange(activationType(grid, encoding))!;
    if (bits <= 8) widths.add(bits);
  }
  return widths.size > 1 ? "container" : encoding;
}

function writeDynamic(model: Model, placement: Placement, plan: QuantizationPlan): void {
  const readers = new Map<string, Set<QuantizableLayer["node"]>>();
  for (const layer of placement.layers) {
    if (!plan.weights.has(layer)) continue;
    const nodes = readers.get(layer.input) ?? new Set();
    readers.set(layer.input, nodes.add(layer.node));
  }
  for (const [value, nodes] of readers) quantizeDynamically(model.graph, value, nodes);
}
