/**
 * Brackets of no width: what the exact program says of each output.
 *
 * @module
 */

import type { Box } from "../box.ts";
import type { OutputBracket } from "../bracket.ts";
import { evaluate } from "../network/evaluate.ts";
import { type PairedNetwork, sizeOf } from "../network/network.ts";
import type { SearchResult } from "../split/search.ts";
import { exactMaximum } from "./exact.ts";

/** What the solver's tolerances can hide, relative to 1 or to the value. */
const TOLERANCE = 1e-6;

/**
 * The largest differences of each output on a box, either way, by two programs an output.
 *
 * `proven` is what the solver found and its tolerance: it computes in floating point, so this is no proof as the other
 * methods give it.
 *
 * @throws {UserError} If the networks are too large for it, or have other nonlinear steps than Relu.
 */
export async function exactBracket(
  network: PairedNetwork,
  box: Box,
  signal?: AbortSignal,
): Promise<SearchResult> {
  const outputs: OutputBracket[] = [];
  for (let output = 0; output < sizeOf(network, network.output); output++) {
    const ends: number[] = [];
    let best: OutputBracket["witness"];
    for (const sign of [1, -1] as const) {
      signal?.throwIfAborted();
      const { value, input } = await exactMaximum(network, box, output, sign);
      ends.push(value + TOLERANCE * Math.max(1, Math.abs(value)));
      const difference = evaluate(network, input).difference[output]!;
      if (Math.abs(difference) >= Math.abs(best?.difference ?? 0)) best = { input, difference };
    }
    const [upper, lower] = [ends[0]!, -ends[1]!];
    outputs.push({
      found: Math.abs(best!.difference),
      proven: Math.max(upper, -lower),
      lower,
      upper,
      witness: best,
    });
  }
  return { outputs, boxes: 1, splits: 0, open: 0, settled: 1, left: 0, isComplete: true };
}
