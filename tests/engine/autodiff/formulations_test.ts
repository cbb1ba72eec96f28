import assert from "node:assert/strict";
import { Random } from "../../../src/base/random.ts";
import { Emitter } from "../../../src/engine/autodiff/emitter.ts";
import {
  BLOCKS_DOMAIN,
  convolveBlocks,
  fromBlocks,
  toBlocks,
  weightBlocks,
} from "../../../src/engine/autodiff/blocks.ts";
import {
  type InputFormulation,
  inputFormulation,
  scatterWindows,
} from "../../../src/engine/autodiff/rules/convolution.ts";
import {
  type WeightFormulation,
  weightFormulation,
  weightGradient,
  type WeightProblem,
} from "../../../src/engine/autodiff/rules/weight_gradient.ts";
import { shiftsFit } from "../../../src/engine/autodiff/rules/weight_shifts.ts";
import { convolveTiles } from "../../../src/engine/autodiff/winograd.ts";
import { blockSize } from "../../../src/engine/block_size.ts";
import { openSession } from "../../../src/engine/session.ts";
import { GraphBuilder } from "../../../src/onnx/build.ts";
import { float32, type Tensor } from "../../../src/onnx/tensor.ts";
import { pick, sample } from "./gradient_check.ts";

interface Problem extends WeightProblem {
  readonly weightDims: readonly number[];
}

/** @param block What channels and items come in; 1 for any numbers of them. */
function problem(random: Random, block = 1): Problem {
  const depthwise = random.integer(2) === 0;
  const any = block === 1;
  const some = () => any ? 1 + random.integer(3) : block * (1 + random.integer(2));
  const group = any
    ? depthwise ? 2 + random.integer(4) : pick(random, [1, 2])
    : depthwise
    ? some()
    : 1;
  const [inner, outer] = depthwise ? [1, 1] : [some(), some()];
  const pair = (draw: () => number): number[] => [draw(), draw()];
  const kernel = pair(() => 1 + random.integer(3));
  const strides = pick(random, [[1, 1], [1, 1], pair(() => 1 + random.integer(2))]);
  const dilations = pair(() => pick(random, [1, 1, 2]));
  const [begins, ends] = [pair(() => random.integer(3)), pair(() => random.integer(3))];
  const reach = kernel.map((size, axis) => (size - 1) * dilations[axis]! + 1);
  const wide = reach.map((size) => size + random.integer(6));
  const narrow = wide.map((size, axis) =>
    Math.floor((size + begins[axis]! + ends[axis]! - reach[axis]!) / strides[axis]!) + 1
  );
  const batch = any ? 1 + random.integer(3) : block;
  return {
    x: "x",
    xDims: [batch, group * inner, ...wide],
    upstream: "y",
    upstreamDims: [batch, group * outer, ...narrow],
    window: { kernel, strides, dilations, begins, ends, group },
    type: "float32",
    weightDims: [group * outer, inner, ...kernel],
  };
}

/** Sum over everything that meets, as the definition says. */
function direct(
  x: Float64Array,
  y: Float64Array,
  { xDims, upstreamDims, window, weightDims }: Problem,
) {
  const [batch, channels, height, width] = xDims as [number, number, number, number];
  const [, outputs, rows, columns] = upstreamDims as [number, number, number, number];
  const [, inner, kernelRows, kernelColumns] = weightDims as [number, number, number, number];
  const { strides, dilations, begins, group } = window;
  const result = new Float64Array(outputs * inner * kernelRows * kernelColumns);
  for (let n = 0; n < batch; n++) {
    for (let m = 0; m < outputs; m++) {
      for (let c = 0; c < inner; c++) {
        const from = Math.floor(m / (outputs / group)) * inner + c;
        for (let i = 0; i < kernelRows; i++) {
          for (let j = 0; j < kernelColumns; j++) {
            let sum = 0;
            for (let r = 0; r < rows; r++) {
              const h = r * strides[0]! + i * dilations[0]! - begins[0]!;
              if (h < 0 || h >= height) continue;
              for (let q = 0; q < columns; q++) {
                const w = q * strides[1]! + j * dilations[1]! - begins[1]!;
                if (w < 0 || w >= width) continue;
                sum += y[((n * outputs + m) * rows + r) * columns + q]! *
                  x[((n * channels + from) * height + h) * width + w]!;
              }
            }
            result[((m * inner + c) * kernelRows + i) * kernelColumns + j]! += sum;
          }
        }
      }
    }
  }
  return result;
}

