/**
 * Gradients of activation functions.
 *
 * @module
 */

import { getFloat, getString } from "../../../onnx/attributes.ts";
import type { RuleContext, RuleTable } from "../rule.ts";
import { above, below, compare } from "./mask.ts";

/** 1 − y, or another constant less y. */
function complement(c: RuleContext, y: string, from = 1): string {
  return c.emit.sub(c.scalar(from), y);
}

function scaled(c: RuleContext, x: string, factor: number): string {
  return factor === 1 ? x : c.emit.mul(x, c.scalar(factor));
}

/** σ(x). */
function sigmoid(c: RuleContext, x: string): string {
  return c.emit.op("Sigmoid", [x]);
}

/** Piecewise slopes: `positive` where x > 0, else `negative`. */
function slopes(c: RuleContext, x: string, positive: string, negative: string): string {
  const mask = above(c, x, 0);
  return c.emit.add(c.emit.mul(mask, c.emit.sub(positive, negative)), negative);
}

/** The derivative of the standard normal distribution function at x: e^(−x²/2) / √(2π). */
function normalDensity(c: RuleContext, x: string): string {
  const exponent = scaled(c, c.emit.mul(x, x), -0.5);
  return scaled(c, c.emit.exp(exponent), 1 / Math.sqrt(2 * Math.PI));
}

function gelu(c: RuleContext): string {
  const x = c.input(0);
  if (getString(c.node, "approximate", "none") === "none") {
    const erf = c.emit.op("Erf", [scaled(c, x, Math.SQRT1_2)]);
    const distribution = scaled(c, c.emit.add(erf, c.scalar(1)), 0.5);
    return c.emit.add(distribution, c.emit.mul(x, normalDensity(c, x)));
  }
  const k = Math.sqrt(2 / Math.PI);
  const square = c.emit.mul(x, x);
  const inner = scaled(c, c.emit.mul(x, c.emit.add(scaled(c, square, 0.044715), c.scalar(1))), k);
  const tanh = c.emit.op("Tanh", [inner]);
  const innerSlope = scaled(c, c.emit.add(scaled(c, square, 3 * 0.044715), c.scalar(1)), k);
  const bell = complement(c, c.emit.mul(tanh, tanh));
  const twice = c.emit.add(
    c.emit.add(tanh, c.scalar(1)),
    c.emit.mul(x, c.emit.mul(bell, innerSlope)),
  );
  return scaled(c, twice, 0.5);
}

/** Clip of levels on their way from QuantizeLinear to DequantizeLinear: integers at its ends are inside. */
function clipLevels(c: RuleContext): [string] {
  const x = c.emit.op("Cast", [c.input(0)], { to: c.type === "float32" ? 1 : 11 });
  let gradient = c.upstream;
  const [low, high] = [c.constant(1), c.constant(2)];
  if (low) gradient = c.emit.mul(gradient, above(c, x, Number(low.data[0]) - 0.5));
  if (high) gradient = c.emit.mul(gradient, below(c, x, Number(high.data[0]) + 0.5));
  return [gradient];
}

function clip(c: RuleContext): (string | undefined)[] {
  if (!c.inputType(0).startsWith("float")) return clipLevels(c);
  const x = c.input(0);
  const masks: string[] = [];
  const results: (string | undefined)[] = [undefined, undefined, undefined];
  for (const [index, inside, beyond] of [[1, above, "Less"], [2, below, "Greater"]] as const) {
    const name = c.node.inputs[index];
    if (!name) continue;
    const fixed = c.emit.graph.initializers.get(name);
    if (fixed !== undefined && !c.wants(index)) {
      const value = Number(fixed.data[0]);
      if (Number.isFinite(value)) masks.push(inside(c, x, value));
      continue;
    }
    const outside = compare(c, beyond, x, name);
    masks.push(complement(c, outside));
    if (c.wants(index)) {
      results[index] = c.unbroadcast(c.emit.mul(c.upstream, outside), c.outputDims(), index);
    }
  }
  results[0] = masks.reduce((gradient, mask) => c.emit.mul(gradient, mask), c.upstream);
  return results;
}

