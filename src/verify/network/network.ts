/**
 * Networks as bound propagation sees them: a chain of affine maps and elementwise functions over flat vectors.
 *
 * Two models of the same structure make one {@linkcode PairedNetwork}: every value is a pair (a, a′) of vectors of the
 * same length, every step computes one such pair from earlier ones.
 *
 * @module
 */

import type { LinearMap } from "./linear_map.ts";

/** One thing for each of the two networks. They are the same object where both networks share it. */
export interface Pair<T> {
  readonly original: T;
  readonly quantized: T;
}

/** Which of the two. */
export type Side = keyof Pair<unknown>;

/** Both, in the order in which code visits them. */
export const SIDES: readonly Side[] = ["original", "quantized"];

/** A value by its number: 0 is the input, and step k makes value k + 1. */
export type ValueNumber = number;

/** A vector that affine steps add: `values`, each known up to `errors` (real parameters that float64 cannot hold). */
export interface Offset {
  readonly values: Float64Array;
  /** Absolute, not negative; absent where the values are exact. */
  readonly errors?: Float64Array;
  /**
   * The sum of the magnitudes of all that was folded into each value, which rounding in a runtime is relative to; absent
   * where it is that of the value itself.
   */
  readonly sizes?: Float64Array;
}

/** One linear part of an affine step. */
export interface AffineTerm<M> {
  readonly input: ValueNumber;
  readonly map: M;
}

/** Σ map · input + offset. */
export interface AffineStep<M, B> {
  readonly kind: "affine";
  readonly terms: readonly AffineTerm<M>[];
  readonly offset: B;
  /** How many products and sums of the model's were folded into it, each with roundings of its own; 0 unless told. */
  readonly folds?: number;
}

/** max(0, x), elementwise. */
export interface ReluStep {
  readonly kind: "relu";
  readonly input: ValueNumber;
}

/** 1 / (1 + exp(−x)) or tanh(x), elementwise. */
export interface SmoothStep {
  readonly kind: "sigmoid" | "tanh";
  readonly input: ValueNumber;
}

/** The largest element of each window. */
export interface MaxPoolStep {
  readonly kind: "maxpool";
  readonly input: ValueNumber;
  /** How many places a window has. */
  readonly window: number;
  /** [size × window] elements of the input, −1 for padding. */
  readonly sources: Int32Array;
}

/**
 * A grid that activations are rounded to: R(v) = s·(clip(roundHalfEven(v/s) + z, qmin, qmax) − z).
 */
export interface Quantizer {
  /** One, or one an element. */
  readonly scale: Float64Array;
  /** As many as scales. */
  readonly zeroPoint: Float64Array;
  readonly qmin: number;
  readonly qmax: number;
}

/** Rounds activations to a grid; a side without a quantizer passes them on. */
export interface QuantizeStep<Q> {
  readonly kind: "quantize";
  readonly input: ValueNumber;
  readonly quantizer: Q;
}

/** What every step has. */
export interface StepFacts<N> {
  /** Length of the vector it makes. */
  readonly size: number;
  /** The shape in the model, with a batch of 1. */
  readonly dims: readonly number[];
  /** The value's name, and the names of the nodes that it came from. */
  readonly names: N;
}

/** Where in a model a step comes from. */
export interface StepNames {
  readonly value: string;
  readonly nodes: readonly string[];
}

type StepOf<M, B, Q, N> =
  & StepFacts<N>
  & (AffineStep<M, B> | ReluStep | SmoothStep | MaxPoolStep | QuantizeStep<Q>);

/** A step of one network. */
export type Step = StepOf<LinearMap, Offset, Quantizer, StepNames>;

/** A step of two networks. */
export type PairedStep = StepOf<
  Pair<LinearMap>,
  Pair<Offset>,
  Pair<Quantizer | undefined>,
  Pair<StepNames>
>;

/** The input of a network. */
export interface NetworkInput {
  readonly name: string;
  readonly dims: readonly number[];
  readonly size: number;
}

interface NetworkOf<S> {
  readonly input: NetworkInput;
  /** In topological order; a step reads only values with smaller numbers than its own. */
  readonly steps: readonly S[];
  /** The value that is the output. */
  readonly output: ValueNumber;
}

/** One model. */
export interface Network extends NetworkOf<Step> {
  readonly outputName: string;
}

/** Two models of the same structure. */
export interface PairedNetwork extends NetworkOf<PairedStep> {
  readonly outputName: string;
}

/** How many elements a value has. */
export function sizeOf(network: NetworkOf<StepFacts<unknown>>, value: ValueNumber): number {
  return value === 0 ? network.input.size : network.steps[value - 1]!.size;
}

/** The values that a step reads. */
export function inputsOf(step: Step | PairedStep): readonly ValueNumber[] {
  return step.kind === "affine" ? step.terms.map(({ input }) => input) : [step.input];
}
