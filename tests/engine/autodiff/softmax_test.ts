import { sample, shape, testRule } from "./gradient_check.ts";

for (const opType of ["Softmax", "LogSoftmax"]) {
  testRule(opType, { type: "float64" }, (random) => {
    const dims = shape(random, 1 + random.integer(4));
    const axis = random.integer(2 * dims.length) - dims.length;
    return {
      variables: [sample(random, dims)],
      build: (builder, names) => builder.op(opType, names, { axis }),
    };
  });
}
