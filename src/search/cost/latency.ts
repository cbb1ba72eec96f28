/**
 * Latency by looking it up.
 *
 * @module
 */

import { type Problem, UserError } from "../../base/errors.ts";
import type { LayerWork } from "./work.ts";

/** How long one layer takes at some widths. */
export interface LatencyEntry {
  readonly op: string;
  /** Shape of the activation that the layer reads, for one item. */
  readonly input: readonly number[];
  /** Shape of its weights. */
  readonly weight: readonly number[];
  /** Shape of its result, for one item. */
  readonly output: readonly number[];
  /** Width of its weights; 32 is float. */
  readonly weight_bits: number;
  /** Width of its activations; 32 is float. */
  readonly activation_bits: number;
  /** Microseconds for one item. */
  readonly us: number;
}

/** Latencies measured on one device. */
export interface LatencyTable {
  readonly version: 1;
  /** What was measured, such as the processor and the runtime. */
  readonly device: string;
  readonly entries: readonly LatencyEntry[];
  /** Microseconds of everything that is no layer with weights, by width of activations. */
  readonly rest: Readonly<Record<string, number>>;
}

/**
 * Checks that a value is a latency table.
 *
 * @throws {UserError} With what is wrong.
 */
export function checkLatencyTable(value: unknown, origin: string): LatencyTable {
  const table = value as Partial<LatencyTable> | null;
  const refuse = (message: string): never => {
    throw new UserError({
      message: `The latency table "${origin}" ${message}`,
      hint: 'Make one with the stage "profile"; docs/search.md describes its form',
    });
  };
  if (typeof table !== "object" || table === null || table.version !== 1) {
    refuse("is none: it has no version 1");
  }
  const { entries, rest = {} } = table as LatencyTable;
  if (!Array.isArray(entries) || entries.length === 0) return refuse("has no entries");
  entries.forEach((entry: Partial<LatencyEntry>, index) => {
    const shapes = [entry.input, entry.weight, entry.output];
    const isShape = (shape: unknown) =>
      Array.isArray(shape) && shape.every((dim) => Number.isSafeInteger(dim) && dim >= 0);
    const isPositive = (number: unknown) => typeof number === "number" && number >= 0;
    if (
      typeof entry.op !== "string" || !shapes.every(isShape) || !isPositive(entry.us) ||
      !isPositive(entry.weight_bits) || !isPositive(entry.activation_bits)
    ) {
      refuse(
        `has entry ${index} without op, input, weight, output, weight_bits, activation_bits and us`,
      );
    }
  });
  if (Object.values(rest).some((us) => typeof us !== "number" || us < 0)) {
    refuse("has a rest that is no map from widths to microseconds");
  }
  return { ...(table as LatencyTable), rest };
}

/**
 * The latency of each layer at each width, and of the rest of the model, in microseconds.
 *
 * @throws {UserError} If the table lacks a layer at a width.
 */
export function latencyFromTable(
  table: LatencyTable,
  works: readonly LayerWork[],
  widths: readonly number[],
  activationBits: number,
): { values: Float64Array; constant: number } {
  const known = new Map(table.entries.map((entry) => [keyOf(entry), entry.us]));
  const values = new Float64Array(works.length * widths.length);
  const problems: Problem[] = [];
  works.forEach((work, row) =>
    widths.forEach((bits, column) => {
      for (const { op, input, weight, output } of work.nodes) {
        const us = known.get(
          keyOf({ op, input, weight, output, weight_bits: bits, activation_bits: activationBits }),
        );
        if (us === undefined) {
          problems.push({
            message: `The latency table has no ${op} of weights [${weight}] from [${input}] to ` +
              `[${output}] at ${bits} bits with activations of ${activationBits} bits, as layer ` +
              `"${work.name}" is`,
            hint: "Profile this very model, with all widths to choose from",
          });
        } else values[row * widths.length + column]! += us;
      }
    })
  );
  if (problems.length > 0) {
    const shown = problems.slice(0, 5);
    if (problems.length > 5) shown.push({ message: `And ${problems.length - 5} more` });
    throw new UserError(shown);
  }
  return { values, constant: table.rest[activationBits] ?? 0 };
}

/** What identifies a latency. */
export function keyOf(entry: Omit<LatencyEntry, "us">): string {
  const { op, input, weight, output, weight_bits, activation_bits } = entry;
  return `${op} ${input} ${weight} ${output} ${weight_bits} ${activation_bits}`;
}
