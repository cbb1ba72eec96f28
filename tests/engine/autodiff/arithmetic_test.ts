import type { Random } from "../../../src/base/random.ts";
import {
  avoiding,
  broadcastable,
  pick,
  type RuleCase,
  sample,
  shape,
  testRule,
  type Variable,
} from "./gradient_check.ts";

type Draw = (random: Random) => number;

/** An operator of two operands that are broadcast against each other. */
function binary(opType: string, left?: Draw, right?: Draw) {
  return (random: Random): RuleCase => {
    const dims = shape(random, random.integer(4));
    const other = broadcastable(random, dims);
    const [a, b] = pick(random, [[dims, other], [other, dims]] as const);
    return {
      variables: [sample(random, a, left), sample(random, b, right)],
      build: (builder, names) => builder.op(opType, names),
    };
  };
}

/** An operator of one operand. */
function unary(opType: string, draw?: Draw) {
  return (random: Random): RuleCase => ({
    variables: [sample(random, shape(random, random.integer(4)), draw)],
    build: (builder, names) => builder.op(opType, names),
  });
}

/** Operands whose elements all differ, so that there is one minimum and one maximum. */
function apart(random: Random): RuleCase {
  const dims = shape(random, random.integer(4));
  const count = 1 + random.integer(3);
  const variables = Array.from({ length: count }, (_, index): Variable => {
    const own = index === 0 ? dims : broadcastable(random, dims);
    return sample(random, own, (r) => 0.3 * r.integer(6) + 0.1 * index);
  });
  return { variables, build: (builder, names) => builder.op(pick(random, ["Min", "Max"]), names) };
}

/** An operator of any number of operands. */
function variadic(opType: string) {
  return (random: Random): RuleCase => {
    const dims = shape(random, random.integer(4));
    const variables = Array.from(
      { length: 1 + random.integer(3) },
      (_, index) => sample(random, index === 0 ? dims : broadcastable(random, dims)),
    );
    return { variables, build: (builder, names) => builder.op(opType, names) };
  };
}

const positive: Draw = (random) => 0.5 + 2 * random.uniform();
const nonzero: Draw = avoiding([0], 1, 0.4);
const f64 = { type: "float64" } as const;

testRule("Add", f64, binary("Add"));
testRule("Sub", f64, binary("Sub"));
testRule("Mul", f64, binary("Mul"));
testRule("Div", f64, binary("Div", undefined, nonzero));
testRule("Pow", f64, binary("Pow", positive));
testRule("Pow by a constant", f64, (random) => {
  const exponent = pick(random, [1, 2, 3, 0.5, -1]);
  return {
    variables: [sample(random, shape(random, random.integer(4)), positive)],
    build: (builder, [x]) =>
      builder.op("Pow", [
        x!,
        builder.constant({ type: "float64", dims: [], data: Float64Array.of(exponent) }),
      ]),
  };
});
testRule("Min and Max", f64, apart);
testRule("Sum", f64, variadic("Sum"));
testRule("Mean", { type: "float32", epsilon: 0.5 }, variadic("Mean"));
testRule("Neg", f64, unary("Neg"));
testRule("Abs", f64, unary("Abs", avoiding([0])));
testRule("Exp", f64, unary("Exp"));
testRule("Log", f64, unary("Log", positive));
testRule("Sqrt", f64, unary("Sqrt", positive));
testRule("Reciprocal", f64, unary("Reciprocal", nonzero));
testRule("Sin", f64, unary("Sin"));
testRule("Cos", f64, unary("Cos"));
