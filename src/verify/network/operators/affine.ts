/**
 * Products by constants, sums and normalization.
 *
 * @module
 */

import { getFloat, getInt } from "../../../onnx/attributes.ts";
import type { Node } from "../../../onnx/model.ts";
import { elementCount } from "../../../onnx/tensor.ts";
import type { Constant } from "../constants.ts";
import { identity, type LinearMap } from "../linear_map.ts";
import type { Lowering, Place } from "../lowering.ts";
import { errorsOf, filled, sameShape, spread } from "./arguments.ts";

const UNIT = 2 ** -53;

/** Gemm by constant weights. */
export function gemm(node: Node, lowering: Lowering): void {
  const x = lowering.activation(node, 0);
  const weights = lowering.constant(node, 1)!;
  if (getInt(node, "transA", 0) !== 0) throw lowering.unsupported(node, "transA must be 0");
  const transposed = getInt(node, "transB", 0) !== 0;
  const alpha = Math.fround(getFloat(node, "alpha", 1));
  const beta = Math.fround(getFloat(node, "beta", 1));
  const dims = dense(node, lowering, x, weights, transposed, alpha);
  const bias = lowering.constant(node, 2);
  if (bias === undefined) return;
  const place = lowering.value(node.outputs[0]!)!;
  const addends = spread(node, lowering, bias, dims).map((value) => value * beta);
  const relative = bias.relativeError + (beta === 1 ? 0 : UNIT);
  fold(node, lowering, place, addends, dims, relative);
}

/** MatMul by constant weights. */
export function matMul(node: Node, lowering: Lowering): void {
  const weights = lowering.constant(node, 1);
  if (weights === undefined) throw lowering.unsupported(node, "its input 1 must be constant");
  dense(node, lowering, lowering.activation(node, 0), weights, false, 1);
}

/** One MatMul by constant weights, [columns, rows] as ONNX has them or transposed. */
function dense(
  node: Node,
  lowering: Lowering,
  x: Place,
  { dims, data, relativeError: given }: Constant,
  transposed: boolean,
  alpha: number,
): readonly number[] {
  const columns = x.dims.at(-1)!;
  const length = transposed ? dims.at(-1) : dims.at(-2);
  if (dims.length !== 2 || elementCount(x.dims) !== columns || length !== columns) {
    throw lowering.unsupported(
      node,
      `it must multiply one vector of length ${
        length ?? "?"
      } by a matrix: it gets shape [${x.dims}] and weights [${dims}]`,
    );
  }
  const rows = transposed ? dims[0]! : dims[1]!;
  const weights = new Float64Array(rows * columns);
  for (let row = 0; row < rows; row++) {
    for (let column = 0; column < columns; column++) {
      const from = transposed ? row * columns + column : column * rows + row;
      weights[row * columns + column] = alpha * data[from]!;
    }
  }
  const result = [...x.dims.slice(0, -1), rows];
  const relativeError = 2 * given + (alpha === 1 ? 0 : 2 * UNIT);
  const map: LinearMap = {
    kind: "dense",
    rows,
    columns,
    weights,
    ...(relativeError === 0 ? {} : { relativeError }),
  };
  lowering.addAffine(node, [{ input: x.number, map }], result);
  return result;
}

/** Adds a bias to a step that the same node has just made. */
function fold(
  node: Node,
  lowering: Lowering,
  place: Place,
  addends: Float64Array,
  dims: readonly number[],
  relativeError: number,
): void {
  const errors = relativeError === 0 ? undefined : errorsOf(addends, relativeError);
  lowering.addBias(node, place, addends, dims, errors);
}

/** Add, or Sub for a sign of −1. */
export function sum(node: Node, lowering: Lowering, sign: 1 | -1): void {
  const [a, b] = [0, 1].map((at) => lowering.value(node.inputs[at]!));
  if (a !== undefined && b !== undefined) {
    if (withoutFront(a.dims).join() !== withoutFront(b.dims).join()) {
      throw lowering.unsupported(node, `shapes [${a.dims}] and [${b.dims}] must be the same`);
    }
    const size = elementCount(a.dims);
    const second: LinearMap = sign === 1
      ? identity(size)
      : { kind: "diagonal", rows: size, columns: size, factors: new Float64Array(size).fill(-1) };
    const terms = [{ input: a.number, map: identity(size) }, { input: b.number, map: second }];
    const dims = a.dims.length >= b.dims.length ? a.dims : b.dims;
    lowering.addAffine(node, terms, dims);
    return;
  }
  const place = (a ?? b)!;
  const constant = lowering.constant(node, a === undefined ? 0 : 1)!;
  const dims = sameShape(node, lowering, place, constant);
  const added = spread(node, lowering, constant, dims);
  const errors = constant.relativeError === 0 ? undefined : errorsOf(added, constant.relativeError);
  const addends = sign === -1 && a !== undefined ? added.map((value) => -value) : added;
  const factors = sign === -1 && a === undefined ? filled(dims, -1) : undefined;
  lowering.addScaling(node, place, factors, addends, dims, errors && { errors });
}

/** A shape without what broadcasting adds in front. */
function withoutFront(dims: readonly number[]): readonly number[] {
  const first = dims.findIndex((dim) => dim !== 1);
  return first < 0 ? [] : dims.slice(first);
}

/** Mul or Div by a constant. */
export function product(node: Node, lowering: Lowering): void {
  const divides = node.opType === "Div";
  const first = lowering.value(node.inputs[0]!);
  if (first === undefined && divides || lowering.value(node.inputs[1]!) && first) {
    throw lowering.unsupported(node, "one factor, or the divisor, must be constant");
  }
  const place = first ?? lowering.activation(node, 1);
  const constant = lowering.constant(node, first === undefined ? 0 : 1)!;
  const dims = sameShape(node, lowering, place, constant);
  const factors = spread(node, lowering, constant, dims);
  lowering.addScaling(
    node,
    place,
    divides ? factors.map((factor) => 1 / factor) : factors,
    undefined,
    dims,
    { factorError: 2 * constant.relativeError },
  );
}

/** BatchNormalization, as a factor and an addend a channel. */
export function batchNormalization(node: Node, lowering: Lowering): void {
  const x = lowering.activation(node, 0);
  if (getInt(node, "training_mode", 0) !== 0) {
    throw lowering.unsupported(node, "training_mode must be 0");
  }
  const given = [1, 2, 3, 4].map((at) => lowering.constant(node, at)!);
  if (given.some(({ relativeError }) => relativeError !== 0)) {
    throw lowering.unsupported(node, "its parameters must be exact");
  }
  const [scale, bias, mean, variance] = given.map(({ data }) => data);
  const epsilon = Math.fround(getFloat(node, "epsilon", 1e-5));
  const channelFactors = scale!.map((value, at) => value / Math.sqrt(variance![at]! + epsilon));
  const positions = elementCount(x.dims) / (x.dims[1] ?? 1);
  const size = elementCount(x.dims);
  const factors = new Float64Array(size);
  const addends = new Float64Array(size);
  const sizes = new Float64Array(size);
  for (let at = 0; at < size; at++) {
    const channel = Math.floor(at / positions);
    const shift = mean![channel]! * channelFactors[channel]!;
    factors[at] = channelFactors[channel]!;
    addends[at] = bias![channel]! - shift;
    sizes[at] = Math.abs(bias![channel]!) + Math.abs(shift);
  }
  const errors = sizes.map((each) => 8 * UNIT * each);
  lowering.addScaling(node, x, factors, addends, x.dims, { errors, sizes });
}
