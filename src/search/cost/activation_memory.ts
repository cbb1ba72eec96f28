/**
 * Memory that activations need.
 *
 * @module
 */

import { readNames } from "../../onnx/scope.ts";
import type { Graph } from "../../onnx/model.ts";
import { elementCount } from "../../onnx/tensor.ts";

/** What is in memory while a node is computed. */
export interface Moment {
  /** The node's name; empty before the first one. */
  readonly node: string;
  /** Values per item of each activation that is there. */
  readonly live: ReadonlyMap<string, number>;
}

/** The moment at which most memory is needed. */
export interface PeakMemory {
  readonly bytes: number;
  /** The node that is computed then. */
  readonly node: string;
}

/**
 * The activations that exist while each node is computed, in the order of the graph: a node's inputs, its outputs, and
 * what later nodes read.
 *
 * @param shapes Of the values; those without one, and constants, do not count.
 */
export function moments(
  graph: Graph,
  shapes: ReadonlyMap<string, readonly number[]>,
): Moment[] {
  const size = (name: string): number => {
    const shape = shapes.get(name);
    if (shape === undefined || graph.initializers.has(name)) return 0;
    return Math.ceil(elementCount(shape) / Math.max(1, shape[0] ?? 1));
  };
  const reads = graph.nodes.map(readNames);
  const last = new Map<string, number>();
  reads.forEach((names, index) => {
    for (const name of names) last.set(name, index);
  });
  for (const { name } of graph.outputs) last.set(name, graph.nodes.length);
  const live = new Map(
    graph.inputs.filter(({ name }) => last.has(name)).map(({ name }) => [name, size(name)]),
  );
  const found: Moment[] = [{ node: "", live: new Map(live) }];
  graph.nodes.forEach((node, index) => {
    const outputs = node.outputs.filter((name) => name !== "");
    for (const name of outputs) live.set(name, size(name));
    found.push({ node: node.name, live: new Map(live) });
    for (const name of [...reads[index]!, ...outputs]) {
      if ((last.get(name) ?? -1) <= index) live.delete(name);
    }
  });
  return found;
}

/** Bytes of activations at a moment, each at its own width. */
export function bytesAt({ live }: Moment, bits: (value: string) => number): number {
  let sum = 0;
  for (const [value, count] of live) sum += Math.ceil(count * bits(value) / 8);
  return sum;
}

/** The most bytes of activations that exist at one time, for one item. */
export function peakActivationMemory(
  graph: Graph,
  shapes: ReadonlyMap<string, readonly number[]>,
  bits: (value: string) => number,
): PeakMemory {
  let peak: PeakMemory = { bytes: 0, node: "" };
  for (const moment of moments(graph, shapes)) {
    const bytes = bytesAt(moment, bits);
    if (bytes > peak.bytes) peak = { bytes, node: moment.node };
  }
  return peak;
}
