import { pick, sample, shape, testRule, typed } from "./gradient_check.ts";
import { broadcastable } from "./gradient_check.ts";

const f64 = { type: "float64" } as const;
const product = (dims: readonly number[]) => dims.reduce((a, b) => a * b, 1);

testRule("Identity and Dropout", f64, (random) => ({
  variables: [sample(random, shape(random, random.integer(4)))],
  build: (builder, names) => builder.op(pick(random, ["Identity", "Dropout"]), names),
}));

testRule("Cast", { type: "float64", epsilon: 0.5, tolerance: 1e-5 }, (random) => ({
  variables: [sample(random, shape(random, random.integer(4)))],
  build: (builder, [x]) => builder.op("Cast", [builder.op("Cast", [x!], { to: 1 })], { to: 11 }),
}));

testRule("Reshape", f64, (random) => {
  const dims = shape(random, random.integer(4));
  const target = pick(random, [[-1], [product(dims)], [1, -1], [product(dims), 1]]);
  return {
    variables: [sample(random, dims)],
    build: (builder, [x]) => builder.op("Reshape", [x!, builder.constant(target)]),
  };
});

testRule("Flatten", f64, (random) => {
  const dims = shape(random, 1 + random.integer(4));
  const axis = random.integer(2 * dims.length) - dims.length;
  return {
    variables: [sample(random, dims)],
    build: (builder, names) => builder.op("Flatten", names, { axis }),
  };
});

testRule("Squeeze and Unsqueeze", f64, (random) => {
  const dims = shape(random, 1 + random.integer(3));
  const at = random.integer(dims.length + 1);
  const rounds = random.integer(2);
  return {
    variables: [sample(random, dims)],
    build: (builder, [x]) => {
      const axes = builder.constant([at]);
      const wide = builder.op("Unsqueeze", [x!, axes]);
      return rounds === 0 ? wide : builder.op("Squeeze", [wide, axes]);
    },
  };
});

testRule("Expand", f64, (random) => {
  const dims = shape(random, random.integer(4));
  const from = broadcastable(random, dims);
  return {
    variables: [sample(random, from)],
    build: (builder, [x]) => builder.op("Expand", [x!, builder.constant(dims)]),
  };
});

testRule("Transpose", f64, (random) => {
  const dims = shape(random, 1 + random.integer(4));
  const perm = [...random.permutation(dims.length)];
  const attributes: Record<string, number[]> = random.integer(4) === 0 ? {} : { perm };
  return {
    variables: [sample(random, dims)],
    build: (builder, names) => builder.op("Transpose", names, attributes),
  };
});

testRule("Concat", f64, (random) => {
  const dims = shape(random, 1 + random.integer(3));
  const axis = random.integer(2 * dims.length) - dims.length;
  const at = axis < 0 ? axis + dims.length : axis;
  const variables = Array.from(
    { length: 1 + random.integer(3) },
    () => sample(random, dims.map((dim, index) => index === at ? 1 + random.integer(3) : dim)),
  );
  return { variables, build: (builder, names) => builder.op("Concat", names, { axis }) };
});

testRule("Split", f64, (random) => {
  const dims = shape(random, 1 + random.integer(3));
  const axis = random.integer(dims.length);
  const sizes = Array.from({ length: 1 + random.integer(3) }, () => 1 + random.integer(3));
  dims[axis] = sizes.reduce((a, b) => a + b);
  const used = 1 + random.integer(sizes.length);
  return {
    variables: [sample(random, dims)],
    build: (builder, [x]) =>
      builder.ops("Split", [x!, builder.constant(sizes)], sizes.length, { axis }).slice(0, used),
  };
});

testRule("Where", f64, (random) => {
  const dims = shape(random, random.integer(4));
  const other = broadcastable(random, dims);
  const [a, b] = pick(random, [[dims, other], [other, dims]]);
  const mask = Uint8Array.from({ length: product(dims) }, () => random.integer(2));
  return {
    variables: [sample(random, a!), sample(random, b!)],
    build: (builder, names) =>
      builder.op("Where", [builder.constant({ type: "bool", dims, data: mask }), ...names]),
  };
});

testRule("A value used several times", f64, (random) => ({
  variables: [sample(random, shape(random, random.integer(4)))],
  build: (builder, [x]) => {
    const square = builder.op("Mul", [x!, x!]);
    const half = builder.constant(typed("float64", [], [0.5]));
    return builder.op("Add", [builder.op("Mul", [square, half]), builder.op("Sub", [x!, square])]);
  },
}));
