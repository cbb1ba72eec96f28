/**
 * Latency on a bit-serial systolic array, by an analytic model.
 *
 * @module
 */

import { elementCount } from "../../onnx/tensor.ts";
import type { NodeCost } from "./node_cost.ts";
import type { NodeWork } from "./work.ts";

/** An accelerator. */
export interface SystolicArray {
  /** Cells along the depth of a product; each holds one weight. */
  readonly rows: number;
  /** Cells along the output channels. */
  readonly columns: number;
  /** Million cycles a second. */
  readonly clock_mhz: number;
  /** Memory bandwidth: 10⁹ bytes a second. */
  readonly bandwidth_gbs: number;
  /** Bits of a weight that a cell takes in a cycle; 1 is bit-serial. */
  readonly weight_lanes: number;
  /** Bits of an activation that a cell takes in a cycle. */
  readonly activation_lanes: number;
}

/**
 * Microseconds of a node.
 *
 * Weights stay in the array while activations stream through it. A product of `rows × depth` activations with
 * `depth × columns` weights needs ⌈depth / R⌉ · ⌈columns / C⌉ tiles; a tile takes `rows + R + C − 2` steps to stream,
 * and each step ⌈bits_w / lanes_w⌉ · ⌈bits_a / lanes_a⌉ cycles. Reading weights and activations and writing results
 * goes on meanwhile, so that a node takes the longer of the two.
 */
export function systolicLatency(array: SystolicArray): NodeCost {
  return (node, weightBits, activationBits) => latency(array, node, weightBits, activationBits);
}

function latency(
  array: SystolicArray,
  { products, rows, depth, columns, input, weight, output }: NodeWork,
  bits: number,
  activationBits: number,
): number {
  const tiles = products * Math.ceil(depth / array.rows) * Math.ceil(columns / array.columns);
  const steps = tiles * (rows + array.rows + array.columns - 2);
  const cycles = steps * Math.ceil(bits / array.weight_lanes) *
    Math.ceil(activationBits / array.activation_lanes);
  const bytes = (elementCount(weight) * bits +
    (elementCount(input) + elementCount(output)) * activationBits) / 8;
  return Math.max(cycles / array.clock_mhz, bytes / (array.bandwidth_gbs * 1e3));
}
