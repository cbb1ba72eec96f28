/**
 * Correcting biases for what rounding weights does to means, from what batch normalization knows.
 *
 * With ε = Ŵ − W, a layer's output is off by E[ε x] = ε E[x] on average, which its bias can take back; E[x] of each
 * channel follows from the batch normalization before, through Relu and Clip (Nagel et al., "Data-Free Quantization
 * Through Weight Equalization and Bias Correction", 2019, section 4.2).
 *
 * @module
 */

import type { Model } from "../onnx/model.ts";
import { momentsOf } from "./distributions/channel_distribution.ts";
import { meanOfSums } from "./distributions/linear.ts";
import { activationDistributions } from "./distributions/propagate.ts";
import { dequantize } from "./grid.ts";
import { channelLayer } from "./layer_channels.ts";
import { liftBiases, lowerBiases, ownBias } from "./reconstruct/biases.ts";
import { applyChanges, NO_CHANGES } from "./reconstruct/changes.ts";
import { type FixedLayer, matchLayers } from "./reconstruct/layers.ts";

/** What was corrected in a layer. */
export interface CorrectedLayer {
  readonly layer: string;
  /** Greatest change of a channel's bias. */
  readonly largest: number;
  /** Why nothing was changed; absent where something was. */
  readonly skipped?: string;
}

/** What came of it. */
export interface AnalyticCorrection {
  readonly model: Model;
  readonly layers: readonly CorrectedLayer[];
  /** Layers whose bias had to become float. */
  readonly floatBiases: readonly string[];
}

const REASONS: Readonly<Record<FixedLayer["reason"], string>> = {
  codebook: "its weights take values of a codebook",
  binary: "its weights have one bit",
  shared: "its weights are shared with other layers",
};

/**
 * Corrects the biases of all layers of whose inputs something is known.
 *
 * @param quantized Changed in place.
 * @param reference The float model that it was made from.
 * @param origin What messages call the float model.
 * @throws {UserError} If the models do not belong together.
 */
export function correctBiasesAnalytically(
  quantized: Model,
  reference: Model,
  origin: string,
): AnalyticCorrection {
  const { layers, fixed } = matchLayers(quantized, reference, origin);
  const integer = liftBiases(quantized, reference);
  const known = activationDistributions(reference);
  const originals = new Map(reference.graph.nodes.map((node) => [node.name, node]));
  const biases = new Map<string, Float32Array>();
  const records: CorrectedLayer[] = fixed.map(({ name, reason }) => ({
    layer: name,
    largest: 0,
    skipped: REASONS[reason],
  }));
  for (const layer of layers) {
    const skip = (skipped: string) => records.push({ layer: layer.name, largest: 0, skipped });
    const original = originals.get(layer.name)!;
    const input = known.get(original.inputs[0]!);
    if (input === undefined) {
      skip("nothing is known of its input");
      continue;
    }
    const channels = channelLayer(reference.graph, original);
    const bias = channels && ownBias(quantized.graph, layer);
    if (channels === undefined || bias === undefined) {
      skip("it has no constant bias of one number a channel");
      continue;
    }
    if (channels.inputs !== input.mean.length) {
      skip("what is known of its input has another number of channels");
      continue;
    }
    const { reading, float } = layer;
    const rounded = dequantize(reading.values, reading.dims, reading.parameters);
    const errors = rounded.map((value, index) => value - float[index]!);
    const shift = meanOfSums(channels, errors, momentsOf(input).mean);
    biases.set(layer.name, bias.map((value, channel) => value - shift[channel]!));
    const largest = shift.reduce((most, value) => Math.max(most, Math.abs(value)), 0);
    records.push({ layer: layer.name, largest });
  }
  const byName = new Map(layers.map((layer) => [layer.name, layer]));
  applyChanges(quantized.graph, { ...NO_CHANGES, biases }, byName, []);
  const stays = lowerBiases(quantized, integer, byName);
  return { model: quantized, layers: records, floatBiases: stays.map(({ name }) => name) };
}
