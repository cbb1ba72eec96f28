/**
 * Grids that activations are rounded to.
 *
 * @module
 */

import { getInt } from "../../../onnx/attributes.ts";
import type { Node } from "../../../onnx/model.ts";
import { typeRange } from "../../../quant/qdq/storage.ts";
import { typeOfNumber } from "../casts.ts";
import type { Constant } from "../constants.ts";
import type { Lowering } from "../lowering.ts";
import { atAxis, spread } from "./arguments.ts";

/** QuantizeLinear of activations. */
export function quantizeLinear(node: Node, lowering: Lowering): void {
  const x = lowering.activation(node, 0);
  const scale = lowering.constant(node, 1)!;
  const zero = lowering.constant(node, 2);
  // 2 is the number of uint8.
  const type = zero?.type ?? typeOfNumber(getInt(node, "output_dtype", 0) || 2);
  const range = type && typeRange(type);
  if (range === undefined) throw lowering.unsupported(node, `it quantizes to ${type}`);
  if (!scale.data.every((each) => each > 0 && each < Infinity) || scale.relativeError !== 0) {
    throw lowering.unsupported(node, "its scales must be numbers above 0");
  }
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

/** DequantizeLinear right behind a QuantizeLinear of the same grid. */
export function dequantizeLinear(node: Node, lowering: Lowering): void {
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
