/**
 * Gradients of operators that only move elements or change their shape.
 *
 * @module
 */

import { getInt, getInts } from "../../../onnx/attributes.ts";
import { DATA_TYPE_NUMBERS } from "../../../onnx/tensor.ts";
import type { RuleContext, RuleTable } from "../rule.ts";

/** The same elements in the same order, under another shape. */
function reshaped(c: RuleContext): [string] {
  return [c.emit.reshape(c.upstream, c.inputDims(0))];
}

/** Gradients through a change of element type go back in the input's own type. */
function cast(c: RuleContext): [string | undefined] {
  const type = c.inputType(0);
  if (type !== "float32" && type !== "float64") return [undefined];
  return [
    type === c.type ? c.upstream : c.emit.op("Cast", [c.upstream], { to: DATA_TYPE_NUMBERS[type] }),
  ];
}

function axisOf(c: RuleContext, fallback: number, rank: number): number {
  const axis = getInt(c.node, "axis", fallback);
  return axis < 0 ? axis + rank : axis;
}

function concat(c: RuleContext): (string | undefined)[] {
  const axis = axisOf(c, 0, c.outputDims().length);
  let start = 0;
  return c.node.inputs.map((_, index) => {
    const begin = start;
    start += c.inputDims(index)[axis]!;
    return c.wants(index) ? c.emit.slice(c.upstream, [axis], [begin], [start]) : undefined;
  });
}

function split(c: RuleContext): [string] {
  const axis = axisOf(c, 0, c.inputDims(0).length);
  const parts = c.node.outputs.map((_, output) =>
    c.gradient(output) ?? c.emit.full(c.outputDims(output), 0, c.type)
  );
  return [c.emit.concat(parts, axis)];
}

function transpose(c: RuleContext): [string] {
  const rank = c.inputDims(0).length;
  const perm = getInts(c.node, "perm", Array.from({ length: rank }, (_, axis) => rank - 1 - axis));
  const inverse = Array<number>(rank);
  perm.forEach((from, to) => inverse[Number(from)] = to);
  return [c.emit.transpose(c.upstream, inverse)];
}

function where(c: RuleContext): (string | undefined)[] {
  const choose = (yes: string, no: string) => c.emit.op("Where", [c.input(0), yes, no]);
  const zero = c.scalar(0);
  return [
    undefined,
    c.wants(1) ? c.unbroadcast(choose(c.upstream, zero), c.outputDims(), 1) : undefined,
    c.wants(2) ? c.unbroadcast(choose(zero, c.upstream), c.outputDims(), 2) : undefined,
  ];
}

/** Rules for Reshape, Transpose, Concat, Split, Where, Cast and the like. */
export const LAYOUT: RuleTable = {
  Identity: (c) => [c.upstream],
  Dropout: (c) => {
    if (c.node.inputs[2]) throw c.unsupported("only its inference mode has a rule");
    return [c.upstream];
  },
  Cast: cast,
  Reshape: reshaped,
  Flatten: reshaped,
  Squeeze: reshaped,
  Unsqueeze: reshaped,
  Expand: (c) => [c.unbroadcast(c.upstream, c.outputDims(), 0)],
  Transpose: transpose,
  Concat: concat,
  Split: split,
  Where: where,
};