/** Whether a formulation is made for such a convolution. */
function fits(formulation: WeightFormulation, { xDims, upstreamDims, window }: Problem): boolean {
  const depthwise = xDims[1] === window.group && upstreamDims[1] === window.group;
  switch (formulation) {
    case "item-shifts":
    case "batch-shifts":
      return shiftsFit(xDims.slice(2), upstreamDims.slice(2), window);
    case "bands":
      return depthwise && window.strides.every((stride) => stride === 1) &&
        shiftsFit(xDims.slice(2), upstreamDims.slice(2), window);
    case "convolution":
      return window.group === 1;
    case "item-convolution":
      return depthwise;
    case "columns":
      return true;
    case "blocks":
    case "tiles":
      // Need a layout and whole blocks, and 3×3 kernels: they have tests of their own.
      return false;
  }
}

const FORMULATIONS: readonly WeightFormulation[] = [
  "item-shifts",
  "batch-shifts",
  "bands",
  "convolution",
  "item-convolution",
  "columns",
];

Deno.test("all formulations of the gradient by weights are the sum that defines it", async () => {
  const random = Random.from(21);
  const problems = Array.from({ length: 100 }, () => problem(random));
  const builder = new GraphBuilder();
  const emit = new Emitter(builder.graph());
  const feeds: Record<string, ReturnType<typeof float32>> = {};
  const tried = new Map<string, number>();
  const expected: { name: string; value: Float64Array; what: string }[] = [];
  problems.forEach((one, index) => {
    const [x, y] = [sample(random, one.xDims), sample(random, one.upstreamDims)];
    const names = [`x${index}`, `y${index}`] as const;
    builder.input(names[0], "float32", one.xDims);
    builder.input(names[1], "float32", one.upstreamDims);
    feeds[names[0]] = float32(x.dims, x.values);
    feeds[names[1]] = float32(y.dims, y.values);
    const value = direct(x.values, y.values, one);
    for (const formulation of FORMULATIONS) {
      if (!fits(formulation, one)) continue;
      tried.set(formulation, (tried.get(formulation) ?? 0) + 1);
      const own = { ...one, x: names[0], upstream: names[1] };
      const name = builder.output(
        emit.op("Identity", [weightGradient(emit, own, formulation)]),
        "float32",
        one.weightDims,
      );
      expected.push({ name, value, what: `${formulation} of ${JSON.stringify(one)}` });
    }
    assert.ok(fits(weightFormulation(emit, one), one), "the formulation that is chosen fits");
  });
  for (const formulation of FORMULATIONS) assert.ok(tried.get(formulation)! >= 10, formulation);
  await using session = await openSession(builder.build(), { optimization: "basic" });
  const results = await session.run(feeds);
  for (const { name, value, what } of expected) {
    const found = results[name]!.data as Float32Array;
    value.forEach((wanted, index) =>
      assert.ok(Math.abs(found[index]! - wanted) < 1e-3, `${what} at ${index}`)
    );
  }
});

