/**
 * Second moments of what a layer multiplies its weights with.
 *
 * @module
 */

import { openSession } from "../../../engine/session.ts";
import { GraphBuilder } from "../../../onnx/build.ts";
import { getInt, getInts, getString } from "../../../onnx/attributes.ts";
import type { Node } from "../../../onnx/model.ts";
import { elementCount } from "../../../onnx/tensor.ts";
import type { ItemValues } from "../item_values.ts";
import { pieceItems, type PieceOptions } from "../prefix.ts";

/** Vectors that say enough about their moments; more items than have them are not looked at. */
const COLUMNS = 2 ** 16;
/** Items that are looked at in any case: places of one item are alike. */
const LEAST_ITEMS = 128;

/** `Σ x xᵀ` over items and places: a square matrix for each group of the layer, row by row. */
export interface Moments {
  readonly groups: number;
  /** Weights that are multiplied with one `x`. */
  readonly size: number;
  readonly sums: Float64Array;
}

/**
 * Adds up the moments of a layer's input.
 *
 * @param dims Shape of its weights.
 */
export async function momentsOf(
  node: Node,
  dims: readonly number[],
  input: ItemValues,
  { threads, signal }: PieceOptions,
): Promise<Moments> {
  const builder = new GraphBuilder();
  const x = builder.input("x", "float32", [undefined, ...input.dims.slice(1)]);
  const { columns, groups, size, places } = node.opType === "Conv"
    ? patches(builder, x, node, dims, input.dims)
    : rows(builder, x, input.dims);
  const blocks = symmetricProducts(builder, columns, size);
  await using session = await openSession(builder.build(), { threads });
  const total = new Float64Array(groups * size * size);
  const items = Math.min(input.dims[0]!, Math.max(LEAST_ITEMS, Math.ceil(COLUMNS / places)));
  const most = pieceItems([input]);
  for (let start = 0; start < items; start += most) {
    signal.throwIfAborted();
    const feeds = { x: input.read(start, Math.min(most, items - start)) };
    const results = await session.run(feeds);
    for (const block of blocks) {
      addBlock(total, size, block, results[block.name]!.data as Float32Array);
    }
  }
  return { groups, size, sums: total };
}

/** A block of a symmetric matrix, on its diagonal or below. */
interface Block {
  /** The output that has it, `[groups, rows, columns]`. */
  readonly name: string;
  readonly rows: readonly [from: number, to: number];
  readonly columns: readonly [from: number, to: number];
}

/** Rows of a block at most, so that what a product has twice is not computed twice. */
const BLOCK_ROWS = 160;

/** The product of a matrix `[groups, size, columns]` with its own transpose, in blocks. */
function symmetricProducts(builder: GraphBuilder, columns: string, size: number): Block[] {
  const count = Math.ceil(size / BLOCK_ROWS);
  const ends = Array.from({ length: count }, (_, at) => Math.floor(size * (at + 1) / count));
  const ranges = ends.map((end, at) => [at === 0 ? 0 : ends[at - 1]!, end] as const);
  const parts = ranges.map(([from, to]) =>
    count === 1 ? columns : builder.op("Slice", [
      columns,
      builder.constant([from]),
      builder.constant([to]),
      builder.constant([1]),
    ])
  );
  const transposed = parts.map((part) => builder.op("Transpose", [part], { perm: [0, 2, 1] }));
  return ranges.flatMap((rows, row) =>
    ranges.slice(0, row + 1).map((columns, column) => ({
      name: builder.output(builder.op("MatMul", [parts[row]!, transposed[column]!])),
      rows,
      columns,
    }))
  );
}

/** Adds a block to the sums, and to its mirror image. */
function addBlock(
  total: Float64Array,
  size: number,
  { rows: [top, bottom], columns: [left, right] }: Block,
  block: Float32Array,
): void {
  for (let at = 0, first = 0; at < block.length; first += size * size) {
    for (let row = top; row < bottom; row++) {
      for (let column = left; column < right; column++, at++) {
        total[first + row * size + column]! += block[at]!;
        if (left !== top) total[first + column * size + row]! += block[at]!;
      }
    }
  }
}

