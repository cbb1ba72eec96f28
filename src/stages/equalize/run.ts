/**
 * The work of the stage `equalize`.
 *
 * @module
 */

import { UserError } from "../../base/errors.ts";
import { largestDifference } from "../../engine/compare.ts";
import { cloneModel, nameEverything, prune } from "../../onnx/edit.ts";
import type { Model, Node } from "../../onnx/model.ts";
import { absorbBiases, type Absorption } from "../../quant/equalization/absorb.ts";
import { applyFactors } from "../../quant/equalization/apply.ts";
import { type Equalization, equalizingFactors } from "../../quant/equalization/factors.ts";
import { findLinks } from "../../quant/equalization/links.ts";
import { valuePeaks } from "../../quant/equalization/peaks.ts";
import { gridUse } from "../../quant/equalization/ranges.ts";
import type { StageRun } from "../../registry/stage.ts";
import type { inputs, outputs, Parameters, parameters } from "./ports.ts";

/** The relative change of factors that counts as none. */
const TOLERANCE = 1e-3;

export const run: StageRun<typeof parameters, typeof inputs, typeof outputs> = async (
  parameters,
  inputs,
  context,
) => {
  const given = await inputs.model.load();
  const { model, equalization, clips, absorption, equalized } = equalizeModel(given, parameters);
  const norms = given.graph.nodes.filter(({ opType }) => opType === "BatchNormalization");
  if (norms.length > 0) {
    context.warn(
      `${norms.length} batch normalizations of "${inputs.model.origin}" are not folded, and layers ` +
        'are not equalized across them: put the stage "prepare" before',
    );
  }
  if (equalization.factors.size === 0) {
    context.warn(
      `No two layers of "${inputs.model.origin}" could be equalized: an output has to go only to ` +
        "other layers, through Relu, LeakyRelu, PRelu, Clip, pooling or flattening",
    );
  }
  context.signal.throwIfAborted();
  const difference = await largestDifference(given, equalized, context.seed);
  const isExact = clips === 0 || parameters.clips === "per-channel";
  if (isExact && !(difference <= parameters.tolerance)) {
    throw new UserError({
      message: `The equalized model's outputs differ from the given one's by ${
        difference.toPrecision(3)
      } of the largest output value on random input: tolerance is ${parameters.tolerance}`,
      hint: "Say factors: power-of-two, with which nothing is rounded, or raise tolerance",
    });
  }
  if (!isExact) {
    context.warn(
      `${clips} Clip nodes lost their upper bound: outputs on random input differ by ` +
        `${difference.toPrecision(3)} of the largest output value`,
    );
  }
  const absorbed = absorption !== undefined;
  if (absorbed && absorption.channels === 0) {
    context.warn("No bias was absorbed: see the report for the reasons");
  }
  const uses = (ranges: ReadonlyMap<Node, Float64Array>) => [...ranges.values()].map(gridUse);
  return {
    outputs: { model, report: reportOf(equalization, absorption) },
    metrics: {
      pairs: [...equalization.factors.keys()].reduce((sum, { seconds }) => sum + seconds.length, 0),
      sweeps: equalization.sweeps,
      grid_use_before: mean(uses(equalization.before)),
      grid_use: mean(uses(equalization.after)),
      max_relative_difference: difference,
      clips_replaced: clips,
      ...(absorbed && {
        channels_absorbed: absorption.channels,
        absorption_difference: await largestDifference(equalized, model, context.seed),
      }),
    },
  };
};

/** What came of equalizing a model. */
export interface Equalized {
  readonly model: Model;
  /** The model before biases were absorbed. */
  readonly equalized: Model;
  readonly equalization: Equalization;
  readonly absorption: Absorption | undefined;
  /** How many Clip nodes were replaced. */
  readonly clips: number;
}

/** An equalized copy of a model. */
export function equalizeModel(
  given: Model,
  { clips, factors, absorb_biases, sweeps, spread }: Omit<Parameters, "tolerance">,
): Equalized {
  const equalized = cloneModel(given);
  nameEverything(equalized.graph);
  const links = findLinks(equalized.graph, clips !== "keep");
  const equalization = equalizingFactors(links, {
    peaks: valuePeaks(equalized, links),
    spread,
    maximum: sweeps,
    tolerance: TOLERANCE,
    powersOfTwo: factors === "power-of-two",
  });
  applyFactors(equalized, equalization.factors, clips === "relu" ? "relu" : "per-channel");
  prune(equalized.graph);
  const model = absorb_biases ? cloneModel(equalized) : equalized;
  return {
    model,
    equalized,
    equalization,
    absorption: absorb_biases ? absorbBiases(model, findLinks(model.graph, false)) : undefined,
    clips: links.reduce((sum, link) => sum + link.clips.length, 0),
  };
}

function reportOf({ factors, before, after }: Equalization, absorption: Absorption | undefined) {
  const layers = Array.from(before, ([node, ranges]) => ({
    layer: node.name,
    channels: ranges.length,
    grid_use_before: gridUse(ranges),
    grid_use: gridUse(after.get(node)!),
    largest_before: largest(ranges),
    largest: largest(after.get(node)!),
  }));
  const pairs = Array.from(factors, ([{ first, seconds }, each]) => ({
    first: first.node.name,
    seconds: seconds.map(({ layer }) => layer.node.name),
    least_factor: each.reduce((a, b) => Math.min(a, b)),
    greatest_factor: largest(each),
  }));
  return {
    layers,
    pairs,
    ...(absorption && { biases_not_absorbed: Object.fromEntries(absorption.skipped) }),
  };
}

function largest(values: Float64Array): number {
  return values.reduce((a, b) => Math.max(a, b), 0);
}

function mean(values: readonly number[]): number {
  return values.length === 0 ? 1 : values.reduce((a, b) => a + b, 0) / values.length;
}
