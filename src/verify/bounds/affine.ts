/**
 * Bounds and noise of the value that an affine step makes, from the interval graph's results.
 *
 * @module
 */

import type { AffinePairedStep } from "./graphs/interval.ts";
import { down, emptyBounds, type Noise, up, type ValueBounds } from "./batch.ts";
import {
  arithmeticUnderflow,
  arithmeticUnit,
  largestMagnitude,
  type Semantics,
  weightError,
} from "./roundoff.ts";

/** What the interval graph gives for a batch: middles, half widths and magnitudes, [3 × boxes × size]. */
export interface IntervalResults {
  readonly z: Float64Array;
  readonly y: Float64Array;
  readonly e: Float64Array;
}

/** What affine steps need besides a batch, made once. */
export interface AffineFacts {
  /** b, b′ and b − b′. */
  readonly offsets: {
    readonly z: Float64Array;
    readonly y: Float64Array;
    readonly e: Float64Array;
  };
  readonly errors: { readonly z: Float64Array; readonly y: Float64Array; readonly e: Float64Array };
  /** What rounding of the networks is relative to beside the products: magnitudes of all that offsets are made of. */
  readonly sizes: { readonly z: Float64Array; readonly y: Float64Array };
  /** Relative errors of arithmetic and weights on each side. */
  readonly z: number;
  readonly y: number;
  /** Those that do not cancel in the difference. */
  readonly eOfBoth: number;
  /** Absolute error of arithmetic on each side. */
  readonly underflow: number;
  /** Nothing is known of elements whose magnitudes are as large as this. */
  readonly limit: number;
}

/** The facts of a step. */
export function affineFacts(step: AffinePairedStep, semantics: Semantics): AffineFacts {
  const { original, quantized } = step.offset;
  const none = new Float64Array(step.size);
  const arithmetic = arithmeticUnit(step, semantics);
  const weights = weightError(step);
  const isShared = step.terms.every(({ map }) => map.original === map.quantized);
  const [zErrors, yErrors] = [original.errors ?? none, quantized.errors ?? none];
  return {
    offsets: {
      z: original.values,
      y: quantized.values,
      e: original.values.map((value, at) => value - quantized.values[at]!),
    },
    errors: {
      z: zErrors,
      y: yErrors,
      // The same real numbers cancel, whatever they are.
      e: original === quantized ? none : zErrors.map((error, at) => error + yErrors[at]!),
    },
    sizes: {
      z: original.sizes ?? original.values.map(Math.abs),
      y: quantized.sizes ?? quantized.values.map(Math.abs),
    },
    z: arithmetic + weights.original,
    y: arithmetic + weights.quantized,
    eOfBoth: arithmetic + (isShared ? 0 : Math.max(weights.original, weights.quantized)),
    underflow: arithmeticUnderflow(step, semantics),
    limit: largestMagnitude(step, semantics),
  };
}

/** How large sums of magnitudes are, [boxes × size], without those of offsets. */
export interface Magnitudes {
  readonly z: Float64Array;
  readonly y: Float64Array;
  readonly e: Float64Array;
}

/**
 * What bounds of an affine step's value have to leave room for; infinitely much where numbers are too large.
 *
 * @param unit Of the bounds' own arithmetic.
 * @param noise Where it goes.
 */
export function affineNoise(
  magnitudes: Magnitudes,
  size: number,
  facts: AffineFacts,
  unit: number,
  noise: Noise = {
    z: new Float64Array(magnitudes.z.length),
    y: new Float64Array(magnitudes.z.length),
    e: new Float64Array(magnitudes.z.length),
  },
): Noise {
  const count = magnitudes.z.length;
  const { offsets, errors, sizes } = facts;
  const isShared = facts.eOfBoth === 0;
  for (let at = 0, element = 0; at < count; at++) {
    const zSize = magnitudes.z[at]! + sizes.z[element]!;
    const ySize = magnitudes.y[at]! + sizes.y[element]!;
    const eSize = magnitudes.e[at]! + Math.abs(offsets.e[element]!);
    noise.z[at] = (facts.z + unit) * zSize + errors.z[element]! + facts.underflow;
    noise.y[at] = (facts.y + unit) * ySize + errors.y[element]! + facts.underflow;
    noise.e[at] = unit * eSize + errors.e[element]! + 2 * facts.underflow +
      (isShared ? 0 : facts.eOfBoth * (zSize + ySize));
    // Written so that what is not a number is too large.
    if (!(zSize < facts.limit && ySize < facts.limit)) {
      noise.z[at] = noise.y[at] = noise.e[at] = Infinity;
    }
    if (++element === size) element = 0;
  }
  return noise;
}

/**
 * Intervals of an affine step's value, rounded outward.
 *
 * @param unit Of the bounds' own arithmetic.
 */
export function affineBounds(
  results: IntervalResults,
  size: number,
  facts: AffineFacts,
  unit: number,
): { bounds: ValueBounds; noise: Noise } {
  const count = results.z.length / 3;
  const noise = affineNoise(
    {
      z: results.z.subarray(2 * count),
      y: results.y.subarray(2 * count),
      e: results.e.subarray(2 * count),
    },
    size,
    facts,
    unit,
  );
  const bounds = emptyBounds(count);
  for (const view of ["z", "y", "e"] as const) {
    const [lower, upper] = [bounds[`${view}Lower`], bounds[`${view}Upper`]];
    const [given, offset, slack] = [results[view], facts.offsets[view], noise[view]];
    for (let at = 0, element = 0; at < count; at++) {
      const middle = given[at]! + offset[element]!;
      // The magnitudes in the noise cover the roundings of the middle and of the half width.
      const half = given[count + at]! + slack[at]!;
      const isKnown = slack[at]! < Infinity;
      lower[at] = isKnown ? down(middle - half) : -Infinity;
      upper[at] = isKnown ? up(middle + half) : Infinity;
      if (++element === size) element = 0;
    }
  }
  return { bounds, noise };
}

/** Middles, half widths and magnitudes of bounds, as the interval graph reads them. */
export function intervalFeed(lower: Float64Array, upper: Float64Array): Float64Array {
  const count = lower.length;
  const feed = new Float64Array(3 * count);
  for (let at = 0; at < count; at++) {
    const middle = (lower[at]! + upper[at]!) / 2;
    feed[at] = middle;
    feed[count + at] = up(Math.max(upper[at]! - middle, middle - lower[at]!));
    feed[2 * count + at] = Math.max(Math.abs(lower[at]!), Math.abs(upper[at]!));
  }
  return feed;
}
