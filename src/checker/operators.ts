/**
 * Linear operators as matrices, keyed by their ONNX names.
 *
 * @module
 */

import { denseMatrix, type Matrix, sparseMatrix } from "./matrix.ts";
import { type AffineStep, count, type NetworkReader, unsupported, type Value } from "./network.ts";
import type { Constant, OnnxNode } from "./onnx_file.ts";

type Rule = (node: OnnxNode, reader: NetworkReader) => void;

const UNIT = 2 ** -53;

/** What the checker knows besides Relu. */
export const LINEAR_OPERATORS: Readonly<Record<string, Rule>> = {
  Identity: (node, reader) => keep(node, reader, reader.value(node, 0).dims),
  Dropout: (node, reader) => keep(node, reader, reader.value(node, 0).dims),
  Flatten: (node, reader) => {
    const { dims } = reader.value(node, 0);
    const given = integer(node, "axis", 1);
    const axis = given < 0 ? given + dims.length : given;
    keep(node, reader, [count(dims.slice(0, axis)), count(dims.slice(axis))]);
  },
  Reshape: (node, reader) => {
    const { dims } = reader.value(node, 0);
    const wanted = Array.from(reader.constant(node, 1)!.values, (dim, at) => dim || dims[at]!);
    const known = wanted.reduce((product, dim) => dim < 0 ? product : product * dim, 1);
    keep(node, reader, wanted.map((dim) => dim < 0 ? count(dims) / known : dim));
  },
  Gemm: (node, reader) => {
    const x = reader.value(node, 0);
    const weights = reader.constant(node, 1)!;
    if (integer(node, "transA", 0) !== 0) throw unsupported(node, "with transA");
    const alpha = node.attributes.get("alpha")?.float ?? 1;
    const beta = node.attributes.get("beta")?.float ?? 1;
    const rows = dense(node, reader, x, weights, integer(node, "transB", 0) !== 0, alpha);
    const bias = reader.constant(node, 2);
    if (bias === undefined) return;
    const scaled = {
      ...bias,
      values: bias.values.map((value) => value * beta),
      error: bias.error + (beta === 1 ? 0 : UNIT),
    };
    offset(node, reader, { ...lastOf(reader), dims: [1, rows] }, scaled, 1);
  },
  MatMul: (node, reader) => {
    if (reader.isValue(node, 1)) throw unsupported(node, "of two computed values");
    dense(node, reader, reader.value(node, 0), reader.constant(node, 1)!, false, 1);
  },
  Add: (node, reader) => sum(node, reader, 1),
  Sub: (node, reader) => sum(node, reader, -1),
  Conv: convolution,
  AveragePool: averagePool,
  GlobalAveragePool: (node, reader) => {
    const { dims, number } = reader.value(node, 0);
    const area = count(dims.slice(2));
    const rows = Array.from(
      { length: dims[1]! },
      (_, channel) =>
        Array.from({ length: area }, (_, at) => [channel * area + at, 1 / area] as const),
    );
    affine(node, reader, number, sparseMatrix(count(dims), rows), UNIT, [
      1,
      dims[1]!,
      ...dims.slice(2).map(() => 1),
    ]);
  },
  BatchNormalization: (node, reader) => {
    const { number, dims } = reader.value(node, 0);
    const [scale, bias, mean, variance] = [1, 2, 3, 4].map((at) =>
      reader.constant(node, at)!.values
    );
    const epsilon = node.attributes.get("epsilon")?.float ?? Math.fround(1e-5);
    const area = count(dims.slice(2));
    const size = count(dims);
    const rows: [number, number][][] = [];
    const values = new Float64Array(size);
    const errors = new Float64Array(size);
    for (let at = 0; at < size; at++) {
      const channel = Math.floor(at / area) % dims[1]!;
      const factor = scale![channel]! / Math.sqrt(variance![channel]! + epsilon);
      const shift = mean![channel]! * factor;
      rows.push([[at, factor]]);
      values[at] = bias![channel]! - shift;
      // Three roundings in the factor, one in the product, one in the difference.
      errors[at] = 8 * UNIT * (Math.abs(shift) + Math.abs(bias![channel]!));
    }
    affine(node, reader, number, sparseMatrix(size, rows), 8 * UNIT, dims, values, errors);
  },
};

