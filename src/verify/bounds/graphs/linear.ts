/**
 * Linear maps inside float64 graphs: forward on values, backward on coefficients.
 *
 * ONNX Runtime has no float64 convolution, so a convolution gathers the rows of its windows and multiplies them by one
 * matrix, channels last.
 *
 * @module
 */

import { elementCount, int64s } from "../../../onnx/tensor.ts";
import type { ConvolutionMap, IndexMap, LinearMap } from "../../network/linear_map.ts";
import type { PairedNetwork, Side, ValueNumber } from "../../network/network.ts";
import { isSameMap, type NetworkGraphBuilder } from "./network_graph.ts";

/** A linear map of a paired network, by where it stands. */
export interface MapPlace {
  /** The value that its affine step makes. */
  readonly value: ValueNumber;
  readonly term: number;
  /** Which side's, or original − quantized. */
  readonly part: Side | "difference";
  /** Whether every weight counts by its size. */
  readonly isAbsolute?: boolean;
}

/** The map at a place; `undefined` for a difference where there is none. */
export function mapAt(network: PairedNetwork, place: MapPlace): LinearMap | undefined {
  const step = network.steps[place.value - 1];
  if (step?.kind !== "affine") throw new TypeError(`Value ${place.value} is not made by a map`);
  const { original, quantized } = step.terms[place.term]!.map;
  const map = place.part === "difference"
    ? differenceMap(original, quantized)
    : place.part === "original"
    ? original
    : quantized;
  return map && place.isAbsolute ? absoluteMap(map) : map;
}

/** Numbers that are made of a map, as an input of the graph. */
function numbersOf<Kind extends LinearMap["kind"]>(
  builder: NetworkGraphBuilder,
  place: MapPlace,
  kind: Kind,
  form: string,
  dims: readonly number[],
  make: (map: Extract<LinearMap, { kind: Kind }>) => Float64Array,
): string {
  const { value, term, part, isAbsolute } = place;
  const name = `${value}.${term}.${isAbsolute ? "absolute " : ""}${part}.${form}`;
  return builder.parameter(name, dims, (network) => {
    const map = mapAt(network, place);
    if (map?.kind !== kind) throw new TypeError(`The map at ${name} is not ${kind}`);
    return make(map as Extract<LinearMap, { kind: Kind }>);
  });
}

/** x·Mᵀ for x of shape [rows, columns of the map]. */
export function emitForward(builder: NetworkGraphBuilder, place: MapPlace, x: string): string {
  const map = mapAt(builder.network, place)!;
  const { rows, columns } = map;
  switch (map.kind) {
    case "identity":
      return x;
    case "diagonal":
      return builder.op("Mul", [
        x,
        numbersOf(builder, place, map.kind, "factors", [rows], ({ factors }) => factors),
      ]);
    case "index":
      return gatherColumns(builder, x, map.sources);
    case "dense":
      return builder.op("MatMul", [
        x,
        numbersOf(
          builder,
          place,
          map.kind,
          "transposed",
          [columns, rows],
          ({ weights }) => transposed(weights, rows, columns),
        ),
      ]);
    case "convolution":
      return convolve(builder, place, map, x);
  }
}

/** A·M for coefficients A of shape [boxes, rows, rows of the map]. */
export function emitBackward(
  builder: NetworkGraphBuilder,
  place: MapPlace,
  coefficients: string,
): string {
  const map = mapAt(builder.network, place)!;
  switch (map.kind) {
    case "identity":
      return coefficients;
    case "diagonal":
      return builder.op("Mul", [
        coefficients,
        numbersOf(builder, place, map.kind, "factors", [map.rows], ({ factors }) => factors),
      ]);
    case "index":
      return inverses(map)
        .map((list) => gatherColumns(builder, coefficients, list))
        .reduce((sum, part) => builder.op("Add", [sum, part]));
    case "dense":
      return builder.op("MatMul", [coefficients, emitWeights(builder, place)]);
    case "convolution":
      return convolveBack(builder, place, map, coefficients);
  }
}

/** The weights of a dense map, [rows, columns]. */
export function emitWeights(builder: NetworkGraphBuilder, place: MapPlace): string {
  const { rows, columns } = mapAt(builder.network, place)!;
  return numbersOf(builder, place, "dense", "weights", [rows, columns], ({ weights }) => weights);
}

/** The map with the absolute value of every weight. */
function absoluteMap(map: LinearMap): LinearMap {
  switch (map.kind) {
    case "diagonal":
      return { ...map, factors: map.factors.map(Math.abs) };
    case "dense":
    case "convolution":
      return { ...map, weights: map.weights.map(Math.abs) };
    default:
      return map;
  }
}

