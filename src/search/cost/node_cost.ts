/**
 * Costs of single nodes as costs of a problem, whatever of the network gets widths.
 *
 * @module
 */

import type { Cost, CostPair, SearchProblem } from "../problem.ts";
import type { LayerWork, NodeWork } from "./work.ts";

/** What a node costs with weights and activations of given widths. */
export type NodeCost = (node: NodeWork, weightBits: number, activationBits: number) => number;

/** What of a network gets widths, and the width of everything else. */
export interface WidthLayout extends Pick<SearchProblem, "widths" | "allowed"> {
  /** The row of a layer's weights by its name; `undefined` if they have a width anyway. */
  layerRow(name: string): number | undefined;
  /** The row of the activations that a value is one of. */
  activationRow(value: string): number | undefined;
  readonly weightBits: number;
  readonly activationBits: number;
}

/** Adds a cost up over the nodes of all layers. */
export function addUp(
  cost: NodeCost,
  works: readonly LayerWork[],
  layout: WidthLayout,
): Required<Pick<Cost, "values" | "pairs" | "constant">> {
  const { widths, allowed, weightBits, activationBits } = layout;
  const values = new Float64Array(allowed.length * widths.length);
  const pairs = new Map<string, CostPair>();
  let constant = 0;
  for (const { name, nodes } of works) {
    const layer = layout.layerRow(name);
    for (const node of nodes) {
      const activation = layout.activationRow(node.reads);
      if (layer === undefined && activation === undefined) {
        constant += cost(node, weightBits, activationBits);
      } else if (activation === undefined) {
        for (const choice of allowed[layer!]!) {
          values[layer! * widths.length + choice]! += cost(node, widths[choice]!, activationBits);
        }
      } else if (layer === undefined) {
        for (const choice of allowed[activation]!) {
          values[activation * widths.length + choice]! += cost(node, weightBits, widths[choice]!);
        }
      } else {
        const pair = pairOf(pairs, layer, activation, widths.length);
        for (const own of allowed[layer]!) {
          for (const other of allowed[activation]!) {
            pair.values[own * widths.length + other]! += cost(node, widths[own]!, widths[other]!);
          }
        }
      }
    }
  }
  return { values, pairs: [...pairs.values()], constant };
}

function pairOf(
  pairs: Map<string, CostPair>,
  first: number,
  second: number,
  width: number,
): CostPair {
  const key = `${first} ${second}`;
  let pair = pairs.get(key);
  if (pair === undefined) {
    pair = { first, second, values: new Float64Array(width * width) };
    pairs.set(key, pair);
  }
  return pair;
}
