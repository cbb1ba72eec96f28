/**
 * Tests gradient rules against finite differences, hundreds of random cases in one model.
 *
 * @module
 */

import assert from "node:assert/strict";
import { Random } from "../../../src/base/random.ts";
import { gradientGraph, gradientName } from "../../../src/engine/autodiff/gradient.ts";
import { openSession } from "../../../src/engine/session.ts";
import { inferShapes } from "../../../src/engine/shapes.ts";
import { GraphBuilder } from "../../../src/onnx/build.ts";
import { elementCount, type Tensor, tensor } from "../../../src/onnx/tensor.ts";

type FloatType = "float32" | "float64";

/** A tensor to differentiate by. */
export interface Variable {
  readonly dims: readonly number[];
  readonly values: Float64Array;
}

/** One random use of an operator. */
export interface RuleCase {
  readonly variables: readonly Variable[];
  /** Emits the nodes; gives the outputs that reach the loss. */
  build(builder: GraphBuilder, variables: readonly string[], type: FloatType): string | string[];
}

/** How a rule is tested. */
export interface RuleTest {
  /** `float64` where ONNX Runtime has the operator in it. */
  readonly type: FloatType;
  /** Distance of the finite differences; large ones are exact for linear and bilinear operators. */
  readonly epsilon?: number;
  readonly tolerance?: number;
  readonly cases?: number;
}

/** Samples of one distribution. */
export function sample(
  random: Random,
  dims: readonly number[],
  draw: (random: Random) => number = (r) => r.normal(),
): Variable {
  return { dims, values: Float64Array.from({ length: elementCount(dims) }, () => draw(random)) };
}

/** Values at least `gap` away from each of the points where a function has a kink. */
export function avoiding(points: readonly number[], scale = 1, gap = 0.05) {
  return (random: Random): number => {
    for (;;) {
      const value = scale * random.normal();
      if (points.every((point) => Math.abs(value - point) > gap)) return value;
    }
  };
}

/** Values that differ from one another by a tenth at least, so that maxima are unique. */
export function distinct(random: Random, dims: readonly number[]): Variable {
  const order = random.permutation(elementCount(dims));
  return { dims, values: Float64Array.from(order, (rank) => 0.1 * rank - 0.05 * order.length) };
}

/** A random shape. */
export function shape(random: Random, rank: number, limit = 4): number[] {
  return Array.from({ length: rank }, () => 1 + random.integer(limit));
}

/** A shape that broadcasts to the given one. */
export function broadcastable(random: Random, dims: readonly number[]): number[] {
  return dims.slice(random.integer(dims.length + 1)).map((dim) =>
    random.integer(3) === 0 ? 1 : dim
  );
}

/** One of several things. */
export function pick<T>(random: Random, choices: readonly T[]): T {
  return choices[random.integer(choices.length)]!;
}

/** Registers the test of one rule. */
export function testRule(name: string, test: RuleTest, make: (random: Random) => RuleCase): void {
  Deno.test(`${name} has the gradient that finite differences show (${test.type})`, async () => {
    await checkRule(name, test, make);
  });
}

async function checkRule(
  name: string,
  { type, epsilon = 1e-3, tolerance = type === "float64" ? 1e-7 : 1e-3, cases = 200 }: RuleTest,
  make: (random: Random) => RuleCase,
): Promise<void> {
  const random = Random.from(1, name);
  const builder = new GraphBuilder();
  const all = Array.from({ length: cases }, () => make(random));
  const inputs = all.map(({ variables }, index) =>
    variables.map(({ dims }, v) => builder.input(`x${index}.${v}`, type, dims))
  );
  const outputs = all.map((one, index) => [one.build(builder, inputs[index]!, type)].flat());
  const shapes = await inferShapes(builder.build());
  const constant = (dims: readonly number[], values: ArrayLike<number>) =>
    builder.constant(typed(type, dims, values));

  const losses = outputs.map((names, index) => {
    const sums = names.map((output) => {
      const dims = shapes.get(output)!.dims;
      const weights = constant(dims, sample(random, dims).values);
      return builder.op("ReduceSum", [builder.op("Mul", [output, weights])], { keepdims: 0 });
    });
    return builder.output(builder.op("Sum", sums, {}, { name: `loss${index}` }));
  });
  const total = builder.op("Sum", losses, {}, { name: "total" });
  const model = builder.build();
  const scalars = [
    ...losses,
    total,
    ...model.graph.nodes.filter(({ opType }) => opType === "ReduceSum").map(({ outputs }) =>
      outputs[0]!
    ),
  ];
  const types = new Map(shapes);
  for (const node of model.graph.nodes) {
    for (const output of node.outputs) {
      if (types.has(output)) continue;
      const from = node.opType === "Mul" ? shapes.get(node.inputs[0]!)!.dims : [];
      assert.ok(node.opType === "Mul" || scalars.includes(output));
      types.set(output, { type, dims: from });
    }
  }
  const names = inputs.flat();
  const gradients = gradientGraph(model, { loss: total, withRespectTo: names, types });
  // Making a session takes longer than running it: one serves for losses and gradients.
  await using session = await openSession(
    { ...model, graph: gradients },
    { optimization: "none" },
  );

  const feeds = (move: (index: number, v: number, values: Float64Array) => ArrayLike<number>) => {
    const result: Record<string, Tensor> = {};
    all.forEach(({ variables }, index) =>
      variables.forEach(({ dims, values }, v) =>
        result[`x${index}.${v}`] = typed(type, dims, move(index, v, values))
      )
    );
    return result;
  };
  const analytic = await session.run(feeds((_index, _v, values) => values));
  // The differences are taken at what the runtime really sees.
  const base = all.map(({ variables }) =>
    variables.map(({ values }) =>
      type === "float32" ? Float64Array.from(values, Math.fround) : values
    )
  );
  for (let round = 0; round < 2; round++) {
    const directions = all.map(({ variables }) =>
      variables.map(({ dims }) => sample(random, dims))
    );
    const at = async (distance: number): Promise<number[]> => {
      const results = await session.run(
        feeds((index, v) =>
          base[index]![v]!.map((x, i) => x + distance * directions[index]![v]!.values[i]!)
        ),
        losses,
      );
      return losses.map((loss) => Number(results[loss]!.data[0]));
    };
    const [near, far] = [
      [await at(epsilon), await at(-epsilon)],
      [await at(2 * epsilon), await at(-2 * epsilon)],
    ];
    all.forEach(({ variables }, index) => {
      const narrow = near[0]![index]! - near[1]![index]!;
      const wide = far[0]![index]! - far[1]![index]!;
      const difference = (8 * narrow - wide) / (12 * epsilon);
      let product = 0;
      let square = 0;
      variables.forEach((_, v) => {
        const gradient = analytic[gradientName(`x${index}.${v}`)]!.data as Float64Array;
        gradient.forEach((g, i) => {
          product += g * directions[index]![v]!.values[i]!;
          square += g * g;
        });
      });
      const error = Math.abs(product - difference) / Math.max(Math.sqrt(square), 1e-2);
      assert.ok(
        error <= tolerance,
        `${name}, case ${index} (${
          variables.map(({ dims }) => `[${dims}]`).join(" ")
        }): gradient says ${product}, differences say ${difference}`,
      );
    });
  }
}

/** A tensor of a float type. */
export function typed(type: FloatType, dims: readonly number[], values: ArrayLike<number>): Tensor {
  return type === "float64"
    ? tensor("float64", dims, Float64Array.from(values))
    : tensor("float32", dims, Float32Array.from(values));
}