interface Columns {
  /** `[groups, size, columns]` */
  readonly columns: string;
  readonly groups: number;
  readonly size: number;
  /** Columns of an item. */
  readonly places: number;
}

function rows(builder: GraphBuilder, x: string, dims: readonly number[]): Columns {
  const size = dims.at(-1)!;
  const flat = builder.op("Reshape", [x, builder.constant([1, -1, size])]);
  return {
    columns: builder.op("Transpose", [flat], { perm: [0, 2, 1] }),
    groups: 1,
    size,
    places: elementCount(dims.slice(1)) / size,
  };
}

/** The patches under a convolution's kernel, channels first, then the kernel's positions. */
function patches(
  builder: GraphBuilder,
  x: string,
  node: Node,
  weightDims: readonly number[],
  inputDims: readonly number[],
): Columns {
  const kernel = weightDims.slice(2);
  const space = inputDims.slice(2);
  const groups = getInt(node, "group", 1);
  const strides = getInts(node, "strides", kernel.map(() => 1));
  const dilations = getInts(node, "dilations", kernel.map(() => 1));
  const extent = kernel.map((size, axis) => (size - 1) * dilations[axis]! + 1);
  const [begins, ends] = paddings(node, space, strides, extent);
  const places = space.map((size, axis) =>
    Math.floor((size + begins[axis]! + ends[axis]! - extent[axis]!) / strides[axis]!) + 1
  );
  const padded = [...begins, ...ends].every((pad) => pad === 0) ? x : builder.op("Pad", [
    x,
    builder.constant([0, 0, ...begins, 0, 0, ...ends]),
  ]);
  const axes = builder.constant(space.map((_, axis) => axis + 2));
  const parts: string[] = [];
  const positionCount = elementCount(kernel);
  for (let position = 0; position < positionCount; position++) {
    let rest = position;
    const starts = kernel.map(() => 0);
    for (let axis = kernel.length - 1; axis >= 0; axis--) {
      starts[axis] = rest % kernel[axis]! * dilations[axis]!;
      rest = Math.floor(rest / kernel[axis]!);
    }
    const stops = starts.map((start, axis) => start + (places[axis]! - 1) * strides[axis]! + 1);
    const slice = builder.op("Slice", [
      padded,
      builder.constant(starts),
      builder.constant(stops),
      axes,
      builder.constant(strides),
    ]);
    // [N, G, C/G, 1, L]
    const shape = [0, groups, weightDims[1]!, 1, elementCount(places)];
    parts.push(builder.op("Reshape", [slice, builder.constant(shape)]));
  }
  const stacked = parts.length === 1 ? parts[0]! : builder.op("Concat", parts, { axis: 3 });
  const size = weightDims[1]! * positionCount;
  const ordered = builder.op("Transpose", [stacked], { perm: [1, 2, 3, 0, 4] });
  const columns = builder.op("Reshape", [ordered, builder.constant([groups, size, -1])]);
  return { columns, groups, size, places: elementCount(places) };
}

function paddings(
  node: Node,
  space: readonly number[],
  strides: readonly number[],
  extent: readonly number[],
): [number[], number[]] {
  const mode = getString(node, "auto_pad", "NOTSET");
  const none = space.map(() => 0);
  if (mode === "VALID") return [none, none];
  if (mode === "NOTSET") {
    const pads = getInts(node, "pads", [...none, ...none]);
    return [pads.slice(0, space.length), pads.slice(space.length)];
  }
  const total = space.map((size, axis) =>
    Math.max(0, (Math.ceil(size / strides[axis]!) - 1) * strides[axis]! + extent[axis]! - size)
  );
  const less = total.map((pad) => Math.floor(pad / 2));
  const more = total.map((pad, axis) => pad - less[axis]!);
  return mode === "SAME_UPPER" ? [less, more] : [more, less];
}