/** a − b; `undefined` where they are the same. Weights are exact up to one rounding each. */
function differenceMap(a: LinearMap, b: LinearMap): LinearMap | undefined {
  if (isSameMap(a, b)) return undefined;
  const minus = (x: Float64Array, y: Float64Array) => x.map((value, at) => value - y[at]!);
  if (a.kind === "dense" && b.kind === "dense") {
    return { ...a, weights: minus(a.weights, b.weights) };
  }
  if (a.kind === "convolution" && b.kind === "convolution") {
    return { ...a, weights: minus(a.weights, b.weights) };
  }
  const factors = minus(factorsOf(a), factorsOf(b));
  return { kind: "diagonal", rows: a.rows, columns: a.columns, factors };
}

function factorsOf(map: LinearMap): Float64Array {
  if (map.kind === "diagonal") return map.factors;
  if (map.kind === "identity") return new Float64Array(map.rows).fill(1);
  throw new TypeError(`A ${map.kind} map has no difference to one of another kind`);
}

function transposed(weights: Float64Array, rows: number, columns: number): Float64Array {
  const result = new Float64Array(weights.length);
  for (let row = 0; row < rows; row++) {
    for (let column = 0; column < columns; column++) {
      result[column * rows + row] = weights[row * columns + column]!;
    }
  }
  return result;
}

/** For each column, a row that reads it, −1 where there is none left: as many lists as a column has rows at most. */
function inverses({ rows, columns, sources }: IndexMap): Int32Array[] {
  const lists: Int32Array[] = [];
  for (let row = 0; row < rows; row++) {
    const source = sources[row]!;
    if (source < 0) continue;
    let list = lists.find((each) => each[source] === -1);
    if (list === undefined) lists.push(list = new Int32Array(columns).fill(-1));
    list[source] = row;
  }
  return lists.length > 0 ? lists : [new Int32Array(columns).fill(-1)];
}

/** Columns of a tensor by number; −1 is a column of zeros. */
function gatherColumns(builder: NetworkGraphBuilder, x: string, sources: Int32Array): string {
  return gatherWithZero(builder, x, sources, -1);
}

/** Gathers along an axis, with zeros for −1. */
function gatherWithZero(
  builder: NetworkGraphBuilder,
  x: string,
  sources: ArrayLike<number>,
  axis: number,
): string {
  const given = Array.from(sources);
  if (given.every((source) => source >= 0)) {
    return builder.op("Gather", [x, builder.constant(given)], { axis });
  }
  // Zeros go in front, so that no shape has to be known.
  const padded = builder.op("Pad", [
    x,
    builder.constant([1, 0]),
    builder.scalar(0),
    builder.constant([axis]),
  ]);
  return builder.op("Gather", [padded, builder.constant(given.map((source) => source + 1))], {
    axis,
  });
}

/** [kernel places × channels, outputs] for channels-last windows; groups become blocks. */
function windowMatrix({ weights, geometry }: ConvolutionMap): Float64Array {
  const { channels, outputs, groups, kernel } = geometry;
  const taps = elementCount(kernel);
  const [inGroup, outGroup] = [channels / groups, outputs / groups];
  const matrix = new Float64Array(taps * channels * outputs);
  for (let out = 0; out < outputs; out++) {
    for (let local = 0; local < inGroup; local++) {
      const channel = Math.floor(out / outGroup) * inGroup + local;
      for (let tap = 0; tap < taps; tap++) {
        matrix[(tap * channels + channel) * outputs + out] =
          weights[(out * inGroup + local) * taps + tap]!;
      }
    }
  }
  return matrix;
}

/** The input position that each tap of each output position reads, −1 for padding: [output positions × taps]. */
function windowSources({ geometry }: ConvolutionMap): Int32Array {
  const { input, output, kernel, strides, dilations, pads } = geometry;
  const sources = new Int32Array(elementCount(output) * elementCount(kernel));
  let at = 0;
  for (let oy = 0; oy < output[0]; oy++) {
    for (let ox = 0; ox < output[1]; ox++) {
      for (let ky = 0; ky < kernel[0]; ky++) {
        for (let kx = 0; kx < kernel[1]; kx++, at++) {
          const y = oy * strides[0] - pads[0] + ky * dilations[0];
          const x = ox * strides[1] - pads[1] + kx * dilations[1];
          const inside = y >= 0 && y < input[0] && x >= 0 && x < input[1];
          sources[at] = inside ? y * input[1] + x : -1;
        }
      }
    }
  }
  return sources;
}

