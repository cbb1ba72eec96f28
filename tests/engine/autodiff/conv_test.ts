import type { Random } from "../../../src/base/random.ts";
import { pick, type RuleCase, sample, testRule } from "./gradient_check.ts";

// Convolution is bilinear in input and weights: central differences are exact at any distance.
const bilinear = { type: "float32", epsilon: 0.5 } as const;

interface Geometry {
  readonly batch: number;
  readonly group: number;
  /** Channels a group has on either side. */
  readonly inner: number;
  readonly outer: number;
  readonly kernel: number[];
  readonly strides: number[];
  readonly dilations: number[];
  readonly pads: number[];
  /** Spatial sizes of the input, large enough for the kernel. */
  readonly sizes: number[];
}

function geometry(random: Random, rank: number): Geometry {
  const each = (draw: () => number) => Array.from({ length: rank }, draw);
  const kernel = each(() => 1 + random.integer(3));
  const dilations = each(() => pick(random, [1, 1, 2]));
  const pads = Array.from({ length: 2 * rank }, () => random.integer(3));
  return {
    batch: 1 + random.integer(2),
    group: pick(random, [1, 1, 2, 3]),
    inner: 1 + random.integer(3),
    outer: 1 + random.integer(3),
    kernel,
    strides: each(() => pick(random, [1, 1, 2, 3])),
    dilations,
    pads,
    sizes: kernel.map((size, axis) => (size - 1) * dilations[axis]! + 1 + random.integer(4)),
  };
}

function convolution(random: Random, rank: number, change: Partial<Geometry> = {}): RuleCase {
  const g = { ...geometry(random, rank), ...change };
  const auto = pick(random, ["NOTSET", "NOTSET", "SAME_UPPER", "SAME_LOWER", "VALID"]);
  // ONNX Runtime allows SAME pads without dilation only.
  const explicit = auto === "NOTSET" || g.dilations.some((dilation) => dilation !== 1);
  const variables = [
    sample(random, [g.batch, g.group * g.inner, ...g.sizes]),
    sample(random, [g.group * g.outer, g.inner, ...g.kernel]),
  ];
  if (random.integer(2) === 0) variables.push(sample(random, [g.group * g.outer]));
  return {
    variables,
    build: (builder, names) =>
      builder.op("Conv", names, {
        kernel_shape: g.kernel,
        strides: g.strides,
        dilations: g.dilations,
        group: g.group,
        ...(explicit ? { pads: g.pads } : { auto_pad: auto }),
      }),
  };
}

testRule("Conv in one dimension", bilinear, (random) => convolution(random, 1));
testRule("Conv in two dimensions", bilinear, (random) => convolution(random, 2));
testRule(
  "Conv in three dimensions",
  { ...bilinear, cases: 50 },
  (random) => convolution(random, 3),
);
testRule("Conv with one channel a group", bilinear, (random) =>
  convolution(random, 2, {
    group: 2 + random.integer(4),
    inner: 1,
    outer: pick(random, [1, 1, 2]),
  }));
testRule(
  "Conv with a large kernel",
  { ...bilinear, cases: 40 },
  (random) =>
    convolution(random, 2, {
      kernel: [6, 5],
      sizes: [6 + random.integer(3), 5 + random.integer(3)],
      dilations: [1, 1],
      group: 1,
    }),
);

function transposed(random: Random, rank: number): RuleCase {
  const g = geometry(random, rank);
  const extra = g.strides.map((stride) => random.integer(stride));
  const sizes = g.sizes.map((size, axis) => {
    const reach = (g.kernel[axis]! - 1) * g.dilations[axis]! + 1 + extra[axis]!;
    // Pads cut from the output, of which something must be left.
    const cut = g.pads[axis]! + g.pads[axis + rank]!;
    return Math.max(size - 2, Math.ceil((cut - reach) / g.strides[axis]!) + 2, 1);
  });
  const variables = [
    sample(random, [g.batch, g.group * g.inner, ...sizes]),
    sample(random, [g.group * g.inner, g.outer, ...g.kernel]),
  ];
  if (random.integer(2) === 0) variables.push(sample(random, [g.group * g.outer]));
  return {
    variables,
    build: (builder, names) =>
      builder.op("ConvTranspose", names, {
        kernel_shape: g.kernel,
        strides: g.strides,
        dilations: g.dilations,
        group: g.group,
        pads: g.pads,
        output_padding: extra,
      }),
  };
}

testRule("ConvTranspose in one dimension", bilinear, (random) => transposed(random, 1));
testRule("ConvTranspose in two dimensions", bilinear, (random) => transposed(random, 2));
testRule("ConvTranspose with an output shape", { ...bilinear, cases: 60 }, (random) => {
  const [kernel, stride, size] = [2 + random.integer(3), 1 + random.integer(2), 3];
  const natural = stride * (size - 1) + kernel;
  const wanted = natural - random.integer(2);
  const automatic = pick(random, ["NOTSET", "SAME_UPPER", "SAME_LOWER"]);
  return {
    variables: [sample(random, [1, 2, size, size]), sample(random, [2, 2, kernel, kernel])],
    build: (builder, names) =>
      builder.op("ConvTranspose", names, {
        kernel_shape: [kernel, kernel],
        strides: [stride, stride],
        output_shape: [wanted, wanted],
        auto_pad: automatic,
      }),
  };
});
