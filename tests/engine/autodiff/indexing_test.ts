import { int64s } from "../../../src/onnx/tensor.ts";
import { pick, sample, shape, testRule, typed } from "./gradient_check.ts";

const f64 = { type: "float64" } as const;

testRule("Slice", f64, (random) => {
  const dims = shape(random, 1 + random.integer(4), 6);
  const axes = dims.flatMap((_, axis) => random.integer(2) ? [axis] : []);
  if (axes.length === 0) axes.push(0);
  const ranges = axes.map((axis) => {
    const size = dims[axis]!;
    const low = random.integer(size);
    const high = low + 1 + random.integer(size - low);
    const step = 1 + random.integer(3);
    const [start, end] = [random.integer(2) ? low : low - size, high === size ? 2 ** 31 : high];
    // Backwards: from the last element down to and with `low`.
    return random.integer(3) > 0
      ? { axis, start, end, step }
      : { axis, start: high - 1 - size, end: low - 1 - size, step: -step };
  });
  const column = (key: "axis" | "start" | "end" | "step") => ranges.map((range) => range[key]);
  return {
    variables: [sample(random, dims)],
    build: (builder, [x]) =>
      builder.op("Slice", [
        x!,
        builder.constant(column("start")),
        builder.constant(column("end")),
        builder.constant(column("axis")),
        builder.constant(column("step")),
      ]),
  };
});

testRule("Pad", f64, (random) => {
  const mode = pick(random, ["constant", "reflect", "edge", "wrap"]);
  const dims = shape(random, 1 + random.integer(3)).map((dim) => dim + 1);
  const axes = dims.map((_, axis) => axis).filter(() => random.integer(3) > 0);
  if (axes.length === 0) axes.push(0);
  const limit = (axis: number) => mode === "constant" ? 3 : dims[axis]!;
  const least = mode === "constant" ? -1 : 0;
  const pads = [...axes, ...axes].map((axis) => Math.max(least, random.integer(limit(axis)) - 1));
  for (const [index, axis] of axes.entries()) {
    // Something must be left of the axis.
    if (pads[index]! + pads[index + axes.length]! + dims[axis]! < 1) pads[index] = 0;
  }
  const variables = [sample(random, dims)];
  if (mode === "constant" && random.integer(2) === 0) variables.push(sample(random, []));
  return {
    variables,
    build: (builder, [x, value]) =>
      builder.op("Pad", [
        x!,
        builder.constant(pads),
        value ?? "",
        builder.constant(axes),
      ], { mode }),
  };
});

testRule("Gather", f64, (random) => {
  const dims = shape(random, 1 + random.integer(3));
  const axis = random.integer(2 * dims.length) - dims.length;
  const size = dims.at(axis)!;
  const indexDims = shape(random, random.integer(3), 3);
  const indices = int64s(
    Array.from(
      { length: indexDims.reduce((a, b) => a * b, 1) },
      () => random.integer(2 * size) - size,
    ),
  );
  return {
    variables: [sample(random, dims)],
    build: (builder, [x]) =>
      builder.op("Gather", [x!, builder.constant({ ...indices, dims: indexDims })], { axis }),
  };
});

testRule("GatherElements", f64, (random) => {
  const dims = shape(random, 1 + random.integer(3));
  const axis = random.integer(dims.length);
  const indexDims = dims.map((dim, at) => at === axis ? 1 + random.integer(4) : dim);
  const indices = int64s(
    Array.from({ length: indexDims.reduce((a, b) => a * b, 1) }, () => random.integer(dims[axis]!)),
  );
  return {
    variables: [sample(random, dims)],
    build: (builder, [x]) =>
      builder.op("GatherElements", [x!, builder.constant({ ...indices, dims: indexDims })], {
        axis,
      }),
  };
});

testRule("Tile", f64, (random) => {
  const dims = shape(random, 1 + random.integer(3));
  const repeats = dims.map(() => 1 + random.integer(3));
  return {
    variables: [sample(random, dims)],
    build: (builder, [x]) => builder.op("Tile", [x!, builder.constant(repeats)]),
  };
});

testRule("Gather by a batch of indices, as a loss sees it", f64, (random) => ({
  variables: [sample(random, [5, 3])],
  build: (builder, [x]) => {
    const rows = builder.op("Gather", [x!, builder.constant([4, 0, 4])], { axis: 0 });
    return builder.op("Mul", [rows, builder.constant(typed("float64", [3], [1, 2, 3]))]);
  },
}));
