/**
 * The work of the stage `reconstruct`.
 *
 * @module
 */

import type { JsonValue } from "../../base/canonical_json.ts";
import { reconstructModel, type UnitRecord } from "../../quant/reconstruct/reconstruct.ts";
import type { StageRun } from "../../registry/stage.ts";
import { loadLearningMaterial } from "../../registry/items.ts";
import type { inputs, outputs, parameters } from "./ports.ts";
import { optionsOf } from "./presets.ts";

/** Share of the memory budget that values between layers may take; training needs the rest. */
const VALUES_SHARE = 0.6;

export const run: StageRun<typeof parameters, typeof inputs, typeof outputs> = async (
  parameters,
  inputs,
  context,
) => {
  const started = performance.now();
  const options = optionsOf(parameters);
  using material = await loadLearningMaterial(
    inputs,
    { take: parameters.take, least: options.learning.batch, purpose: "Reconstruction" },
    VALUES_SHARE,
    context,
  );
  const { model, units, network, ends, times } = await reconstructModel(
    material.quantized,
    material.float,
    material.items,
    options,
    {
      seed: context.seed,
      storage: material.storage,
      signal: context.signal,
      saved: context.checkpoints,
      origin: inputs.reference.origin,
      warn: context.warn,
      progress: ({ phase, done, total, loss, rate }) =>
        context.progress({
          phase,
          done,
          total,
          unit: "steps",
          values: { loss, "steps/s": rate },
        }),
    },
  );
  return {
    outputs: {
      model,
      record: { units, ends, ...(network && { network }) } as unknown as JsonValue,
      times: { parts: times } as unknown as JsonValue,
    },
    metrics: { ...summary(units), seconds: (performance.now() - started) / 1000 },
  };
};

/** All units together; losses add up, as each is a mean over items and space of its own. */
function summary(units: readonly UnitRecord[]): Record<string, number> {
  const sum = (value: (unit: UnitRecord) => number) =>
    units.reduce((total, unit) => total + value(unit), 0);
  const before = sum((unit) => unit.loss_before);
  return {
    units: units.length,
    units_kept: units.filter(({ kept }) => kept).length,
    steps: sum((unit) => unit.steps),
    loss_before: before,
    loss_after: sum((unit) => unit.loss_after),
    changed: sum((unit) => unit.changed) / units.length,
    soft: sum((unit) => unit.soft) / units.length,
  };
}
