/**
 * How each ONNX operator becomes steps, keyed by operator name.
 *
 * @module
 */

import { getFloat, getInt, getInts, getString } from "../../onnx/attributes.ts";
import type { Node } from "../../onnx/model.ts";
import { elementCount } from "../../onnx/tensor.ts";
import { typeRange } from "../../quant/qdq/storage.ts";
import { broadcastTo, type Constant, fullShape, transposeSources } from "./constants.ts";
import { identity, type LinearMap } from "./linear_map.ts";
import type { Lowering, Place } from "./lowering.ts";
import { averagePool, convolution, globalAveragePool, maxPool } from "./windows.ts";

/** Adds the steps of a node. */
export type OperatorRule = (node: Node, lowering: Lowering) => void;

const UNIT = 2 ** -53;

/** The rules of the operators that bounds are known for. */
export const OPERATORS: Readonly<Record<string, OperatorRule>> = {
  Gemm: gemm,
  MatMul: matMul,
  Conv: convolution,
  AveragePool: averagePool,
  GlobalAveragePool: globalAveragePool,
  MaxPool: maxPool,
  BatchNormalization: batchNormalization,
  Add: (node, lowering) => sum(node, lowering, 1),
  Sub: (node, lowering) => sum(node, lowering, -1),
  Mul: product,
  Div: product,
  Neg: (node, lowering) => {
    const x = lowering.activation(node, 0);
    lowering.addScaling(node, x, filled(x.dims, -1), undefined, x.dims);
  },
  Identity: moveTo(({ dims }) => dims),
  Dropout: moveTo(({ dims }) => dims),
  Flatten: moveTo(({ dims }, node) => {
    const axis = getInt(node, "axis", 1);
    const front = elementCount(dims.slice(0, axis < 0 ? axis + dims.length : axis));
    return [front, elementCount(dims) / front];
  }),
  Reshape: moveTo(({ dims }, node, lowering) =>
    fullShape(dims, [...lowering.constant(node, 1)!.data])
  ),
  Squeeze: moveTo(({ dims }, node, lowering) => {
    const axes = listArgument(node, lowering, 1, "axes");
    return dims.filter((dim, at) =>
      axes === undefined
        ? dim !== 1
        : !axes.some((axis) => (axis + dims.length) % dims.length === at)
    );
  }),
  Unsqueeze: moveTo(({ dims }, node, lowering) => {
    const axes = listArgument(node, lowering, 1, "axes") ?? [];
    const rank = dims.length + axes.length;
    const places = new Set(axes.map((axis) => (axis + rank) % rank));
    const rest = [...dims];
    return Array.from({ length: rank }, (_, at) => places.has(at) ? 1 : rest.shift()!);
  }),
  Transpose: (node, lowering) => {
    const { number, dims } = lowering.activation(node, 0);
    const order = getInts(node, "perm", dims.map((_, axis) => dims.length - 1 - axis));
    index(node, lowering, number, transposeSources(dims, order), order.map((axis) => dims[axis]!));
  },
  Concat: concat,
  Slice: slice,
  Pad: pad,
  Relu: (node, lowering) => {
    const { number, dims } = lowering.activation(node, 0);
    lowering.add(node, { kind: "relu", input: number }, dims);
  },
  Sigmoid: (node, lowering) => {
    const { number, dims } = lowering.activation(node, 0);
    lowering.add(node, { kind: "sigmoid", input: number }, dims);
  },
  Tanh: (node, lowering) => {
    const { number, dims } = lowering.activation(node, 0);
    lowering.add(node, { kind: "tanh", input: number }, dims);
  },
  LeakyRelu: (node, lowering) => {
    const x = lowering.activation(node, 0);
    leaky(node, lowering, x, filled(x.dims, Math.fround(getFloat(node, "alpha", 0.01))));
  },
  PRelu: (node, lowering) => {
    const x = lowering.activation(node, 0);
    leaky(node, lowering, x, spread(node, lowering, lowering.constant(node, 1)!, x.dims));
  },
  Clip: clip,
  Max: (node, lowering) => extreme(node, lowering, 1),
  Min: (node, lowering) => extreme(node, lowering, -1),
  QuantizeLinear: quantizeLinear,
  DequantizeLinear: dequantizeLinear,
};

function moveTo(
  shape: (place: Place, node: Node, lowering: Lowering) => readonly number[],
): OperatorRule {
  return (node, lowering) => {
    const place = lowering.activation(node, 0);
    lowering.alias(node, place.number, shape(place, node, lowering));
  };
}