Deno.test("both formulations of the gradient by the input are the same", async () => {
  const random = Random.from(22);
  const builder = new GraphBuilder();
  const emit = new Emitter(builder.graph());
  const feeds: Record<string, ReturnType<typeof float32>> = {};
  const pairs: [string, string][] = [];
  while (pairs.length < 40) {
    const one = problem(random);
    const index = pairs.length;
    const own = { ...one, upstream: `y${index}`, weight: `w${index}` };
    if (inputFormulation(emit, own) !== "flipped") continue;
    builder.input(own.upstream, "float32", one.upstreamDims);
    builder.input(own.weight, "float32", one.weightDims);
    feeds[own.upstream] = float32(one.upstreamDims, sample(random, one.upstreamDims).values);
    feeds[own.weight] = float32(one.weightDims, sample(random, one.weightDims).values);
    const by = (formulation: "flipped" | "transposed") =>
      builder.output(
        scatterWindows(emit, own, formulation),
        "float32",
        one.xDims,
      );
    pairs.push([by("flipped"), by("transposed")]);
  }
  await using session = await openSession(builder.build(), { optimization: "basic" });
  const results = await session.run(feeds);
  for (const [flipped, transposed] of pairs) {
    const [a, b] = [results[flipped]!, results[transposed]!];
    assert.deepEqual([...a.dims], [...b.dims]);
    (a.data as Float32Array).forEach((value, index) =>
      assert.ok(Math.abs(value - Number(b.data[index])) < 1e-4)
    );
  }
});

/** Where ONNX Runtime has no layout of blocks on a processor, there is nothing to compare. */
const block = await blockSize();

Deno.test({
  name: "in blocks, a convolution and both of its gradients are the same",
  ignore: block === 1,
  fn: async () => {
    const random = Random.from(23);
    const builder = new GraphBuilder();
    const emit = new Emitter(builder.graph(), "grad", { block });
    const feeds: Record<string, ReturnType<typeof float32>> = {};
    const pairs: { a: string; b: string; what: string }[] = [];
    const input = (name: string, dims: readonly number[]) => {
      feeds[name] = float32(dims, sample(random, dims).values);
      return builder.input(name, "float32", dims);
    };
    const output = (value: string) => builder.output(emit.op("Identity", [value]));
    const tried = { blocks: 0, other: 0 };
    for (let index = 0; index < 80; index++) {
      const one = problem(random, block);
      const { window, weightDims, xDims, upstreamDims } = one;
      const [x, y] = [input(`x${index}`, xDims), input(`y${index}`, upstreamDims)];
      const weight = input(`w${index}`, weightDims);
      const bias = input(`b${index}`, [upstreamDims[1]!]);
      const what = JSON.stringify(one);
      const own = { ...one, x, upstream: y, weight };
      pairs.push({
        a: output(weightGradient(emit, own, "blocks")),
        b: output(weightGradient(emit, own, "columns")),
        what: `by weights: ${what}`,
      });
      const byInput = (formulation: InputFormulation) =>
        output(scatterWindows(emit, own, formulation));
      const chosen = inputFormulation(emit, own);
      tried[chosen === "blocks" ? "blocks" : "other"]++;
      if (chosen === "blocks") {
        pairs.push({ a: byInput("blocks"), b: byInput("transposed"), what: `by input: ${what}` });
      }
      pairs.push({
        a: output(fromBlocks(
          emit,
          convolveBlocks(
            emit,
            toBlocks(emit, x),
            weightBlocks(emit, weight, weightDims),
            window,
            bias,
          ),
          upstreamDims[1]!,
        )),
        b: output(emit.op("Conv", [x, weight, bias], {
          kernel_shape: window.kernel,
          strides: window.strides,
          dilations: window.dilations,
          pads: [...window.begins, ...window.ends],
          group: window.group,
        })),
        what: `forward: ${what}`,
      });
    }
    assert.ok(tried.blocks >= 10 && tried.other >= 5, JSON.stringify(tried));
    const model = builder.build();
    model.opsets.set(BLOCKS_DOMAIN, 1);
    await using session = await openSession(model, { optimization: "basic" });
    const results = await session.run(feeds);
    for (const { a, b, what } of pairs) assertClose(results[a]!, results[b]!, 1e-5, what);
  },
});

