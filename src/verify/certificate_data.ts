/**
 * What a certificate can say about a subdomain: the choices that its bounds were made with. Whoever makes the same
 * choices in exact arithmetic gets the same bounds, up to rounding; any other choice is sound too.
 *
 * @module
 */

import type { Box } from "./box.ts";
import type { ValueNumber } from "./network/network.ts";

/** Bounds of the input of a nonlinear step: one element a neuron. z and z′ are the two networks' values, e = z − z′. */
export interface NeuronBounds {
  readonly zLower: Float64Array;
  readonly zUpper: Float64Array;
  /** Of z′. */
  readonly yLower: Float64Array;
  readonly yUpper: Float64Array;
  readonly eLower: Float64Array;
  readonly eUpper: Float64Array;
}

/**
 * The slopes of one step's relaxations: for each neuron, valid lines of a = relu(z) and of a′ = relu(z′), and valid
 * planes p·z + q·e of g = a − a′. Intercepts follow from the bounds.
 */
export interface NeuronSlopes {
  readonly aLower: Float64Array;
  readonly aUpper: Float64Array;
  /** Of a′. */
  readonly bLower: Float64Array;
  readonly bUpper: Float64Array;
  readonly gLowerZ: Float64Array;
  readonly gLowerE: Float64Array;
  readonly gUpperZ: Float64Array;
  readonly gUpperE: Float64Array;
}

/**
 * How a sum v·a + w·g at a neuron was written before it was relaxed:
 * 0: v·a + w·g, 1: (v + w)·a − w·a′, 2: v·a′ + (v + w)·g.
 */
export type JointForm = 0 | 1 | 2;

/** A proven bound of one output on one side. */
export interface RowChoice {
  readonly output: number;
  /** 1: the row bounds f − f′ from below, so that f′ − f ≤ −bound; −1: it bounds f′ − f from below. */
  readonly sign: 1 | -1;
  /** The lower bound of sign·(f − f′) on the box. */
  readonly bound: number;
  /** For each nonlinear step by the value it makes, the form at each neuron. */
  readonly forms: ReadonlyMap<ValueNumber, Uint8Array>;
}

/** One subdomain. The subdomains of a certificate cover the domain. */
export interface LeafData {
  readonly box: Box;
  /**
   * For each nonlinear step by the value it makes. Bounds hold on the box; they follow from those of earlier steps by
   * interval arithmetic, or by backward rows for z and z′ with the slopes below, intersected with
   * e ≤ u − l′, e ≥ l − u′, u ≤ u′ + eᵤ, l ≥ l′ + eₗ, u′ ≤ u − eₗ, l′ ≥ l − eᵤ.
   */
  readonly bounds: ReadonlyMap<ValueNumber, NeuronBounds>;
  readonly slopes: ReadonlyMap<ValueNumber, NeuronSlopes>;
  readonly rows: readonly RowChoice[];
}
