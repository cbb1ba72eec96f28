/**
 * One affine step as float64 graphs: coefficients of rows back through it, and values forward.
 *
 * @module
 */

import type { PairedNetwork, ValueNumber } from "../../network/network.ts";
import type { AffinePairedStep } from "./interval.ts";
import { emitBackward, emitForward, type MapPlace } from "./linear.ts";
import { isSameMap, type NetworkGraph, NetworkGraphBuilder } from "./network_graph.ts";

/**
 * Inputs `v` and `w`, [1, rows, size], the coefficients on the value and on the difference; outputs `v<t>` and `w<t>` for
 * term t, those on what it reads. There is no `v` at a target, whose rows are differences, and no `w<t>` of the network's
 * input, where there is no difference.
 */
export function backwardMapGraph(
  network: PairedNetwork,
  value: ValueNumber,
  isTarget: boolean,
): NetworkGraph {
  const builder = new NetworkGraphBuilder("backward map", network);
  const step = network.steps[value - 1] as AffinePairedStep;
  const v = isTarget ? undefined : builder.input("v", "float64", [1, "rows", step.size]);
  const w = builder.input("w", "float64", [1, "rows", step.size]);
  step.terms.forEach(({ input, map }, term) => {
    const through = (part: MapPlace["part"], c: string) =>
      emitBackward(builder, { value, term, part }, c);
    const parts = v === undefined ? [] : [through("original", v)];
    if (!isSameMap(map.original, map.quantized)) parts.push(through("difference", w));
    const back = input === 0 && parts.length > 0 ? undefined : through("quantized", w);
    if (parts.length === 0) parts.push(builder.op("Mul", [back!, builder.scalar(0)]));
    const sum = parts.reduce((total, part) => builder.op("Add", [total, part]));
    builder.output(builder.op("Identity", [sum], {}, { name: `v${term}` }));
    if (input !== 0) builder.output(builder.op("Identity", [back!], {}, { name: `w${term}` }));
  });
  return builder.finish();
}

/**
 * Inputs `z<t>` and `e<t>` for term t, [rows, columns], without `e<t>` where the network's input is read; outputs `z` and
 * `e`, [rows, size], without offsets.
 */
export function forwardMapGraph(network: PairedNetwork, value: ValueNumber): NetworkGraph {
  const builder = new NetworkGraphBuilder("forward map", network);
  const step = network.steps[value - 1] as AffinePairedStep;
  const sums: Record<"z" | "e", string[]> = { z: [], e: [] };
  step.terms.forEach(({ input, map }, term) => {
    const dims = ["rows", map.original.columns] as const;
    const z = builder.input(`z${term}`, "float64", dims);
    const place = (part: MapPlace["part"]) => ({ value, term, part });
    sums.z.push(emitForward(builder, place("original"), z));
    if (input !== 0) {
      const e = builder.input(`e${term}`, "float64", dims);
      sums.e.push(emitForward(builder, place("quantized"), e));
    }
    if (!isSameMap(map.original, map.quantized)) {
      sums.e.push(emitForward(builder, place("difference"), z));
    }
  });
  if (sums.e.length === 0) sums.e.push(builder.op("Mul", [sums.z[0]!, builder.scalar(0)]));
  for (const letter of ["z", "e"] as const) {
    const total = sums[letter].reduce((sum, part) => builder.op("Add", [sum, part]));
    // An identity leaves the input's own name, which an output must not have.
    builder.output(builder.op("Identity", [total], {}, { name: letter }));
  }
  return builder.finish();
}