function keep(node: OnnxNode, reader: NetworkReader, dims: readonly number[]): void {
  reader.alias(node, reader.value(node, 0), dims);
}

function lastOf(reader: NetworkReader): Value {
  return { number: reader.steps.length, dims: [] };
}

function affine(
  node: OnnxNode,
  reader: NetworkReader,
  input: number,
  matrix: Matrix,
  weightError: number,
  dims: readonly number[],
  offset = new Float64Array(matrix.rows),
  offsetError = new Float64Array(matrix.rows),
): void {
  const step: AffineStep = {
    kind: "affine",
    size: matrix.rows,
    terms: [{ input, matrix }],
    offset,
    offsetError,
    weightError,
  };
  reader.add(node, step, dims);
}

/** A product with constant weights, given as [columns, rows] or transposed. Gives the number of rows. */
function dense(
  node: OnnxNode,
  reader: NetworkReader,
  x: Value,
  { dims, values, error }: Constant,
  transposed: boolean,
  alpha: number,
): number {
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
  const weightError = error + (alpha === 1 ? 0 : UNIT);
  affine(node, reader, x.number, denseMatrix(rows, columns, weights), weightError, [
    ...x.dims.slice(0, -1),
    rows,
  ]);
  return rows;
}

function sum(node: OnnxNode, reader: NetworkReader, sign: 1 | -1): void {
  if (reader.isValue(node, 0) && reader.isValue(node, 1)) {
    const [a, b] = [reader.value(node, 0), reader.value(node, 1)];
    if (a.dims.join() !== b.dims.join()) throw unsupported(node, "of different shapes");
    const size = count(a.dims);
    const matrix = (weight: number) =>
      sparseMatrix(size, Array.from({ length: size }, (_, at) => [[at, weight]] as const));
    const terms = [{ input: a.number, matrix: matrix(1) }, {
      input: b.number,
      matrix: matrix(sign),
    }];
    const zeros = new Float64Array(size);
    reader.add(
      node,
      { kind: "affine", size, terms, offset: zeros, offsetError: zeros, weightError: 0 },
      a.dims,
    );
    return;
  }
  if (!reader.isValue(node, 0)) {
    if (sign < 0) throw unsupported(node, "of a constant minus a value");
    offset(node, reader, reader.value(node, 1), reader.constant(node, 0)!, 1);
  } else offset(node, reader, reader.value(node, 0), reader.constant(node, 1)!, sign);
}

/** Adds a constant that broadcasts to a value. */
function offset(
  node: OnnxNode,
  reader: NetworkReader,
  value: Value,
  constant: Constant,
  sign: 1 | -1,
): void {
  const { dims } = value;
  const padded = [...dims.slice(constant.dims.length).map(() => 1), ...constant.dims];
  if (padded.length !== dims.length || padded.some((dim, at) => dim !== 1 && dim !== dims[at])) {
    throw unsupported(node, `with a constant of shape [${constant.dims}]`);
  }
  const strides = padded.map((dim, axis) => dim === 1 ? 0 : count(padded.slice(axis + 1)));
  const inner = dims.map((_, axis) => count(dims.slice(axis + 1)));
  const values = Float64Array.from({ length: count(dims) }, (_, at) => {
    const place = dims.reduce(
      (total, dim, axis) => total + Math.floor(at / inner[axis]!) % dim * strides[axis]!,
      0,
    );
    return sign * constant.values[place]!;
  });
  const errors = values.map((each) => Math.abs(each) * constant.error * 2);
  reader.addOffset(node, value, values, errors, dims);
}

