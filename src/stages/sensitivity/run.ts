/**
 * The work of the stage `sensitivity`.
 *
 * @module
 */

import { UserError } from "../../base/errors.ts";
import { scoresOf } from "../../quant/metrics/scores.ts";
import type { StageContext, StageRun } from "../../registry/stage.ts";
import type { SensitivityLayer, SensitivityTable } from "../../search/table.ts";
import { meanCurvatures } from "./hawq.ts";
import { Items } from "./items.ts";
import { layerRow } from "./layer_row.ts";
import { findLayers, type LayeredModel, narrow } from "./layers.ts";
import { measureTable } from "./measured_table.ts";
import type { Comparison } from "./output.ts";
import type { inputs, outputs, Parameters, parameters } from "./ports.ts";

export const run: StageRun<typeof parameters, typeof inputs, typeof outputs> = async (
  parameters,
  { model: artifact, calibration },
  context,
) => {
  const layered = findLayers(await artifact.load(), parameters.exclude);
  const widths = [...parameters.bits].sort((a, b) => a - b);
  if (parameters.method === "sqnr") {
    return result(bySignalToNoise(layered, widths, parameters, context), 0);
  }
  await using items = await Items.open(
    layered.model,
    artifact.origin,
    calibration,
    parameters,
    context,
  );
  const comparison = chooseComparison(layered, items, parameters);
  const table = parameters.method === "hawq"
    ? await byCurvature(layered, widths, items, comparison, parameters, context)
    : await measureTable(layered, widths, items, comparison, parameters, context);
  return result(table, items.length);
};

function result(sensitivity: SensitivityTable, items: number) {
  const { layers, blocks } = sensitivity;
  const losses = layers.flatMap(({ entries }) => entries.map(({ loss }) => loss));
  return {
    outputs: { sensitivity },
    metrics: {
      layers: layers.length,
      measurements: losses.length + blocks.reduce((sum, { joint }) => sum + joint.length, 0),
      items,
      greatest_loss: layers.reduce((most, { entries }) => Math.max(most, entries[0]!.loss), 0),
    },
  };
}

function chooseComparison(
  { model }: LayeredModel,
  { output, dims, width }: Items,
  { measure }: Parameters,
): Comparison {
  const scores = scoresOf(model.graph, output);
  const isRow = dims.length >= 2 && dims.slice(2).every((dim) => dim === 1) && width > 1;
  if (measure === "kl" && width < 2) {
    throw new UserError({
      message: `kl compares probabilities of classes, but output "${output}" has one value an item`,
      hint: "Say measure: mse",
    });
  }
  return { measure: measure === "auto" ? isRow ? "kl" : "mse" : measure, scores };
}

function bySignalToNoise(
  { layers }: LayeredModel,
  widths: readonly number[],
  { weights: settings }: Parameters,
  { seed, signal }: StageContext,
): SensitivityTable {
  const rows = layers.map(({ name, nodes, weights, first }): SensitivityLayer => {
    signal.throwIfAborted();
    const power = weights.data.reduce((sum, weight) => sum + weight * weight, 0);
    const entries = widths.map((bits) => {
      const layer = { name, nodes, weights, first };
      const { bytes, squaredError } = narrow(layer, bits, settings, seed);
      return { bits, bytes, loss: power === 0 ? 0 : squaredError / power };
    });
    return { name, nodes, elements: weights.data.length, entries };
  });
  return {
    version: 1,
    method: "sqnr",
    measure: "noise-to-signal",
    widths,
    layers: rows,
    blocks: [],
  };
}

async function byCurvature(
  layered: LayeredModel,
  widths: readonly number[],
  items: Items,
  comparison: Comparison,
  parameters: Parameters,
  context: StageContext,
): Promise<SensitivityTable> {
  const curvatures = await meanCurvatures(layered, items, comparison, parameters.probes, context);
  const rows: SensitivityLayer[] = [];
  for (const [index, layer] of layered.layers.entries()) {
    context.signal.throwIfAborted();
    rows.push(
      await layerRow(layer, widths, (bits) => {
        const { bytes, squaredError } = narrow(layer, bits, parameters.weights, context.seed);
        return Promise.resolve({ bytes, loss: curvatures[index]! * squaredError / 2 });
      }),
    );
  }
  const { measure } = comparison;
  return { version: 1, method: "hawq", measure, widths, layers: rows, blocks: [] };
}
