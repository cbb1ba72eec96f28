/**
 * The work of the stage `finetune`.
 *
 * @module
 */

import { Random } from "../../base/random.ts";
import { withoutGradient } from "../../engine/autodiff/no_rule.ts";
import { finetune } from "../../quant/finetune/finetune.ts";
import { loadLearningMaterial } from "../../registry/items.ts";
import type { StageRun } from "../../registry/stage.ts";
import type { inputs, outputs, parameters } from "./ports.ts";

/** Share of the memory budget that items may take; training needs the rest. */
const VALUES_SHARE = 0.5;

export const run: StageRun<typeof parameters, typeof inputs, typeof outputs> = async (
  parameters,
  inputs,
  context,
) => {
  const started = performance.now();
  using material = await loadLearningMaterial(
    inputs,
    { take: parameters.take, least: parameters.batch + 1, purpose: "Fine-tuning" },
    VALUES_SHARE,
    context,
  );
  const { model, before, after, kept, firstLoss, lastLoss } = await finetune(
    material.quantized,
    material.float,
    material.items,
    {
      steps: parameters.steps,
      batch: parameters.batch,
      estimator: parameters.estimator,
      weightRate: parameters.weight_rate,
      rate: parameters.rate,
      temperature: parameters.temperature,
      features: parameters.features,
      seed: Random.from(context.seed, "finetune").bits(),
      threads: parameters.threads,
    },
    {
      signal: context.signal,
      store: context.checkpoints,
      origin: inputs.reference.origin,
      warn: context.warn,
      progress: (step, loss) =>
        context.progress({
          phase: "training",
          done: step,
          total: parameters.steps,
          unit: "steps",
          values: { loss },
        }),
    },
  ).catch((error) => {
    throw withoutGradient(
      error,
      "The model cannot be trained",
      'Use the stage "reconstruct" with method: gptq, which needs no gradients',
    );
  });
  if (!kept) {
    context.warn(
      "Training brought the model no closer to the float one on the items held back: it stays as it was given",
    );
  }
  return {
    outputs: { model },
    metrics: {
      distance_before: before,
      distance: after,
      kept: kept ? 1 : 0,
      first_loss: firstLoss,
      last_loss: lastLoss,
      seconds: (performance.now() - started) / 1000,
    },
  };
};
