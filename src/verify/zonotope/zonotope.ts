/**
 * Zonotopes: all c + Σ εᵢ·gᵢ + δ with |εᵢ| ≤ 1 and |δⱼ| ≤ errorⱼ, carried through affine maps and elementwise lines.
 *
 * @module
 */

import { apply, applyAbsolute, type LinearMap } from "../network/linear_map.ts";

/** A set of vectors. Generators of one number belong to one ε in all zonotopes of a pass; missing ones are zero. */
export interface Zonotope {
  readonly center: Float64Array;
  readonly generators: readonly (Float64Array | undefined)[];
  /** What is not known of each element by itself: roundings and noise. */
  readonly error: Float64Array;
}

/** A vector of zeros as a zonotope. */
export function zero(size: number): Zonotope {
  return { center: new Float64Array(size), generators: [], error: new Float64Array(size) };
}

/** Σ|gᵢ| + error: how far elements are from the center. Rounded to the nearest. */
export function radius({ generators, error }: Zonotope): Float64Array {
  const sum = error.slice();
  for (const generator of generators) {
    if (generator === undefined) continue;
    for (let at = 0; at < sum.length; at++) sum[at]! += Math.abs(generator[at]!);
  }
  return sum;
}

/** |c| + radius: the largest magnitudes. */
export function magnitude(zonotope: Zonotope): Float64Array {
  const sum = radius(zonotope);
  for (let at = 0; at < sum.length; at++) sum[at]! += Math.abs(zonotope.center[at]!);
  return sum;
}

/**
 * M·x.
 *
 * @param unit What sums are charged, relative to the magnitudes that are added.
 */
export function mapped(map: LinearMap, x: Zonotope, unit: number): Zonotope {
  const error = applyAbsolute(map, x.error);
  const rounding = applyAbsolute(map, magnitude(x));
  for (let at = 0; at < error.length; at++) error[at]! += unit * (rounding[at]! + error[at]!);
  return {
    center: apply(map, x.center),
    generators: x.generators.map((generator) => generator && apply(map, generator)),
    error,
  };
}

/** a + b. */
export function sum(a: Zonotope, b: Zonotope, unit: number): Zonotope {
  return combined(a, 1, b, 1, unit);
}

/** p·a + q·b, elementwise, with factors that are at most 2. */
export function combined(
  a: Zonotope,
  p: Float64Array | number,
  b: Zonotope,
  q: Float64Array | number,
  unit: number,
): Zonotope {
  const size = a.center.length;
  const first = typeof p === "number" ? new Float64Array(size).fill(p) : p;
  const second = typeof q === "number" ? new Float64Array(size).fill(q) : q;
  const add = (x: Float64Array | undefined, y: Float64Array | undefined) => {
    if (x === undefined && y === undefined) return undefined;
    const result = new Float64Array(size);
    if (x !== undefined) { for (let at = 0; at < size; at++) result[at]! += first[at]! * x[at]!; }
    if (y !== undefined) { for (let at = 0; at < size; at++) result[at]! += second[at]! * y[at]!; }
    return result;
  };
  const length = Math.max(a.generators.length, b.generators.length);
  const [sizeA, sizeB] = [magnitude(a), magnitude(b)];
  return {
    center: add(a.center, b.center)!,
    generators: Array.from({ length }, (_, at) => add(a.generators[at], b.generators[at])),
    error: Float64Array.from(
      { length: size },
      (_, at) =>
        (Math.abs(first[at]!) * a.error[at]! + Math.abs(second[at]!) * b.error[at]!) * (1 + unit) +
        unit * (sizeA[at]! + sizeB[at]!),
    ),
  };
}

/** x moved by offsets that are known up to errors. */
export function moved(
  x: Zonotope,
  offset: Float64Array,
  error: (at: number) => number,
  unit: number,
): Zonotope {
  return {
    center: x.center.map((value, at) => value + offset[at]!),
    generators: x.generators,
    error: x.error.map((value, at) =>
      value + error(at) + unit * (Math.abs(x.center[at]!) + Math.abs(offset[at]!))
    ),
  };
}

/** x with a new generator, of its own number from `next`, for every element whose width is not zero. */
export function widened(x: Zonotope, widths: Float64Array, next: () => number): Zonotope {
  const generators = [...x.generators];
  widths.forEach((width, at) => {
    if (width === 0) return;
    const generator = new Float64Array(widths.length);
    generator[at] = width;
    generators[next()] = generator;
  });
  return { ...x, generators };
}
