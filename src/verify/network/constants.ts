/**
 * Constants of a model as exact real numbers in float64: float weights as they are, stored integers times their
 * scales.
 *
 * @module
 */

import { UserError } from "../../base/errors.ts";
import { describeNode, getInt, getInts } from "../../onnx/attributes.ts";
import { constantOfNode } from "../../onnx/constants.ts";
import { fromBfloat16, fromFloat16 } from "../../onnx/float16.ts";
import type { Graph, Node } from "../../onnx/model.ts";
import { type DataType, elementCount, type Tensor } from "../../onnx/tensor.ts";
import { forEachRun } from "../../quant/granularity.ts";
import { integerValues, typeRange } from "../../quant/qdq/storage.ts";
import { castTo, typeOfNumber } from "./casts.ts";

/** A constant tensor. */
export interface Constant {
  readonly dims: readonly number[];
  readonly data: Float64Array;
  /** What the model holds it in. */
  readonly type: DataType;
  /**
   * A bound on |data − exact| over |exact|, 0 where every element is exact: a stored 32-bit integer times its scale can
   * need more than 53 bits.
   */
  readonly relativeError: number;
}

const UNIT = 2 ** -53;

/** Evaluates the constants of a graph when they are asked for. */
export class Constants {
  readonly #graph: Graph;
  readonly #makers = new Map<string, Node>();
  readonly #known = new Map<string, Constant | undefined>();

  constructor(graph: Graph) {
    this.#graph = graph;
    for (const node of graph.nodes) {
      for (const output of node.outputs) if (output !== "") this.#makers.set(output, node);
    }
  }

  /**
   * The constant that a value always is; `undefined` for activations.
   *
   * @throws {UserError} If it is computed from constants in a way that is not known here.
   */
  get(name: string): Constant | undefined {
    if (this.#known.has(name)) return this.#known.get(name);
    const found = this.#evaluate(name);
    this.#known.set(name, found);
    return found;
  }

  /** The integers of a constant: shapes, axes, pads. */
  integers(name: string): number[] | undefined {
    const found = this.get(name);
    return found && [...found.data];
  }

  #evaluate(name: string): Constant | undefined {
    const stored = this.#graph.initializers.get(name);
    if (stored !== undefined) return fromTensor(stored, name);
    const node = this.#makers.get(name);
    if (node === undefined) return undefined;
    if (node.opType === "Constant") {
      const tensor = constantOfNode(node);
      return tensor && fromTensor(tensor, name);
    }
    const inputs = node.inputs.map((input) => input === "" ? undefined : this.get(input));
    const known = node.inputs.every((input, at) => input === "" || inputs[at] !== undefined);
    if (!known || inputs.length === 0) return undefined;
    const found = RULES[node.opType]?.(node, inputs);
    if (found === undefined) {
      throw new UserError({
        message: `Node ${
          describeNode(node)
        } computes a constant in a way that verify does not know`,
        hint: "Fold constants first, with the stage `prepare`",
      });
    }
    return found;
  }
}

/** Gives `undefined` where the result is not known. */
type Rule = (
  node: Node,
  inputs: readonly (Constant | undefined)[],
) => Constant | undefined;

const same: Rule = (_node, [x]) => x!;