function convolution(node: OnnxNode, reader: NetworkReader): void {
  const x = reader.value(node, 0);
  const weights = reader.constant(node, 1)!;
  const groups = integer(node, "group", 1);
  const [outputs, inGroup, ...kernel] = weights.dims as [number, number, ...number[]];
  const windows = windowsOf(node, x.dims, kernel);
  const [outGroup, taps] = [outputs / groups, count(kernel)];
  const area = count(x.dims.slice(2));
  const rows: [number, number][][] = [];
  for (let out = 0; out < outputs; out++) {
    const first = Math.floor(out / outGroup) * inGroup;
    for (const window of windows.places) {
      const row: [number, number][] = [];
      for (let channel = 0; channel < inGroup; channel++) {
        window.forEach((place, tap) => {
          if (place < 0) return;
          const weight = weights.values[(out * inGroup + channel) * taps + tap]!;
          row.push([(first + channel) * area + place, weight]);
        });
      }
      rows.push(row);
    }
  }
  const dims = [1, outputs, ...windows.dims];
  affine(node, reader, x.number, sparseMatrix(count(x.dims), rows), weights.error, dims);
  const bias = reader.constant(node, 2);
  if (bias === undefined) return;
  const spread = { ...bias, dims: [1, outputs, ...windows.dims.map(() => 1)] };
  offset(node, reader, { ...lastOf(reader), dims }, spread, 1);
}

function averagePool(node: OnnxNode, reader: NetworkReader): void {
  const { number, dims } = reader.value(node, 0);
  const kernel = node.attributes.get("kernel_shape")!.integers;
  const windows = windowsOf(node, dims, kernel);
  const counted = integer(node, "count_include_pad", 0) !== 0;
  const area = count(dims.slice(2));
  const rows: [number, number][][] = [];
  for (let channel = 0; channel < dims[1]!; channel++) {
    for (const window of windows.places) {
      const inside = window.filter((place) => place >= 0);
      const weight = 1 / (counted ? window.length : inside.length);
      rows.push(inside.map((place) => [channel * area + place, weight]));
    }
  }
  affine(node, reader, number, sparseMatrix(count(dims), rows), UNIT, [
    1,
    dims[1]!,
    ...windows.dims,
  ]);
}

/** The places that each position of a window reads, −1 outside, and the shape of the positions. */
function windowsOf(
  node: OnnxNode,
  dims: readonly number[],
  kernel: readonly number[],
): { places: number[][]; dims: number[] } {
  const input = dims.slice(2);
  if (input.length !== 2) throw unsupported(node, `over ${input.length} axes`);
  const mode = node.attributes.get("auto_pad")?.text ?? "NOTSET";
  if (mode !== "NOTSET" && mode !== "VALID") throw unsupported(node, `with auto_pad ${mode}`);
  if (integer(node, "ceil_mode", 0) !== 0) throw unsupported(node, "with ceil_mode");
  const list = (name: string, fallback: number, length: number) => {
    const found = node.attributes.get(name)?.integers ?? [];
    return found.length > 0 ? found : new Array<number>(length).fill(fallback);
  };
  const strides = list("strides", 1, 2);
  const dilations = list("dilations", 1, 2);
  const pads = list("pads", 0, 4);
  const output = [0, 1].map((axis) => {
    const reach = (kernel[axis]! - 1) * dilations[axis]! + 1;
    const room = input[axis]! + pads[axis]! + pads[axis + 2]! - reach;
    return Math.floor(room / strides[axis]!) + 1;
  });
  const places: number[][] = [];
  for (let oy = 0; oy < output[0]!; oy++) {
    for (let ox = 0; ox < output[1]!; ox++) {
      const window: number[] = [];
      for (let ky = 0; ky < kernel[0]!; ky++) {
        for (let kx = 0; kx < kernel[1]!; kx++) {
          const y = oy * strides[0]! - pads[0]! + ky * dilations[0]!;
          const x = ox * strides[1]! - pads[1]! + kx * dilations[1]!;
          const inside = y >= 0 && y < input[0]! && x >= 0 && x < input[1]!;
          window.push(inside ? y * input[1]! + x : -1);
        }
      }
      places.push(window);
    }
  }
  return { places, dims: output };
}

function integer(node: OnnxNode, name: string, fallback: number): number {
  return node.attributes.get(name)?.integer ?? fallback;
}
