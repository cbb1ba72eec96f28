/**
 * Running a paired network in float64: a reference for tests, and a way to look at inner values.
 *
 * @module
 */

import { roundHalfEven } from "../../quant/grid.ts";
import { apply } from "./linear_map.ts";
import {
  type Pair,
  type PairedNetwork,
  type PairedStep,
  type Quantizer,
  type Side,
  SIDES,
} from "./network.ts";

/** Both outputs at a point, and their difference. */
export interface Evaluation extends Pair<Float64Array> {
  /** f′(x) − f(x). */
  readonly difference: Float64Array;
}

/** Both outputs of a paired network. */
export function evaluate(network: PairedNetwork, x: Float64Array): Evaluation {
  const [original, quantized] = SIDES.map((side) => valuesOf(network, side, x)[network.output]!);
  return {
    original: original!,
    quantized: quantized!,
    difference: quantized!.map((value, at) => value - original![at]!),
  };
}

/** Every value of one side, by number. */
export function valuesOf(network: PairedNetwork, side: Side, x: Float64Array): Float64Array[] {
  if (x.length !== network.input.size) {
    throw new RangeError(
      `A point must have ${network.input.size} elements: current value has ${x.length}`,
    );
  }
  const values = [x];
  for (const step of network.steps) values.push(evaluateStep(step, side, values));
  return values;
}

/** R(v): rounds to a grid and back. */
export function roundToGrid(quantizer: Quantizer, value: number, element: number): number {
  const { scale, zeroPoint, qmin, qmax } = quantizer;
  const at = scale.length === 1 ? 0 : element;
  const [step, zero] = [scale[at]!, zeroPoint[at]!];
  const integer = roundHalfEven(value / step) + zero;
  return (Math.min(Math.max(integer, qmin), qmax) - zero) * step;
}

function evaluateStep(
  step: PairedStep,
  side: Side,
  values: readonly Float64Array[],
): Float64Array {
  if (step.kind === "affine") {
    const result = step.offset[side].values.slice();
    for (const { input, map } of step.terms) {
      const part = apply(map[side], values[input]!);
      for (let at = 0; at < result.length; at++) result[at]! += part[at]!;
    }
    return result;
  }
  const x = values[step.input]!;
  switch (step.kind) {
    case "relu":
      return x.map((value) => Math.max(value, 0));
    case "sigmoid":
      return x.map((value) => 1 / (1 + Math.exp(-value)));
    case "tanh":
      return x.map((value) => Math.tanh(value));
    case "maxpool": {
      const { size, window, sources } = step;
      return Float64Array.from({ length: size }, (_, at) => {
        let most = -Infinity;
        for (let place = at * window; place < (at + 1) * window; place++) {
          if (sources[place]! >= 0) most = Math.max(most, x[sources[place]!]!);
        }
        return most;
      });
    }
    case "quantize": {
      const quantizer = step.quantizer[side];
      if (quantizer === undefined) return x;
      return x.map((value, at) => roundToGrid(quantizer, value, at));
    }
  }
}
