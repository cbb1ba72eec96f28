/**
 * Gradients of matrix products.
 *
 * @module
 */

import { getFloat, getInt } from "../../../onnx/attributes.ts";
import { elementCount } from "../../../onnx/tensor.ts";
import { unbroadcast } from "../broadcast.ts";
import type { RuleContext, RuleTable } from "../rule.ts";

function product(
  c: RuleContext,
  a: string,
  b: string,
  transA: boolean,
  transB: boolean,
  alpha = 1,
): string {
  return c.emit.op("Gemm", [a, b], {
    alpha: { kind: "float", value: alpha },
    transA: transA ? 1 : 0,
    transB: transB ? 1 : 0,
  });
}

function gemm(c: RuleContext): (string | undefined)[] {
  const [a, b, upstream] = [c.input(0), c.input(1), c.upstream];
  const transA = getInt(c.node, "transA", 0) !== 0;
  const transB = getInt(c.node, "transB", 0) !== 0;
  const alpha = getFloat(c.node, "alpha", 1);
  const beta = getFloat(c.node, "beta", 1);
  const byA = () =>
    transA
      ? product(c, b, upstream, transB, true, alpha)
      : product(c, upstream, b, false, !transB, alpha);
  const byB = () =>
    transB
      ? product(c, upstream, a, true, transA, alpha)
      : product(c, a, upstream, !transA, false, alpha);
  const byC = () => {
    const sum = c.unbroadcast(upstream, c.outputDims(), 2);
    return beta === 1 ? sum : c.emit.mul(sum, c.scalar(beta));
  };
  return [
    c.wants(0) ? byA() : undefined,
    c.wants(1) ? byB() : undefined,
    c.wants(2) ? byC() : undefined,
  ];
}

function matMul(c: RuleContext): (string | undefined)[] {
  const { emit } = c;
  const [aDims, bDims] = [c.inputDims(0), c.inputDims(1)];
  // A vector operand is a matrix with one row or one column.
  const aMatrix = aDims.length === 1 ? [1, ...aDims] : aDims;
  const bMatrix = bDims.length === 1 ? [...bDims, 1] : bDims;
  const rows = aMatrix.at(-2)!;
  const inner = aMatrix.at(-1)!;
  const columns = bMatrix.at(-1)!;
  const batch = c.outputDims().slice(
    0,
    c.outputDims().length - (aDims.length > 1 ? 1 : 0) - (bDims.length > 1 ? 1 : 0),
  );
  const shaped = (name: string, from: readonly number[], to: readonly number[]) =>
    from.length === to.length && from.every((dim, axis) => dim === to[axis])
      ? name
      : emit.reshape(name, to);
  const swapped = (name: string, dims: readonly number[]) => {
    const rank = dims.length;
    const perm = dims.map((_, axis) =>
      axis < rank - 2 ? axis : axis === rank - 2 ? rank - 1 : rank - 2
    );
    return emit.transpose(name, perm);
  };
  const a = shaped(c.input(0), aDims, aMatrix);
  const b = shaped(c.input(1), bDims, bMatrix);
  const upstream = shaped(c.upstream, c.outputDims(), [...batch, rows, columns]);
  const byA = () => {
    const full = emit.op("MatMul", [upstream, swapped(b, bMatrix)]);
    return shaped(unbroadcast(emit, full, [...batch, rows, inner], aMatrix), aMatrix, aDims);
  };
  const byB = () => {
    if (bMatrix.length === 2) {
      // One product over all rows instead of a batch of products and a sum.
      const count = elementCount(batch) * rows;
      const left = shaped(a, aMatrix, [count, inner]);
      const right = shaped(upstream, [...batch, rows, columns], [count, columns]);
      return shaped(product(c, left, right, true, false), bMatrix, bDims);
    }
    const full = emit.op("MatMul", [swapped(a, aMatrix), upstream]);
    return shaped(unbroadcast(emit, full, [...batch, inner, columns], bMatrix), bMatrix, bDims);
  };
  return [c.wants(0) ? byA() : undefined, c.wants(1) ? byB() : undefined];
}

/** Rules for Gemm and MatMul. */
export const LINEAR: RuleTable = { Gemm: gemm, MatMul: matMul };
