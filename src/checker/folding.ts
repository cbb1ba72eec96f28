/**
 * Constants that nodes make of constants: integer weights become real numbers.
 *
 * @module
 */

import type { Constant, OnnxNode } from "./onnx_file.ts";
import { Refusal } from "./refusal.ts";

/** Integers of up to 16 bits, by their numbers in ONNX. */
const INTEGERS = [2, 3, 4, 5, 21, 22, 25, 26];

const FOLDABLE = ["Constant", "Identity", "DequantizeLinear", "Reshape", "Transpose", "Cast"];

/** Whether {@linkcode foldConstant} knows the operator. */
export function isFoldable(operator: string): boolean {
  return FOLDABLE.includes(operator);
}

/** @throws {Refusal} If the node does what is not supported. */
export function foldConstant(
  node: OnnxNode,
  inputs: readonly (Constant | undefined)[],
): Constant {
  const [x] = inputs;
  switch (node.operator) {
    case "Constant": {
      const value = node.attributes.get("value")?.tensor;
      if (value === undefined) throw new Refusal(`Constant "${node.name}" holds no tensor`);
      return value;
    }
    case "DequantizeLinear":
      return dequantize(node, x!, inputs[1]!, inputs[2]);
    case "Reshape": {
      const wanted = [...inputs[1]!.values];
      const known = wanted.reduce((product, dim) => dim < 0 ? product : product * dim, 1);
      return { ...x!, dims: wanted.map((dim) => dim < 0 ? x!.values.length / known : dim) };
    }
    case "Transpose":
      return transpose(node, x!);
    case "Cast": {
      const to = node.attributes.get("to")?.integer;
      if (to === x!.type) return x!;
      // Every half-precision number is a float32, and every float32 a float64; but what is only said to be one need not be.
      const isWider = (to === 1 && x!.type === 10) ||
        (to === 11 && (x!.type === 10 || x!.type === 1));
      if (isWider && x!.values.every((value) => rounded(value, x!.type) === value)) {
        return { ...x!, type: to };
      }
      throw new Refusal(
        `Cast "${node.name}" to the ONNX type ${to} is not supported for what it casts`,
      );
    }
    default:
      return x!;
  }
}

/** The nearest number of half or of single precision. */
function rounded(value: number, type: number): number {
  return type === 10 ? Float16Array.of(value)[0]! : Math.fround(value);
}

/** (q − zero point) · scale, which float64 holds exactly for integers of up to 16 bits and scales of single precision. */
function dequantize(
  node: OnnxNode,
  { dims, values, type }: Constant,
  scale: Constant,
  zero: Constant | undefined,
): Constant {
  const each = scale.values.length;
  let place: (at: number) => number = () => 0;
  const block = node.attributes.get("block_size")?.integer ?? 0;
  if (each > 1 || block > 0) {
    const given = node.attributes.get("axis")?.integer ?? 1;
    const axis = given < 0 ? given + dims.length : given;
    const inner = dims.slice(axis + 1).reduce((product, dim) => product * dim, 1);
    const along = dims[axis]!;
    if (block > 0) {
      const blocks = Math.ceil(along / block);
      place = (at) => {
        const [outer, index] = [Math.floor(at / (along * inner)), Math.floor(at / inner) % along];
        return (outer * blocks + Math.floor(index / block)) * inner + at % inner;
      };
    } else place = (at) => Math.floor(at / inner) % along;
  }
  const result = values.map((value, at) => {
    const index = place(at);
    if (index >= each) {
      throw new Refusal(`The scales of node "${node.name}" do not fit its weights`);
    }
    return (value - (zero?.values[index] ?? 0)) * scale.values[index]!;
  });
  const isExact = INTEGERS.includes(type) && (scale.type === 1 || scale.type === 10);
  const made = node.attributes.get("output_dtype")?.integer || scale.type;
  return { dims, values: result, type: made, error: 2 * scale.error + (isExact ? 0 : 2 ** -53) };
}

function transpose(node: OnnxNode, x: Constant): Constant {
  const { dims, values } = x;
  const given = node.attributes.get("perm")?.integers ?? [];
  const order = given.length > 0 ? given : dims.map((_, axis) => dims.length - 1 - axis);
  const strides = dims.map((_, axis) => dims.slice(axis + 1).reduce((all, dim) => all * dim, 1));
  const shape = order.map((axis) => dims[axis]!);
  const place = shape.map(() => 0);
  const result = new Float64Array(values.length);
  for (let at = 0; at < result.length; at++) {
    result[at] = values[order.reduce((sum, axis, to) => sum + place[to]! * strides[axis]!, 0)]!;
    for (let axis = shape.length - 1; axis >= 0; axis--) {
      if (++place[axis]! < shape[axis]!) break;
      place[axis] = 0;
    }
  }
  return { ...x, dims: shape, values: result };
}
