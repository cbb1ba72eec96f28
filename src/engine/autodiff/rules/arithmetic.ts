/**
 * Gradients of elementwise arithmetic with broadcasting.
 *
 * @module
 */

import type { RuleContext, RuleTable } from "../rule.ts";
import { above, compare } from "./mask.ts";

/** A binary operator from the unreduced gradients of its two operands. */
function binary(
  left: (c: RuleContext) => string,
  right: (c: RuleContext) => string,
): (c: RuleContext) => (string | undefined)[] {
  return (c) => [
    c.wants(0) ? c.unbroadcast(left(c), c.outputDims(), 0) : undefined,
    c.wants(1) ? c.unbroadcast(right(c), c.outputDims(), 1) : undefined,
  ];
}

/** A unary operator from its derivative, which is multiplied with the upstream gradient. */
function unary(derivative: (c: RuleContext) => string): (c: RuleContext) => [string] {
  return (c) => [c.emit.mul(c.upstream, derivative(c))];
}

/** Sends the gradient of Min or Max to the first operand that attains the result. */
function extremum(c: RuleContext): (string | undefined)[] {
  if (c.node.inputs.length === 1) return [c.upstream];
  let rest = c.upstream;
  return c.node.inputs.map((input, index) => {
    const chosen = index === c.node.inputs.length - 1
      ? rest
      : c.emit.mul(rest, compare(c, "Equal", input, c.output()));
    if (index < c.node.inputs.length - 1) rest = c.emit.sub(rest, chosen);
    return c.wants(index) ? c.unbroadcast(chosen, c.outputDims(), index) : undefined;
  });
}

/** −1, 0 or 1 by sign; the operator Sign itself is slow. */
function sign(c: RuleContext, x: string): string {
  return c.emit.sub(above(c, x, 0), above(c, c.emit.neg(x), 0));
}

/** Rules for Add, Sub, Mul, Div, Pow and the like. */
export const ARITHMETIC: RuleTable = {
  Add: binary((c) => c.upstream, (c) => c.upstream),
  Sub: binary((c) => c.upstream, (c) => c.emit.neg(c.upstream)),
  Mul: binary(
    (c) => c.emit.mul(c.upstream, c.input(1)),
    (c) => c.emit.mul(c.upstream, c.input(0)),
  ),
  Div: binary(
    (c) => c.emit.div(c.upstream, c.input(1)),
    (c) => c.emit.neg(c.emit.div(c.emit.mul(c.upstream, c.output()), c.input(1))),
  ),
  Pow: (c) => {
    const exponent = c.wants(1) ? undefined : constantScalar(c, 1);
    const power = (p: string) => c.emit.op("Pow", [c.input(0), p]);
    const base = (): string => {
      if (exponent === 1) return c.upstream;
      const slope = exponent === 2
        ? c.emit.mul(c.input(0), c.scalar(2))
        : exponent !== undefined
        ? c.emit.mul(power(c.scalar(exponent - 1)), c.scalar(exponent))
        : c.emit.mul(power(c.emit.sub(c.input(1), c.scalar(1))), c.input(1));
      return c.emit.mul(c.upstream, slope);
    };
    return [
      c.wants(0) ? c.unbroadcast(base(), c.outputDims(), 0) : undefined,
      c.wants(1)
        ? c.unbroadcast(
          c.emit.mul(c.upstream, c.emit.mul(c.output(), c.emit.op("Log", [c.input(0)]))),
          c.outputDims(),
          1,
        )
        : undefined,
    ];
  },
  Sum: (c) =>
    c.node.inputs.map((_, index) =>
      c.wants(index) ? c.unbroadcast(c.upstream, c.outputDims(), index) : undefined
    ),
  Mean: (c) => {
    const share = c.emit.mul(c.upstream, c.scalar(1 / c.node.inputs.length));
    return c.node.inputs.map((_, index) =>
      c.wants(index) ? c.unbroadcast(share, c.outputDims(), index) : undefined
    );
  },
  Min: extremum,
  Max: extremum,
  Neg: (c) => [c.emit.neg(c.upstream)],
  Abs: unary((c) => sign(c, c.input(0))),
  Exp: unary((c) => c.output()),
  Log: (c) => [c.emit.div(c.upstream, c.input(0))],
  Sqrt: (c) => [c.emit.div(c.emit.mul(c.upstream, c.scalar(0.5)), c.output())],
  Reciprocal: unary((c) => c.emit.neg(c.emit.mul(c.output(), c.output()))),
  Sin: unary((c) => c.emit.op("Cos", [c.input(0)])),
  Cos: unary((c) => c.emit.neg(c.emit.op("Sin", [c.input(0)]))),
};

/** The number in a one-element constant input; `undefined` when it is computed or has several elements. */
function constantScalar(c: RuleContext, index: number): number | undefined {
  const value = c.emit.graph.initializers.get(c.input(index));
  return value !== undefined && value.data.length === 1 ? Number(value.data[0]) : undefined;
}
