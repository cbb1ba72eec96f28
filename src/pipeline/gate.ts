/**
 * Gates: what a pipeline expects of a metric (`expect: { top1_drop: "<= 0.01" }`).
 *
 * @module
 */

import type { SourcePlace } from "../base/errors.ts";
import type { GateResult } from "./events.ts";

/** A bound of a gate. */
interface Bound {
  readonly value: number;
  /** Whether the bound itself is allowed. */
  readonly inclusive: boolean;
}

/** An expectation of one metric: an interval that the measured value must lie in. */
export interface Gate {
  readonly metric: string;
  /** As the pipeline says it. */
  readonly condition: string;
  readonly low?: Bound;
  readonly high?: Bound;
  readonly place?: SourcePlace;
}

const NUMBER = String.raw`[+-]?(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?\s*%?`;
const COMPARISON = new RegExp(`^(<=|<|>=|>|==)\\s*(${NUMBER})$`);
const RANGE = new RegExp(`^(${NUMBER})\\s*\\.\\.\\s*(${NUMBER})$`);

/** What a condition may look like, for messages. */
export const CONDITION_FORMS = '"<= 0.01", ">= 98%", "== 8" or "0.97 .. 0.99"';

/**
 * Reads a condition: an operator and a number, a range, or a number alone (equal to it). `%` divides by 100.
 *
 * @throws {SyntaxError} If it is none of these, or a range whose ends are swapped.
 */
export function parseGate(metric: string, text: string | number, place?: SourcePlace): Gate {
  const condition = String(text).trim();
  const rest = place === undefined ? {} : { place };
  const comparison = condition.match(COMPARISON);
  if (comparison !== null) {
    const value = numberOf(comparison[2]!);
    const bound = { value, inclusive: comparison[1]!.length === 2 };
    switch (comparison[1]![0]) {
      case "<":
        return { metric, condition, high: bound, ...rest };
      case ">":
        return { metric, condition, low: bound, ...rest };
      default:
        return { metric, condition, low: bound, high: bound, ...rest };
    }
  }
  const range = condition.match(RANGE);
  if (range !== null) {
    const [low, high] = [numberOf(range[1]!), numberOf(range[2]!)];
    if (low > high) throw new SyntaxError(`Range "${condition}" ends before it begins`);
    return {
      metric,
      condition,
      low: { value: low, inclusive: true },
      high: { value: high, inclusive: true },
      ...rest,
    };
  }
  if (new RegExp(`^${NUMBER}$`).test(condition)) {
    const bound = { value: numberOf(condition), inclusive: true };
    return { metric, condition: `== ${condition}`, low: bound, high: bound, ...rest };
  }
  throw new SyntaxError(`Condition "${condition}" is not understood`);
}

/** Whether a measured value meets a gate; a metric that was not measured does not. */
export function evaluateGate(gate: Gate, metrics: Readonly<Record<string, number>>): GateResult {
  const { metric, condition } = gate;
  const value = metrics[metric];
  if (value === undefined) {
    return {
      metric,
      condition,
      met: false,
      message: `${metric} was not measured, expected ${condition}`,
    };
  }
  const below = gate.low !== undefined &&
    !(gate.low.inclusive ? value >= gate.low.value : value > gate.low.value);
  const above = gate.high !== undefined &&
    !(gate.high.inclusive ? value <= gate.high.value : value < gate.high.value);
  if (!below && !above) {
    const message = `${metric} is ${show(value, condition)}`;
    return { metric, condition, met: true, value, message };
  }
  const by = Math.abs(value - (above ? gate.high!.value : gate.low!.value));
  const distance = by === 0
    ? "exactly the limit"
    : `${show(by, condition)} too ${above ? "high" : "low"}`;
  return {
    metric,
    condition,
    met: false,
    value,
    by,
    message: `${metric} is ${show(value, condition)}, expected ${condition}: ${distance}`,
  };
}

function numberOf(text: string): number {
  if (!text.endsWith("%")) return Number(text);
  // Shifting the decimal point in the text gives the same number as writing the fraction.
  const [digits, exponent] = text.slice(0, -1).trim().split(/e/i);
  return Number(`${digits}e${Number(exponent ?? 0) - 2}`);
}

/** In the unit of the condition, with enough digits to tell values apart but without the noise of binary fractions. */
function show(value: number, condition: string): string {
  const number = condition.includes("%") ? value * 100 : value;
  const text = Number.isInteger(number) ? String(number) : String(Number(number.toPrecision(6)));
  return condition.includes("%") ? `${text} %` : text;
}
