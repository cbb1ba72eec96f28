/**
 * Quantized networks to be tried: some layers and some activations at given widths, all others float.
 *
 * @module
 */

import type { Model } from "../../onnx/model.ts";
import { applyQuantization, raiseOpset } from "../../quant/apply.ts";
import { type ActivationSettings, chooseActivations } from "../../quant/activation_parameters.ts";
import { type ActivationPlaces, type Placement, placeQuantizers } from "../../quant/placement.ts";
import type { RangeMethod, Ranges } from "../../quant/ranges.ts";
import { type GridSettings, type Layer, type LayeredModel, onGrid } from "./layers.ts";

/** How activations are quantized, whatever their width. */
export interface ActivationGrid {
  readonly ranges: Ranges;
  readonly symmetric: boolean;
  readonly range: RangeMethod | "calibrated";
  readonly at: ActivationPlaces;
}

/** What candidates of one network have in common. */
export interface CandidateSettings {
  readonly weights: GridSettings;
  /** For networks whose activations are quantized. */
  readonly activations?: ActivationGrid;
  readonly seed: number;
}

/** The widths of a candidate; what is not named stays float. */
export interface CandidateWidths {
  readonly weights: ReadonlyMap<Layer, number>;
  /** By name of the value whose statistics a group of activations has. */
  readonly activations?: ReadonlyMap<string, number>;
}

/**
 * Quantizes a copy of a network, rounding to nearest, as the stage `quantize` does.
 *
 * @throws {UserError} If statistics of an activation are missing.
 */
export function makeCandidate(
  { model: reference, skipped }: LayeredModel,
  { weights, activations: groups }: CandidateWidths,
  settings: CandidateSettings,
): Model {
  const model = raiseOpset(reference, weights.values(), "native");
  const { activations } = settings;
  const placement = placeQuantizers(model, {
    skip: ({ name }) => skipped.has(name),
    ...(activations && { at: activations.at }),
  });
  const byNode = new Map([...weights].flatMap(([layer, bits]) => {
    const { quantized } = onGrid(layer, bits, settings.weights, settings.seed);
    return layer.nodes.map((node) => [node, quantized] as const);
  }));
  applyQuantization(model, placement, {
    encoding: "native",
    integerBias: false,
    activations: groups === undefined || activations === undefined ? new Map() : chooseActivations(
      { points: placement.points.filter(({ group }) => groups.has(group)) },
      new Map(Array.from(groups, ([group, bits]) => [group, gridSettings(bits, activations)])),
      activations.ranges,
      { outputs: false, range: activations.range },
    ),
    weights: new Map(
      placement.layers.flatMap((layer) => {
        const quantized = byNode.get(layer.node.name);
        return quantized === undefined ? [] : [[layer, quantized]];
      }),
    ),
  });
  return model;
}

function gridSettings(bits: number, { symmetric }: ActivationGrid): ActivationSettings {
  return { bits, symmetric };
}

/** A group of activations that share a scale, and who reads it. */
export interface ActivationGroup {
  /** The value whose statistics it has. */
  readonly name: string;
  /** All values of it. */
  readonly values: readonly string[];
}

/** The groups of activations that are quantized, in the order in which they are computed. */
export function findActivations(
  { model, skipped }: LayeredModel,
  at: ActivationPlaces,
): ActivationGroup[] {
  const placement: Placement = placeQuantizers(model, {
    skip: ({ name }) => skipped.has(name),
    at,
  });
  const points = placement.points.filter(({ role }) => role !== "result");
  return Array.from(
    Map.groupBy(points, ({ group }) => group),
    ([name, members]) => ({ name, values: members.map(({ value }) => value) }),
  );
}
