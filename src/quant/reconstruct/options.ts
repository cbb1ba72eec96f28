/**
 * How networks are reconstructed.
 *
 * @module
 */

import type { UnitGranularity } from "../units.ts";

/** What is learned, and from what. */
export type ReconstructionMethod = "brecq" | "adaround" | "qdrop" | "genie" | "gptq" | "bias";

/** When the steps of activations are learned. */
export type ActivationSteps = "fixed" | "joint" | "after";

/** What learning a unit takes. */
export interface LearningOptions {
  /** Steps a unit. */
  readonly steps: number;
  /** Items a step. */
  readonly batch: number;
  /** Adam's rate for the rounding variables α. */
  readonly learningRate: number;
  /** Weight of the term that drives roundings to 0 or 1. */
  readonly lambda: number;
  /** Share of the steps before that term counts. */
  readonly warmup: number;
  /** First and last exponent of the term. */
  readonly beta: readonly [number, number];
  /** How errors of a unit's output are weighted. */
  readonly loss: "mse" | "fisher";
  /** Adam's rate for biases; 0 leaves them. */
  readonly biasRate: number;
  /** Adam's rate for factors of the weights' steps; 0 leaves them. */
  readonly scaleRate: number;
  /** When the steps of activations are learned. */
  readonly activations: ActivationSteps;
  /** Adam's rate for factors of the activations' steps. */
  readonly activationRate: number;
  /** Steps a unit when activations are learned after the weights. */
  readonly activationSteps: number;
  /** Probability with which an element of an activation is taken in float instead of quantized. */
  readonly drop: number;
}

/** A whole reconstruction. */
export interface ReconstructionOptions {
  readonly method: ReconstructionMethod;
  readonly unit: UnitGranularity;
  readonly learning: LearningOptions;
  /** Items to reconstruct from, from the first. */
  readonly items: number;
  /** Layers whose weights have more bits stay as they are. */
  readonly maximumBits: number;
  /** Nodes by name that stay as they are; `*` stands for any text, `?` for any character. */
  readonly except: readonly string[];
  /** Damping of the Hessian in GPTQ, as a share of the mean of its diagonal. */
  readonly damping: number;
  /** Threads inside one operator; one and two can differ in the last bits. */
  readonly threads: number;
}
