/**
 * The work of the stage `sensitivity`.
 *
 * @module
 */

import { UserError } from "../../base/errors.ts";
import { scoresOf } from "../../quant/metrics/scores.ts";
import { findUnits } from "../../quant/units.ts";
import type { StageContext, StageRun } from "../../registry/stage.ts";
import type {
  SensitivityBlock,
  SensitivityEntry,
  SensitivityLayer,
  SensitivityTable,
} from "../../search/table.ts";
import { meanCurvatures } from "./hawq.ts";
import { Items } from "./items.ts";
import { findLayers, type Layer, type LayeredModel, narrow, type NarrowWeights } from "./layers.ts";
import { Losses } from "./losses.ts";
import { type Comparison, outputLoss } from "./output.ts";
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
    : await byOutput(layered, widths, items, comparison, parameters, context);
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

/** Makes the row of a layer. */
async function layerRow(
  layer: Layer,
  widths: readonly number[],
  entry: (bits: number) => Promise<Omit<SensitivityEntry, "bits">>,
): Promise<SensitivityLayer> {
  const entries: SensitivityEntry[] = [];
  for (const bits of widths) entries.push({ bits, ...await entry(bits) });
  const { name, nodes, weights } = layer;
  return { name, nodes, elements: weights.data.length, entries };
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

async function byOutput(
  layered: LayeredModel,
  widths: readonly number[],
  items: Items,
  comparison: Comparison,
  parameters: Parameters,
  context: StageContext,
): Promise<SensitivityTable> {
  const { model, layers } = layered;
  const { weights: settings } = parameters;
  const blocks = parameters.cross_terms ? findBlocks(layered, parameters, context) : [];
  const sets = blocks.flatMap(({ members }) => setsOf(members));
  const losses = await Losses.open(context, layers.length * widths.length + sets.length);
  // Weights at the least width are needed again for joint losses.
  const narrowest = new Map<Layer, NarrowWeights>();
  const narrowed = (layer: Layer, bits: number): NarrowWeights => {
    const known = bits === widths[0] ? narrowest.get(layer) : undefined;
    const weights = known ?? narrow(layer, bits, settings, context.seed);
    if (bits === widths[0] && sets.length > 0) narrowest.set(layer, weights);
    return weights;
  };
  const measureJointly = (members: readonly Layer[], bits: number): Promise<number> => {
    const weights = new Map(
      members.map((layer) => [layer.first.weight, narrowed(layer, bits).weights]),
    );
    return outputLoss(model, weights, items, comparison, context);
  };
  const rows: SensitivityLayer[] = [];
  for (const layer of layers) {
    rows.push(
      await layerRow(layer, widths, async (bits) => {
        const { bytes, weights } = narrowed(layer, bits);
        const changed = new Map([[layer.first.weight, weights]]);
        const loss = await losses.get(
          `${layer.name} ${bits}`,
          () => outputLoss(model, changed, items, comparison, context),
        );
        return { bytes, loss };
      }),
    );
  }
  const bits = widths[0]!;
  const joint: SensitivityBlock[] = [];
  for (const { name, members } of blocks) {
    const sets: { layers: string[]; loss: number }[] = [];
    for (const set of setsOf(members)) {
      const names = set.map((layer) => layer.name);
      const loss = await losses.get(JSON.stringify(names), () => measureJointly(set, bits));
      sets.push({ layers: names, loss });
    }
    joint.push({ name, layers: members.map(({ name }) => name), bits, joint: sets });
  }
  return {
    version: 1,
    method: "output",
    measure: comparison.measure,
    widths,
    layers: rows,
    blocks: joint,
  };
}

interface Block {
  readonly name: string;
  readonly members: readonly Layer[];
}

/** The blocks of the network that have several layers, but not too many. */
function findBlocks(
  { model, layers }: LayeredModel,
  { largest_block }: Parameters,
  { warn }: StageContext,
): Block[] {
  const byNode = new Map(layers.flatMap((layer) => layer.nodes.map((node) => [node, layer])));
  const taken = new Set<Layer>();
  return findUnits(model, "block").flatMap(({ name, weights }): Block[] => {
    const members = new Set(
      weights.map((node) => byNode.get(node.name)).filter((layer) => layer !== undefined),
    );
    // Weights that several blocks share belong to the first.
    for (const layer of taken) members.delete(layer);
    if (members.size < 2) return [];
    if (members.size > largest_block) {
      warn(
        `Block "${name}" has ${members.size} layers: they are taken to lose independently. ` +
          `largest_block: ${members.size} measures them together`,
      );
      return [];
    }
    for (const layer of members) taken.add(layer);
    return [{ name, members: [...members] }];
  });
}

/** All sets of two or more. */
function setsOf(members: readonly Layer[]): Layer[][] {
  const sets = Array.from(
    { length: 2 ** members.length },
    (_, set) => members.filter((_, index) => (set >> index & 1) === 1),
  );
  return sets.filter(({ length }) => length > 1);
}
