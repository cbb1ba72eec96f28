/**
 * What passes that choose relaxations for each row choose from: lines and planes at the elements of a step.
 *
 * @module
 */

import type { PairedStep, Quantizer } from "../network/network.ts";
import type { ValueBounds } from "./batch.ts";
import { MOST_PLANES, planesOver } from "./planes.ts";
import { candidateLines, MOST_LINES, newCandidates } from "./quantize.ts";
import type { Relaxation } from "./relu.ts";

/** A step with a function of one variable. */
export type ElementwiseStep = Exclude<PairedStep, { kind: "affine" | "maxpool" }>;

/**
 * What there is of one step on one box, with a = f(z), b = f′(y) and g = a − b. Lines are slope·x + constant, planes
 * p·z + q·e + c.
 */
export interface StepChoices {
  /** The elements that need a relaxation. */
  readonly relaxed: Int32Array;
  /** Those that both networks pass on as they are; all others are 0 in both. */
  readonly passed: Int32Array;
  /** How many lines there are above a, below a, above b and below b, then how many planes above g and below it. */
  readonly counts: readonly [number, number, number, number, number, number];
  /** [relaxed × numbers]: lines as slope and constant, planes as p, q and c, in the order of the counts. */
  readonly table: Float64Array;
  /** [relaxed × 2]: the middles of z and e. */
  readonly middles: Float64Array;
  /** [relaxed]: what roundings cost for each unit of a coefficient. */
  readonly room: Float64Array;
}

/** How many numbers an element has in the table. */
export function tableLength(counts: StepChoices["counts"]): number {
  const [a, b, c, d, above, below] = counts;
  return 2 * (a + b + c + d) + 3 * (above + below);
}

/** Roundings of slopes, constants and their products, of steps from one to another too, with a margin. */
const ROUNDING = 128 * 2 ** -53;

/** Planes on one side of the difference of two Relus. */
const PLANES = new Float64Array(3 * MOST_PLANES);

/** Lines above Relu: the chord. Below, 0 and the identity: all that is between them is valid. */
const RELU_COUNTS = [1, 2, 1, 2, MOST_PLANES, MOST_PLANES] as const;

const LINES = newCandidates();

/**
 * The choices of a step on one box.
 *
 * @param bounds Of what the step reads.
 * @param relaxation That of the step, as it is chosen at the middle of the box.
 * @param unit What sums of a pass are charged for their roundings, as a multiple of magnitudes.
 * @param slack Relative error of a quantizer's division and product.
 */
