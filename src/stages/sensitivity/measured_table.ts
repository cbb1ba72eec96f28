/**
 * Tables of losses that are measured by running the network.
 *
 * @module
 */

import { encodeModel } from "../../onnx/write.ts";
import type { Ranges } from "../../quant/ranges.ts";
import { findUnits } from "../../quant/units.ts";
import type { StageContext } from "../../registry/stage.ts";
import type { SensitivityBlock, SensitivityLayer, SensitivityTable } from "../../search/table.ts";
import { findActivations } from "../../search/trial/candidate.ts";
import type { Items } from "../../search/trial/items.ts";
import { type Layer, type LayeredModel, narrow } from "../../search/trial/layers.ts";
import type { Comparison } from "../../search/trial/loss.ts";
import { Measurements } from "../../search/trial/measurements.ts";
import { layerRow } from "./layer_row.ts";
import { Pool } from "./pool.ts";
import type { Parameters } from "./ports.ts";
import { type Subject, Trial, type TrialSettings } from "./trial.ts";

/** What is measured, and on what. */
export interface Measured {
  readonly layered: LayeredModel;
  readonly items: Items;
  /** Other items to learn from, for losses after reconstruction. */
  readonly learning: Items | undefined;
  readonly comparison: Comparison;
  /** For activations. */
  readonly ranges: Ranges | undefined;
}

/**
 * The table of the methods that run the network: `output` and `reconstruction`.
 *
 * @throws {UserError} If the data is not enough, or a layer cannot be reconstructed.
 */
export async function measureTable(
  measured: Measured,
  parameters: Parameters,
  context: StageContext,
): Promise<SensitivityTable> {
  const { layered, comparison } = measured;
  const { targets, method } = parameters;
  const sorted = (widths: readonly number[]) => [...widths].sort((a, b) => a - b);
  const widths = targets === "activations" ? [] : sorted(parameters.bits);
  const layers = targets === "activations" ? [] : layered.layers;
  const groups = targets === "weights" ? [] : findActivations(layered, parameters.activations.at);
  const activationWidths = targets === "weights" ? [] : sorted(parameters.activations.bits);
  const blocks = parameters.cross_terms && layers.length > 0
    ? findBlocks(layered, parameters, context)
    : [];
  const [least] = widths;
  const subjects: Subject[] = [
    ...layers.flatMap(({ name }) => widths.map((bits) => ({ layers: [name], bits }))),
    ...blocks.flatMap(({ members }) =>
      setsOf(members).map((set) => ({ layers: set.map(({ name }) => name), bits: least! }))
    ),
    ...groups.flatMap(({ name }) => activationWidths.map((bits) => ({ activation: name, bits }))),
  ];
  const losses = await measureLosses(subjects, measured, parameters, context);
  const rows: SensitivityLayer[] = [];
  for (const layer of layers) {
    rows.push(
      await layerRow(layer, widths, (bits) => {
        const { bytes } = narrow(layer, bits, parameters.weights, context.seed);
        return Promise.resolve({ bytes, loss: losses({ layers: [layer.name], bits }) });
      }),
    );
  }
  const joint = blocks.map(({ name, members }): SensitivityBlock => ({
    name,
    layers: members.map(({ name }) => name),
    bits: least!,
    joint: setsOf(members).map((set) => {
      const names = set.map(({ name }) => name);
      return { layers: names, loss: losses({ layers: names, bits: least! }) };
    }),
  }));
  return {
    version: 1,
    method: method === "reconstruction" ? method : "output",
    measure: comparison.measure,
    widths,
    layers: rows,
    blocks: joint,
    ...(targets !== "weights" && {
      activation_widths: activationWidths,
      activations: groups.map(({ name, values }) => ({
        name,
        values,
        entries: activationWidths.map((bits) => ({
          bits,
          loss: losses({ activation: name, bits }),
        })),
      })),
    }),
  };
}

/** Measures all losses, several at a time where there are threads and everything fits into memory. */
async function measureLosses(
  subjects: readonly Subject[],
  { layered, items, learning, comparison, ranges }: Measured,
  parameters: Parameters,
  context: StageContext,
): Promise<(subject: Subject) => number> {
  const { reconstruction, weights, activations, method } = parameters;
  const warned = new Set<string>();
  const warn = (message: string) => {
    if (!warned.has(message)) context.warn(message);
    warned.add(message);
  };
  const settings: TrialSettings = {
    weights,
    comparison,
    seed: context.seed,
    ...(method === "reconstruction" && { reconstruction }),
    ...(ranges && { activations: { ...activations, ranges } }),
  };
  const kept = await Measurements.open<number>(context);
  const found = new Map<string, number>();
  let done = 0;
  const measure = async (subject: Subject, loss: (subject: Subject) => Promise<number>) => {
    const key = keyOf(subject);
    found.set(key, await kept.get(key, () => loss(subject)));
    context.progress({
      phase: "measuring",
      done: ++done,
      total: subjects.length,
      unit: "losses",
    });
  };
  const threads = Math.min(context.threads, subjects.length);
  const held = threads > 1 ? await items.held() : undefined;
  const heldToLearn = held && await learning?.held();
  if (held === undefined || (learning !== undefined && heldToLearn === undefined)) {
    using trial = await Trial.open(layered, items, learning, settings, { ...context, warn });
    for (const subject of subjects) await measure(subject, (subject) => trial.loss(subject));
  } else {
    const start = {
      model: encodeModel(layered.model),
      exclude: parameters.exclude,
      items: held,
      learning: heldToLearn,
      settings,
      memory: context.memory / threads,
    };
    using pool = new Pool(start, warn);
    const waiting = subjects.values();
    await Promise.all(Array.from({ length: threads }, async () => {
      for (const subject of waiting) await measure(subject, (subject) => pool.loss(subject));
    }));
  }
  return (subject) => found.get(keyOf(subject))!;
}

function keyOf(subject: Subject): string {
  return JSON.stringify("layers" in subject ? subject.layers : [null, subject.activation]) +
    ` ${subject.bits}`;
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
