/**
 * How networks are reconstructed.
 *
 * @module
 */

import type { Augmentation } from "./augment.ts";
import type { UnitGranularity } from "../units.ts";
import type { EndLayers } from "./ends.ts";

/** When the steps of activations are learned: not at all, with the weights, or after them. */
export type ActivationSteps = "fixed" | "joint" | "after";

/** What learning a unit takes. */
export interface LearningOptions {
  /** Steps a unit. */
  readonly steps: number;
  /** Items a step. */
  readonly batch: number;
  /** Adam's rate for the rounding variables α. */
  readonly learningRate: number;
  /** Weight of the term that drives roundings to 0 or 1; `auto` takes it from how large a unit's errors are. */
  readonly lambda: number | "auto";
  /** Share of the steps before that term counts. */
  readonly warmup: number;
  /** First and last exponent of the term. */
  readonly beta: readonly [number, number];
  /** How errors of a unit's output are weighted: alike, or by the Fisher information. */
  readonly loss: "mse" | "fisher";
  /** Adam's rate for biases; 0 leaves them. */
  readonly biasRate: number;
  /** Adam's rate for factors of the weights' steps; 0 leaves them. */
  readonly scaleRate: number;
  readonly activations: ActivationSteps;
  /** Adam's rate for factors of the activations' steps. */
  readonly activationRate: number;
  /** Steps a unit when activations are learned after the weights. */
  readonly activationSteps: number;
  /** Probability with which an element of an activation is taken in float instead of quantized. */
  readonly drop: number;
  /** Learning that lowers the error by no more than this share goes on with its last steps at once; 0 for never. */
  readonly earlyStop: number;
}

/** The last pass, over the whole network: scales and biases by the divergence of its outputs from the float network's. */
export interface DistillOptions {
  /** 0 for no such pass. */
  readonly steps: number;
  /** Whether a model that gives no scores of classes is a mistake; else it goes without the pass. */
  readonly required: boolean;
  /** Adam's rate for biases and factors of scales. */
  readonly learningRate: number;
  /** Adam's rate for weights, in steps of their grid; 0 leaves their integers. */
  readonly weightRate: number;
  readonly temperature: number;
}

/** A whole reconstruction. */
export interface ReconstructionOptions {
  /**
   * - `learn`: roundings (and more) by gradient.
   * - `gptq`: roundings column by column, each error made up for by the columns that follow.
   * - `bias`: no roundings, only the means of outputs.
   */
  readonly solver: "learn" | "gptq" | "bias";
  readonly unit: UnitGranularity;
  readonly learning: LearningOptions;
  readonly distill: DistillOptions;
  /** How images are changed at random, and how many versions of each there are; items as they are unless told. */
  readonly augment?: { readonly kinds: readonly Augmentation[]; readonly copies: number };
  /** Layers whose weights have more bits stay as they are. */
  readonly maximumBits: number;
  /**
   * What is done with the first and the last layers.
   *
   * - `width`: as with others, by how many bits they have.
   * - `learn`: learned, however many bits they have.
   * - `keep`: they stay as they are.
   */
  readonly ends: EndLayers;
  /** Nodes by name that stay as they are; `*` stands for any text, `?` for any character. */
  readonly except: readonly string[];
  /** Damping of the Hessian in GPTQ, as a share of the mean of its diagonal. */
  readonly damping: number;
  /** Threads inside one operator; one and two can differ in the last bits. */
  readonly threads: number;
}
