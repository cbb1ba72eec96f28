/**
 * What parameters of the stage `reconstruct` mean.
 *
 * @module
 */

import type { LearningOptions, ReconstructionOptions } from "../../quant/reconstruct/options.ts";
import type { Parameters } from "./ports.ts";

/** What a preset decides. */
type Preset = Pick<LearningOptions, "steps" | "learningRate">;

const PRESETS: Readonly<Record<Parameters["preset"], Preset>> = {
  fast: { steps: 500, learningRate: 1e-2 },
  standard: { steps: 2000, learningRate: 1e-2 },
  paper: { steps: 20_000, learningRate: 1e-3 },
};

/** The reconstruction that parameters ask for. */
export function optionsOf(parameters: Parameters, items: number): ReconstructionOptions {
  const { method } = parameters;
  const preset = PRESETS[parameters.preset];
  return {
    method,
    unit: parameters.unit ?? (method === "adaround" ? "layer" : "block"),
    items,
    maximumBits: parameters.max_bits,
    except: parameters.except,
    threads: parameters.threads,
    damping: 0.01,
    learning: {
      steps: parameters.steps ?? preset.steps,
      batch: parameters.batch,
      learningRate: parameters.learning_rate ?? preset.learningRate,
      lambda: parameters.lambda,
      warmup: parameters.warmup,
      beta: [20, 2],
      loss: "mse",
      biasRate: parameters.bias ? parameters.bias_rate : 0,
      scaleRate: 0,
      activations: "fixed",
      activationRate: 0,
      activationSteps: 0,
      drop: 0,
    },
  };
}
