/**
 * The work of the stage `correct-bias`.
 *
 * @module
 */

import type { JsonValue } from "../../base/canonical_json.ts";
import { UserError } from "../../base/errors.ts";
import { cloneModel } from "../../onnx/edit.ts";
import type { Model } from "../../onnx/model.ts";
import { correctBiasesAnalytically } from "../../quant/bias_correction.ts";
import { batchNormStatistics, WITHOUT_STATISTICS } from "../../quant/distributions/batch_norm.ts";
import type { ReconstructionOptions } from "../../quant/reconstruct/options.ts";
import { reconstructModel } from "../../quant/reconstruct/reconstruct.ts";
import { loadLearningMaterial } from "../../registry/items.ts";
import type { LEARNING_INPUTS } from "../../registry/ports.ts";
import type { InputArtifacts, StageContext, StageResult, StageRun } from "../../registry/stage.ts";
import type { inputs, outputs, Parameters, parameters } from "./ports.ts";

/** Share of the memory budget that values between layers may take. */
const VALUES_SHARE = 0.6;

export const run: StageRun<typeof parameters, typeof inputs, typeof outputs> = async (
  parameters,
  { model, reference, calibration },
  context,
) => {
  if (parameters.method === "analytic") {
    const [quantized, float] = await Promise.all([model.load(), reference.load()]);
    return analytic(quantized, float, reference.origin, context);
  }
  if (calibration === undefined) throw new TypeError("Method empirical was given no data");
  return await empirical({ model, reference, calibration }, parameters, context);
};

function analytic(
  quantized: Model,
  float: Model,
  origin: string,
  { warn }: StageContext,
): StageResult<typeof outputs> {
  if (batchNormStatistics(float).size === 0) {
    throw new UserError({
      message:
        `Biases cannot be corrected without data: nothing in the model "${origin}" tells what ` +
        "the means of its activations are",
      hint:
        `${WITHOUT_STATISTICS}. Else say method: empirical, with data: real, or noise from the ` +
        'stage "synthesize" with method: range',
    });
  }
  const { model, layers, floatBiases } = correctBiasesAnalytically(
    cloneModel(quantized),
    float,
    origin,
  );
  for (const name of floatBiases) {
    warn(`The bias of "${name}" stays float: it does not fit into 32 bits any more`);
  }
  const corrected = layers.filter(({ skipped }) => skipped === undefined);
  return {
    outputs: { model, record: { layers } as unknown as JsonValue },
    metrics: {
      layers: corrected.length,
      skipped: layers.length - corrected.length,
      largest: corrected.reduce((most, { largest }) => Math.max(most, largest), 0),
    },
  };
}

async function empirical(
  inputs: InputArtifacts<typeof LEARNING_INPUTS>,
  { take, threads }: Parameters,
  context: StageContext,
): Promise<StageResult<typeof outputs>> {
  using material = await loadLearningMaterial(
    inputs,
    { take, least: 1, purpose: "Bias correction" },
    VALUES_SHARE,
    context,
  );
  const { quantized, float, items, storage } = material;
  const { model, units } = await reconstructModel(quantized, float, items, optionsOf(threads), {
    seed: context.seed,
    storage,
    signal: context.signal,
    saved: context.checkpoints,
    origin: inputs.reference.origin,
    warn: context.warn,
    progress: ({ phase, done, total }) => context.progress({ phase, done, total, unit: "layers" }),
  });
  const sum = (loss: (unit: typeof units[number]) => number) =>
    units.reduce((total, unit) => total + loss(unit), 0);
  return {
    outputs: { model, record: { layers: units } as unknown as JsonValue },
    metrics: {
      layers: units.filter(({ kept }) => kept).length,
      skipped: units.filter(({ kept }) => !kept).length,
      loss_before: sum(({ loss_before }) => loss_before),
      loss_after: sum(({ loss_after }) => loss_after),
    },
  };
}

/** A reconstruction of nothing but means, of layers of any width. */
function optionsOf(threads: number): ReconstructionOptions {
  return {
    solver: "bias",
    unit: "layer",
    maximumBits: 16,
    ends: "width",
    except: [],
    damping: 0.01,
    threads,
    learning: {
      steps: 0,
      batch: 1,
      learningRate: 0,
      lambda: 0,
      warmup: 0,
      beta: [20, 2],
      loss: "mse",
      biasRate: 0,
      scaleRate: 0,
      activations: "fixed",
      activationRate: 0,
      activationSteps: 0,
      drop: 0,
      earlyStop: 0,
    },
    distill: { steps: 0, required: false, learningRate: 0, weightRate: 0, temperature: 1 },
  };
}
