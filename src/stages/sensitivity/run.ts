/**
 * The work of the stage `sensitivity`.
 *
 * @module
 */

import { UserError } from "../../base/errors.ts";
import type { StageContext, StageRun } from "../../registry/stage.ts";
import type { SensitivityLayer, SensitivityTable } from "../../search/table.ts";
import { Items } from "../../search/trial/items.ts";
import { findLayers, type LayeredModel, narrow } from "../../search/trial/layers.ts";
import { chooseComparison, type Comparison } from "../../search/trial/loss.ts";
import { certifiedTable } from "./certified.ts";
import { meanCurvatures } from "./hawq.ts";
import { layerRow } from "./layer_row.ts";
import { measureTable } from "./measured_table.ts";
import type { inputs, outputs, Parameters, parameters } from "./ports.ts";

export const run: StageRun<typeof parameters, typeof inputs, typeof outputs> = async (
  parameters,
  { model: artifact, calibration, ranges },
  context,
) => {
  const { method, take, batch, output } = parameters;
  const layered = findLayers(await artifact.load(), parameters.exclude);
  const widths = [...parameters.bits].sort((a, b) => a - b);
  if (method === "sqnr") {
    return result(bySignalToNoise(layered, widths, parameters, context), 0);
  }
  if (parameters.targets !== "weights" && ranges === undefined) {
    throw new UserError({
      message: "Activations are quantized by calibrated ranges, and there are none",
      hint: 'Put the stage "calibrate" before, or say targets: weights',
    });
  }
  if (method === "certified") {
    const data = calibration && { value: await calibration.load(), origin: calibration.origin };
    const given = { layered, ranges: await ranges?.load(), data };
    const { table, boxes } = await certifiedTable(given, parameters, context);
    return result(table, boxes);
  }
  if (calibration === undefined) {
    throw new UserError({
      message: `Method ${method} measures losses on data, and there is none`,
      hint: "Give a data set under inputs:, or say method: sqnr",
    });
  }
  const data = { value: await calibration.load(), origin: calibration.origin };
  const length = Math.min(data.value.length, take ?? Infinity);
  const learned = method === "reconstruction" ? length - heldOut(length, parameters, data) : 0;
  const open = (skip: number, take: number) =>
    Items.open({ value: layered.model, origin: artifact.origin }, data, {
      batch,
      skip,
      take,
      ...(output !== undefined && { output }),
      threads: context.threads,
      memory: context.memory / (learned > 0 ? 4 : 2),
    });
  await using items = await open(learned, length - learned);
  await using learning = learned > 0 ? await open(0, learned) : undefined;
  const comparison = chooseComparison(layered.model, items, parameters.measure);
  const table = method === "hawq"
    ? await byCurvature(layered, widths, items, comparison, parameters, context)
    : await measureTable(
      { layered, items, learning, comparison, ranges: await ranges?.load() },
      parameters,
      context,
    );
  return result(table, items.length);
};

/** How many of the items are kept from learning. */
function heldOut(
  length: number,
  { held_out }: Parameters,
  { origin }: { readonly origin: string },
): number {
  const count = Math.round(length * held_out);
  if (count > 0 && count < length) return count;
  throw new UserError({
    message: `The data set "${origin}" has ${length} ${length === 1 ? "item" : "items"}: ` +
      `held_out: ${held_out} leaves none to ${count === 0 ? "measure losses on" : "learn from"}`,
    hint: "Give more items",
  });
}

function result(sensitivity: SensitivityTable, items: number) {
  const { layers, blocks, activations = [] } = sensitivity;
  const losses = [...layers, ...activations].map(({ entries }) => entries.map(({ loss }) => loss));
  const joint = blocks.reduce((sum, { joint }) => sum + joint.length, 0);
  return {
    outputs: { sensitivity },
    metrics: {
      layers: layers.length,
      activations: activations.length,
      measurements: losses.reduce((sum, { length }) => sum + length, joint),
      items,
      greatest_loss: losses.reduce((most, [first]) => Math.max(most, first!), 0),
    },
  };
}

function bySignalToNoise(
  { layers }: LayeredModel,
  widths: readonly number[],
  { weights: settings }: Parameters,
  { seed, signal }: StageContext,
): SensitivityTable {
  const rows = layers.map((layer): SensitivityLayer => {
    signal.throwIfAborted();
    const { name, nodes, weights } = layer;
    const power = weights.data.reduce((sum, weight) => sum + weight * weight, 0);
    const entries = widths.map((bits) => {
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
