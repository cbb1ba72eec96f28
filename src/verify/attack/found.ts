/**
 * What is found on a box in the end: witnesses that the input's type can hold, evaluated exactly and executed.
 *
 * @module
 */

import type { Semantics } from "../bounds/roundoff.ts";
import { type Box, center } from "../box.ts";
import type { OutputBracket } from "../bracket.ts";
import { evaluate as evaluateNetwork } from "../network/evaluate.ts";
import type { PairedNetwork } from "../network/network.ts";
import type { ExecutedPair } from "./executed.ts";
import type { PointSnap } from "./extremes.ts";

/** A point of a domain where the two models were compared. */
export interface ConfirmedPoint {
  readonly input: Float64Array;
  /** f′ − f of each output by float64 arithmetic on the numbers of the files. */
  readonly evaluated: Float64Array;
  /** f′ − f of each output as ONNX Runtime computes both models. */
  readonly executed: Float64Array;
}

/** The largest difference of one output that was found. */
export interface ConfirmedDifference {
  readonly found: number;
  /** Which of the points shows it. */
  readonly point: number;
}

/** What was found on a box. */
export interface Confirmed {
  readonly points: readonly ConfirmedPoint[];
  /** One an output. */
  readonly outputs: readonly ConfirmedDifference[];
}

/**
 * Confirms witnesses: takes each to the nearest input that the models can be fed, and runs both models there.
 *
 * With the semantics `real` the difference is that of the evaluation in float64, with `float32` that of the execution,
 * which is one of the results that the bound speaks of.
 *
 * @param candidates Points beside the witnesses of the brackets that may differ more when they are executed.
 */
export async function confirm(
  network: PairedNetwork,
  pair: ExecutedPair,
  box: Box,
  brackets: readonly OutputBracket[],
  semantics: Semantics,
  snap: PointSnap,
  candidates: readonly Float64Array[] = [],
): Promise<Confirmed> {
  const isReal = semantics === "real";
  const inputs = new Map<string, Float64Array>();
  // Where nothing differs at all, any point shows it.
  const found = brackets.flatMap(({ witness }) => witness?.input ?? []);
  const witnesses = found.length > 0 ? found : [center(box)];
  for (const point of isReal ? witnesses : [...witnesses, ...candidates]) {
    const input = snap(point, box);
    inputs.set(input.join(), input);
  }
  const points = [...inputs.values()];
  const evaluate = (input: Float64Array) => evaluateNetwork(network, input).difference;
  const differences: Float64Array[] = [];
  for (const input of points) {
    differences.push(isReal ? evaluate(input) : await pair.difference(input));
  }
  const best = brackets.map((_, output) => {
    let [found, at] = [-1, 0];
    differences.forEach((each, index) => {
      const difference = Math.abs(each[output]!);
      if (difference > found) [found, at] = [difference, index];
    });
    return { found, at };
  });
  const used = [...new Set(best.map(({ at }) => at))].sort((a, b) => a - b);
  const confirmed: ConfirmedPoint[] = [];
  for (const at of used) {
    const input = points[at]!;
    confirmed.push({
      input,
      evaluated: isReal ? differences[at]! : evaluate(input),
      executed: isReal ? await pair.difference(input) : differences[at]!,
    });
  }
  return {
    points: confirmed,
    outputs: best.map(({ found, at }) => ({ found, point: used.indexOf(at) })),
  };
}
