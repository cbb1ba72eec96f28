/**
 * Networks evaluated without any rounding: values are integers times a power of two.
 *
 * @module
 */

import { forEachWeight, type LinearMap } from "../../src/verify/network/linear_map.ts";
import type { PairedNetwork, PairedStep, Side } from "../../src/verify/network/network.ts";

/** A vector of numbers `digits[i] · 2^exponent`. */
interface Dyadic {
  readonly digits: BigInt64Array | readonly bigint[];
  readonly exponent: number;
}

/** A bound on a number, to be compared with exact ones. */
export type Exact = { readonly digits: bigint; readonly exponent: number };

/** Whether {@linkcode exactDifference} knows all that a network does. */
export function isExactlyKnown({ steps }: PairedNetwork): boolean {
  return steps.every((step) => {
    if (step.kind !== "affine") return step.kind === "relu" || step.kind === "quantize";
    return [step.offset.original, step.offset.quantized].every(({ errors }) =>
      errors === undefined || errors.every((error) => error === 0)
    ) && step.terms.every(({ map }) =>
      [map.original, map.quantized].every(({ relativeError = 0 }) =>
        relativeError === 0
      )
    );
  });
}

/** f′ − f at a point, of every output. Ties between two levels go to the even one. */
export function exactDifference(network: PairedNetwork, x: Float64Array): Exact[] {
  const [first, second] = (["original", "quantized"] as const).map((side) => {
    const values: Dyadic[] = [dyadic(x)];
    for (const step of network.steps) values.push(applied(step, side, values));
    return values[network.output]!;
  });
  const exponent = Math.min(first!.exponent, second!.exponent);
  const [a, b] = [moved(first!, exponent), moved(second!, exponent)];
  return a.map((each, at) => ({ digits: b[at]! - each, exponent }));
}

/** −1, 0 or 1 as an exact number is below a float64, the same, or above it. */
export function compareExact({ digits, exponent }: Exact, value: number): number {
  if (!Number.isFinite(value)) return value > 0 ? -1 : 1;
  const other = dyadic(Float64Array.of(value));
  const least = Math.min(exponent, other.exponent);
  const [a, b] = [digits << BigInt(exponent - least), moved(other, least)[0]!];
  return a < b ? -1 : a > b ? 1 : 0;
}

function applied(step: PairedStep, side: Side, values: readonly Dyadic[]): Dyadic {
  switch (step.kind) {
    case "affine": {
      const parts = step.terms.map(({ input, map }) => product(map[side], values[input]!));
      const offset = dyadic(step.offset[side].values);
      const exponent = Math.min(offset.exponent, ...parts.map((part) => part.exponent));
      const all = [offset, ...parts].map((part) => moved(part, exponent));
      return {
        exponent,
        digits: all[0]!.map((_, at) => all.reduce((sum, part) => sum + part[at]!, 0n)),
      };
    }
    case "relu": {
      const { digits, exponent } = values[step.input]!;
      return { exponent, digits: Array.from(digits, (each) => each > 0n ? each : 0n) };
    }
    case "quantize": {
      const quantizer = step.quantizer[side];
      const { digits, exponent } = values[step.input]!;
      if (quantizer === undefined) return values[step.input]!;
      const { scale, zeroPoint, qmin, qmax } = quantizer;
      const scales = dyadic(scale);
      const least = Math.min(exponent, scales.exponent);
      const [numerators, denominators] = [moved({ digits, exponent }, least), moved(scales, least)];
      const levels = numerators.map((numerator, at) => {
        const each = scale.length === 1 ? 0 : at;
        const zero = BigInt(zeroPoint[each]!);
        const level = nearest(numerator, denominators[each]!) + zero;
        const kept = level < BigInt(qmin)
          ? BigInt(qmin)
          : level > BigInt(qmax)
          ? BigInt(qmax)
          : level;
        return (kept - zero) * denominators[each]!;
      });
      return { digits: levels, exponent: least };
    }
    default:
      throw new TypeError(`Step ${step.kind} has no exact value`);
  }
}

function product(map: LinearMap, x: Dyadic): Dyadic {
  const weights: number[] = [];
  forEachWeight(map, (_row, _column, weight) => weights.push(weight));
  const exact = dyadic(Float64Array.from(weights));
  const digits = new Array<bigint>(map.rows).fill(0n);
  let at = 0;
  forEachWeight(map, (row, column) => {
    digits[row]! += exact.digits[at++]! * x.digits[column]!;
  });
  return { digits, exponent: exact.exponent + x.exponent };
}

/** numerator / denominator to the nearest integer, ties to the even one; the denominator is positive. */
function nearest(numerator: bigint, denominator: bigint): bigint {
  const doubled = 2n * numerator + denominator;
  let quotient = doubled / (2n * denominator);
  if (doubled < 0n && quotient * 2n * denominator !== doubled) quotient--;
  const isTie = quotient * 2n * denominator === doubled;
  return isTie && quotient % 2n !== 0n ? quotient - 1n : quotient;
}

function moved({ digits, exponent }: Dyadic, to: number): bigint[] {
  return Array.from(digits, (each) => each << BigInt(exponent - to));
}

const BITS = new DataView(new ArrayBuffer(8));

/** Any float64 numbers. */
function dyadic(values: Float64Array): Dyadic {
  const parts = Array.from(values, (value) => {
    BITS.setFloat64(0, value);
    const bits = BITS.getBigUint64(0);
    const field = Number(bits >> 52n & 0x7ffn);
    const fraction = bits & 0xfffffffffffffn;
    const digits = field === 0 ? fraction : fraction | 1n << 52n;
    return { digits: value < 0 ? -digits : digits, exponent: Math.max(field, 1) - 1075 };
  });
  const exponent = parts.reduce(
    (least, part) => part.digits === 0n ? least : Math.min(least, part.exponent),
    Infinity,
  );
  const shared = exponent === Infinity ? 0 : exponent;
  return {
    exponent: shared,
    digits: parts.map((part) =>
      part.digits === 0n ? 0n : part.digits << BigInt(part.exponent - shared)
    ),
  };
}
