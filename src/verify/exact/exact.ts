/**
 * The exact largest difference of tiny Relu networks, as a mixed-integer linear program.
 *
 * A Relu whose sign is open on the box gets a binary variable s: a ≥ z, a ≥ 0, a ≤ u·s, a ≤ z − l·(1 − s) for l ≤ z ≤ u
 * (Tjeng, Xiao and Tedrake, 2019, section 4.1). Bounds l and u come from interval arithmetic.
 *
 * @module
 */

import { UserError } from "../../base/errors.ts";
import type { Box } from "../box.ts";
import { forEachWeight } from "../network/linear_map.ts";
import { type PairedNetwork, type PairedStep, type Side, SIDES } from "../network/network.ts";
import { solve } from "./solver.ts";

/** More open Relus than this take a solver longer than anyone waits. */
export const MOST_UNSTABLE = 40;

/** The largest value of one signed difference. */
export interface ExactMaximum {
  /** max sign·(f′ − f), up to the solver's tolerances. */
  readonly value: number;
  /** Where it is. */
  readonly input: Float64Array;
}

/**
 * The largest sign·(f′ᵢ(x) − fᵢ(x)) for x in a box.
 *
 * @throws {UserError} If the networks have other nonlinear steps than Relu, or more than {@linkcode MOST_UNSTABLE} Relus
 *   that intervals leave open.
 */
export async function exactMaximum(
  network: PairedNetwork,
  box: Box,
  output: number,
  sign: 1 | -1,
): Promise<ExactMaximum> {
  const program = new Program(network, box);
  const { objective, values } = await solve(program.text(output, sign));
  const input = box.lower.map((lower, at) =>
    Math.min(Math.max(values.get(`x${at}`)!, lower), box.upper[at]!)
  );
  return { value: objective, input };
}

interface Interval {
  readonly lower: Float64Array;
  readonly upper: Float64Array;
}

class Program {
  readonly #network: PairedNetwork;
  readonly #box: Box;
  readonly #constraints: string[] = [];
  readonly #bounds: string[] = [];
  readonly #binaries: string[] = [];

  constructor(network: PairedNetwork, box: Box) {
    this.#network = network;
    this.#box = box;
    box.lower.forEach((lower, at) => this.#bounds.push(`${lower} <= x${at} <= ${box.upper[at]}`));
    for (const side of SIDES) this.#side(side);
    const unstable = this.#binaries.length;
    if (unstable > MOST_UNSTABLE) {
      throw new UserError({
        message:
          `The networks have ${unstable} Relus of open sign on this box: an exact answer is for ` +
          `at most ${MOST_UNSTABLE}`,
        hint: "Take a smaller box, or method differential",
      });
    }
  }

  /** The program in the LP file format. */
  text(output: number, sign: 1 | -1): string {
    const name = (side: Side) => variable(side, this.#network.output, output);
    const [plus, minus] = sign > 0 ? ["+", "-"] : ["-", "+"];
    return [
      "Maximize",
      ` obj: ${plus} 1 ${name("quantized")} ${minus} 1 ${name("original")}`,
      "Subject To",
      ...this.#constraints.map((each, at) => ` c${at}: ${each}`),
      "Bounds",
      ...this.#bounds.map((each) => ` ${each}`),
      ...(this.#binaries.length > 0 ? ["Binary", ` ${this.#binaries.join("\n ")}`] : []),
      "End",
      "",
    ].join("\n");
  }

  #side(side: Side): void {
    const intervals: Interval[] = [this.#box];
    this.#network.steps.forEach((step, at) => {
      const value = at + 1;
      if (step.kind === "affine") intervals.push(this.#affine(step, side, value, intervals));
      else if (step.kind === "relu") {
        intervals.push(this.#relu(step.input, side, value, intervals[step.input]!));
      } else {
        throw new UserError({
          message: `Step "${
            step.names[side].value
          }" (${step.kind}) has no exact form: there is one for Relu only`,
          hint: "Take method differential",
        });
      }
    });
  }

  #affine(
    { terms, offset, size }: Extract<PairedStep, { kind: "affine" }>,
    side: Side,
    value: number,
    intervals: readonly Interval[],
  ): Interval {
    const lower = offset[side].values.slice();
    const upper = offset[side].values.slice();
    const sums: string[][] = Array.from({ length: size }, () => []);
    for (const { input, map } of terms) {
      const from = intervals[input]!;
      forEachWeight(map[side], (row, column, weight) => {
        if (weight === 0) return;
        lower[row]! += weight * (weight > 0 ? from.lower[column]! : from.upper[column]!);
        upper[row]! += weight * (weight > 0 ? from.upper[column]! : from.lower[column]!);
        sums[row]!.push(term(-weight, variable(side, input, column)));
      });
    }
    for (let row = 0; row < size; row++) {
      const name = variable(side, value, row);
      this.#constraints.push(
        [`+ 1 ${name}`, ...sums[row]!].join("\n  ") +
          ` = ${offset[side].values[row]}`,
      );
      this.#bounds.push(`${name} free`);
      const slack = MARGIN * (1 + Math.max(Math.abs(lower[row]!), Math.abs(upper[row]!)));
      lower[row]! -= slack;
      upper[row]! += slack;
    }
    return { lower, upper };
  }

  #relu(input: number, side: Side, value: number, from: Interval): Interval {
    for (let at = 0; at < from.lower.length; at++) {
      const [z, a] = [variable(side, input, at), variable(side, value, at)];
      const [l, u] = [from.lower[at]!, from.upper[at]!];
      if (u <= 0) {
        this.#bounds.push(`${a} = 0`);
        continue;
      }
      if (l >= 0) {
        this.#bounds.push(`${a} free`);
        this.#constraints.push(`+ 1 ${a} - 1 ${z} = 0`);
        continue;
      }
      const s = `s_${a}`;
      this.#binaries.push(s);
      this.#bounds.push(`0 <= ${a} <= ${u}`);
      this.#constraints.push(
        `+ 1 ${a} - 1 ${z} >= 0`,
        `+ 1 ${a} ${term(-u, s)} <= 0`,
        `+ 1 ${a} - 1 ${z} ${term(-l, s)} <= ${-l}`,
      );
    }
    return {
      lower: from.lower.map((value) => Math.max(value, 0)),
      upper: from.upper.map((value) => Math.max(value, 0)),
    };
  }
}

/** Intervals are computed to the nearest; wider ones are as good for the program. */
const MARGIN = 1e-9;

/** The input is common to both networks. */
function variable(side: Side, value: number, element: number): string {
  return value === 0 ? `x${element}` : `${side === "original" ? "o" : "q"}${value}_${element}`;
}

function term(factor: number, name: string): string {
  return `${factor < 0 ? "-" : "+"} ${Math.abs(factor)} ${name}`;
}
