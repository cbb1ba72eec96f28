/**
 * Lines and planes at Relus and at quantizers.
 *
 * @module
 */

import { type GridLines, gridLines } from "./grid.ts";
import type { PairedGrid } from "./pair.ts";
import { chooseSlopes, intercept, type Region } from "./planes.ts";
import { up } from "./rounding.ts";
import type { ValueState } from "./value_state.ts";

/**
 * Lines over and under a = h(z) and b = h′(y), and planes over and under g = a − b as functions of z and e. No slope is
 * larger than 2.
 */
export class Relaxation {
  /** 0: both are zero; 1: both are what they are made of; 2: anything else. */
  readonly kind: Uint8Array;
  readonly aLower: Float64Array;
  readonly aUpper: Float64Array;
  readonly aLowerConstant: Float64Array;
  readonly aUpperConstant: Float64Array;
  readonly bLower: Float64Array;
  readonly bUpper: Float64Array;
  readonly bLowerConstant: Float64Array;
  readonly bUpperConstant: Float64Array;
  readonly gLowerZ: Float64Array;
  readonly gLowerE: Float64Array;
  readonly gLowerConstant: Float64Array;
  readonly gUpperZ: Float64Array;
  readonly gUpperE: Float64Array;
  readonly gUpperConstant: Float64Array;
  /** At least the sum of the magnitudes of an element's constants. */
  readonly constantSize: Float64Array;
  /** How far the lines of a, and the planes of g, are apart in the middle of the region. */
  readonly aGap: Float64Array;
  readonly gGap: Float64Array;

  constructor(size: number) {
    const make = () => new Float64Array(size);
    this.kind = new Uint8Array(size);
    [this.aLower, this.aUpper, this.aLowerConstant, this.aUpperConstant] = [
      make(),
      make(),
      make(),
      make(),
    ];
    [this.bLower, this.bUpper, this.bLowerConstant, this.bUpperConstant] = [
      make(),
      make(),
      make(),
      make(),
    ];
    [this.gLowerZ, this.gLowerE, this.gLowerConstant] = [make(), make(), make()];
    [this.gUpperZ, this.gUpperE, this.gUpperConstant] = [make(), make(), make()];
    [this.constantSize, this.aGap, this.gGap] = [make(), make(), make()];
  }

  /** Sums up the constants, and finds the gaps. */
  measure({ zLower, zUpper, eLower, eUpper }: ValueState): void {
    for (let at = 0; at < this.constantSize.length; at++) {
      this.constantSize[at] = Math.abs(this.aLowerConstant[at]!) +
        Math.abs(this.aUpperConstant[at]!) + Math.abs(this.bLowerConstant[at]!) +
        Math.abs(this.bUpperConstant[at]!) + Math.abs(this.gLowerConstant[at]!) +
        Math.abs(this.gUpperConstant[at]!);
      const [z, e] = [(zLower[at]! + zUpper[at]!) / 2, (eLower[at]! + eUpper[at]!) / 2];
      this.aGap[at] = (this.aUpper[at]! - this.aLower[at]!) * z + this.aUpperConstant[at]! -
        this.aLowerConstant[at]!;
      this.gGap[at] = this.kind[at] !== 2 ? 0 : (this.gUpperZ[at]! - this.gLowerZ[at]!) * z +
        (this.gUpperE[at]! - this.gLowerE[at]!) * e + this.gUpperConstant[at]! -
        this.gLowerConstant[at]!;
    }
  }
}

/** Lines and planes of Relu for values with these bounds. */
export function relaxRelu(state: ValueState, out: Relaxation): void {
  const region: Region = { zLower: 0, zUpper: 0, yLower: 0, yUpper: 0, eLower: 0, eUpper: 0 };
  for (let at = 0; at < state.zLower.length; at++) {
    region.zLower = state.zLower[at]!;
    region.zUpper = state.zUpper[at]!;
    region.yLower = state.yLower[at]!;
    region.yUpper = state.yUpper[at]!;
    region.eLower = state.eLower[at]!;
    region.eUpper = state.eUpper[at]!;
    const { zLower, zUpper, yLower, yUpper } = region;
    out.kind[at] = zUpper <= 0 && yUpper <= 0 ? 0 : zLower >= 0 && yLower >= 0 ? 1 : 2;
    reluLines(zLower, zUpper, at, out.aLower, out.aUpper, out.aUpperConstant);
    reluLines(yLower, yUpper, at, out.bLower, out.bUpper, out.bUpperConstant);
    if (out.kind[at] !== 2) {
      out.gUpperConstant[at] = out.gLowerConstant[at] = 0;
      continue;
    }
    const above = chooseSlopes(region, 1);
    out.gUpperZ[at] = above.p;
    out.gUpperE[at] = above.q;
    out.gUpperConstant[at] = intercept(region, above.p, above.q, 1);
    const below = chooseSlopes(region, -1);
    out.gLowerZ[at] = -below.p;
    out.gLowerE[at] = -below.q;
    out.gLowerConstant[at] = -intercept(region, below.p, below.q, -1);
  }
  out.measure(state);
}