function convolve(
  builder: NetworkGraphBuilder,
  place: MapPlace,
  map: ConvolutionMap,
  x: string,
): string {
  const { channels, outputs, input, output, kernel } = map.geometry;
  const taken = elementCount(kernel) * channels;
  const last = channelsLast(builder, x, channels, elementCount(input));
  const windows = gatherWithZero(builder, last, windowSources(map), 1);
  const rows = reshape(builder, windows, [-1, taken]);
  const matrix = numbersOf(builder, place, map.kind, "windows", [taken, outputs], windowMatrix);
  const product = builder.op("MatMul", [rows, matrix]);
  const positions = elementCount(output);
  const shaped = reshape(builder, product, [-1, positions, outputs]);
  return reshape(builder, builder.op("Transpose", [shaped], { perm: [0, 2, 1] }), [-1, map.rows]);
}

/**
 * The transposed convolution. Input positions with the same taps (those of one phase of the stride, away from the
 * border) are computed together, so that no tap multiplies zeros that the stride put there.
 */
function convolveBack(
  builder: NetworkGraphBuilder,
  place: MapPlace,
  map: ConvolutionMap,
  coefficients: string,
): string {
  const { channels, outputs, input, output, kernel, strides, dilations, pads } = map.geometry;
  const last = channelsLast(builder, coefficients, outputs, elementCount(output));
  const phases = new Map<string, { taps: number[]; positions: number[]; sources: number[] }>();
  for (let y = 0; y < input[0]; y++) {
    for (let x = 0; x < input[1]; x++) {
      const taps: number[] = [];
      const sources: number[] = [];
      for (let ky = 0; ky < kernel[0]; ky++) {
        const oy = (y + pads[0] - ky * dilations[0]) / strides[0];
        if (!Number.isInteger(oy)) continue;
        for (let kx = 0; kx < kernel[1]; kx++) {
          const ox = (x + pads[1] - kx * dilations[1]) / strides[1];
          if (!Number.isInteger(ox)) continue;
          const inside = oy >= 0 && oy < output[0] && ox >= 0 && ox < output[1];
          taps.push(ky * kernel[1] + kx);
          sources.push(inside ? oy * output[1] + ox : -1);
        }
      }
      const key = taps.join();
      const phase = phases.get(key) ?? { taps, positions: [], sources: [] };
      phase.positions.push(y * input[1] + x);
      phase.sources.push(...sources);
      phases.set(key, phase);
    }
  }
  const order = new Int32Array(elementCount(input)).fill(-1);
  const parts: string[] = [];
  let at = 0;
  for (const { taps, positions, sources } of phases.values()) {
    if (taps.length === 0) continue;
    const windows = gatherWithZero(builder, last, sources, 1);
    const rows = reshape(builder, windows, [-1, taps.length * outputs]);
    const matrix = numbersOf(
      builder,
      place,
      map.kind,
      `taps ${taps.join()}`,
      [taps.length * outputs, channels],
      (each) => tapMatrix(each, taps),
    );
    const product = builder.op("MatMul", [rows, matrix]);
    parts.push(reshape(builder, product, [-1, positions.length, channels]));
    for (const position of positions) order[position] = at++;
  }
  const joined = parts.length === 1 ? parts[0]! : builder.op("Concat", parts, { axis: 1 });
  const ordered = order.every((place, position) => place === position)
    ? joined
    : gatherWithZero(builder, joined, order, 1);
  const first = builder.op("Transpose", [ordered], { perm: [0, 2, 1] });
  const boxesAndRows = builder.op("Slice", [
    builder.op("Shape", [coefficients]),
    builder.constant([0]),
    builder.constant([2]),
  ]);
  const shape = builder.op("Concat", [boxesAndRows, builder.constant([map.columns])], { axis: 0 });
  return builder.op("Reshape", [first, shape]);
}

/** [taps × outputs, channels] of the taps of one phase. */
function tapMatrix(map: ConvolutionMap, taps: readonly number[]): Float64Array {
  const { channels, outputs } = map.geometry;
  const windows = windowMatrix(map);
  const matrix = new Float64Array(taps.length * outputs * channels);
  taps.forEach((tap, row) => {
    for (let out = 0; out < outputs; out++) {
      for (let channel = 0; channel < channels; channel++) {
        matrix[(row * outputs + out) * channels + channel] =
          windows[(tap * channels + channel) * outputs + out]!;
      }
    }
  });
  return matrix;
}

/** [anything, channels × positions] as [rows, positions, channels]. */
function channelsLast(
  builder: NetworkGraphBuilder,
  x: string,
  channels: number,
  positions: number,
): string {
  const shaped = reshape(builder, x, [-1, channels, positions]);
  return builder.op("Transpose", [shaped], { perm: [0, 2, 1] });
}

function reshape(builder: NetworkGraphBuilder, x: string, dims: readonly number[]): string {
  return builder.op("Reshape", [x, builder.constant(int64s(dims))]);
}
