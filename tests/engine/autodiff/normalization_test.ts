import { float } from "../../../src/onnx/attributes.ts";
import { sample, shape, testRule } from "./gradient_check.ts";

testRule("BatchNormalization with stored statistics", { type: "float64" }, (random) => {
  const dims = shape(random, 2 + random.integer(3));
  const channels = [dims[1]!];
  return {
    variables: [
      sample(random, dims),
      sample(random, channels),
      sample(random, channels),
      sample(random, channels),
      sample(random, channels, (r) => 0.5 + r.uniform()),
    ],
    build: (builder, names) => builder.op("BatchNormalization", names, { epsilon: float(0.01) }),
  };
});

testRule("BatchNormalization with the batch's statistics", { type: "float64" }, (random) => {
  const dims = [2 + random.integer(3), ...shape(random, 1 + random.integer(3))];
  const channels = [dims[1]!];
  const momentum = random.integer(2) === 0 ? 0.9 : 0;
  return {
    variables: [sample(random, dims), sample(random, channels), sample(random, channels)],
    build: (builder, names) => {
      // The runtime overwrites these inputs: they must be values of this node alone.
      const statistics = [names[1]!, names[2]!].map((name) => builder.op("Sub", [name, name]));
      return builder.ops("BatchNormalization", [...names, ...statistics], 3, {
        training_mode: 1,
        momentum: float(momentum),
        epsilon: float(0.1),
      })[0]!;
    },
  };
});

testRule("LayerNormalization", { type: "float64" }, (random) => {
  const dims = shape(random, 1 + random.integer(4));
  const axis = random.integer(dims.length);
  const inner = dims.slice(axis);
  const variables = [sample(random, dims), sample(random, inner)];
  if (random.integer(2) === 0) variables.push(sample(random, inner));
  const negative = random.integer(2) === 0;
  return {
    variables,
    build: (builder, names) =>
      builder.op("LayerNormalization", names, {
        axis: negative ? axis - dims.length : axis,
        epsilon: float(0.1),
      }),
  };
});

testRule("InstanceNormalization", { type: "float32", epsilon: 0.02 }, (random) => {
  const dims = [1 + random.integer(2), ...shape(random, 2), 2 + random.integer(3)];
  const channels = [dims[1]!];
  return {
    variables: [sample(random, dims), sample(random, channels), sample(random, channels)],
    build: (builder, names) => builder.op("InstanceNormalization", names, { epsilon: float(0.5) }),
  };
});