const RULES: Readonly<Record<string, Rule>> = {
  Identity: same,
  Cast: (node, [x]) => castTo(x!, typeOfNumber(getInt(node, "to", 0))),
  Reshape: (_node, [x, shape]) => reshaped(x!, [...shape!.data]),
  Flatten: (node, [x]) => {
    const axis = getInt(node, "axis", 1);
    return reshaped(x!, [elementCount(x!.dims.slice(0, axis)), -1]);
  },
  Squeeze: (node, [x, axes]) => {
    const wanted = axes === undefined ? getInts(node, "axes") : [...axes.data];
    const drops = (dim: number, at: number) =>
      wanted === undefined
        ? dim === 1
        : wanted.some((axis) => (axis + x!.dims.length) % x!.dims.length === at);
    return { ...x!, dims: x!.dims.filter((dim, at) => !drops(dim, at)) };
  },
  Unsqueeze: (node, [x, axes]) => {
    const wanted = axes === undefined ? getInts(node, "axes", []) : [...axes.data];
    const rank = x!.dims.length + wanted.length;
    const places = new Set(wanted.map((axis) => (axis + rank) % rank));
    const rest = [...x!.dims];
    return {
      ...x!,
      dims: Array.from({ length: rank }, (_, at) => places.has(at) ? 1 : rest.shift()!),
    };
  },
  Transpose: (node, [x]) => {
    const order = getInts(node, "perm", x!.dims.map((_, axis) => x!.dims.length - 1 - axis));
    const sources = transposeSources(x!.dims, order);
    return {
      ...x!,
      dims: order.map((axis) => x!.dims[axis]!),
      data: Float64Array.from(sources, (source) => x!.data[source]!),
    };
  },
  Gather: (node, [x, indices]) => {
    const rank = x!.dims.length;
    const axis = (getInt(node, "axis", 0) + rank) % rank;
    const [outer, count, inner] = [
      elementCount(x!.dims.slice(0, axis)),
      x!.dims[axis]!,
      elementCount(x!.dims.slice(axis + 1)),
    ];
    const data = new Float64Array(outer * indices!.data.length * inner);
    let at = 0;
    for (let block = 0; block < outer; block++) {
      for (const index of indices!.data) {
        const from = (block * count + (index + count) % count) * inner;
        for (let offset = 0; offset < inner; offset++) data[at++] = x!.data[from + offset]!;
      }
    }
    return {
      dims: [...x!.dims.slice(0, axis), ...indices!.dims, ...x!.dims.slice(axis + 1)],
      data,
      type: x!.type,
      relativeError: x!.relativeError,
    };
  },
  Max: (_node, inputs) => binary(inputs[0]!, inputs[1]!, Math.max, true),
  Min: (_node, inputs) => binary(inputs[0]!, inputs[1]!, Math.min, true),
  Mul: (_node, inputs) => binary(inputs[0]!, inputs[1]!, (a, b) => a * b),
  Div: (_node, inputs) =>
    // Integers are divided without a rest.
    isFloat(inputs[0]!.type) ? binary(inputs[0]!, inputs[1]!, (a, b) => a / b) : undefined,
  DequantizeLinear: (node, [x, scale, zero]) => {
    const blockSize = getInt(node, "block_size", 0);
    const single = scale!.data.length === 1 && blockSize === 0;
    const data = new Float64Array(x!.data.length);
    const parameters = {
      scale: scale!.data,
      ...(single ? {} : { axis: getInt(node, "axis", 1) }),
      ...(blockSize === 0 ? {} : { blockSize }),
    };
    forEachRun(x!.dims, parameters, (start, length, first, step) => {
      for (let at = start, index = first; at < start + length; at++, index += step) {
        data[at] = (x!.data[at]! - (zero?.data[index] ?? 0)) * scale!.data[index]!;
      }
    });
    // 24 bits of a scale and 17 of an integer fit into 53; the 32 bits of a bias need not.
    const isWide = x!.type === "int32" || scale!.type === "float64";
    const relativeError = 2 * scale!.relativeError + (isWide ? UNIT : 0);
    const output = getInt(node, "output_dtype", 0);
    const type = output === 0 ? scale!.type : typeOfNumber(output);
    return type && { dims: x!.dims, data, type, relativeError };
  },
};

