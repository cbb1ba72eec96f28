/**
 * Products with constants, and sums.
 *
 * @module
 */

import { denseMatrix } from "../matrix.ts";
import { count, type NetworkReader, unsupported, type Value } from "../network.ts";
import type { Constant, OnnxNode } from "../onnx_file.ts";
import { addAffine, diagonal, identity, integer, type Rule, spread, UNIT } from "./common.ts";

/** The rules of this file. */
export const LINEAR: Readonly<Record<string, Rule>> = {
  Gemm: (node, reader) => {
    const x = reader.value(node, 0);
    const weights = reader.constant(node, 1)!;
    if (integer(node, "transA", 0) !== 0) throw unsupported(node, "with transA");
    const alpha = node.attributes.get("alpha")?.float ?? 1;
    const beta = node.attributes.get("beta")?.float ?? 1;
    const made = dense(node, reader, x, weights, integer(node, "transB", 0) !== 0, alpha);
    const bias = reader.constant(node, 2);
    if (bias === undefined) return;
    const scaled = {
      ...bias,
      values: bias.values.map((value) => value * beta),
      error: bias.error + (beta === 1 ? 0 : UNIT),
    };
    addConstant(node, reader, made, scaled, 1);
  },
  MatMul: (node, reader) => {
    if (reader.isValue(node, 1)) throw unsupported(node, "of two computed values");
    dense(node, reader, reader.value(node, 0), reader.constant(node, 1)!, false, 1);
  },
  Add: (node, reader) => sum(node, reader, 1),
  Sub: (node, reader) => sum(node, reader, -1),
  Mul: product,
  Div: product,
  Neg: (node, reader) => {
    const { number, dims } = reader.value(node, 0);
    addAffine(node, reader, [{ input: number, matrix: identity(count(dims), -1) }], dims);
  },
  BatchNormalization: (node, reader) => {
    if (integer(node, "training_mode", 0) !== 0) throw unsupported(node, "in training mode");
    const { number, dims } = reader.value(node, 0);
    const given = [1, 2, 3, 4].map((at) => reader.constant(node, at)!);
    if (given.some(({ error }) => error !== 0)) {
      throw unsupported(node, "with parameters that are not exact");
    }
    const [scale, bias, mean, variance] = given.map(({ values }) => values);
    const epsilon = node.attributes.get("epsilon")?.float ?? Math.fround(1e-5);
    const area = count(dims.slice(2));
    const size = count(dims);
    const factors = new Float64Array(size);
    const offset = new Float64Array(size);
    const offsetSize = new Float64Array(size);
    for (let at = 0; at < size; at++) {
      const channel = Math.floor(at / area) % dims[1]!;
      const factor = scale![channel]! / Math.sqrt(variance![channel]! + epsilon);
      const shift = mean![channel]! * factor;
      factors[at] = factor;
      offset[at] = bias![channel]! - shift;
      offsetSize[at] = Math.abs(shift) + Math.abs(bias![channel]!);
    }
    addAffine(node, reader, [{ input: number, matrix: diagonal(factors) }], dims, {
      offset,
      offsetSize,
      // Three roundings in the factor, one in the product, one in the difference.
      offsetError: offsetSize.map((each) => 8 * UNIT * each),
      weightError: 8 * UNIT,
    });
  },
};

/** A product with constant weights, given as [columns, rows] or transposed. */
function dense(
  node: OnnxNode,
  reader: NetworkReader,
  x: Value,
  { dims, values, error }: Constant,
  transposed: boolean,
  alpha: number,
): Value {
  const columns = x.dims.at(-1)!;
  if (dims.length !== 2 || count(x.dims) !== columns || dims[transposed ? 1 : 0] !== columns) {
    throw unsupported(node, `of shapes [${x.dims}] and [${dims}]`);
  }
  const rows = dims[transposed ? 0 : 1]!;
  const weights = new Float64Array(rows * columns);
  for (let row = 0; row < rows; row++) {
    for (let column = 0; column < columns; column++) {
      const from = transposed ? row * columns + column : column * rows + row;
      weights[row * columns + column] = alpha * values[from]!;
    }
  }
  const terms = [{ input: x.number, matrix: denseMatrix(rows, columns, weights) }];
  const weightError = error + (alpha === 1 ? 0 : UNIT);
  return addAffine(node, reader, terms, [...x.dims.slice(0, -1), rows], { weightError });
}

function sum(node: OnnxNode, reader: NetworkReader, sign: 1 | -1): void {
  if (reader.isValue(node, 0) && reader.isValue(node, 1)) {
    const [a, b] = [reader.value(node, 0), reader.value(node, 1)];
    if (a.dims.join() !== b.dims.join()) throw unsupported(node, "of different shapes");
    const size = count(a.dims);
    addAffine(node, reader, [
      { input: a.number, matrix: identity(size) },
      { input: b.number, matrix: identity(size, sign) },
    ], a.dims);
    return;
  }
  if (!reader.isValue(node, 0)) {
    if (sign < 0) throw unsupported(node, "of a constant minus a value");
    addConstant(node, reader, reader.value(node, 1), reader.constant(node, 0)!, 1);
  } else addConstant(node, reader, reader.value(node, 0), reader.constant(node, 1)!, sign);
}

function product(node: OnnxNode, reader: NetworkReader): void {
  const first = reader.isValue(node, 0);
  const divides = node.operator === "Div";
  if (first && reader.isValue(node, 1)) throw unsupported(node, "of two computed values");
  if (!first && divides) throw unsupported(node, "of a constant by a value");
  const { number, dims } = reader.value(node, first ? 0 : 1);
  const constant = reader.constant(node, first ? 1 : 0)!;
  const factors = spread(node, constant, dims);
  const matrix = diagonal(divides ? factors.map((factor) => 1 / factor) : factors);
  const weightError = 2 * constant.error + (divides ? UNIT : 0);
  addAffine(node, reader, [{ input: number, matrix }], dims, { weightError });
}

/** Adds a constant that broadcasts to a value, or takes it off. */
export function addConstant(
  node: OnnxNode,
  reader: NetworkReader,
  value: Value,
  constant: Constant,
  sign: 1 | -1,
): void {
  const values = spread(node, constant, value.dims).map((each) => sign * each);
  const errors = values.map((each) => Math.abs(each) * constant.error * 2);
  reader.addOffset(node, value, values, errors, value.dims);
}
