/**
 * What verification finds out: a bracket around the largest deviation of each output.
 *
 * @module
 */

/** A point that attains a deviation. */
export interface Witness {
  /** The input, without its batch. Every element is a value of the input's data type where the domain holds one. */
  readonly input: Float64Array;
  /** f′(x) − f(x) of the output, as evaluated. */
  readonly difference: number;
}

/** The largest |f′ᵢ(x) − fᵢ(x)| over a domain lies between `found` and `proven`. */
export interface OutputBracket {
  /** The largest deviation that was seen; 0 where nothing was evaluated. */
  readonly found: number;
  /** A certified upper bound; infinite where there is none. */
  readonly proven: number;
  /** Certified bounds of the signed difference f′ − f. */
  readonly lower: number;
  readonly upper: number;
  /** Where `found` was seen. */
  readonly witness: Witness | undefined;
}

/** The bracket of a whole domain. */
export interface Bracket {
  /** One an element of the output. */
  readonly outputs: readonly OutputBracket[];
  /** Subdomains that were bounded. */
  readonly boxes: number;
  /** Share of the domain's volume on which the target was reached, 0 … 1. */
  readonly settled: number;
}

/** The largest `proven` of all outputs. */
export function largestProven(bracket: Bracket): number {
  return bracket.outputs.reduce((most, { proven }) => Math.max(most, proven), 0);
}

/** The largest `found` of all outputs. */
export function largestFound(bracket: Bracket): number {
  return bracket.outputs.reduce((most, { found }) => Math.max(most, found), 0);
}
