/**
 * Resampling filters as weights: which pixels an output pixel is made of, and how much of each.
 *
 * @module
 */

import type { Filter } from "../recipe_types.ts";

/** Fraction bits of a weight: 8 of the 32 are for the pixel's value and 2 for overshoot (Pillow's choice). */
export const PRECISION_BITS = 22;
/** A half in that fixed point. */
export const ROUNDING = 1 << (PRECISION_BITS - 1);

/** Which pixels of one row or column an output pixel is made of, and how much of each. */
export interface Taps {
  /** First pixel, by output pixel. */
  readonly first: Int32Array;
  /** Number of pixels, by output pixel. */
  readonly count: Int32Array;
  /** `stride` weights an output pixel, adding up to 1. */
  readonly weights: Float64Array;
  /** The same in fixed point. */
  readonly fixed: Int32Array;
  readonly stride: number;
}

/** A filter: what a pixel at a distance counts. */
export interface Kernel {
  readonly support: number;
  readonly at: (distance: number) => number;
}

/** The filters by name. */
export const KERNELS: Readonly<Record<Exclude<Filter, "nearest">, Kernel>> = {
  box: { support: 0.5, at: (x) => x > -0.5 && x <= 0.5 ? 1 : 0 },
  bilinear: { support: 1, at: (x) => Math.max(0, 1 - Math.abs(x)) },
  bicubic: {
    support: 2,
    at: (x) => {
      const a = -0.5;
      const d = Math.abs(x);
      if (d < 1) return ((a + 2) * d - (a + 3)) * d * d + 1;
      if (d < 2) return (((d - 5) * d + 8) * d - 4) * a;
      return 0;
    },
  },
  lanczos: { support: 3, at: (x) => x >= -3 && x < 3 ? sinc(x) * sinc(x / 3) : 0 },
};

function sinc(x: number): number {
  return x === 0 ? 1 : Math.sin(x * Math.PI) / (x * Math.PI);
}

/**
 * The weights for resizing rows of `from` pixels to `to`, computed as Pillow does.
 *
 * @param antialias Whether a shrinking filter covers all the pixels that an output pixel stands for.
 */
export function tapsOf(from: number, to: number, kernel: Kernel, antialias: boolean): Taps {
  const scale = from / to;
  const stretch = antialias ? Math.max(scale, 1) : 1;
  const support = kernel.support * stretch;
  const stride = Math.ceil(support) * 2 + 1;
  const first = new Int32Array(to);
  const count = new Int32Array(to);
  const weights = new Float64Array(to * stride);
  const fixed = new Int32Array(to * stride);
  for (let out = 0; out < to; out++) {
    const center = (out + 0.5) * scale;
    const low = Math.max(0, Math.trunc(center - support + 0.5));
    const high = Math.min(from, Math.trunc(center + support + 0.5));
    const start = out * stride;
    let sum = 0;
    for (let index = low; index < high; index++) {
      const weight = kernel.at((index - center + 0.5) * (1 / stretch));
      weights[start + index - low] = weight;
      sum += weight;
    }
    for (let index = 0; index < high - low; index++) {
      if (sum !== 0) weights[start + index]! /= sum;
      const weight = weights[start + index]! * (1 << PRECISION_BITS);
      fixed[start + index] = Math.trunc(weight < 0 ? weight - 0.5 : weight + 0.5);
    }
    first[out] = low;
    count[out] = high - low;
  }
  return { first, count, weights, fixed, stride };
}
