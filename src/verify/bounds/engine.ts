/**
 * What bounds are computed with.
 *
 * @module
 */

import type { ValueNumber } from "../network/network.ts";
import type { IntervalResults, Magnitudes } from "./affine.ts";
import type { BoxBatch, Noise, ValueBounds } from "./batch.ts";
import type { RowView } from "./graphs/backward.ts";
import type { AffinePairedStep } from "./graphs/interval.ts";
import type { FoldedOffset, Relaxation } from "./relu.ts";
import type { Rows } from "./rows.ts";

/** Everything that is known on a batch. */
export interface Propagated {
  readonly batch: BoxBatch;
  /** By value; bounds of nonlinear steps' inputs are the ones worth keeping for parts of the boxes. */
  readonly bounds: ReadonlyMap<ValueNumber, ValueBounds>;
  readonly noise: ReadonlyMap<ValueNumber, Noise>;
  readonly relaxations: ReadonlyMap<ValueNumber, Relaxation>;
}

/** Rows to be bounded. */
export interface RowRequest {
  /** The value, made by an affine step. */
  readonly target: ValueNumber;
  readonly view: RowView;
  readonly rows: Rows;
  readonly state: Propagated;
  /** For view `joint`: whether to say how much a split of each input would help. */
  readonly scores: boolean;
}

/** What is found then. */
export interface RowResult {
  /** Lower bounds of `sign · value[index]`, without the offset and the noise of the target's own step. */
  readonly bounds: Float64Array;
  /** [boxes × inputs]. */
  readonly scores: Float64Array | undefined;
}

/** What engines know of how a network is bounded. */
export interface EngineFacts {
  /** Values of affine steps whose offsets and noise are part of the relaxation behind them. */
  readonly folded: ReadonlySet<ValueNumber>;
  /** What roundings are charged, as a multiple of magnitudes. */
  readonly unit: number;
  /** Relative error of a quantizer's division and product in the networks. */
  readonly slack: number;
  /** What a relaxation takes from the affine step in front; `undefined` where it takes nothing. */
  foldedOf(value: ValueNumber, state: Propagated): FoldedOffset | undefined;
  /** b, b′ and b − b′ of an affine step. */
  offsetsOf(value: ValueNumber): Omit<FoldedOffset, "noise">;
}

/** Computes what takes time. */
export interface BoundEngine extends AsyncDisposable {
  /** How many boxes are best bounded together. */
  readonly boxes: number;
  /** Interval arithmetic through the affine step that makes a value, without its offsets. */
  interval(
    value: ValueNumber,
    step: AffinePairedStep,
    state: Propagated,
  ): Promise<IntervalResults> | IntervalResults;
  /**
   * The magnitudes among the results of {@linkcode interval} alone: all that is needed where bounds of the value are known
   * from elsewhere. `undefined` where they cost as much as intervals.
   */
  magnitudes(value: ValueNumber, state: Propagated): Magnitudes | undefined;
  rows(request: RowRequest): Promise<RowResult> | RowResult;
  /** f′ − f at points [points × inputs]: [points × outputs]. */
  differences(points: Float64Array): Promise<Float64Array> | Float64Array;
}
