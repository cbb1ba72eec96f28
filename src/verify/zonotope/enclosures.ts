/**
 * Parallel lines and planes around nonlinear functions: what zonotopes take through them.
 *
 * @module
 */

import { type GridLines, gridLines } from "../../checker/grid.ts";
import { intercept, type Region } from "../../checker/planes.ts";
import { up } from "../bounds/batch.ts";
import type { Quantizer } from "../network/network.ts";

/** slope·v + middle ± width encloses a function. */
export interface Line {
  readonly slope: number;
  readonly middle: number;
  readonly width: number;
}

/** Lines around relu on an interval. */
export function reluLine(lower: number, upper: number): Line {
  if (lower >= 0) return { slope: 1, middle: 0, width: 0 };
  if (upper <= 0) return { slope: 0, middle: 0, width: 0 };
  const slope = upper / (upper - lower);
  // relu(v) − slope·v is least at 0, where it is 0, and largest at an end.
  const most = Math.max(up(-slope * lower), up(up(1 - slope) * upper));
  return { slope, middle: most / 2, width: up(most / 2) };
}

/** p·z + q·e + middle ± width encloses relu(z) − relu(z − e): the narrowest of slopes that do well somewhere. */
export function reluPlanes(
  region: Region,
): { p: number; q: number; middle: number; width: number } {
  const { zLower, zUpper, yLower, yUpper, eLower, eUpper } = region;
  if (zLower >= 0 && yLower >= 0) return { p: 0, q: 1, middle: 0, width: 0 };
  if (zUpper <= 0 && yUpper <= 0) return { p: 0, q: 0, middle: 0, width: 0 };
  const slopes: [number, number][] = [[0, 0], [0, 1], [0, 0.5]];
  if (eLower < 0 && eUpper > 0) slopes.push([0, eUpper / (eUpper - eLower)]);
  if (zLower < 0 && zUpper > 0) {
    const chord = zUpper / (zUpper - zLower);
    slopes.push([0, chord], [chord, 0], [chord - 1, 1]);
  }
  let best = { p: 0, q: 0, middle: 0, width: Infinity };
  for (const [p, q] of slopes) {
    const [above, below] = [intercept(region, p, q, 1), intercept(region, -p, -q, -1)];
    const width = up(above + below) / 2;
    if (width < best.width) best = { p, q, middle: (above - below) / 2, width };
  }
  // What rounding takes from the middle.
  const room = 2 ** -50 * (Math.abs(best.middle) + best.width);
  return { ...best, width: best.width + room };
}

const LINES: GridLines = {
  upperSlope: 0,
  upperConstant: 0,
  lowerSlope: 0,
  lowerConstant: 0,
  least: 0,
  most: 0,
};

/** Lines around rounding to a grid: of slope 0 or 1, whichever are narrower. */
export function gridLine(
  grid: Quantizer | undefined,
  element: number,
  lower: number,
  upper: number,
  slack: number,
): Line {
  if (grid === undefined) return { slope: 1, middle: 0, width: 0 };
  const at = grid.scale.length === 1 ? 0 : element;
  const [scale, zeroPoint] = [grid.scale[at]!, grid.zeroPoint[at]!];
  const [first, last] = [grid.qmin - zeroPoint, grid.qmax - zeroPoint];
  gridLines(scale, first, last, lower, upper, slack, LINES);
  const { least, most } = LINES;
  const flat = { slope: 0, middle: (least + most) / 2, width: up((most - least) / 2) };
  const size = Math.max(Math.abs(lower), Math.abs(upper)) + Math.abs(least) + Math.abs(most) +
    scale;
  const room = (slack + 2 ** -45) * size;
  const over = scale / 2 + Math.max(first * scale - lower, 0) + room;
  const under = scale / 2 + Math.max(upper - last * scale, 0) + room;
  const steep = { slope: 1, middle: (over - under) / 2, width: up((over + under) / 2) };
  const chosen = flat.width <= steep.width ? flat : steep;
  return { ...chosen, width: chosen.width + 2 ** -50 * (Math.abs(chosen.middle) + chosen.width) };
}
