/**
 * Interval arithmetic through one affine step, as a float64 graph.
 *
 * @module
 */

import { GraphBuilder } from "../../../onnx/build.ts";
import type { Model } from "../../../onnx/model.ts";
import type { LinearMap } from "../../network/linear_map.ts";
import type { PairedStep } from "../../network/network.ts";
import { absoluteMap, differenceMap, emitForward } from "./linear.ts";

/** The step of which the graph is made. */
export type AffinePairedStep = Extract<PairedStep, { kind: "affine" }>;

/**
 * Inputs `z<t>`, `y<t>` and `e<t>` for term t and outputs `z`, `y` and `e`, each [3 × boxes, size]: the middles of the
 * intervals, their half widths, and the largest magnitudes. Offsets are left to the reader.
 *
 * e ← W′·e + (W − W′)·z.
 */
export function intervalGraph(step: AffinePairedStep): Model {
  const builder = new GraphBuilder("interval");
  const sums: Record<"z" | "y" | "e", string[]> = { z: [], y: [], e: [] };
  step.terms.forEach(({ map }, term) => {
    const input = (view: string, size: number) => {
      const name = builder.input(`${view}${term}`, "float64", ["values", size]);
      return builder.ops("Split", [name], 3, { axis: 0, num_outputs: 3 });
    };
    const columns = map.original.columns;
    const [z, y, e] = [input("z", columns), input("y", columns), input("e", columns)];
    sums.z.push(threefold(builder, map.original, z));
    sums.y.push(threefold(builder, map.quantized, y));
    sums.e.push(threefold(builder, map.quantized, e));
    const difference = differenceMap(map.original, map.quantized);
    if (difference !== undefined) sums.e.push(threefold(builder, difference, z));
  });
  for (const view of ["z", "y", "e"] as const) {
    const parts = sums[view];
    // An identity leaves the input's own name, which an output must not have.
    const total = parts.slice(1).reduce((sum, part) => builder.op("Add", [sum, part]), parts[0]!);
    builder.output(builder.op("Identity", [total], {}, { name: view }));
  }
  return builder.build();
}

function threefold(
  builder: GraphBuilder,
  map: LinearMap,
  [middle, half, largest]: readonly string[],
): string {
  const sizes = builder.op("Concat", [half!, largest!], { axis: 0 });
  return builder.op("Concat", [
    emitForward(builder, map, middle!),
    emitForward(builder, absoluteMap(map), sizes),
  ], { axis: 0 });
}
