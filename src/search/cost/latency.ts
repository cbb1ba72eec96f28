/**
 * Latency by looking it up.
 *
 * @module
 */

import { type Problem, UserError } from "../../base/errors.ts";
import type { NodeCost } from "./node_cost.ts";

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

/** Looks latencies up, and remembers what it did not find. */
export class LatencyLookup {
  readonly #known: ReadonlyMap<string, number>;
  readonly #missing = new Map<string, Problem>();

  constructor({ entries }: LatencyTable) {
    this.#known = new Map(entries.map((entry) => [keyOf(entry), entry.us]));
  }

  /** Microseconds of a node; 0 if the table lacks it. */
  readonly cost: NodeCost = (node, weight_bits, activation_bits) => {
    const { op, input, weight, output } = node;
    const key = keyOf({ op, input, weight, output, weight_bits, activation_bits });
    const us = this.#known.get(key);
    if (us !== undefined) return us;
    this.#missing.set(key, {
      message: `The latency table has no ${op} of weights [${weight}] from [${input}] to ` +
        `[${output}] at ${weight_bits} bits with activations of ${activation_bits} bits, as layer ` +
        `"${node.name}" is`,
      hint: "Profile this very model, with all widths to choose from",
    });
    return 0;
  };

  /**
   * Refuses what was not found.
   *
   * @throws {UserError} With the first few of it.
   */
  requireAll(): void {
    const problems = [...this.#missing.values()];
    if (problems.length === 0) return;
    const shown = problems.slice(0, 5);
    if (problems.length > 5) shown.push({ message: `And ${problems.length - 5} more` });
    throw new UserError(shown);
  }
}

/** What identifies a latency. */
export function keyOf(entry: Omit<LatencyEntry, "us">): string {
  const { op, input, weight, output, weight_bits, activation_bits } = entry;
  return `${op} ${input} ${weight} ${output} ${weight_bits} ${activation_bits}`;
}
