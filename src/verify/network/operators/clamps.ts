/**
 * Functions with bends, as sums of Relus.
 *
 * @module
 */

import { getFloat } from "../../../onnx/attributes.ts";
import type { Node } from "../../../onnx/model.ts";
import { elementCount } from "../../../onnx/tensor.ts";
import type { Constant } from "../constants.ts";
import { identity, type LinearMap } from "../linear_map.ts";
import type { Lowering, Place } from "../lowering.ts";
import { filled } from "./arguments.ts";

const UNIT = 2 ** -53;

/** αx + (1 − α)·max(0, x). */
export function leaky(
  node: Node,
  lowering: Lowering,
  x: Place,
  slopes: Float64Array,
  relativeError = 0,
): void {
  // What 1 − slope is off by is relative to 1 or to the slope, not to itself.
  if (relativeError !== 0) throw lowering.unsupported(node, "its slopes must be exact");
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

/** Clip, which narrows the grid of a quantizer where it stands behind one. */
export function clip(node: Node, lowering: Lowering): void {
  const limit = (at: number, name: string, fallback: number) =>
    exact(node, lowering, lowering.constant(node, at))?.data[0] ?? getFloat(node, name, fallback);
  const low = limit(1, "min", -Infinity);
  const high = limit(2, "max", Infinity);
  if (lowering.gridOf(node.inputs[0]!) !== undefined) return lowering.narrowGrid(node, low, high);
  clamp(node, lowering, low, high);
}

/** Max with a constant, or Min for a sign of −1. */
export function extreme(node: Node, lowering: Lowering, sign: 1 | -1): void {
  const first = lowering.value(node.inputs[0]!) !== undefined;
  const constant = node.inputs.length === 2 ? lowering.constant(node, first ? 1 : 0) : undefined;
  const limit = exact(node, lowering, constant)?.data[0];
  if (limit === undefined || constant!.data.some((value) => value !== limit)) {
    throw lowering.unsupported(node, "one of its two inputs must be a constant number");
  }
  const swapped = first ? node : { ...node, inputs: [node.inputs[1]!, node.inputs[0]!] };
  clamp(swapped, lowering, sign === 1 ? limit : -Infinity, sign === 1 ? Infinity : limit);
}

function exact(node: Node, lowering: Lowering, limit: Constant | undefined): Constant | undefined {
  if (limit === undefined || limit.relativeError === 0) return limit;
  throw lowering.unsupported(node, "its limits must be exact");
}

/** low + max(0, x − low) − max(0, x − high), without the parts of a limit that float32 numbers do not reach. */
function clamp(node: Node, lowering: Lowering, low: number, high: number): void {
  const x = lowering.activation(node, 0);
  if (!(low <= high)) {
    throw lowering.unsupported(node, `its limits ${low} and ${high} are none, or inverted`);
  }
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
