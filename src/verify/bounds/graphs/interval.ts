/**
 * Interval arithmetic through one affine step, as a float64 graph.
 *
 * @module
 */

import type { PairedNetwork, PairedStep, ValueNumber } from "../../network/network.ts";
import { emitForward, type MapPlace } from "./linear.ts";
import { isSameMap, type NetworkGraph, NetworkGraphBuilder } from "./network_graph.ts";

/** The step of which the graph is made. */
export type AffinePairedStep = Extract<PairedStep, { kind: "affine" }>;

/**
 * Inputs `z<t>`, `y<t>` and `e<t>` for term t and outputs `z`, `y` and `e`, each [3 × boxes, size]: the middles of the
 * intervals, their half widths, and the largest magnitudes. Offsets are left to the reader.
 *
 * e ← W′·e + (W − W′)·z.
 */
export function intervalGraph(network: PairedNetwork, value: ValueNumber): NetworkGraph {
  const builder = new NetworkGraphBuilder("interval", network);
  const step = network.steps[value - 1] as AffinePairedStep;
  const sums: Record<"z" | "y" | "e", string[]> = { z: [], y: [], e: [] };
  step.terms.forEach(({ map }, term) => {
    const input = (view: string) => {
      const name = builder.input(`${view}${term}`, "float64", ["values", map.original.columns]);
      return builder.ops("Split", [name], 3, { axis: 0, num_outputs: 3 });
    };
    const [z, y, e] = [input("z"), input("y"), input("e")];
    const place = (part: MapPlace["part"]) => ({ value, term, part });
    sums.z.push(threefold(builder, place("original"), z));
    sums.y.push(threefold(builder, place("quantized"), y));
    sums.e.push(threefold(builder, place("quantized"), e));
    if (!isSameMap(map.original, map.quantized)) {
      sums.e.push(threefold(builder, place("difference"), z));
    }
  });
  for (const view of ["z", "y", "e"] as const) {
    const parts = sums[view];
    // An identity leaves the input's own name, which an output must not have.
    const total = parts.slice(1).reduce((sum, part) => builder.op("Add", [sum, part]), parts[0]!);
    builder.output(builder.op("Identity", [total], {}, { name: view }));
  }
  return builder.finish();
}

function threefold(
  builder: NetworkGraphBuilder,
  place: MapPlace,
  [middle, half, largest]: readonly string[],
): string {
  const sizes = builder.op("Concat", [half!, largest!], { axis: 0 });
  return builder.op("Concat", [
    emitForward(builder, place, middle!),
    emitForward(builder, { ...place, isAbsolute: true }, sizes),
  ], { axis: 0 });
}
