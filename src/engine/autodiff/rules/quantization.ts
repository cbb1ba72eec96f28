/**
 * Gradients of quantizers, with the straight-through estimator.
 *
 * A quantizer's true derivative is zero almost everywhere. The straight-through estimator (Bengio et al., 2013)
 * takes rounding for the identity; what saturates has no gradient. Scales then get the gradient of learned step
 * size quantization (Esser et al., 2020, equation 3) without further ado: x̂ = s · (q − z) and q = x / s + z have the
 * derivatives that the two rules below compute, and their sum is the paper's. As QuantizeLinear rounds before it
 * saturates, a value up to half a step beyond the grid still counts as inside.
 *
 * @module
 */

import { getInt } from "../../../onnx/attributes.ts";
import { DATA_TYPE_NUMBERS, type DataType } from "../../../onnx/tensor.ts";
import type { RuleContext, RuleTable } from "../rule.ts";
import { above, below } from "./mask.ts";

const LIMITS: Partial<Record<DataType, readonly [number, number]>> = {
  int2: [-2, 1],
  uint2: [0, 3],
  int4: [-8, 7],
  uint4: [0, 15],
  int8: [-128, 127],
  uint8: [0, 255],
  int16: [-32768, 32767],
  uint16: [0, 65535],
};

/** A scale or zero point as it broadcasts against the quantized tensor. */
function aligned(c: RuleContext, name: string, dims: readonly number[]): string {
  const data = c.inputDims(0);
  if (dims.length === 0 || (dims.length === 1 && dims[0] === 1 && data.length !== 1)) {
    return dims.length === 0 ? name : c.emit.reshape(name, []);
  }
  if (dims.length === data.length && dims.length > 1) {
    return blocked(c, name, dims);
  }
  const axis = getInt(c.node, "axis", 1);
  const at = axis < 0 ? axis + data.length : axis;
  return c.emit.reshape(name, data.map((_, index) => index === at ? -1 : 1));
}

/** Repeats each scale over its block. */
function blocked(c: RuleContext, name: string, dims: readonly number[]): string {
  const data = c.inputDims(0);
  const size = getInt(c.node, "block_size", 0);
  const axis = data.findIndex((dim, index) => dim !== dims[index]);
  if (axis < 0) return name;
  const split = [...dims.slice(0, axis + 1), 1, ...dims.slice(axis + 1)];
  const wide = split.map((dim, index) => index === axis + 1 ? size : dim);
  const repeated = c.emit.op("Expand", [c.emit.reshape(name, split), c.emit.ints(wide)]);
  const merged = dims.map((dim, index) => index === axis ? dim * size : dim);
  const whole = c.emit.reshape(repeated, merged);
  return merged[axis] === data[axis] ? whole : c.emit.slice(whole, [axis], [0], [data[axis]!]);
}

/** Sums a gradient of the data's shape down to the scale's. */
function toScale(c: RuleContext, gradient: string): string {
  const data = c.inputDims(0);
  const dims = c.inputDims(1);
  const count = dims.reduce((product, dim) => product * dim, 1);
  if (count === 1) {
    const sum = c.emit.reduceSum(gradient, data.map((_, axis) => axis), false);
    return dims.length === 0 ? sum : c.emit.reshape(sum, dims);
  }
  if (dims.length === data.length && dims.length > 1) {
    const size = getInt(c.node, "block_size", 0);
    const axis = data.findIndex((dim, index) => dim !== dims[index]);
    if (axis < 0) return gradient;
    const missing = dims[axis]! * size - data[axis]!;
    const padded = c.emit.pad(gradient, [
      ...data.map(() => 0),
      ...data.map((_, index) => index === axis ? missing : 0),
    ]);
    const split = [...dims.slice(0, axis + 1), size, ...dims.slice(axis + 1)];
    return c.emit.reduceSum(c.emit.reshape(padded, split), [axis + 1], false);
  }
  const axis = getInt(c.node, "axis", 1);
  const at = axis < 0 ? axis + data.length : axis;
  return c.emit.reduceSum(gradient, data.flatMap((_, index) => index === at ? [] : [index]), false);
}

/** A zero point as floats; 0 where the node has none. */
function zeroPoint(c: RuleContext): string | undefined {
  if (!c.node.inputs[2]) return undefined;
  const to = DATA_TYPE_NUMBERS[c.type];
  return aligned(c, c.emit.op("Cast", [c.input(2)], { to }), c.inputDims(2));
}

function quantizedType(c: RuleContext): DataType {
  if (c.node.inputs[2]) return c.inputType(2);
  const number = getInt(c.node, "output_dtype", 0);
  const found = Object.entries(DATA_TYPE_NUMBERS).find(([, value]) => value === number);
  return number === 0 ? "uint8" : found![0] as DataType;
}

/** q = clamp(round(x / s) + z): the gradient by q arrives as that of a real number. */
function quantize(c: RuleContext): (string | undefined)[] {
  const { emit } = c;
  const limits = LIMITS[quantizedType(c)];
  if (limits === undefined) throw c.unsupported(`its type ${quantizedType(c)} has no integer grid`);
  const scale = aligned(c, c.input(1), c.inputDims(1));
  const zero = zeroPoint(c);
  const steps = emit.div(c.input(0), scale);
  const level = zero === undefined ? steps : emit.add(steps, zero);
  const mask = emit.mul(above(c, level, limits[0] - 0.5), below(c, level, limits[1] + 0.5));
  const byX = emit.div(emit.mul(c.upstream, mask), scale);
  return [
    c.wants(0) ? byX : undefined,
    c.wants(1) ? toScale(c, emit.neg(emit.mul(byX, steps))) : undefined,
  ];
}

/** x̂ = s · (q − z). */
function dequantize(c: RuleContext): (string | undefined)[] {
  const { emit } = c;
  const scale = aligned(c, c.input(1), c.inputDims(1));
  return [
    c.wants(0) ? emit.mul(c.upstream, scale) : undefined,
    c.wants(1) ? toScale(c, emit.mul(c.upstream, emit.div(c.output(), scale))) : undefined,
  ];
}

/** Rules for quantizers; Round counts as one, being there for nothing else in a network. */
export const QUANTIZATION: RuleTable = {
  QuantizeLinear: quantize,
  DequantizeLinear: dequantize,
  Round: (c) => [c.upstream],
};