/** Sources of a transpose: element i of the result is element `sources[i]` of the operand. */
export function transposeSources(dims: readonly number[], order: readonly number[]): Int32Array {
  const strides = dims.map((_, axis) => elementCount(dims.slice(axis + 1)));
  const resultDims = order.map((axis) => dims[axis]!);
  const sources = new Int32Array(elementCount(dims));
  const place = new Array<number>(dims.length).fill(0);
  for (let at = 0; at < sources.length; at++) {
    let source = 0;
    for (let axis = 0; axis < order.length; axis++) source += place[axis]! * strides[order[axis]!]!;
    sources[at] = source;
    for (let axis = order.length - 1; axis >= 0; axis--) {
      if (++place[axis]! < resultDims[axis]!) break;
      place[axis] = 0;
    }
  }
  return sources;
}

/**
 * The elements of a constant repeated to a shape, as operators broadcast them.
 *
 * @throws {RangeError} If the shapes do not fit.
 */
export function broadcastTo(constant: Constant, dims: readonly number[]): Float64Array {
  const own = [
    ...new Array<number>(Math.max(dims.length - constant.dims.length, 0)).fill(1),
    ...constant.dims,
  ];
  if (own.length !== dims.length || own.some((dim, axis) => dim !== 1 && dim !== dims[axis])) {
    throw new RangeError(`Shape [${constant.dims}] does not broadcast to [${dims}]`);
  }
  const strides = own.map((dim, axis) => dim === 1 ? 0 : elementCount(own.slice(axis + 1)));
  const result = new Float64Array(elementCount(dims));
  const place = new Array<number>(dims.length).fill(0);
  let source = 0;
  for (let at = 0; at < result.length; at++) {
    result[at] = constant.data[source]!;
    for (let axis = dims.length - 1; axis >= 0; axis--) {
      source += strides[axis]!;
      if (++place[axis]! < dims[axis]!) break;
      source -= strides[axis]! * dims[axis]!;
      place[axis] = 0;
    }
  }
  return result;
}

/** A shape with its −1 and 0 filled in. */
export function fullShape(dims: readonly number[], wanted: readonly number[]): number[] {
  const shape = wanted.map((dim, axis) => dim === 0 ? dims[axis]! : dim);
  const open = shape.indexOf(-1);
  if (open >= 0) {
    shape[open] = 1;
    shape[open] = elementCount(dims) / elementCount(shape);
  }
  return shape;
}

function reshaped(x: Constant, wanted: readonly number[]): Constant {
  return { ...x, dims: fullShape(x.dims, wanted) };
}

function binary(
  a: Constant,
  b: Constant,
  operate: (a: number, b: number) => number,
  exact = false,
): Constant {
  const larger = elementCount(a.dims) >= elementCount(b.dims) ? a.dims : b.dims;
  const [left, right] = [broadcastTo(a, larger), broadcastTo(b, larger)];
  return {
    dims: larger,
    data: left.map((value, at) => operate(value, right[at]!)),
    type: a.type,
    relativeError: exact
      ? Math.max(a.relativeError, b.relativeError)
      : 2 * (a.relativeError + b.relativeError) + UNIT,
  };
}

function fromTensor(tensor: Tensor, name: string): Constant {
  return {
    dims: tensor.dims,
    data: realValues(tensor, name),
    type: tensor.type,
    relativeError: 0,
  };
}

function isFloat(type: DataType): boolean {
  return type === "bfloat16" || type.startsWith("float");
}

function realValues(tensor: Tensor, name: string): Float64Array {
  switch (tensor.type) {
    case "float32":
    case "float64":
      return Float64Array.from(tensor.data as Float32Array | Float64Array);
    case "float16":
      return Float64Array.from(fromFloat16(tensor.data as Uint16Array));
    case "bfloat16":
      return Float64Array.from(fromBfloat16(tensor.data as Uint16Array));
    case "int64":
    case "uint64":
      return Float64Array.from(tensor.data as BigInt64Array | BigUint64Array, Number);
    case "bool":
      return Float64Array.from(tensor.data as Uint8Array);
    default:
      if (typeRange(tensor.type) === undefined) {
        throw new UserError(
          `Constant "${name}" is of type ${tensor.type}, which verify cannot read`,
        );
      }
      return Float64Array.from(integerValues(tensor));
  }
}
