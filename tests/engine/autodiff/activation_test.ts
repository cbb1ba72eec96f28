import { float } from "../../../src/onnx/attributes.ts";
import type { Attribute } from "../../../src/onnx/model.ts";
import type { Random } from "../../../src/base/random.ts";
import {
  avoiding,
  broadcastable,
  pick,
  type RuleCase,
  type RuleTest,
  sample,
  shape,
  testRule,
  typed,
} from "./gradient_check.ts";

type Attributes = Record<string, Attribute | string>;

/** An elementwise function with kinks at the given points. */
function activation(
  opType: string,
  test: RuleTest,
  kinks: readonly number[],
  attributes: (random: Random) => Attributes = () => ({}),
): void {
  testRule(opType, test, (random): RuleCase => {
    const values = attributes(random);
    return {
      variables: [sample(random, shape(random, random.integer(4)), avoiding(kinks, 2, 0.1))],
      build: (builder, names) => builder.op(opType, names, values),
    };
  });
}

const f64 = { type: "float64" } as const;
// Piecewise linear functions are exact at any distance that stays on one side of the kink.
const f32 = { type: "float32", epsilon: 0.01 } as const;
// Where there is no kink, a wide stencil keeps rounding out of the differences.
const smooth = { type: "float32", epsilon: 0.02 } as const;

activation("Relu", f64, [0]);
activation("Relu", f32, [0]);
activation("LeakyRelu", f32, [0], (random) => ({ alpha: float(random.uniform()) }));
activation("ThresholdedRelu", f32, [0.5], () => ({ alpha: float(0.5) }));
activation("Sigmoid", f64, []);
activation("Tanh", f64, []);
activation("HardSigmoid", f32, [-2.5, 2.5], () => ({ alpha: float(0.2), beta: float(0.5) }));
activation("HardSwish", f32, [-3, 3]);
activation("Elu", f32, [0], (random) => ({ alpha: float(0.5 + random.uniform()) }));
activation("Selu", f32, [0]);
activation("Celu", f32, [0], (random) => ({ alpha: float(0.5 + random.uniform()) }));
activation("Softplus", smooth, []);
activation("Softsign", f32, [0]);
activation("Erf", smooth, []);
activation(
  "Gelu",
  { ...smooth, epsilon: 0.05 },
  [],
  (random) => ({
    approximate: { kind: "string", value: pick(random, ["none", "tanh"]) },
  }),
);
activation("Mish", smooth, []);

testRule("PRelu", f32, (random) => {
  const dims = shape(random, 1 + random.integer(3));
  return {
    variables: [
      sample(random, dims, avoiding([0], 1, 0.1)),
      sample(random, broadcastable(random, dims)),
    ],
    build: (builder, names) => builder.op("PRelu", names),
  };
});

for (const type of ["float32", "float64"] as const) {
  testRule(`Clip by constants (${type})`, type === "float32" ? f32 : f64, (random) => {
    const low = pick(random, [undefined, -1, 0]);
    const high = pick(random, [undefined, 1, 6]);
    return {
      variables: [
        sample(random, shape(random, random.integer(4)), avoiding([-1, 0, 1, 6], 3, 0.1)),
      ],
      build: (builder, [x]) => {
        const bound = (value: number | undefined) =>
          value === undefined ? "" : builder.constant(typed(type, [], [value]));
        return builder.op("Clip", [x!, bound(low), bound(high)]);
      },
    };
  });
}

testRule("Clip by computed bounds", f64, (random) => ({
  variables: [
    sample(random, shape(random, random.integer(4)), avoiding([-1, 1], 3, 0.2)),
    sample(random, [], () => -1),
    sample(random, [], () => 1),
  ],
  build: (builder, names) => builder.op("Clip", names),
}));
