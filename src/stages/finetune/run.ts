/**
 * The work of the stage `finetune`.
 *
 * @module
 */

import { Random } from "../../base/random.ts";
import { UserError } from "../../base/errors.ts";
import { finetune } from "../../quant/finetune/finetune.ts";
import { ItemStorage } from "../../quant/reconstruct/item_values.ts";
import { readItems } from "../../registry/items.ts";
import type { StageRun } from "../../registry/stage.ts";
import type { inputs, outputs, parameters } from "./ports.ts";

/** Share of the memory budget that items may take; training needs the rest. */
const VALUES_SHARE = 0.5;

export const run: StageRun<typeof parameters, typeof inputs, typeof outputs> = async (
  parameters,
  { model: artifact, reference, calibration },
  context,
) => {
  const started = performance.now();
  const [quantized, float] = await Promise.all([artifact.load(), reference.load()]);
  using storage = new ItemStorage(VALUES_SHARE * context.memory);
  const items = await readItems(
    calibration,
    quantized,
    artifact.origin,
    { take: parameters.take, least: parameters.batch + 1, purpose: "Fine-tuning" },
    storage,
    context.signal,
  );
  const { model, before, after, kept, firstLoss, lastLoss } = await finetune(
    quantized,
    float,
    items,
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
      origin: reference.origin,
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
    throw explained(error);
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

/** Says of which stage an operator without a gradient is the problem. */
function explained(error: unknown): unknown {
  if (!(error instanceof UserError)) return error;
  return new UserError(
    error.problems.map((problem) => ({
      ...problem,
      ...(/has no gradient rule/.test(problem.message) && {
        message: `The model cannot be trained: ${problem.message}`,
        hint: 'Use the stage "reconstruct" with method: gptq, which needs no gradients',
      }),
    })),
    { cause: error },
  );
}