function gemm(node: Node, lowering: Lowering): void {
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

function matMul(node: Node, lowering: Lowering): void {
  const weights = lowering.constant(node, 1);
  if (weights === undefined) throw lowering.unsupported(node, "its input 1 must be constant");
  dense(node, lowering, lowering.activation(node, 0), weights, false, 1);
}

/** One MatMul by constant weights, [columns, rows] as ONNX has them or transposed. */
function dense(
  node: Node,
  lowering: Lowering,
  x: Place,
  { dims, data }: Constant,
  transposed: boolean,
  alpha: number,
): readonly number[] {
  const columns = x.dims.at(-1)!;
  const given = transposed ? dims.at(-1) : dims.at(-2);
  if (dims.length !== 2 || elementCount(x.dims) !== columns || given !== columns) {
    throw lowering.unsupported(
      node,
      `it must multiply one vector of length ${
        given ?? "?"
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
  const exact = alpha === 1;
  lowering.addAffine(
    node,
    [{
      input: x.number,
      map: { kind: "dense", rows, columns, weights, ...(exact ? {} : { relativeError: 2 * UNIT }) },
    }],
    result,
  );
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

function sum(node: Node, lowering: Lowering, sign: 1 | -1): void {
  const [a, b] = [0, 1].map((at) => lowering.value(node.inputs[at]!));
  if (a !== undefined && b !== undefined) {
    if (elementCount(a.dims) !== elementCount(b.dims)) {
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
  lowering.addScaling(node, place, factors, addends, dims, errors);
}

function product(node: Node, lowering: Lowering): void {
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
  );
}

function batchNormalization(node: Node, lowering: Lowering): void {
  const x = lowering.activation(node, 0);
  const [scale, bias, mean, variance] = [1, 2, 3, 4].map((at) => lowering.constant(node, at)!.data);
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
  lowering.addScaling(node, x, factors, addends, x.dims, errors, sizes);
}

/** αx + (1 − α)·max(0, x). */
function leaky(node: Node, lowering: Lowering, x: Place, slopes: Float64Array): void {
  const size = slopes.length;
  const { number } = lowering.add(node, { kind: "relu", input: x.number }, x.dims);
  const map = (factors: Float64Array): LinearMap => ({
    kind: "diagonal",
    rows: size,
    columns: size,
    factors,
    relativeError: UNIT,
  });
  lowering.addAffine(node, [
    { input: x.number, map: map(slopes) },
    { input: number, map: map(slopes.map((slope) => 1 - slope)) },
  ], x.dims);
}

function clip(node: Node, lowering: Lowering): void {
  const limit = (at: number, name: string, fallback: number) =>
    lowering.constant(node, at)?.data[0] ?? getFloat(node, name, fallback);
  const low = limit(1, "min", -Infinity);
  const high = limit(2, "max", Infinity);
  if (lowering.gridOf(node.inputs[0]!) !== undefined) return lowering.narrowGrid(node, low, high);
  clamp(node, lowering, low, high);
}

function extreme(node: Node, lowering: Lowering, sign: 1 | -1): void {
  const first = lowering.value(node.inputs[0]!) !== undefined;
  const constant = node.inputs.length === 2 ? lowering.constant(node, first ? 1 : 0) : undefined;
  const limit = constant?.data[0];
  if (limit === undefined || constant!.data.some((value) => value !== limit)) {
    throw lowering.unsupported(node, "one of its two inputs must be a constant number");
  }
  const swapped = first ? node : { ...node, inputs: [node.inputs[1]!, node.inputs[0]!] };
  clamp(swapped, lowering, sign === 1 ? limit : -Infinity, sign === 1 ? Infinity : limit);
}

/** low + max(0, x − low) − max(0, x − high), without the parts of a limit that float32 numbers do not reach. */
function clamp(node: Node, lowering: Lowering, low: number, high: number): void {
  const x = lowering.activation(node, 0);
  if (low > high) throw lowering.unsupported(node, `its limits ${low} and ${high} are inverted`);
  const from = low > -3.4e38 ? low : undefined;
  const to = high < 3.4e38 ? high : undefined;
  if (from === undefined && to === undefined) return lowering.alias(node, x.number, x.dims);
  const size = elementCount(x.dims);
  const above = (limit: number) => {
    const shifted = limit === 0 ? x : lowering.addAffine(
      node,
      [{ input: x.number, map: identity(size) }],
      x.dims,
      { values: filled(x.dims, -limit) },
    );
    return lowering.add(node, { kind: "relu", input: shifted.number }, x.dims);
  };
  const negative: LinearMap = {
    kind: "diagonal",
    rows: size,
    columns: size,
    factors: filled(x.dims, -1),
  };
  if (to === undefined && from === 0) return void above(0);
  const lower = from === undefined ? x : above(from);
  const terms = [{ input: lower.number, map: identity(size) as LinearMap }];
  if (to !== undefined) terms.push({ input: above(to).number, map: negative });
  lowering.addAffine(node, terms, x.dims, { values: filled(x.dims, from ?? 0) });
}

function concat(node: Node, lowering: Lowering): void {
  const places = node.inputs.map((_, at) => lowering.activation(node, at));
  const rank = places[0]!.dims.length;
  const axis = (getInt(node, "axis", 1) + rank) % rank;
  const dims = places[0]!.dims.map((dim, at) =>
    at === axis ? places.reduce((total, place) => total + place.dims[at]!, 0) : dim
  );
  const size = elementCount(dims);
  const inner = elementCount(dims.slice(axis + 1));
  let start = 0;
  const terms = places.map(({ number, dims: own }) => {
    const count = own[axis]!;
    const sources = new Int32Array(size).fill(-1);
    for (let at = 0; at < size; at++) {
      const along = Math.floor(at / inner) % dims[axis]! - start;
      if (along < 0 || along >= count) continue;
      const outer = Math.floor(at / inner / dims[axis]!);
      sources[at] = (outer * count + along) * inner + at % inner;
    }
    start += count;
    const map: LinearMap = { kind: "index", rows: size, columns: elementCount(own), sources };
    return { input: number, map };
  });
  lowering.addAffine(node, terms, dims);
}

function slice(node: Node, lowering: Lowering): void {
  const { number, dims } = lowering.activation(node, 0);
  const starts = listArgument(node, lowering, 1, "starts")!;
  const ends = listArgument(node, lowering, 2, "ends")!;
  const axes = listArgument(node, lowering, 3, "axes") ?? starts.map((_, at) => at);
  const steps = listArgument(node, lowering, 4, "steps") ?? starts.map(() => 1);
  const ranges = dims.map((dim) => Array.from({ length: dim }, (_, at) => at));
  axes.forEach((given, at) => {
    const axis = (given + dims.length) % dims.length;
    const dim = dims[axis]!;
    const step = steps[at]!;
    const bound = (value: number) => value < 0 ? value + dim : value;
    const start = Math.min(Math.max(bound(starts[at]!), 0), step > 0 ? dim : dim - 1);
    const end = Math.min(Math.max(bound(ends[at]!), step > 0 ? 0 : -1), dim);
    ranges[axis] = [];
    for (let place = start; step > 0 ? place < end : place > end; place += step) {
      ranges[axis].push(place);
    }
  });
  index(node, lowering, number, sourcesOf(ranges, dims), ranges.map((range) => range.length));
}

function pad(node: Node, lowering: Lowering): void {
  const { number, dims } = lowering.activation(node, 0);
  const pads = listArgument(node, lowering, 1, "pads")!;
  const axes = lowering.constant(node, 3)?.data;
  const value = lowering.constant(node, 2)?.data[0] ?? getFloat(node, "value", 0);
  const mode = getString(node, "mode", "constant");
  if (mode !== "constant" && pads.some((width) => width !== 0)) {
    throw lowering.unsupported(node, `mode must be "constant": it is "${mode}"`);
  }
  const count = pads.length / 2;
  const ranges = dims.map((dim, axis) => {
    const at = axes === undefined
      ? axis
      : axes.findIndex((each) => (each + dims.length) % dims.length === axis);
    const [before, after] = at < 0 ? [0, 0] : [pads[at]!, pads[at + count]!];
    return Array.from({ length: before + dim + after }, (_, place) => {
      const source = place - before;
      return source >= 0 && source < dim ? source : -1;
    });
  });
  const sources = sourcesOf(ranges, dims);
  const values = Float64Array.from(sources, (source) => source < 0 ? value : 0);
  index(node, lowering, number, sources, ranges.map((range) => range.length), values);
}

function quantizeLinear(node: Node, lowering: Lowering): void {
  const x = lowering.activation(node, 0);
  const scale = lowering.constant(node, 1)!;
  const zero = lowering.constant(node, 2);
  const type = lowering.constants.storedType(node.inputs[2] ?? "") ?? "uint8";
  const range = typeRange(type);
  if (range === undefined) throw lowering.unsupported(node, `it quantizes to ${type}`);
  if (getInt(node, "block_size", 0) !== 0) {
    throw lowering.unsupported(node, "activations must have one scale, or one a channel");
  }
  const axis = getInt(node, "axis", 1);
  const perElement = (constant: Constant) =>
    constant.data.length === 1
      ? constant.data
      : spread(node, lowering, atAxis(constant, axis, x.dims.length), x.dims);
  const scales = perElement(scale);
  lowering.addQuantizer(node, x, {
    scale: scales,
    zeroPoint: zero === undefined ? new Float64Array(scales.length) : perElement(zero),
    qmin: range.min,
    qmax: range.max,
  });
}

function dequantizeLinear(node: Node, lowering: Lowering): void {
  const x = lowering.activation(node, 0);
  const grid = lowering.gridOf(node.inputs[0]!);
  if (grid === undefined) {
    throw lowering.unsupported(node, "its integers must come straight from a QuantizeLinear");
  }
  const axis = getInt(node, "axis", 1);
  const isSame = (constant: Constant | undefined, expected: Float64Array) => {
    const given = constant === undefined
      ? new Float64Array(expected.length)
      : constant.data.length === 1
      ? constant.data
      : spread(node, lowering, atAxis(constant, axis, x.dims.length), x.dims);
    return given.length === expected.length && given.every((value, at) => value === expected[at]);
  };
  if (
    !isSame(lowering.constant(node, 1), grid.scale) ||
    !isSame(lowering.constant(node, 2), grid.zeroPoint)
  ) {
    throw lowering.unsupported(
      node,
      "it must have the scale and the zero point of its QuantizeLinear",
    );
  }
  lowering.alias(node, x.number, x.dims);
}

function index(
  node: Node,
  lowering: Lowering,
  input: number,
  sources: Int32Array,
  dims: readonly number[],
  values?: Float64Array,
): void {
  const columns = lowering.sizeOf(input);
  const isIdentity = sources.length === columns && sources.every((source, at) => source === at);
  if (isIdentity) return lowering.alias(node, input, dims);
  const map: LinearMap = { kind: "index", rows: sources.length, columns, sources };
  lowering.addAffine(node, [{ input, map }], dims, values && { values });
}

/** Flat sources of every combination of places along the axes; −1 where any place is. */
function sourcesOf(ranges: readonly (readonly number[])[], dims: readonly number[]): Int32Array {
  let sources: number[] = [0];
  ranges.forEach((range, axis) => {
    const stride = elementCount(dims.slice(axis + 1));
    sources = sources.flatMap((source) =>
      range.map((place) => source < 0 || place < 0 ? -1 : source + place * stride)
    );
  });
  return Int32Array.from(sources);
}

function listArgument(
  node: Node,
  lowering: Lowering,
  input: number,
  attribute: string,
): number[] | undefined {
  const constant = lowering.constant(node, input);
  return constant === undefined ? getInts(node, attribute) : [...constant.data];
}

function sameShape(
  node: Node,
  lowering: Lowering,
  place: Place,
  constant: Constant,
): readonly number[] {
  const size = elementCount(place.dims);
  const dims = place.dims.length >= constant.dims.length
    ? place.dims
    : [...new Array<number>(constant.dims.length - place.dims.length).fill(1), ...place.dims];
  const grows = constant.dims.some((dim, at) => {
    const own = dims[dims.length - constant.dims.length + at]!;
    return dim !== 1 && dim !== own;
  });
  if (grows) {
    throw lowering.unsupported(
      node,
      `a constant of shape [${constant.dims}] would widen a value of shape [${place.dims}] with ${size} elements`,
    );
  }
  return dims;
}

function spread(
  node: Node,
  lowering: Lowering,
  constant: Constant,
  dims: readonly number[],
): Float64Array {
  try {
    return broadcastTo(constant, dims);
  } catch {
    throw lowering.unsupported(node, `shape [${constant.dims}] does not broadcast to [${dims}]`);
  }
}

/** One value a channel, in a shape that broadcasts along its axis. */
function atAxis(constant: Constant, axis: number, rank: number): Constant {
  const at = (axis + rank) % rank;
  const dims = Array.from({ length: rank }, (_, place) => place === at ? constant.data.length : 1);
  return { ...constant, dims };
}

function filled(dims: readonly number[], value: number): Float64Array {
  return new Float64Array(elementCount(dims)).fill(value);
}

function errorsOf(values: Float64Array, relative: number): Float64Array {
  return values.map((value) => Math.abs(value) * relative);
}
