/**
 * What rules of operators share.
 *
 * @module
 */

import { type Matrix, sparseMatrix } from "../matrix.ts";
import { count, type NetworkReader, unsupported, type Value } from "../network.ts";
import type { Constant, OnnxNode } from "../onnx_file.ts";

/** Adds the steps of a node. */
export type Rule = (node: OnnxNode, reader: NetworkReader) => void;

/** u of float64. */
export const UNIT = 2 ** -53;

/** What an affine step is made of beside its terms. */
export interface Offsets {
  readonly offset?: Float64Array;
  readonly offsetError?: Float64Array;
  readonly offsetSize?: Float64Array;
  readonly weightError?: number;
}

/** Adds an affine step of any terms; offsets are zero and exact unless given. */
export function addAffine(
  node: OnnxNode,
  reader: NetworkReader,
  terms: readonly { readonly input: number; readonly matrix: Matrix }[],
  dims: readonly number[],
  { offset, offsetError, offsetSize, weightError = 0 }: Offsets = {},
): Value {
  const size = count(dims);
  const offsets = offset ?? new Float64Array(size);
  return reader.add(node, {
    kind: "affine",
    size,
    terms,
    offset: offsets,
    offsetError: offsetError ?? new Float64Array(size),
    offsetSize: offsetSize ?? offsets.map(Math.abs),
    weightError,
  }, dims);
}

/** A matrix that takes each element times a factor. */
export function diagonal(factors: ArrayLike<number>): Matrix {
  return sparseMatrix(factors.length, Array.from(factors, (factor, at) => [[at, factor]] as const));
}

/** A matrix that takes each element as it is, or its negative. */
export function identity(size: number, factor = 1): Matrix {
  return diagonal(new Float64Array(size).fill(factor));
}

/** Rows that take one element each, or nothing where the source is −1. */
export function selection(columns: number, sources: ArrayLike<number>) {
  return sparseMatrix(
    columns,
    Array.from(sources, (source) => source < 0 ? [] : [[source, 1]] as const),
  );
}

/** The elements of a constant that broadcasts to a shape. */
export function spread(node: OnnxNode, constant: Constant, dims: readonly number[]): Float64Array {
  const padded = [...dims.slice(constant.dims.length).map(() => 1), ...constant.dims];
  if (padded.length !== dims.length || padded.some((dim, at) => dim !== 1 && dim !== dims[at])) {
    throw unsupported(node, `with a constant of shape [${constant.dims}]`);
  }
  const strides = padded.map((dim, axis) => dim === 1 ? 0 : count(padded.slice(axis + 1)));
  const inner = dims.map((_, axis) => count(dims.slice(axis + 1)));
  return Float64Array.from({ length: count(dims) }, (_, at) => {
    const place = dims.reduce(
      (total, dim, axis) => total + Math.floor(at / inner[axis]!) % dim * strides[axis]!,
      0,
    );
    return constant.values[place]!;
  });
}

/** An integer attribute. */
export function integer(node: OnnxNode, name: string, fallback: number): number {
  return node.attributes.get(name)?.integer ?? fallback;
}

/** An axis counted from the front. */
export function axisOf(node: OnnxNode, fallback: number, rank: number): number {
  const given = integer(node, "axis", fallback);
  return given < 0 ? given + rank : given;
}

/** A list that is an input of a node, or an attribute in older versions of the operator. */
export function list(
  node: OnnxNode,
  reader: NetworkReader,
  input: number,
  attribute: string,
): number[] | undefined {
  const constant = reader.constant(node, input);
  if (constant !== undefined) return [...constant.values];
  const integers = node.attributes.get(attribute)?.integers;
  return integers === undefined ? undefined : [...integers];
}
