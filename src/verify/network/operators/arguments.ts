/**
 * What operators read beside activations, and vectors that are made of it.
 *
 * @module
 */

import { getInts } from "../../../onnx/attributes.ts";
import type { Node } from "../../../onnx/model.ts";
import { elementCount } from "../../../onnx/tensor.ts";
import { broadcastTo, type Constant } from "../constants.ts";
import type { Lowering, Place } from "../lowering.ts";

/** A list that newer versions of an operator take as an input and older ones as an attribute. */
export function listArgument(
  node: Node,
  lowering: Lowering,
  input: number,
  attribute: string,
): number[] | undefined {
  const constant = lowering.constant(node, input);
  return constant === undefined ? getInts(node, attribute) : [...constant.data];
}

/** The shape of a value and a constant together, which must not be larger than the value. */
export function sameShape(
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

/** A constant, broadcast to a shape. */
export function spread(
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
export function atAxis(constant: Constant, axis: number, rank: number): Constant {
  const at = (axis + rank) % rank;
  const dims = Array.from({ length: rank }, (_, place) => place === at ? constant.data.length : 1);
  return { ...constant, dims };
}

/** A vector of one number. */
export function filled(dims: readonly number[], value: number): Float64Array {
  return new Float64Array(elementCount(dims)).fill(value);
}

/** Absolute errors of numbers of a relative error. */
export function errorsOf(values: Float64Array, relative: number): Float64Array {
  return values.map((value) => Math.abs(value) * relative);
}