/** Slopes of lines under and over relu, and the intercept of the upper one from its two ends. */
function reluLines(
  lower: number,
  upper: number,
  at: number,
  slopesBelow: Float64Array,
  slopesAbove: Float64Array,
  constants: Float64Array,
): void {
  constants[at] = 0;
  if (lower >= 0 || upper <= 0) {
    slopesBelow[at] = slopesAbove[at] = lower >= 0 ? 1 : 0;
    return;
  }
  const slope = upper / (upper - lower);
  slopesBelow[at] = upper > -lower ? 1 : 0;
  slopesAbove[at] = slope;
  constants[at] = Math.max(up(-slope * lower), up(up(1 - slope) * upper));
}

const newLines = (): GridLines => ({
  upperSlope: 0,
  upperConstant: 0,
  lowerSlope: 0,
  lowerConstant: 0,
  least: 0,
  most: 0,
});

/**
 * Lines and planes of a quantizer for values with these bounds, and the bounds of what it makes.
 *
 * The planes of the difference are those of a line in z and one in y = z − e: with the same slopes, what z and y have in
 * common cancels.
 */
export function relaxGrid(
  step: PairedGrid,
  slack: number,
  state: ValueState,
  to: ValueState,
  out: Relaxation,
): void {
  const [a, b] = [newLines(), newLines()];
  for (let at = 0; at < step.size; at++) {
    const { original, quantized } = step;
    linesOf(original, at, state.zLower[at]!, state.zUpper[at]!, slack, a);
    linesOf(quantized, at, state.yLower[at]!, state.yUpper[at]!, slack, b);
    out.kind[at] = 2;
    out.aLower[at] = a.lowerSlope;
    out.aUpper[at] = a.upperSlope;
    out.aLowerConstant[at] = a.lowerConstant;
    out.aUpperConstant[at] = a.upperConstant;
    out.bLower[at] = b.lowerSlope;
    out.bUpper[at] = b.upperSlope;
    out.bLowerConstant[at] = b.lowerConstant;
    out.bUpperConstant[at] = b.upperConstant;

    const [zSize, ySize, eSize] = [state.zSize[at]!, state.ySize[at]!, state.eSize[at]!];
    // The slopes' differences are rounded, and what they miss multiplies z.
    const room = 2 ** -49 * (zSize + ySize + eSize + Math.abs(a.upperConstant) +
      Math.abs(a.lowerConstant) + Math.abs(b.upperConstant) + Math.abs(b.lowerConstant));
    const [p, q, c] = [
      a.upperSlope - b.lowerSlope,
      b.lowerSlope,
      a.upperConstant - b.lowerConstant + room,
    ];
    const [r, s, d] = [
      a.lowerSlope - b.upperSlope,
      b.upperSlope,
      a.lowerConstant - b.upperConstant - room,
    ];
    [out.gUpperZ[at], out.gUpperE[at], out.gUpperConstant[at]] = [p, q, c];
    [out.gLowerZ[at], out.gLowerE[at], out.gLowerConstant[at]] = [r, s, d];

    to.zLower[at] = a.least;
    to.zUpper[at] = a.most;
    to.yLower[at] = b.least;
    to.yUpper[at] = b.most;
    // No slope of e is negative.
    const [zl, zu] = [state.zLower[at]!, state.zUpper[at]!];
    to.eUpper[at] = c + Math.max(p * zl, p * zu) + q * state.eUpper[at]! + 2 * room;
    to.eLower[at] = d + Math.min(r * zl, r * zu) + s * state.eLower[at]! - 2 * room;
  }
  out.measure(state);
  to.close();
  to.measure();
}

function linesOf(
  grid: { scale: Float64Array; first: Float64Array; last: Float64Array } | undefined,
  at: number,
  lower: number,
  upper: number,
  slack: number,
  out: GridLines,
): void {
  if (grid !== undefined) {
    gridLines(grid.scale[at]!, grid.first[at]!, grid.last[at]!, lower, upper, slack, out);
    return;
  }
  out.upperSlope = out.lowerSlope = 1;
  out.upperConstant = out.lowerConstant = 0;
  out.least = lower;
  out.most = upper;
}