const derivatives: Readonly<Record<string, (c: RuleContext) => string>> = {
  Relu: (c) => above(c, c.output(), 0),
  LeakyRelu: (c) => {
    const alpha = getFloat(c.node, "alpha", 0.01);
    return c.emit.add(scaled(c, above(c, c.input(0), 0), 1 - alpha), c.scalar(alpha));
  },
  ThresholdedRelu: (c) => above(c, c.input(0), getFloat(c.node, "alpha", 1)),
  Sigmoid: (c) => c.emit.mul(c.output(), complement(c, c.output())),
  Tanh: (c) => complement(c, c.emit.mul(c.output(), c.output())),
  HardSigmoid: (c) => {
    const inside = c.emit.mul(above(c, c.output(), 0), below(c, c.output(), 1));
    return scaled(c, inside, getFloat(c.node, "alpha", 0.2));
  },
  HardSwish: (c) => {
    const x = c.input(0);
    const inner = c.emit.mul(above(c, x, -3), below(c, x, 3));
    const line = c.emit.add(scaled(c, x, 1 / 3), c.scalar(0.5));
    return c.emit.add(c.emit.mul(inner, line), above(c, c.emit.sub(x, c.scalar(3)), 0));
  },
  Elu: (c) => {
    const alpha = getFloat(c.node, "alpha", 1);
    return slopes(c, c.input(0), c.scalar(1), c.emit.add(c.output(), c.scalar(alpha)));
  },
  Selu: (c) => {
    const alpha = getFloat(c.node, "alpha", 1.6732632423543772);
    const gamma = getFloat(c.node, "gamma", 1.0507009873554805);
    const negative = c.emit.add(c.output(), c.scalar(alpha * gamma));
    return slopes(c, c.input(0), c.scalar(gamma), negative);
  },
  Celu: (c) => {
    const alpha = getFloat(c.node, "alpha", 1);
    const negative = c.emit.add(scaled(c, c.output(), 1 / alpha), c.scalar(1));
    return slopes(c, c.input(0), c.scalar(1), negative);
  },
  Softplus: (c) => sigmoid(c, c.input(0)),
  Softsign: (c) => {
    const root = c.emit.add(c.emit.op("Abs", [c.input(0)]), c.scalar(1));
    return c.emit.op("Reciprocal", [c.emit.mul(root, root)]);
  },
  Erf: (c) => {
    const square = c.emit.mul(c.input(0), c.input(0));
    return scaled(c, c.emit.exp(c.emit.neg(square)), 2 / Math.sqrt(Math.PI));
  },
  Gelu: gelu,
  Mish: (c) => {
    const x = c.input(0);
    const tanh = c.emit.op("Tanh", [c.emit.op("Softplus", [x])]);
    const bell = complement(c, c.emit.mul(tanh, tanh));
    return c.emit.add(tanh, c.emit.mul(x, c.emit.mul(bell, sigmoid(c, x))));
  },
};

/** Rules for Relu, Sigmoid, Clip and the like. */
export const ACTIVATION: RuleTable = {
  ...Object.fromEntries(
    Object.entries(derivatives).map((
      [name, derivative],
    ) => [name, (c: RuleContext) => [c.emit.mul(c.upstream, derivative(c))]]),
  ),
  PRelu: (c) => {
    const negative = below(c, c.input(0), 0);
    const slope = c.input(1);
    const factor = c.emit.add(
      c.emit.mul(negative, c.emit.sub(slope, c.scalar(1))),
      c.scalar(1),
    );
    return [
      c.wants(0) ? c.emit.mul(c.upstream, factor) : undefined,
      c.wants(1)
        ? c.unbroadcast(
          c.emit.mul(c.upstream, c.emit.mul(c.input(0), negative)),
          c.outputDims(),
          1,
        )
        : undefined,
    ];
  },
  Clip: clip,
};
