/**
 * The first and the last layers of a network, which papers treat apart.
 *
 * @module
 */

import type { Graph } from "../../onnx/model.ts";
import { GraphView } from "../placement/graph_view.ts";
import type { Layer } from "./layers.ts";

/** What is done with the first and the last layers. */
export type EndLayers = "width" | "learn" | "keep";

/** What became of the network's ends. */
export interface EndRecord {
  /** Name of the layer. */
  readonly layer: string;
  readonly end: "first" | "last";
  /** Width of its weights. */
  readonly bits: number;
  /** Whether its weights were rounded anew. */
  readonly learned: boolean;
}

/** The layers before which no other layer comes, and those after which none does. */
export function endLayers(
  graph: Graph,
  layers: readonly Layer[],
): { first: Layer[]; last: Layer[] } {
  const view = new GraphView(graph);
  const nodes = layers.map(({ node }) => node);
  const after = view.comingFrom(nodes);
  const before = view.leadingTo(nodes);
  return {
    first: layers.filter(({ node, reading }) =>
      node.inputs.every((name, index) => index === reading.input || !after.has(name))
    ),
    last: layers.filter(({ node }) => !node.outputs.some((name) => before.has(name))),
  };
}

/** What became of the ends: their widths move results at 2 bits by points, so they are told. */
export function endRecords(
  graph: Graph,
  layers: readonly Layer[],
  units: readonly { readonly layers: readonly Layer[] }[],
): EndRecord[] {
  const learned = new Set(units.flatMap(({ layers }) => layers));
  const { first, last } = endLayers(graph, layers);
  const records = (end: EndRecord["end"], found: readonly Layer[]) =>
    found.map((layer): EndRecord => ({
      layer: layer.name,
      end,
      bits: layer.reading.bits,
      learned: learned.has(layer),
    }));
  return [...records("first", first), ...records("last", last)];
}
