/**
 * A choice of widths as a problem of numbers: one choice a layer, a loss to be least, costs that have limits.
 *
 * @module
 */

import { type Problem, UserError } from "../base/errors.ts";
import type { SensitivityTable } from "./table.ts";

/** A cost that adds up over layers, and what it may be at most. */
export interface Cost {
  /** Such as `"size"`. */
  readonly name: string;
  /** The cost of each layer at each width, row by row. */
  readonly values: Float64Array;
  /** What it costs whatever is chosen. */
  readonly constant: number;
  /** Infinity where there is no limit. */
  readonly limit: number;
}

/** Layers with a loss of their own when several of them are at one width. */
export interface CrossBlock {
  /** Indices of layers; layer `layers[i]` is bit `i` of a set. */
  readonly layers: Uint16Array;
  /** Index of the width. */
  readonly choice: number;
  /** By set of layers at that width: the joint loss less the sum of the single ones. */
  readonly terms: Float64Array;
}

/** One width for each layer, with the least loss, so that no cost is over its limit. */
export interface SearchProblem {
  readonly layers: readonly string[];
  readonly widths: readonly number[];
  /** The widths that each layer may have, as ascending indices. */
  readonly allowed: readonly Uint8Array[];
  /** The loss of each layer at each width, row by row. */
  readonly loss: Float64Array;
  readonly blocks: readonly CrossBlock[];
  readonly costs: readonly Cost[];
}

/** One index of a width for each layer. */
export type Genome = Uint8Array;

/** What a problem is made of besides its table. */
export interface ProblemOptions {
  /** The widths to choose from; all of the table unless told. */
  readonly widths?: readonly number[];
  /** Layers whose width is given, by name. */
  readonly fixed?: ReadonlyMap<string, number>;
  /** Costs with rows in the order of the table's layers, columns in the order of {@linkcode columnsOf}. */
  readonly costs: readonly Cost[];
}

/** The widths that are columns of a problem: those to choose from and those that are given. */
export function columnsOf(
  table: SensitivityTable,
  { widths = table.widths, fixed = new Map() }: Omit<ProblemOptions, "costs">,
): number[] {
  return [...new Set([...widths, ...fixed.values()])].sort((a, b) => a - b);
}

/**
 * States the problem of a table.
 *
 * @throws {UserError} If the table lacks a width.
 */
export function createProblem(table: SensitivityTable, options: ProblemOptions): SearchProblem {
  const { widths = table.widths, fixed = new Map<string, number>(), costs } = options;
  const columns = columnsOf(table, options);
  requireWidths(table, columns);
  const choices = Uint8Array.from(
    [...widths].sort((a, b) => a - b),
    (bits) => columns.indexOf(bits),
  );
  const loss = new Float64Array(table.layers.length * columns.length);
  const indices = new Map(table.layers.map(({ name }, index) => [name, index]));
  const allowed = table.layers.map(({ name, entries }, row) => {
    columns.forEach((bits, column) => {
      loss[row * columns.length + column] = entries.find((entry) => entry.bits === bits)!.loss;
    });
    const only = fixed.get(name);
    return only === undefined ? choices : Uint8Array.of(columns.indexOf(only));
  });
  const blocks = table.blocks.flatMap((block): CrossBlock[] => {
    const choice = columns.indexOf(block.bits);
    if (choice < 0 || block.layers.length < 2) return [];
    const layers = Uint16Array.from(block.layers, (name) => indices.get(name)!);
    const single = (set: number) =>
      layers.reduce(
        (sum, layer, bit) =>
          (set >> bit & 1) === 1 ? sum + loss[layer * columns.length + choice]! : sum,
        0,
      );
    const terms = new Float64Array(2 ** layers.length);
    for (const joint of block.joint) {
      const set = joint.layers.reduce((bits, name) => bits | 1 << block.layers.indexOf(name), 0);
      terms[set] = joint.loss - single(set);
    }
    return [{ layers, choice, terms }];
  });
  return {
    layers: table.layers.map(({ name }) => name),
    widths: columns,
    allowed,
    loss,
    blocks,
    costs,
  };
}

function requireWidths({ widths }: SensitivityTable, columns: readonly number[]): void {
  const problems = columns.filter((bits) => !widths.includes(bits)).map((bits): Problem => ({
    message: `The sensitivity table has no losses at ${bits} bits, only at ${widths.join(", ")}`,
    hint:
      `Give bits: [${[...new Set([...widths, ...columns])].sort((a, b) => a - b).join(", ")}] ` +
      `to the stage "sensitivity"`,
  }));
  if (problems.length > 0) throw new UserError(problems);
}
