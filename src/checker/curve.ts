/**
 * Lines over and under Sigmoid and Tanh.
 *
 * Both are A·tanh(B·v) + C, which is convex below 0 and concave above it. So over an interval its distance to a line is
 * largest at an end, or above 0 where its slope is that of the line: from a bracket of that place, the tangent at the
 * bracket's lower end bounds it. Any slope is valid with the constant that is found so. Lines under the function are lines
 * over it turned around 0.
 *
 * @module
 */

/** A·tanh(B·v) + C. */
export interface Curve {
  readonly height: number;
  readonly rate: number;
  readonly middle: number;
}

/** The functions, by the names of their operators. */
export const CURVES: Readonly<Record<"Sigmoid" | "Tanh", Curve>> = {
  Sigmoid: { height: 0.5, rate: 0.5, middle: 0.5 },
  Tanh: { height: 1, rate: 1, middle: 0 },
};

/** More than values and slopes as computed can be off: none is above 1, and float64 has 53 bits. */
export const COMPUTED = 2 ** -46;

/** Halvings on the way to a place. */
const HALVINGS = 32;

/** A line over a function and one under it. */
export interface CurveLines {
  upperSlope: number;
  upperConstant: number;
  lowerSlope: number;
  lowerConstant: number;
}

/** The value, up to {@linkcode COMPUTED}. */
export function valueOf({ height, rate, middle }: Curve, v: number): number {
  return height * Math.tanh(rate * v) + middle;
}

/** The slope there, up to {@linkcode COMPUTED}. */
export function slopeOf({ height, rate }: Curve, v: number): number {
  const t = Math.tanh(rate * v);
  return height * rate * (1 - t * t);
}

/** The least and the greatest slope on an interval, rounded outward. */
export function slopesOn(
  curve: Curve,
  lower: number,
  upper: number,
): [least: number, most: number] {
  const [first, last] = [slopeOf(curve, lower), slopeOf(curve, upper)];
  const most = lower <= 0 && upper >= 0 ? curve.height * curve.rate : Math.max(first, last);
  return [Math.max(Math.min(first, last) - COMPUTED, 0), most + COMPUTED];
}

/** The lines of those slopes that do well, which are nearest in the middle of an interval. */
export function curveLines(curve: Curve, lower: number, upper: number, out: CurveLines): void {
  const odd = { ...curve, middle: 0 };
  const over = nearestOver(odd, lower, upper);
  const under = nearestOver(odd, -upper, -lower);
  out.upperSlope = over.slope;
  out.upperConstant = over.constant + curve.middle + COMPUTED;
  out.lowerSlope = under.slope;
  out.lowerConstant = -under.constant + curve.middle - COMPUTED;
}

interface Line {
  readonly slope: number;
  readonly constant: number;
}

function nearestOver(curve: Curve, lower: number, upper: number): Line {
  const middle = lower + (upper - lower) / 2;
  const chord = (valueOf(curve, upper) - valueOf(curve, lower)) / (upper - lower);
  let best: Line = { slope: 0, constant: valueOf(curve, upper) + COMPUTED };
  for (const slope of [chord, slopeOf(curve, middle), touching(curve, lower, upper)]) {
    if (!(slope > 0 && slope <= 1)) continue;
    const constant = constantOver(curve, slope, lower, upper);
    if (slope * middle + constant < best.slope * middle + best.constant) best = { slope, constant };
  }
  return best;
}

/** A constant with value ≤ slope·v + constant on the interval, for curves through 0. */
function constantOver(curve: Curve, slope: number, lower: number, upper: number): number {
  const distance = (v: number) => valueOf(curve, v) - slope * v;
  let most = Math.max(distance(lower), distance(upper));
  let [from, to] = [Math.max(lower, 0), upper];
  // Where slopes stay above that of the line, the distance is largest at the end.
  if (from < to && slopeOf(curve, to) < slope) {
    for (let step = 0; step < HALVINGS; step++) {
      const place = (from + to) / 2;
      if (slopeOf(curve, place) >= slope) from = place;
      else to = place;
    }
    // The tangent is above the function.
    const rise = Math.max(slopeOf(curve, from) - slope, 0) + COMPUTED;
    most = Math.max(most, distance(from) + rise * (to - from));
  }
  const size = 1 + slope * Math.max(Math.abs(lower), Math.abs(upper));
  return most + COMPUTED * size;
}

/** About the slope of the line from the lower end that touches the function above 0. */
function touching(curve: Curve, lower: number, upper: number): number {
  if (lower >= 0 || upper <= 0) return NaN;
  const start = valueOf(curve, lower);
  let [from, to] = [0, upper];
  for (let step = 0; step < HALVINGS / 2; step++) {
    const place = (from + to) / 2;
    if (slopeOf(curve, place) * (place - lower) > valueOf(curve, place) - start) from = place;
    else to = place;
  }
  return slopeOf(curve, to);
}