export function choicesOf(
  step: ElementwiseStep,
  box: number,
  bounds: ValueBounds,
  relaxation: Relaxation,
  unit: number,
  slack: number,
): StepChoices {
  const { size } = step;
  const { zLower, zUpper, yLower, yUpper, eLower, eUpper } = bounds;
  const relaxed: number[] = [], passed: number[] = [];
  for (let element = 0, at = box * size; element < size; element++, at++) {
    if (step.kind !== "relu") relaxed.push(element);
    else if (zLower[at]! >= 0 && yLower[at]! >= 0) passed.push(element);
    // What is not a number must not be taken for nothing.
    else if (!(zUpper[at]! <= 0 && yUpper[at]! <= 0)) relaxed.push(element);
  }
  const counts = countsOf(step);
  const table = new Float64Array(relaxed.length * tableLength(counts));
  const middles = new Float64Array(2 * relaxed.length);
  const room = new Float64Array(relaxed.length);
  let to = 0;
  const put = (...numbers: number[]) => {
    for (const number of numbers) table[to++] = number;
  };
  for (const [place, element] of relaxed.entries()) {
    const at = box * size + element;
    const zl = zLower[at]!, zu = zUpper[at]!, yl = yLower[at]!, yu = yUpper[at]!;
    const el = eLower[at]!, eu = eUpper[at]!;
    middles[2 * place] = (zl + zu) / 2;
    middles[2 * place + 1] = (el + eu) / 2;
    const most = Math.max(-zl, zu, 0) + Math.max(-yl, yu, 0) + Math.max(-el, eu, 0);
    let sizes = most;
    const from = to;
    if (step.kind === "relu") {
      putReluLines(zl, zu, put);
      putReluLines(yl, yu, put);
      putPlanes(planesOver(zl, zu, yl, yu, el, eu, PLANES), false, put);
      putPlanes(planesOver(yl, yu, zl, zu, -eu, -el, PLANES), true, put);
    } else {
      for (const letter of ["a", "b"] as const) {
        const grid = step.kind === "quantize" ? gridOf(step, letter) : undefined;
        if (grid === undefined) putPresentLines(relaxation, letter, at, put);
        else {
          const [lower, upper] = letter === "a" ? [zl, zu] : [yl, yu];
          candidateLines(grid, element, lower, upper, slack, LINES);
          putLines(LINES.above, LINES.aboveCount, put);
          putLines(LINES.below, LINES.belowCount, put);
        }
      }
      for (const sign of [1, -1]) {
        for (const field of ["gSlopeZ", "gSlopeE", "gConstant"] as const) {
          put(relaxation[field][at]! + sign * relaxation[`${field}Half`][at]!);
        }
      }
    }
    const planes = to - 3 * (counts[4] + counts[5]);
    for (let number = from; number < to; number++) {
      const isConstant = number < planes ? (number - from) % 2 === 1 : (number - planes) % 3 === 2;
      sizes += Math.abs(table[number]!) * (isConstant ? 1 : most);
    }
    room[place] = (ROUNDING + unit) * sizes;
  }
  return {
    relaxed: Int32Array.from(relaxed),
    passed: Int32Array.from(passed),
    counts,
    table,
    middles,
    room,
  };
}

function countsOf(step: ElementwiseStep): StepChoices["counts"] {
  if (step.kind === "relu") return RELU_COUNTS;
  const count = (letter: "a" | "b") =>
    step.kind === "quantize" && gridOf(step, letter) !== undefined ? MOST_LINES : 1;
  const [a, b] = [count("a"), count("b")];
  return [a, a, b, b, 1, 1];
}

function gridOf(
  step: Extract<ElementwiseStep, { kind: "quantize" }>,
  letter: "a" | "b",
): Quantizer | undefined {
  return step.quantizer[letter === "a" ? "original" : "quantized"];
}

function putReluLines(
  lower: number,
  upper: number,
  put: (...numbers: number[]) => void,
): void {
  const isOpen = lower < 0 && upper > 0;
  const slope = isOpen ? upper / (upper - lower) : lower >= 0 ? 1 : 0;
  put(slope, isOpen ? -slope * lower : 0);
  put(isOpen ? 0 : slope, 0, isOpen ? 1 : slope, 0);
}

/** As many as there can be: fewer are filled up with the first. */
function putPlanes(count: number, isSwapped: boolean, put: (...numbers: number[]) => void): void {
  for (let plane = 0; plane < MOST_PLANES; plane++) {
    const from = plane < count ? 3 * plane : 0;
    const p = PLANES[from]!, q = PLANES[from + 1]!, c = PLANES[from + 2]!;
    if (isSwapped) put(-p, p + q, -c);
    else put(p, q, c);
  }
}

function putPresentLines(
  relaxation: Relaxation,
  letter: "a" | "b",
  at: number,
  put: (...numbers: number[]) => void,
): void {
  const slope = relaxation[`${letter}Slope`][at]!;
  const half = relaxation[`${letter}SlopeHalf`][at]!;
  const constant = relaxation[`${letter}Constant`][at]!;
  const constantHalf = relaxation[`${letter}ConstantHalf`][at]!;
  put(slope + half, constant + constantHalf, slope - half, constant - constantHalf);
}

/**
 * As many as there can be: fewer are filled up with the constant. That comes last, since of equal lines the first is
 * taken, and slope 1 cancels with the other network's.
 */
function putLines(lines: Float64Array, count: number, put: (...numbers: number[]) => void): void {
  for (let line = 1; line <= MOST_LINES; line++) {
    const from = line < count ? 2 * line : 0;
    put(lines[from]!, lines[from + 1]!);
  }
}
