/**
 * The input boxes of a VNN-LIB property.
 *
 * @module
 */

import { type Box, box } from "../box.ts";
import { roundDown, roundUp } from "./decimal.ts";
import { errorAt, errorIn, lineOf, type Source } from "./expressions.ts";
import { type Comparison, type Formula, type Literal, parse, SUBSET } from "./parse.ts";

/** What a property says. */
export interface VnnlibProperty {
  /** How many elements the input has, and the output. */
  readonly inputs: number;
  readonly outputs: number;
  /**
   * The inputs that it speaks of: each point is in one of them at least. Sides are the decimal numbers of the file,
   * rounded outward to float64.
   */
  readonly boxes: readonly Box[];
  /** What it says of outputs: the conjunction of these formulas. They do not narrow the boxes. */
  readonly outputConstraints: readonly Formula[];
}

/** More boxes than this are a product of choices that nobody means. */
const MOST_BOXES = 10_000;

/**
 * Reads the text of a VNN-LIB property.
 *
 * The input part must be a union of boxes: bounds of single inputs, joined by `and` and `or`. A disjunct that speaks of
 * inputs and outputs counts by what it says of inputs.
 *
 * @param file Names the text in errors.
 * @throws {UserError} If it is malformed, speaks of inputs that are no boxes, leaves a bound out, or describes no
 *   point at all; names line and column.
 */
export function parseVnnlib(text: string, file: string): VnnlibProperty {
  const source = { file, text };
  const { inputs, outputs, assertions } = parse(source);
  if (inputs === 0) {
    throw errorAt(source, 0, 1, "The property declares no inputs", "(declare-const X_0 Real)");
  }
  const limits = conjunction(source, assertions.map((formula) => limitsOf(source, formula)));
  const boxes = limits.filter((each) => emptySide(each) === undefined)
    .map((each) => toBox(source, each, inputs));
  if (boxes.length === 0) throw nothingInside(source, limits[0]!);
  const outputConstraints = assertions.filter((formula) => speaksOf(formula, "output"));
  return { inputs, outputs, boxes, outputConstraints };
}

interface Limit {
  readonly value: number;
  readonly literal: Literal;
}

/** The bounds of inputs, by index. */
type MutableLimits = Map<number, { readonly lower?: Limit; readonly upper?: Limit }>;
type Limits = ReadonlyMap<number, { readonly lower?: Limit; readonly upper?: Limit }>;

/** A formula as a disjunction of bounds; bounds of outputs say nothing here. */
function limitsOf(source: Source, formula: Formula): Limits[] {
  if (formula.kind === "compare") return [comparison(source, formula)];
  const parts = formula.formulas.map((part) => limitsOf(source, part));
  if (formula.kind === "and") return conjunction(source, parts);
  const all = parts.flat();
  // A disjunct without bounds allows everything that the others do, so one of them is enough.
  const open = all.find((limits) => limits.size === 0);
  return open === undefined ? all : [open];
}

function comparison(source: Source, { left, right, list }: Comparison): Limits {
  const variables = [left, right].filter((side) => side.kind === "variable");
  const inputs = variables.filter(({ of }) => of === "input");
  if (variables.length === 0) throw errorIn(source, list, "This compares two numbers", SUBSET);
  if (inputs.length === 0) return new Map();
  if (left.kind === "variable" && right.kind === "variable") {
    const names = `"${left.word.text}" and "${right.word.text}"`;
    throw errorIn(source, list, `The property is not a box: it compares ${names}`, SUBSET);
  }
  if (left.kind === "variable") {
    const literal = right as Literal;
    return new Map([[left.index, { upper: { value: roundUp(literal.text), literal } }]]);
  }
  const literal = left as Literal;
  const { index } = inputs[0]!;
  return new Map([[index, { lower: { value: roundDown(literal.text), literal } }]]);
}

/** The conjunction of disjunctions. */
function conjunction(source: Source, parts: readonly Limits[][]): Limits[] {
  const common: MutableLimits = new Map();
  let all: MutableLimits[] = [common];
  // Those with one choice first, in one map: properties bound thousands of inputs, each by an assertion of its own.
  for (const part of parts) if (part.length === 1) narrow(common, part[0]!);
  for (const part of parts) {
    if (part.length === 1) continue;
    if (all.length * part.length > MOST_BOXES) {
      throw errorAt(
        source,
        0,
        1,
        `The property is a union of more than ${MOST_BOXES} boxes`,
        "Write one or over whole boxes instead of a conjunction of several",
      );
    }
    all = all.flatMap((one) =>
      part.map((other) => {
        const limits = new Map(one);
        narrow(limits, other);
        return limits;
      })
    );
  }
  return all;
}

function narrow(limits: MutableLimits, others: Limits): void {
  for (const [index, { lower, upper }] of others) {
    const known = limits.get(index);
    const highest = tighter(known?.lower, lower, 1);
    const lowest = tighter(known?.upper, upper, -1);
    limits.set(index, { ...(highest && { lower: highest }), ...(lowest && { upper: lowest }) });
  }
}

function tighter(a: Limit | undefined, b: Limit | undefined, sign: 1 | -1): Limit | undefined {
  if (a === undefined || b === undefined) return a ?? b;
  return sign * (b.value - a.value) > 0 ? b : a;
}

/** The first input whose lower bound is above its upper one. */
function emptySide(limits: Limits): number | undefined {
  for (const [index, { lower, upper }] of limits) {
    if (lower !== undefined && upper !== undefined && lower.value > upper.value) return index;
  }
  return undefined;
}

function nothingInside(source: Source, limits: Limits) {
  const index = emptySide(limits)!;
  const { lower, upper } = limits.get(index)!;
  const line = lineOf(source, upper!.literal.word.offset);
  return errorIn(
    source,
    lower!.literal.word,
    `The box is empty: "X_${index}" must be at least ${lower!.literal.text} here, and at most ` +
      `${upper!.literal.text} in line ${line}`,
  );
}

function toBox(source: Source, limits: Limits, inputs: number): Box {
  const lower = new Float64Array(inputs);
  const upper = new Float64Array(inputs);
  for (let index = 0; index < inputs; index++) {
    const known = limits.get(index);
    for (const [side, name] of [["lower", ">="], ["upper", "<="]] as const) {
      const limit = known?.[side];
      if (limit === undefined) {
        throw errorAt(
          source,
          0,
          1,
          `Input "X_${index}" has no ${side} bound`,
          `Add one: (assert (${name} X_${index} …))`,
        );
      }
      (side === "lower" ? lower : upper)[index] = limit.value;
    }
  }
  return box(lower, upper);
}

function speaksOf(formula: Formula, of: "input" | "output"): boolean {
  if (formula.kind !== "compare") return formula.formulas.some((part) => speaksOf(part, of));
  return [formula.left, formula.right].some((side) => side.kind === "variable" && side.of === of);
}
