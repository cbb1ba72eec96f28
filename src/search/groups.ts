/**
 * Layers that have to be chosen together, and every choice of them that can be part of a best one.
 *
 * Losses only interact inside blocks, and costs inside pairs, so with one group for each part that these connect the
 * problem is a multiple-choice knapsack: one option a group, losses and costs add up.
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
 * @throws {UserError} If a group has too many combinations.
 */
export function groupsOf(problem: SearchProblem): Group[] {
  return connectedLayers(problem).map((layers) => {
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
    return enumerate(problem, layers, combinations);
  });
}

/** Layers that a joint loss or a common cost connects, largest groups first, and in the order of the problem. */
function connectedLayers({ layers, blocks, costs }: SearchProblem): number[][] {
  const parent = Uint16Array.from(layers.keys());
  const root = (layer: number): number => {
    while (parent[layer] !== layer) layer = parent[layer] = parent[parent[layer]!]!;
    return layer;
  };
  const join = (a: number, b: number) => {
    const [first, second] = [root(a), root(b)].sort((a, b) => a - b);
    parent[second!] = first!;
  };
  for (const { layers: [first, ...others] } of blocks) {
    for (const other of others) join(first!, other);
  }
  for (const { pairs = [] } of costs) for (const { first, second } of pairs) join(first, second);
  const groups = Map.groupBy(layers.keys(), root);
  return [...groups.values()].sort((a, b) => b.length - a.length || a[0]! - b[0]!);
}

function enumerate(
  problem: SearchProblem,
  layers: readonly number[],
  combinations: number,
): Group {
  const width = problem.widths.length;
  const choices = new Uint8Array(combinations * layers.length);
  const loss = new Float64Array(combinations);
  const costs = problem.costs.map(() => new Float64Array(combinations));
  const places = new Map(layers.map((layer, place) => [layer, place]));
  const blocks = problem.blocks.filter(({ layers: [first] }) => places.has(first!)).map((
    block,
  ) => ({
    ...block,
    places: Array.from(block.layers, (layer) => places.get(layer)!),
  }));
  const pairs = problem.costs.map(({ pairs = [] }) =>
    pairs.filter(({ first }) => places.has(first)).map(({ first, second, values }) => ({
      first: places.get(first)!,
      second: places.get(second)!,
      values,
    }))
  );
  for (let option = 0; option < combinations; option++) {
    let rest = option;
    const start = option * layers.length;
    for (let at = 0; at < layers.length; at++) {
      const layer = layers[at]!;
      const allowed = problem.allowed[layer]!;
      const choice = allowed[rest % allowed.length]!;
      rest = Math.floor(rest / allowed.length);
      choices[start + at] = choice;
      loss[option]! += problem.loss[layer * width + choice]!;
      for (let cost = 0; cost < costs.length; cost++) {
        costs[cost]![option]! += problem.costs[cost]!.values[layer * width + choice]!;
      }
    }
    for (const { places, choice, terms } of blocks) {
      let set = 0;
      for (let bit = 0; bit < places.length; bit++) {
        if (choices[start + places[bit]!] === choice) set |= 1 << bit;
      }
      loss[option]! += terms[set]!;
    }
    for (let cost = 0; cost < costs.length; cost++) {
      for (const { first, second, values } of pairs[cost]!) {
        costs[cost]![option]! +=
          values[choices[start + first]! * width + choices[start + second]!]!;
      }
    }
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
