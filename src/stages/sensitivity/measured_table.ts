/**
 * Tables of losses that are measured by running the network.
 *
 * @module
 */

import { findUnits } from "../../quant/units.ts";
import type { StageContext } from "../../registry/stage.ts";
import type { SensitivityBlock, SensitivityLayer, SensitivityTable } from "../../search/table.ts";
import type { Items } from "./items.ts";
import { layerRow } from "./layer_row.ts";
import { type Layer, type LayeredModel, narrow, type NarrowWeights } from "./layers.ts";
import { Losses } from "./losses.ts";
import { type Comparison, outputLoss, withWeights } from "./output.ts";
import type { Parameters } from "./ports.ts";
import { Reconstructor } from "./reconstruction.ts";

/**
 * The table of the methods that run the network: `output` and `reconstruction`.
 *
 * @throws {UserError} If the data is not enough, or a layer cannot be reconstructed.
 */
export async function measureTable(
  layered: LayeredModel,
  widths: readonly number[],
  items: Items,
  comparison: Comparison,
  parameters: Parameters,
  context: StageContext,
): Promise<SensitivityTable> {
  const { model, layers } = layered;
  const { weights: settings, method } = parameters;
  using reconstructor = method === "reconstruction"
    ? await Reconstructor.open(layered, items, parameters, context)
    : undefined;
  const blocks = parameters.cross_terms ? findBlocks(layered, parameters, context) : [];
  const sets = blocks.flatMap(({ members }) => setsOf(members));
  const losses = await Losses.open(context, layers.length * widths.length + sets.length);
  // Weights at the least width are needed again for joint losses.
  const narrowest = new Map<Layer, NarrowWeights>();
  let latest: { layer: Layer; bits: number; weights: NarrowWeights } | undefined;
  const narrowed = (layer: Layer, bits: number): NarrowWeights => {
    const known = bits === widths[0] ? narrowest.get(layer) : undefined;
    if (known !== undefined) return known;
    if (latest?.layer === layer && latest.bits === bits) return latest.weights;
    const weights = narrow(layer, bits, settings, context.seed);
    latest = { layer, bits, weights };
    if (bits === widths[0] && sets.length > 0) narrowest.set(layer, weights);
    return weights;
  };
  const measure = async (members: readonly Layer[], bits: number): Promise<number> => {
    const candidate = await reconstructor?.narrowed(members, bits) ?? withWeights(
      model,
      new Map(members.map((layer) => [layer.first.weight, narrowed(layer, bits).weights])),
    );
    return await outputLoss(candidate, items, comparison, context);
  };
  const rows: SensitivityLayer[] = [];
  for (const layer of layers) {
    rows.push(
      await layerRow(layer, widths, async (bits) => ({
        bytes: narrowed(layer, bits).bytes,
        loss: await losses.get(`${layer.name} ${bits}`, () => measure([layer], bits)),
      })),
    );
  }
  const bits = widths[0]!;
  const joint: SensitivityBlock[] = [];
  for (const { name, members } of blocks) {
    const sets: { layers: string[]; loss: number }[] = [];
    for (const set of setsOf(members)) {
      const names = set.map((layer) => layer.name);
      const loss = await losses.get(JSON.stringify(names), () => measure(set, bits));
      sets.push({ layers: names, loss });
    }
    joint.push({ name, layers: members.map(({ name }) => name), bits, joint: sets });
  }
  return {
    version: 1,
    method: method === "reconstruction" ? method : "output",
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
