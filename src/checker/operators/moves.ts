/**
 * Operators that move values, and leave them as they are.
 *
 * @module
 */

import { count, type NetworkReader, unsupported, type Value } from "../network.ts";
import type { OnnxNode } from "../onnx_file.ts";
import { addAffine, axisOf, list, type Rule, selection } from "./common.ts";

/** The rules of this file. */
export const MOVES: Readonly<Record<string, Rule>> = {
  Identity: keep(({ dims }) => dims),
  Dropout: keep(({ dims }, node, reader) => {
    if (reader.constant(node, 2)?.values[0]) throw unsupported(node, "in training mode");
    return dims;
  }),
  Flatten: keep(({ dims }, node) => {
    const axis = axisOf(node, 1, dims.length);
    return [count(dims.slice(0, axis)), count(dims.slice(axis))];
  }),
  Reshape: keep(({ dims }, node, reader) => {
    const wanted = Array.from(reader.constant(node, 1)!.values, (dim, at) => dim || dims[at]!);
    const known = wanted.reduce((product, dim) => dim < 0 ? product : product * dim, 1);
    return wanted.map((dim) => dim < 0 ? count(dims) / known : dim);
  }),
  Squeeze: keep(({ dims }, node, reader) => {
    const axes = list(node, reader, 1, "axes")?.map((axis) => axis < 0 ? axis + dims.length : axis);
    return dims.filter((dim, at) => axes === undefined ? dim !== 1 : !axes.includes(at));
  }),
  Unsqueeze: keep(({ dims }, node, reader) => {
    const given = list(node, reader, 1, "axes") ?? [];
    const rank = dims.length + given.length;
    const axes = given.map((axis) => axis < 0 ? axis + rank : axis);
    const rest = [...dims];
    return Array.from({ length: rank }, (_, at) => axes.includes(at) ? 1 : rest.shift()!);
  }),
  Transpose: (node, reader) => {
    const { number, dims } = reader.value(node, 0);
    const given = node.attributes.get("perm")?.integers ?? [];
    const order = given.length > 0 ? given : dims.map((_, axis) => dims.length - 1 - axis);
    const strides = dims.map((_, axis) => count(dims.slice(axis + 1)));
    const shape = order.map((axis) => dims[axis]!);
    const sources = places(shape).map((place) =>
      place.reduce((total, index, axis) => total + index * strides[order[axis]!]!, 0)
    );
    select(node, reader, { number, dims }, sources, shape);
  },
  Concat: (node, reader) => {
    const values = node.inputs.map((_, at) => reader.value(node, at));
    const { dims: first } = values[0]!;
    const axis = axisOf(node, 1, first.length);
    const along = values.reduce((total, { dims }) => total + dims[axis]!, 0);
    const shape = first.map((dim, at) => at === axis ? along : dim);
    let start = 0;
    const terms = values.map(({ number, dims }) => {
      const from = start;
      start += dims[axis]!;
      const sources = places(shape).map((place) => {
        const index = place[axis]! - from;
        if (index < 0 || index >= dims[axis]!) return -1;
        return flat(place.map((each, at) => at === axis ? index : each), dims);
      });
      return { input: number, matrix: selection(count(dims), sources) };
    });
    addAffine(node, reader, terms, shape);
  },
  Slice: (node, reader) => {
    const x = reader.value(node, 0);
    const { dims } = x;
    const starts = list(node, reader, 1, "starts")!;
    const ends = list(node, reader, 2, "ends")!;
    const axes = list(node, reader, 3, "axes") ?? starts.map((_, at) => at);
    const steps = list(node, reader, 4, "steps") ?? starts.map(() => 1);
    const kept = dims.map((dim) => Array.from({ length: dim }, (_, at) => at));
    axes.forEach((given, at) => {
      const axis = given < 0 ? given + dims.length : given;
      const [dim, step] = [dims[axis]!, steps[at]!];
      if (step === 0) throw unsupported(node, "with a step of 0");
      const bound = (value: number, least: number, most: number) =>
        Math.min(Math.max(value < 0 ? value + dim : value, least), most);
      const from = bound(starts[at]!, 0, step > 0 ? dim : dim - 1);
      const to = bound(ends[at]!, step > 0 ? 0 : -1, dim);
      kept[axis] = [];
      for (let index = from; step > 0 ? index < to : index > to; index += step) {
        kept[axis].push(index);
      }
    });
    const shape = kept.map(({ length }) => length);
    const sources = places(shape).map((place) =>
      flat(place.map((index, axis) => kept[axis]![index]!), dims)
    );
    select(node, reader, x, sources, shape);
  },
  Pad: (node, reader) => {
    const x = reader.value(node, 0);
    const { dims } = x;
    const pads = list(node, reader, 1, "pads")!;
    const filling = reader.constant(node, 2);
    if (filling !== undefined && filling.error !== 0) {
      throw unsupported(node, "with a value that is not exact");
    }
    const value = filling?.values[0] ?? node.attributes.get("value")?.float ?? 0;
    const mode = node.attributes.get("mode")?.text || "constant";
    if (mode !== "constant") throw unsupported(node, `with mode ${mode}`);
    const axes = reader.constant(node, 3)?.values ?? dims.map((_, at) => at);
    const [before, after] = [dims.map(() => 0), dims.map(() => 0)];
    axes.forEach((given, at) => {
      const axis = given < 0 ? given + dims.length : given;
      before[axis] = pads[at]!;
      after[axis] = pads[at + pads.length / 2]!;
    });
    const shape = dims.map((dim, axis) => before[axis]! + dim + after[axis]!);
    const sources = places(shape).map((place) => {
      const inner = place.map((index, axis) => index - before[axis]!);
      const isInside = inner.every((index, axis) => index >= 0 && index < dims[axis]!);
      return isInside ? flat(inner, dims) : -1;
    });
    select(node, reader, x, sources, shape, value);
  },
};

function keep(
  shape: (value: Value, node: OnnxNode, reader: NetworkReader) => readonly number[],
): Rule {
  return (node, reader) => {
    const value = reader.value(node, 0);
    const dims = shape(value, node, reader);
    if (count(dims) !== count(value.dims)) throw unsupported(node, `to the shape [${dims}]`);
    reader.alias(node, value, dims);
  };
}

/** Adds a step that takes elements by their places; what comes from −1 is `fill`. */
function select(
  node: OnnxNode,
  reader: NetworkReader,
  { number, dims: own }: Value,
  sources: readonly number[],
  dims: readonly number[],
  fill = 0,
): void {
  const columns = count(own);
  if (sources.length === columns && sources.every((source, at) => source === at)) {
    return reader.alias(node, { number, dims }, dims);
  }
  const offset = Float64Array.from(sources, (source) => source < 0 ? fill : 0);
  const terms = [{ input: number, matrix: selection(columns, sources) }];
  addAffine(node, reader, terms, dims, { offset });
}

/** Every place of a shape, in row-major order. */
function places(dims: readonly number[]): number[][] {
  return dims.reduce<number[][]>(
    (all, dim) => all.flatMap((place) => Array.from({ length: dim }, (_, at) => [...place, at])),
    [[]],
  );
}

function flat(place: readonly number[], dims: readonly number[]): number {
  return place.reduce((total, index, axis) => total * dims[axis]! + index, 0);
}