Deno.test("in tiles, a convolution and both of its gradients are the same", async () => {
  const random = Random.from(24);
  const builder = new GraphBuilder();
  const emit = new Emitter(builder.graph(), "grad", { native: true });
  const feeds: Record<string, ReturnType<typeof float32>> = {};
  const pairs: { a: string; b: string; what: string }[] = [];
  const input = (name: string, dims: readonly number[]) => {
    feeds[name] = float32(dims, sample(random, dims).values);
    return builder.input(name, "float32", dims);
  };
  const output = (value: string) => builder.output(emit.op("Identity", [value]));
  for (let index = 0; index < 60; index++) {
    const [batch, channels, outputs] = [1, 2, 3].map(() => 1 + random.integer(6)) as [
      number,
      number,
      number,
    ];
    const pads = () => [random.integer(3), random.integer(3)];
    const window = {
      kernel: [3, 3],
      strides: [1, 1],
      dilations: [1, 1],
      begins: pads(),
      ends: pads(),
      group: 1,
    };
    const wide = [3 + random.integer(14), 3 + random.integer(14)];
    const narrow = wide.map((size, axis) => size + window.begins[axis]! + window.ends[axis]! - 2);
    const [xDims, upstreamDims] = [[batch, channels, ...wide], [batch, outputs, ...narrow]];
    const weightDims = [outputs, channels, 3, 3];
    const own = {
      x: input(`x${index}`, xDims),
      xDims,
      upstream: input(`y${index}`, upstreamDims),
      upstreamDims,
      weight: input(`w${index}`, weightDims),
      weightDims,
      window,
      type: "float32" as const,
    };
    const what = JSON.stringify(own);
    const tiled = { window, wide: xDims, narrow: upstreamDims, type: own.type };
    pairs.push({
      a: output(weightGradient(emit, own, "tiles")),
      b: output(weightGradient(emit, own, "columns")),
      what: `by weights: ${what}`,
    }, {
      a: output(scatterWindows(emit, own, "tiles")),
      b: output(scatterWindows(emit, own, "transposed")),
      what: `by input: ${what}`,
    }, {
      a: output(convolveTiles(emit, own.x, own.weight, tiled)),
      b: output(emit.op("Conv", [own.x, own.weight], {
        kernel_shape: window.kernel,
        pads: [...window.begins, ...window.ends],
      })),
      what: `forward: ${what}`,
    });
  }
  const model = builder.build();
  model.opsets.set("com.microsoft", 1);
  await using session = await openSession(model, { optimization: "basic" });
  const results = await session.run(feeds);
  for (const { a, b, what } of pairs) assertClose(results[a]!, results[b]!, 1e-5, what);
});

Deno.test("tiles are chosen for many channels in images that are not large", () => {
  const formulations = (channels: number, size: number, native = true) => {
    const dims = [16, channels, size, size];
    const window = {
      kernel: [3, 3],
      strides: [1, 1],
      dilations: [1, 1],
      begins: [1, 1],
      ends: [1, 1],
      group: 1,
    };
    const emit = new Emitter(new GraphBuilder().graph(), "grad", { native });
    const problem = {
      x: "x",
      xDims: dims,
      upstream: "y",
      upstreamDims: dims,
      weight: "w",
      weightDims: [channels, channels, 3, 3],
      window,
      type: "float32" as const,
    };
    return [weightFormulation(emit, problem), inputFormulation(emit, problem)];
  };
  assert.deepEqual(formulations(64, 8), ["tiles", "tiles"]);
  assert.deepEqual(formulations(512, 7), ["tiles", "tiles"]);
  assert.equal(formulations(32, 16)[0], "tiles");
  assert.notEqual(formulations(32, 16)[1], "tiles");
  assert.ok(!formulations(16, 32).includes("tiles"));
  assert.ok(!formulations(64, 112).includes("tiles"));
  assert.ok(
    !formulations(64, 8, false).includes("tiles"),
    "only where ONNX Runtime runs the graph",
  );
});

/** Elementwise, in shares of the largest element that is expected. */
function assertClose(found: Tensor, wanted: Tensor, share: number, what: string): void {
  assert.deepEqual([...found.dims], [...wanted.dims], what);
  const largest = (wanted.data as Float32Array).reduce(
    (top, each) => Math.max(top, Math.abs(each)),
    0,
  );
  assert.ok(largest > 0, what);
  (found.data as Float32Array).forEach((value, index) =>
    assert.ok(Math.abs(value - Number(wanted.data[index])) < share * largest, what)
  );
}
