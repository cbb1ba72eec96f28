/**
 * Operators that move values, or take some of them.
 *
 * @module
 */

import { getFloat, getInt, getString } from "../../../onnx/attributes.ts";
import type { Node } from "../../../onnx/model.ts";
import { elementCount } from "../../../onnx/tensor.ts";
import type { LinearMap } from "../linear_map.ts";
import type { Lowering, Place } from "../lowering.ts";
import type { OperatorRule } from "../operators.ts";
import { listArgument } from "./arguments.ts";

/** The rule of an operator that gives its input another shape. */
export function moveTo(
  shape: (place: Place, node: Node, lowering: Lowering) => readonly number[],
): OperatorRule {
  return (node, lowering) => {
    const place = lowering.activation(node, 0);
    lowering.alias(node, place.number, shape(place, node, lowering));
  };
}

/** Concat. */
export function concat(node: Node, lowering: Lowering): void {
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

/** Slice. */
export function slice(node: Node, lowering: Lowering): void {
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

/** Pad by a constant. */
export function pad(node: Node, lowering: Lowering): void {
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

/** Makes a value of elements of another by their places, or of addends where a place is −1. */
export function index(
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
