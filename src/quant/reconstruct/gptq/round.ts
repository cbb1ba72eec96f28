/**
 * Rounding column by column, each error made up for by the columns that follow.
 *
 * Frantar et al., "GPTQ: Accurate Post-Training Quantization for Generative Pre-trained Transformers", 2022,
 * equations 2, 3 and 5; columns in the order of falling second moments.
 *
 * @module
 */

import { getInt } from "../../../onnx/attributes.ts";
import { integers, type QuantizedValues, roundHalfEven } from "../../grid.ts";
import { NO_CHANGES } from "../changes.ts";
import type { Layer } from "../layers.ts";
import type { UnitJob, UnitOutcome } from "../phases.ts";
import { inverseFactor } from "./factor.ts";
import { type Moments, momentsOf } from "./hessian.ts";

/** Rounds the layers of a unit anew, given what the network before it now gives them. */
export async function roundByColumns(job: UnitJob): Promise<UnitOutcome | undefined> {
  const { task, own, options, signal } = job;
  const weights = new Map<string, QuantizedValues>();
  for (const layer of task.layers) {
    if (!isMatrix(layer)) continue;
    const input = layer.node.inputs[0]!;
    const values = own.has(input) ? own.get(input) : (await own.run([input])).get(input)!;
    const moments = await momentsOf(layer.node, layer.dims, values, {
      threads: options.threads,
      signal,
    });
    if (!own.has(input)) values.release();
    weights.set(layer.name, roundLayer(layer, moments, options.damping));
  }
  return weights.size === 0 ? undefined : { changes: { ...NO_CHANGES, weights }, steps: 0 };
}

/** Whether a layer multiplies its weights, as its second input, with vectors of the first. */
function isMatrix({ node, reading, dims }: Layer): boolean {
  if (reading.input !== 1) return false;
  if (node.opType === "Conv") return true;
  if (node.opType === "Gemm") return getInt(node, "transA", 0) === 0 && dims.length === 2;
  return node.opType === "MatMul" && dims.length === 2;
}

/** The integers of a layer. */
export function roundLayer(
  layer: Layer,
  { groups, size, sums }: Moments,
  damping: number,
): QuantizedValues {
  const { node, dims, float, parameters } = layer;
  const outputs = float.length / (groups * size);
  // Where the weights of an output lie one after another.
  const byOutput = node.opType === "Conv" ||
    node.opType === "Gemm" && getInt(node, "transB", 0) === 1;
  const place = byOutput
    ? (output: number, column: number) => output * size + column
    : (output: number, column: number) => column * dims[1]! + output;
  const values = integers(parameters.grid, float.length);
  for (let group = 0; group < groups; group++) {
    const moments = sums.subarray(group * size * size, (group + 1) * size * size);
    const order = byFallingMoment(moments, size);
    const factor = inverseFactor(damped(moments, order, damping), size);
    for (let output = group * outputs; output < (group + 1) * outputs; output++) {
      roundOutput(layer, order, factor, (column) => place(output, column), values);
    }
  }
  return values;
}

function byFallingMoment(moments: Float64Array, size: number): Uint32Array {
  const order = Uint32Array.from({ length: size }, (_, index) => index);
  const moment = (index: number) => moments[index * size + index]!;
  return order.sort((a, b) => moment(b) - moment(a) || a - b);
}

/** The moments in an order, with the damping added to the diagonal; 1 where an input is always zero. */
function damped(moments: Float64Array, order: Uint32Array, damping: number): Float64Array {
  const size = order.length;
  let trace = 0;
  for (let index = 0; index < size; index++) trace += moments[index * size + index]!;
  const extra = damping * trace / size || 1;
  const h = new Float64Array(size * size);
  for (let row = 0; row < size; row++) {
    for (let column = 0; column < size; column++) {
      h[row * size + column] = moments[order[row]! * size + order[column]!]!;
    }
    h[row * size + row]! += extra;
  }
  return h;
}

function roundOutput(
  { float, scaleOf, parameters }: Layer,
  order: Uint32Array,
  factor: Float64Array,
  place: (column: number) => number,
  values: QuantizedValues,
): void {
  const size = order.length;
  const { scale, zeroPoint, grid: { qmin, qmax } } = parameters;
  const weights = Float64Array.from(order, (column) => float[place(column)]!);
  for (let column = 0; column < size; column++) {
    const at = place(order[column]!);
    const step = scale[scaleOf[at]!]!;
    const zero = zeroPoint[scaleOf[at]!]!;
    const weight = weights[column]!;
    const value = Math.min(Math.max(roundHalfEven(weight / step) + zero, qmin), qmax);
    values[at] = value;
    const row = column * size;
    const error = (weight - (value - zero) * step) / factor[row + column]!;
    for (let other = column + 1; other < size; other++) {
      weights[other]! -= error * factor[row + other]!;
    }
  }
}
