import type { Random } from "../../../src/base/random.ts";
import { avoiding, distinct, type RuleTest, sample, shape, testRule } from "./gradient_check.ts";
import type { Variable } from "./gradient_check.ts";

function reduction(
  opType: string,
  test: RuleTest,
  values: (random: Random, dims: readonly number[]) => Variable = sample,
): void {
  testRule(opType, test, (random) => {
    const dims = shape(random, 1 + random.integer(4));
    const axes = dims.map((_, axis) => random.integer(2) ? axis : axis - dims.length)
      .filter(() => random.integer(2) === 0);
    const keepdims = random.integer(2);
    const noop = axes.length === 0 ? random.integer(2) : 0;
    return {
      variables: [values(random, dims)],
      build: (builder, [x]) =>
        builder.op(opType, axes.length > 0 ? [x!, builder.constant(axes)] : [x!], {
          keepdims,
          noop_with_empty_axes: noop,
        }),
    };
  });
}

const f64 = { type: "float64" } as const;

reduction("ReduceSum", f64);
reduction("ReduceMean", f64);
reduction("ReduceMax", f64, distinct);
reduction("ReduceMin", f64, distinct);
reduction("ReduceSumSquare", f64);
reduction("ReduceLogSumExp", f64);
const away = (random: Random, dims: readonly number[]) =>
  sample(random, dims, avoiding([0], 1, 0.2));
reduction("ReduceL1", { type: "float32", epsilon: 0.01 }, away);
reduction("ReduceL2", { type: "float32", epsilon: 0.01 }, away);
