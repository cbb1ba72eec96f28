/**
 * A choice of widths as a problem of numbers: one choice a layer, a loss to be least, costs that have limits.
 *
 * @module
 */

import { type Problem, UserError } from "../base/errors.ts";
import type { SensitivityActivation, SensitivityLayer, SensitivityTable } from "./table.ts";

/** A cost that depends on two widths together, such as operations on weights and activations. */
export interface CostPair {
  /** Indices of layers. */
  readonly first: number;
  readonly second: number;
  /** By width of the first, row by row, and of the second. */
  readonly values: Float64Array;
}

/** A cost that adds up over layers, and what it may be at most. */
export interface Cost {
  /** Such as `"size"`. */
  readonly name: string;
  /** The cost of each layer at each width, row by row. */
  readonly values: Float64Array;
  /** What adds to it. */
  readonly pairs?: readonly CostPair[];
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

/**
 * One width for each layer, with the least loss, so that no cost is over its limit. A layer is whatever has a width of
 * its own: the weights of a layer of the network, or activations that share a scale.
 */
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

/** What gets widths. */
export type Targets = "weights" | "activations" | "both";

/** Which widths there are for something. */
export interface Choices {
  /** All of the table unless told. */
  readonly widths?: readonly number[];
  /** Given ones, by name. */
  readonly fixed?: ReadonlyMap<string, number>;
}

/** What a problem is made of besides its table and its costs. */
export interface ProblemOptions extends Choices {
  /** `weights` unless told. */
  readonly targets?: Targets;
  readonly activations?: Choices;
}

/** What of a table gets widths; layers come first in a problem, then activations. */
export interface Subjects {
  readonly layers: readonly SensitivityLayer[];
  readonly activations: readonly SensitivityActivation[];
}

/**
 * What of a table gets widths.
 *
 * @throws {UserError} If the table lacks it.
 */
export function subjectsOf(table: SensitivityTable, targets: Targets = "weights"): Subjects {
  const layers = targets === "activations" ? [] : table.layers;
  const activations = targets === "weights" ? [] : table.activations ?? [];
  const missing = targets !== "activations" && layers.length === 0
    ? "weights"
    : targets !== "weights" && activations.length === 0
    ? "activations"
    : undefined;
  if (missing !== undefined) {
    const has = missing === "weights" ? "activations" : "weights";
    throw new UserError({
      message: `The sensitivity table has no losses of ${missing}`,
      hint: `Say targets: ${targets} at the stage "sensitivity" as well, or targets: ${has} here`,
    });
  }
  return { layers, activations };
}

/** The widths that are columns of a problem: those to choose from and those that are given. */
export function columnsOf(table: SensitivityTable, options: ProblemOptions): number[] {
  const { layers, activations } = subjectsOf(table, options.targets);
  const columns = new Set<number>();
  const add = (of: readonly unknown[], all: readonly number[] = [], choices: Choices = {}) => {
    if (of.length === 0) return;
    for (const bits of choices.widths ?? all) columns.add(bits);
    for (const bits of choices.fixed?.values() ?? []) columns.add(bits);
  };
  add(layers, table.widths, options);
  add(activations, table.activation_widths, options.activations);
  return [...columns].sort((a, b) => a - b);
}

/**
 * States the problem of a table.
 *
 * @param costs With rows in the order of {@linkcode subjectsOf}, columns in the order of {@linkcode columnsOf}.
 * @throws {UserError} If the table lacks a width.
 */
export function createProblem(
  table: SensitivityTable,
  options: ProblemOptions & { readonly costs: readonly Cost[] },
): SearchProblem {
  const { layers, activations } = subjectsOf(table, options.targets);
  const columns = columnsOf(table, options);
  requireWidths("weights", "bits", layers, table.widths, options);
  requireWidths(
    "activations",
    "activations: { bits",
    activations,
    table.activation_widths ?? [],
    options.activations ?? {},
  );
  const rows = [...layers, ...activations];
  const loss = new Float64Array(rows.length * columns.length);
  rows.forEach(({ entries }, row) => {
    for (const entry of entries) {
      const column = columns.indexOf(entry.bits);
      if (column >= 0) loss[row * columns.length + column] = entry.loss;
    }
  });
  const allowed = rows.map(({ name }, row) => {
    const isLayer = row < layers.length;
    const choices: Choices = isLayer ? options : options.activations ?? {};
    const only = choices.fixed?.get(name);
    const widths = choices.widths ?? (isLayer ? table.widths : table.activation_widths!);
    const sorted = only === undefined ? [...widths].sort((a, b) => a - b) : [only];
    return Uint8Array.from(sorted, (bits) => columns.indexOf(bits));
  });
  return {
    layers: rows.map(({ name }) => name),
    widths: columns,
    allowed,
    loss,
    blocks: layers.length === 0 ? [] : crossBlocks(table, columns, loss),
    costs: options.costs,
  };
}

function crossBlocks(
  table: SensitivityTable,
  columns: readonly number[],
  loss: Float64Array,
): CrossBlock[] {
  const indices = new Map(table.layers.map(({ name }, index) => [name, index]));
  return table.blocks.flatMap((block): CrossBlock[] => {
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
}

function requireWidths(
  what: string,
  parameter: string,
  of: readonly unknown[],
  known: readonly number[],
  { widths = known, fixed = new Map() }: Choices,
): void {
  if (of.length === 0) return;
  const wanted = [...new Set([...widths, ...fixed.values()])];
  const all = [...new Set([...known, ...wanted])].sort((a, b) => a - b).join(", ");
  const problems = wanted.filter((bits) => !known.includes(bits)).map((bits): Problem => ({
    message: `The sensitivity table has no losses of ${what} at ${bits} bits, only at ${
      known.join(", ")
    }`,
    hint: `Give ${parameter}: [${all}]${
      parameter.includes("{") ? " }" : ""
    } to the stage "sensitivity"`,
  }));
  if (problems.length > 0) throw new UserError(problems);
}
