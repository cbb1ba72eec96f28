/**
 * Layers that have to be chosen together, and every choice of them that can be part of a best one.
 *
 * Losses only interact inside blocks, so with one group for each block and each other layer the problem is a
 * multiple-choice knapsack: one option a group, losses and costs add up.
 *
 * @module
 */

import { UserError } from "../base/errors.ts";
import type { SearchProblem } from "./problem.ts";

/** Layers and their options; an option is a row of each array. */
export interface Group {
  /** Indices of layers. */
  readonly layers: readonly number[];
  /** The width of each layer, row by row. */
  readonly choices: Uint8Array;
  readonly loss: Float64Array;
  /** By cost of the problem, one value an option. */
  readonly costs: readonly Float64Array[];
}

/** More combinations of widths in one block are not enumerated. */
const MOST_COMBINATIONS = 2 ** 18;

/**
 * Divides a problem into groups. Options that another one beats in the loss and in all costs are left out.
 *
 * @throws {UserError} If a block has too many combinations.
 */
export function groupsOf(problem: SearchProblem): Group[] {
  const inBlock = new Set(problem.blocks.flatMap(({ layers }) => [...layers]));
  const groups = problem.blocks.map((block, index) => {
    const layers = [...block.layers];
    const combinations = layers.reduce(
      (product, layer) => product * problem.allowed[layer]!.length,
      1,
    );
    if (combinations > MOST_COMBINATIONS) {
      throw new UserError({
        message: `A block of ${layers.length} layers, with "${
          problem.layers[layers[0]!]
        }", has ${combinations} combinations of widths, too many for method exact`,
        hint: "Use method: genetic, or fewer widths",
      });
    }
    return enumerate(problem, layers, combinations, index);
  });
  for (let layer = 0; layer < problem.layers.length; layer++) {
    if (inBlock.has(layer)) continue;
    groups.push(enumerate(problem, [layer], problem.allowed[layer]!.length));
  }
  return groups;
}

function enumerate(
  problem: SearchProblem,
  layers: readonly number[],
  combinations: number,
  blockIndex?: number,
): Group {
  const width = problem.widths.length;
  const choices = new Uint8Array(combinations * layers.length);
  const loss = new Float64Array(combinations);
  const costs = problem.costs.map(() => new Float64Array(combinations));
  const block = blockIndex === undefined ? undefined : problem.blocks[blockIndex]!;
  for (let option = 0; option < combinations; option++) {
    let rest = option;
    let set = 0;
    for (let at = 0; at < layers.length; at++) {
      const layer = layers[at]!;
      const allowed = problem.allowed[layer]!;
      const choice = allowed[rest % allowed.length]!;
      rest = Math.floor(rest / allowed.length);
      choices[option * layers.length + at] = choice;
      loss[option]! += problem.loss[layer * width + choice]!;
      problem.costs.forEach(({ values }, cost) =>
        costs[cost]![option]! += values[layer * width + choice]!
      );
      if (choice === block?.choice) set |= 1 << at;
    }
    if (block !== undefined) loss[option]! += block.terms[set]!;
  }
  return withoutBeaten({ layers, choices, loss, costs }, problem);
}

/** Leaves out options that are beaten, and sorts the others by the first cost. */
function withoutBeaten(group: Group, { costs: limits }: SearchProblem): Group {
  const { layers, choices, loss, costs } = group;
  const active = costs.filter((_, cost) => limits[cost]!.limit !== Infinity || costs.length === 1);
  const order = Uint32Array.from(loss, (_, option) => option).sort((a, b) => {
    for (const cost of active) if (cost[a] !== cost[b]) return cost[a]! - cost[b]!;
    return loss[a]! - loss[b]!;
  });
  const kept: number[] = [];
  for (const option of order) {
    const isBeaten = kept.some((other) =>
      loss[other]! <= loss[option]! && active.every((cost) => cost[other]! <= cost[option]!)
    );
    if (!isBeaten) kept.push(option);
  }
  return {
    layers,
    choices: Uint8Array.from(
      kept.flatMap((option) => [
        ...choices.subarray(option * layers.length, (option + 1) * layers.length),
      ]),
    ),
    loss: Float64Array.from(kept, (option) => loss[option]!),
    costs: costs.map((cost) => Float64Array.from(kept, (option) => cost[option]!)),
  };
}
