/**
 * Made-up networks to search in, and the slow and certain way to search.
 *
 * @module
 */

import { Random } from "../../src/base/random.ts";
import {
  columnsOf,
  type CostPair,
  createProblem,
  type SearchProblem,
} from "../../src/search/problem.ts";
import type { SensitivityTable } from "../../src/search/table.ts";

/** What kind of table. */
export interface TableOptions {
  readonly layers: number;
  readonly widths?: readonly number[];
  /** Layers in each block; 0 for none. */
  readonly block?: number;
  /** Whether the last cost also depends on neighbouring layers together, in twos. */
  readonly pairs?: boolean;
}

/** A table as networks have them: sizes and losses over orders of magnitude, four times the loss a bit less. */
export function randomTable(
  seed: number,
  { layers: count, widths = [2, 4, 8], block = 0 }: TableOptions,
): SensitivityTable {
  const random = Random.from(seed, "test/table");
  const layers = Array.from({ length: count }, (_, index) => {
    const channels = 8 * 2 ** random.integer(5);
    const elements = channels * channels * (random.integer(2) === 0 ? 9 : 1);
    const scale = Math.exp(2 * random.normal()) * 0.1;
    return {
      name: `layer${index}`,
      nodes: [`layer${index}`],
      elements,
      entries: widths.map((bits) => ({
        bits,
        loss: scale * 4 ** -(bits - 2) * (0.5 + random.uniform()),
        bytes: Math.ceil(elements * bits / 8) + 4 * channels,
      })),
    };
  });
  const blocks = [];
  for (let first = 0; block > 1 && first + block <= count; first += block) {
    const members = layers.slice(first, first + block);
    const joint = [];
    for (let set = 0; set < 2 ** block; set++) {
      const chosen = members.filter((_, index) => (set >> index & 1) === 1);
      if (chosen.length < 2) continue;
      const sum = chosen.reduce((total, { entries }) => total + entries[0]!.loss, 0);
      joint.push({
        layers: chosen.map(({ name }) => name),
        loss: sum * (0.6 + 1.2 * random.uniform()),
      });
    }
    blocks.push({
      name: `block${first}`,
      layers: members.map(({ name }) => name),
      bits: widths[0]!,
      joint,
    });
  }
  return { version: 1, method: "output", measure: "kl", widths, layers, blocks };
}

/**
 * A problem with limits on size and, if wanted, on other costs.
 *
 * @param fractions For each cost, where its limit is between its least and its greatest sum.
 */
export function randomProblem(
  seed: number,
  options: TableOptions,
  fractions: readonly number[],
): SearchProblem {
  const table = randomTable(seed, options);
  const random = Random.from(seed, "test/costs");
  const columns = columnsOf(table, {});
  const costs = fractions.map((fraction, index) => {
    const values = Float64Array.from(
      table.layers.flatMap(({ entries, elements }) => {
        const work = Math.ceil(elements * Math.exp(random.normal()));
        return entries.map(({ bytes, bits }) => index === 0 ? bytes : work * bits + index);
      }),
    );
    let [least, most] = [0, 0];
    for (let row = 0; row < values.length; row += columns.length) {
      least += Math.min(...values.subarray(row, row + columns.length));
      most += Math.max(...values.subarray(row, row + columns.length));
    }
    const pairs: CostPair[] = [];
    const last = options.pairs === true && index === fractions.length - 1;
    for (let first = 0; last && first + 1 < table.layers.length; first += 2) {
      const work = 1 + random.integer(1000);
      const products = Float64Array.from(
        columns.flatMap((own) => columns.map((other) => work * own * other)),
      );
      pairs.push({ first, second: first + 1, values: products });
      least += Math.min(...products);
      most += Math.max(...products);
    }
    const limit = Math.floor(least + fraction * (most - least));
    return { name: `cost${index}`, values, constant: 0, limit, ...(last && { pairs }) };
  });
  return createProblem(table, { costs });
}

/** The least loss within all limits, by trying everything; infinity if nothing is within them. */
export function bruteForce({ layers, widths, loss, blocks, costs }: SearchProblem): number {
  const genome = new Array<number>(layers.length).fill(0);
  let best = Infinity;
  for (;;) {
    const fits = costs.every(({ values, constant, limit, pairs = [] }) => {
      const alone = genome.reduce(
        (sum, choice, layer) => sum + values[layer * widths.length + choice]!,
        constant,
      );
      return pairs.reduce(
        (sum, { first, second, values }) =>
          sum + values[genome[first]! * widths.length + genome[second]!]!,
        alone,
      ) <= limit;
    });
    if (fits) {
      let sum = 0;
      genome.forEach((choice, layer) => sum += loss[layer * widths.length + choice]!);
      for (const { layers, choice, terms } of blocks) {
        let set = 0;
        layers.forEach((layer, bit) => {
          if (genome[layer] === choice) set += 2 ** bit;
        });
        sum += terms[set]!;
      }
      best = Math.min(best, sum);
    }
    let layer = 0;
    while (layer < genome.length && ++genome[layer]! === widths.length) genome[layer++] = 0;
    if (layer === genome.length) return best;
  }
}
