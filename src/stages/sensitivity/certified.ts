/**
 * Sensitivity tables of guarantees: how far outputs can be from the float ones, with one layer or one activation
 * quantized, for every input of a domain.
 *
 * @module
 */

import { UserError } from "../../base/errors.ts";
import type { Model } from "../../onnx/model.ts";
import type { Ranges } from "../../quant/ranges.ts";
import type { StageContext } from "../../registry/stage.ts";
import type {
  SensitivityActivation,
  SensitivityLayer,
  SensitivityTable,
} from "../../search/table.ts";
import { findActivations, makeCandidate } from "../../search/trial/candidate.ts";
import { type LayeredModel, narrow } from "../../search/trial/layers.ts";
import { withWeights } from "../../search/trial/loss.ts";
import { Measurements } from "../../search/trial/measurements.ts";
import { boxesOf, type DomainData } from "../../verify/domain/domains.ts";
import { domainInput } from "../../verify/domain/input.ts";
import { provenDifference } from "../../verify/proven_difference.ts";
import { layerRow } from "./layer_row.ts";
import type { Parameters } from "./ports.ts";

/** What bounds are made for. */
export interface CertifiedSubjects {
  readonly layered: LayeredModel;
  /** For activations. */
  readonly ranges: Ranges | undefined;
  /** For boxes around items. */
  readonly data: DomainData | undefined;
}

/**
 * The table, and how many boxes its bounds hold on.
 *
 * @throws {UserError} If the model cannot be verified, or something has no bound at all.
 */
export async function certifiedTable(
  { layered, ranges, data }: CertifiedSubjects,
  parameters: Parameters,
  context: StageContext,
): Promise<{ table: SensitivityTable; boxes: number }> {
  const { seed, threads, signal } = context;
  const { targets, weights: grid, activations: activationGrid } = parameters;
  const boxes = await boxesOf(domainInput(layered.model), parameters.domain!, data);
  const sorted = (widths: readonly number[]) => [...widths].sort((a, b) => a - b);
  const layers = targets === "activations" ? [] : layered.layers;
  const groups = targets === "weights" ? [] : findActivations(layered, activationGrid.at);
  const widths = layers.length === 0 ? [] : sorted(parameters.bits);
  const activationWidths = groups.length === 0 ? [] : sorted(activationGrid.bits);
  const total = layers.length * widths.length + groups.length * activationWidths.length;
  const kept = await Measurements.open<number>(context);
  let done = 0;
  const bound = async (name: string, bits: number, make: () => Model) => {
    context.progress({ phase: "bounding", done: done++, total, unit: "bounds" });
    const proven = await kept.get(
      `${name} ${bits}`,
      () => provenDifference(layered.model, make(), boxes, { threads, signal }),
    );
    if (Number.isFinite(proven)) return proven;
    throw new UserError({
      message: `There is no bound with "${name}" at ${bits} bits: values grow beyond all numbers`,
      hint: "Make the domain smaller",
    });
  };
  const rows: SensitivityLayer[] = [];
  for (const layer of layers) {
    rows.push(
      await layerRow(layer, widths, async (bits) => {
        const { bytes, weights } = narrow(layer, bits, grid, seed);
        const changed = () => withWeights(layered.model, new Map([[layer.first.weight, weights]]));
        return { bytes, loss: await bound(layer.name, bits, changed) };
      }),
    );
  }
  const activations: SensitivityActivation[] = [];
  for (const { name, values } of groups) {
    const entries: SensitivityActivation["entries"][number][] = [];
    for (const bits of activationWidths) {
      const changed = () =>
        makeCandidate(
          layered,
          { weights: new Map(), activations: new Map([[name, bits]]) },
          { weights: grid, seed, activations: { ...activationGrid, ranges: ranges! } },
        );
      entries.push({ bits, loss: await bound(`activation ${name}`, bits, changed) });
    }
    activations.push({ name, values, entries });
  }
  const table: SensitivityTable = {
    version: 1,
    method: "certified",
    measure: "bound",
    widths,
    layers: rows,
    blocks: [],
    ...(groups.length > 0 && { activation_widths: activationWidths, activations }),
  };
  return { table, boxes: boxes.length };
}
