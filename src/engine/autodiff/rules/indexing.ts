/**
 * Gradients of operators that select elements.
 *
 * @module
 */

import { getInt, getString } from "../../../onnx/attributes.ts";
import { elementCount } from "../../../onnx/tensor.ts";
import type { RuleContext, RuleTable } from "../rule.ts";

/** The range that a Slice reads along each axis: `count` elements from `start`, `step` apart. */
interface Range {
  readonly start: number;
  readonly step: number;
  readonly count: number;
}

function rangesOf(c: RuleContext): Range[] {
  const dims = c.inputDims(0);
  const starts = c.integers(1, "starts")!;
  const axes = c.integers(3, "axes") ?? starts.map((_, index) => index);
  const steps = c.integers(4, "steps") ?? starts.map(() => 1);
  const ranges: Range[] = dims.map((count) => ({ start: 0, step: 1, count }));
  axes.forEach((given, index) => {
    const axis = given < 0 ? given + dims.length : given;
    const size = dims[axis]!;
    const step = steps[index]!;
    const from = starts[index]! < 0 ? starts[index]! + size : starts[index]!;
    const start = Math.min(Math.max(from, 0), step > 0 ? size : size - 1);
    ranges[axis] = { start, step, count: c.outputDims()[axis]! };
  });
  return ranges;
}

/** Puts the elements back where they were read, zeros between and around. */
function slice(c: RuleContext): [string] {
  const { emit } = c;
  const dims = c.inputDims(0);
  const ranges = rangesOf(c);
  const backward = ranges.flatMap(({ step }, axis) => step < 0 ? [axis] : []);
  let gradient = c.upstream;
  if (backward.length > 0) {
    const ones = backward.map(() => -1);
    gradient = emit.slice(gradient, backward, ones, backward.map(() => -(2 ** 31)), ones);
  }
  // Read forwards, an axis read backwards starts at its last element.
  const forward = ranges.map(({ start, step, count }) => ({
    start: step < 0 ? start + step * (count - 1) : start,
    step: Math.abs(step),
    count,
  }));
  let sizes = forward.map(({ count }) => count);
  if (forward.some(({ step }) => step !== 1)) {
    const split = forward.flatMap(({ count, step }) => step === 1 ? [count] : [count, 1]);
    const gaps = forward.flatMap(({ step }) => step === 1 ? [0] : [0, step - 1]);
    const spaced = emit.pad(emit.reshape(gradient, split), [...split.map(() => 0), ...gaps]);
    sizes = forward.map(({ count, step }) => count * step);
    gradient = emit.reshape(spaced, sizes);
  }
  const ends = forward.map(({ start }, axis) => dims[axis]! - start - sizes[axis]!);
  return [emit.pad(gradient, [...forward.map(({ start }) => start), ...ends])];
}

/** `gradient` summed into zeros of shape `dims` at `indices` along an axis. */
function scatterAlong(
  c: RuleContext,
  gradient: string,
  indices: string,
  indexRank: number,
  dims: readonly number[],
  axis: number,
): string {
  const { emit } = c;
  const rank = dims.length;
  const others = dims.flatMap((_, index) => index === axis ? [] : [index]);
  const indexAxes = Array.from({ length: indexRank }, (_, index) => axis + index);
  const restAxes = others.map((index) => index < axis ? index : index - 1 + indexRank);
  const updates = emit.transpose(gradient, [...indexAxes, ...restAxes]);
  const zeros = emit.full([dims[axis]!, ...others.map((index) => dims[index]!)], 0, c.type);
  const column = emit.op("Unsqueeze", [indices, emit.ints([indexRank])]);
  const sum = emit.op("ScatterND", [zeros, column, updates], { reduction: "add" });
  const back = Array.from(
    { length: rank },
    (_, index) => index === axis ? 0 : others.indexOf(index) + 1,
  );
  return emit.transpose(sum, back);
}

function gather(c: RuleContext): [string | undefined] {
  const dims = c.inputDims(0);
  const axis = getInt(c.node, "axis", 0);
  const indexRank = c.inputDims(1).length;
  return [
    scatterAlong(c, c.upstream, c.input(1), indexRank, dims, axis < 0 ? axis + dims.length : axis),
  ];
}

function gatherElements(c: RuleContext): [string] {
  const zeros = c.emit.full(c.inputDims(0), 0, c.type);
  return [
    c.emit.op("ScatterElements", [zeros, c.input(1), c.upstream], {
      axis: getInt(c.node, "axis", 0),
      reduction: "add",
    }),
  ];
}

/** Which input element each element of a padded axis is a copy of. */
function copiedFrom(mode: string, size: number, begin: number, end: number): number[] {
  return Array.from({ length: begin + size + end }, (_, index) => {
    const at = index - begin;
    if (mode === "edge") return Math.min(Math.max(at, 0), size - 1);
    const period = mode === "wrap" ? size : Math.max(1, 2 * (size - 1));
    const inside = ((at % period) + period) % period;
    return mode === "wrap" || inside < size ? inside : period - inside;
  });
}

function pad(c: RuleContext): (string | undefined)[] {
  const { emit } = c;
  const dims = c.inputDims(0);
  const mode = getString(c.node, "mode", "constant");
  const given = c.integers(1, "pads")!;
  const axes = c.integers(3, "axes")?.map((axis) => axis < 0 ? axis + dims.length : axis) ??
    dims.map((_, axis) => axis);
  const begins = dims.map(() => 0);
  const ends = dims.map(() => 0);
  axes.forEach((axis, index) => {
    begins[axis] = given[index]!;
    ends[axis] = given[index + axes.length]!;
  });
  const cropped = () => emit.pad(c.upstream, [...begins, ...ends].map((pad) => -pad || 0));
  if (mode === "constant") {
    const byX = c.wants(0) || c.wants(2) ? cropped() : "";
    const everything = dims.map((_, axis) => axis);
    const byValue = () =>
      emit.reshape(
        emit.sub(
          emit.reduceSum(c.upstream, everything, false),
          emit.reduceSum(byX, everything, false),
        ),
        c.inputDims(2),
      );
    return [c.wants(0) ? byX : undefined, undefined, c.wants(2) ? byValue() : undefined];
  }
  let gradient = c.upstream;
  const sizes = [...c.outputDims()];
  for (const axis of axes) {
    if (begins[axis] === 0 && ends[axis] === 0) continue;
    const from = copiedFrom(mode, dims[axis]!, begins[axis]!, ends[axis]!);
    sizes[axis] = dims[axis]!;
    gradient = scatterAlong(c, gradient, emit.ints(from), 1, sizes, axis);
  }
  return [gradient];
}

/** The sum of a tile's copies. */
function tile(c: RuleContext): [string] {
  const dims = c.inputDims(0);
  const repeats = c.outputDims().map((size, axis) => size / dims[axis]!);
  if (elementCount(repeats) === 1) return [c.upstream];
  const split = c.emit.reshape(c.upstream, dims.flatMap((dim, axis) => [repeats[axis]!, dim]));
  return [c.emit.reduceSum(split, dims.map((_, axis) => 2 * axis), false)];
}

/** Rules for Slice, Gather, Pad and the like. */
export const INDEXING: RuleTable = {
  Slice: slice,
  Gather: gather,
  GatherElements: gatherElements,
  Pad: pad,
  Tile: tile,
};
