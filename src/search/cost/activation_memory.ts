/**
 * Memory that activations need.
 *
 * @module
 */

import { readNames } from "../../onnx/scope.ts";
import type { Graph } from "../../onnx/model.ts";
import { elementCount } from "../../onnx/tensor.ts";

/** The moment at which most memory is needed. */
export interface PeakMemory {
  readonly bytes: number;
  /** The node that is computed then. */
  readonly node: string;
}

/**
 * The most bytes of activations that exist at one time when nodes are computed in the order of the graph, for one item:
 * a node's inputs, its outputs, and what later nodes read.
 *
 * @param shapes Of the values; those without one, and constants, do not count.
 * @param bits Of an activation.
 */
export function peakActivationMemory(
  graph: Graph,
  shapes: ReadonlyMap<string, readonly number[]>,
  bits: number,
): PeakMemory {
  const size = (name: string): number => {
    const shape = shapes.get(name);
    if (shape === undefined || graph.initializers.has(name)) return 0;
    const batch = Math.max(1, shape[0] ?? 1);
    return Math.ceil(elementCount(shape) / batch * bits / 8);
  };
  const reads = graph.nodes.map(readNames);
  const last = new Map<string, number>();
  reads.forEach((names, index) => {
    for (const name of names) last.set(name, index);
  });
  for (const { name } of graph.outputs) last.set(name, graph.nodes.length);
  const live = new Set(graph.inputs.map(({ name }) => name).filter((name) => last.has(name)));
  let now = [...live].reduce((sum, name) => sum + size(name), 0);
  let peak: PeakMemory = { bytes: now, node: "" };
  graph.nodes.forEach((node, index) => {
    const outputs = node.outputs.filter((name) => name !== "");
    for (const name of outputs) {
      live.add(name);
      now += size(name);
    }
    if (now > peak.bytes) peak = { bytes: now, node: node.name };
    for (const name of new Set([...reads[index]!, ...outputs])) {
      if ((last.get(name) ?? -1) > index || !live.delete(name)) continue;
      now -= size(name);
    }
  });
  return peak;
}
