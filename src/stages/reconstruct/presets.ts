/**
 * What parameters of the stage `reconstruct` mean.
 *
 * @module
 */

import type { LearningOptions, ReconstructionOptions } from "../../quant/reconstruct/options.ts";
import type { Parameters } from "./ports.ts";

/** What a preset decides. */
interface Preset {
  /** What is learned together, where the method has blocks: with few steps, few weights. */
  readonly unit: "layer" | "block";
  readonly steps: number;
  readonly batch: number;
  readonly learningRate: number;
  readonly lambda: number | "auto";
  readonly warmup: number;
  readonly activationSteps: number;
  readonly distill: number;
}

const PRESETS: Readonly<Record<Parameters["preset"], Preset>> = {
  fast: {
    unit: "layer",
    steps: 200,
    batch: 32,
    learningRate: 0.1,
    lambda: "auto",
    warmup: 0.1,
    activationSteps: 200,
    distill: 0,
  },
  standard: {
    unit: "block",
    steps: 2500,
    batch: 16,
    learningRate: 0.1,
    lambda: "auto",
    warmup: 0.1,
    activationSteps: 500,
    distill: 300,
  },
  paper: {
    unit: "block",
    steps: 20_000,
    batch: 32,
    learningRate: 1e-3,
    lambda: 0.01,
    warmup: 0.2,
    activationSteps: 5000,
    distill: 0,
  },
};

/** What a method decides, besides the parameters. */
type Method = Pick<ReconstructionOptions, "solver"> & {
  /** Where the preset does not decide it. */
  readonly unit?: ReconstructionOptions["unit"];
  readonly learning?: Partial<LearningOptions>;
};

const METHODS: Readonly<Record<Parameters["method"], Method>> = {
  brecq: { solver: "learn", learning: { activations: "after" } },
  adaround: { solver: "learn", unit: "layer", learning: { activations: "fixed" } },
  qdrop: { solver: "learn", learning: { activations: "joint", drop: 0.5 } },
  genie: {
    solver: "learn",
    learning: { activations: "joint", drop: 0.5, scaleRate: 1e-4 },
  },
  gptq: { solver: "gptq", unit: "layer" },
  bias: { solver: "bias", unit: "layer" },
};

/** The reconstruction that parameters ask for. */
export function optionsOf(parameters: Parameters): ReconstructionOptions {
  const preset = PRESETS[parameters.preset];
  const { solver, unit, learning } = METHODS[parameters.method];
  const learns = solver === "learn";
  return {
    solver,
    unit: parameters.unit ?? unit ?? preset.unit,
    maximumBits: parameters.max_bits,
    ends: parameters.first_last,
    except: parameters.except,
    threads: parameters.threads,
    damping: parameters.damping,
    ...(parameters.augment.length > 0 && {
      augment: { kinds: parameters.augment, copies: parameters.copies },
    }),
    learning: {
      steps: parameters.steps ?? preset.steps,
      batch: parameters.batch ?? preset.batch,
      learningRate: parameters.learning_rate ?? preset.learningRate,
      lambda: parameters.lambda ?? preset.lambda,
      warmup: parameters.warmup ?? preset.warmup,
      beta: [20, 2],
      loss: parameters.loss,
      biasRate: parameters.bias ? parameters.bias_rate : 0,
      scaleRate: parameters.scale_rate ?? learning?.scaleRate ?? 0,
      activations: parameters.activations ?? learning?.activations ?? "fixed",
      activationRate: parameters.activation_rate,
      activationSteps: parameters.activation_steps ?? preset.activationSteps,
      drop: parameters.drop ?? learning?.drop ?? 0,
      earlyStop: parameters.early_stop ?? 0,
    },
    distill: {
      required: parameters.distill !== undefined,
      steps: parameters.distill ?? (learns ? preset.distill : 0),
      learningRate: parameters.distill_rate,
      weightRate: parameters.distill_weight_rate,
      temperature: parameters.temperature,
    },
  };
}
