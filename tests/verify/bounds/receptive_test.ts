import assert from "node:assert/strict";
import { Random } from "../../../src/base/random.ts";
import { GraphBuilder } from "../../../src/onnx/build.ts";
import type { Model } from "../../../src/onnx/model.ts";
import { elementCount, float32, tensor } from "../../../src/onnx/tensor.ts";
import type { Propagated } from "../../../src/verify/bounds/engine.ts";
import { GraphEngine } from "../../../src/verify/bounds/graphs/engine.ts";
import { Propagator } from "../../../src/verify/bounds/propagate.ts";
import { FieldBuilder } from "../../../src/verify/bounds/receptive/field.ts";
import { groupsOf } from "../../../src/verify/bounds/receptive/groups.ts";
import { FieldThread } from "../../../src/verify/bounds/receptive/threads.ts";
import { hasFields } from "../../../src/verify/bounds/receptive/engine.ts";
import { allRows, type Rows, rowsOf } from "../../../src/verify/bounds/rows.ts";
import { valuesOf } from "../../../src/verify/network/evaluate.ts";
import { type PairedNetwork, sizeOf } from "../../../src/verify/network/network.ts";
import { pairModels } from "../../../src/verify/network/pair.ts";

type Image = { readonly value: string; readonly dims: readonly [number, number, number] };

/** Builds the same random network twice, the second time with other weights and with grids. */
class Builder extends GraphBuilder {
  readonly random: Random;
  readonly #errors: Random | undefined;
  readonly #weights: Random;

  constructor(seed: number, isCopy: boolean) {
    super();
    this.random = Random.from(seed, "structure");
    this.#weights = Random.from(seed, "weights");
    this.#errors = isCopy ? Random.from(seed, "errors") : undefined;
  }

  weights(dims: readonly number[], scale: number): string {
    return this.constant(float32(
      dims,
      Array.from({ length: elementCount(dims) }, () => {
        const value = this.#weights.normal() * scale;
        return value + 0.1 * scale * (this.#errors?.normal() ?? 0);
      }),
    ));
  }

  pick<T>(...list: readonly T[]): T {
    return list[Math.floor(this.random.uniform() * list.length)]!;
  }

  convolution({ value, dims: [channels, height, width] }: Image): Image {
    const groups = this.pick(1, 1, channels % 2 === 0 ? 2 : 1, channels);
    const outputs = groups * this.pick(1, 2, 3);
    const kernel = [this.pick(1, 2, 3), this.pick(2, 3)] as const;
    const strides = [this.pick(1, 1, 2), this.pick(1, 1, 2)] as const;
    const dilations = [this.pick(1, 2), this.pick(1, 1, 2)] as const;
    const pads = [0, 1, 2, 3].map(() => this.pick(0, 1, 2));
    const inputs = channels / groups;
    const scale = Math.sqrt(2 / (inputs * kernel[0] * kernel[1]));
    const conv = this.op("Conv", [
      value,
      this.weights([outputs, inputs, ...kernel], scale),
      this.weights([outputs], 0.3),
    ], { group: groups, strides: [...strides], dilations: [...dilations], pads });
    const size = (axis: 0 | 1, given: number) =>
      Math.floor(
        (given + pads[axis]! + pads[axis + 2]! - (kernel[axis] - 1) * dilations[axis] - 1) /
          strides[axis],
      ) + 1;
    return { value: conv, dims: [outputs, size(0, height), size(1, width)] };
  }

  /** A convolution that keeps the size, added to what it reads. */
  residual({ value, dims }: Image): Image {
    const [channels] = dims;
    const conv = this.op("Conv", [
      value,
      this.weights([channels, channels, 3, 3], Math.sqrt(1 / (9 * channels))),
    ], { pads: [1, 1, 1, 1] });
    return { value: this.op("Add", [conv, value]), dims };
  }

  activation({ value, dims }: Image): Image {
    const kind = this.pick("Relu", "Relu", "Relu", "LeakyRelu", "Sigmoid", "Clip");
    const inputs = kind === "Clip" ? [value, this.constant(0), this.constant(1)] : [value];
    return { value: this.op(kind, inputs), dims };
  }

  pool({ value, dims: [channels, height, width] }: Image): Image {
    const kind = this.pick("MaxPool", "AveragePool");
    const pads = kind === "MaxPool" ? [0, 0, 0, 0] : [1, 0, 0, 1];
    const made = this.op(kind, [value], { kernel_shape: [2, 2], strides: [2, 1], pads });
    const down = Math.floor((height + pads[0]! - 2) / 2) + 1;
    return { value: made, dims: [channels, down, width + pads[3]! - 1] };
  }

  /** A constant for every element: offsets that differ from place to place. */
  shifted({ value, dims }: Image): Image {
    return { value: this.op("Add", [value, this.weights([1, ...dims], 0.2)]), dims };
  }

  rounded({ value, dims }: Image): Image {
    if (this.#errors === undefined) return { value, dims };
    const [scale, zero] = [
      this.constant(tensor("float32", [], Float32Array.of(0.05))),
      this.constant(tensor("uint8", [], Uint8Array.of(40))),
    ];
    const quantized = this.op("QuantizeLinear", [value, scale, zero]);
    return { value: this.op("DequantizeLinear", [quantized, scale, zero]), dims };
  }
}

function randomPair(seed: number): PairedNetwork {
  const build = (isCopy: boolean): Model => {
    const b = new Builder(seed, isCopy);
    const dims = [b.pick(1, 2), b.pick(7, 8), b.pick(6, 7)] as const;
    let image: Image = { value: b.input("x", "float32", [1, ...dims]), dims };
    image = b.activation(b.convolution(image));
    for (let layer = 0; layer < 3; layer++) {
      const [, height, width] = image.dims;
      const kind = b.pick("convolution", "residual", "residual", "pool", "shifted");
      if (kind === "pool") image = b.pool(image);
      else if (kind === "shifted") image = b.shifted(image);
      else if (kind === "residual" || Math.min(height, width) < 5) image = b.residual(image);
      else image = b.convolution(image);
      if (b.pick(true, true, false)) {
        image = b.activation(image);
        if (b.pick(true, false)) image = b.rounded(image);
      }
    }
    image = b.residual(image);
    const size = elementCount(image.dims);
    const flat = b.op("Relu", [b.op("Flatten", [image.value])]);
    const hidden = b.op("Relu", [b.op("Gemm", [flat, b.weights([size, 40], 0.2)])]);
    b.output(b.op("Gemm", [hidden, b.weights([40, 3], 0.3)]));
    return b.build({ opset: 17 });
  };
  return pairModels(build(false), build(true));
}

/** Counts the rows that graphs are asked for. */
function watchGraphs() {
  const { prototype } = GraphEngine;
  const { rows } = prototype;
  const seen = { count: 0, [Symbol.dispose]: () => prototype.rows = rows };
  prototype.rows = function (request) {
    seen.count++;
    return rows.call(this, request);
  };
  return seen;
}

/** Counts the fields that are made. */
function watchFields() {
  const { prototype } = FieldBuilder;
  const { build } = prototype;
  const seen = { count: 0, [Symbol.dispose]: () => prototype.build = build };
  prototype.build = function (...given) {
    seen.count++;
    return build.apply(this, given);
  };
  return seen;
}

/** Counts the groups of rows that other threads are asked for. */
function watchThreads() {
  const { prototype } = FieldThread;
  const { ask } = prototype;
  const seen = { groups: 0, [Symbol.dispose]: () => prototype.ask = ask };
  prototype.ask = function (target, groups) {
    seen.groups += groups.length;
    return ask.call(this, target, groups);
  };
  return seen;
}

/** Some rows of every box. */
function someRows(random: Random, boxes: number, size: number): Rows {
  const wanted = new Uint8Array(2 * boxes * size);
  for (let at = 0; at < wanted.length; at++) wanted[at] = random.uniform() < 0.6 ? 1 : 0;
  return rowsOf(boxes, size, wanted);
}

/**
 * The same with ways to relax that are not equally good: otherwise roundings decide, and ways that are as good here lead
 * to other bounds. These numbers decide, and do nothing else.
 */
function decided(random: Random, state: Propagated): Propagated {
  const changed = (numbers: Float64Array) => numbers.map((each) => each + 1e-9 * random.normal());
  const relaxations = new Map([...state.relaxations].map(([value, relaxation]) => {
    const { aValue, bValue, gValue } = relaxation;
    const values = { aValue: changed(aValue), bValue: changed(bValue), gValue: changed(gValue) };
    return [value, { ...relaxation, ...values }];
  }));
  return { ...state, relaxations };
}

Deno.test("rows through receptive fields are those of graphs", async () => {
  const kinds = new Set<string>();
  let compared = 0;
  for (let seed = 0; seed < 7; seed++) {
    const network = randomPair(seed);
    assert.ok(hasFields(network));
    await using fields = new Propagator(network);
    await using graphs = new Propagator(network, { engine: "graphs" });
    const random = Random.from(seed, "boxes");
    const inputs = network.input.size;
    const lower = Float64Array.from({ length: 2 * inputs }, () => random.normal());
    const batch = { count: 2, lower, upper: lower.map((each) => each + 0.1 * random.uniform()) };
    const state = decided(random, await graphs.propagate(batch, "differences"));
    const targets = [...fields.network.steps.entries()].filter(([, { kind, size }]) =>
      kind === "affine" && size >= 40
    );
    // Opening graphs takes most of the time.
    for (const [at, step] of [targets[seed % targets.length]!, ...targets.slice(-2)]) {
      if (step.kind !== "affine") continue;
      for (const each of fields.network.steps.slice(0, at + 1)) {
        if (each.kind !== "affine") kinds.add(each.kind);
        else for (const { map } of each.terms) kinds.add(map.original.kind);
      }
      const rows = someRows(random, 2, step.size);
      for (const view of ["z", "y", "joint"] as const) {
        const wanted = (await graphs.boundRows(at + 1, view, rows, state)).bounds;
        using watched = watchGraphs();
        const found = (await fields.boundRows(at + 1, view, rows, state)).bounds;
        assert.equal(watched.count, 0, "these rows are not left to graphs");
        const size = wanted.reduce(
          (most, each, row) => rows.sign[row] === 0 ? most : Math.max(most, Math.abs(each)),
          0,
        );
        rows.sign.forEach((sign, row) => {
          if (sign === 0) return;
          compared++;
          const difference = Math.abs(found[row]! - wanted[row]!);
          assert.ok(
            difference <= 1e-12 * size,
            `seed ${seed}, value ${at + 1}, ${view}, row ${row}: ${found[row]} is not ${
              wanted[row]
            }`,
          );
        });
      }
    }
  }
  assert.ok(compared > 5_000, `${compared} rows`);
  for (
    const kind of ["convolution", "identity", "diagonal", "index", "dense", "quantize", "sigmoid"]
  ) {
    assert.ok(kinds.has(kind), `no ${kind} was in a field`);
  }
});

Deno.test("values of both networks and their differences are within bounds", async () => {
  for (const seed of [4, 9]) {
    const network = randomPair(seed);
    await using fields = new Propagator(network);
    const random = Random.from(seed, "box");
    const lower = Float64Array.from({ length: network.input.size }, () => random.normal());
    const upper = lower.map((each) => each + 0.5);
    using watched = watchFields();
    const { bounds } = await fields.propagate({ count: 1, lower, upper }, "differences");
    assert.ok(watched.count > 0, `seed ${seed}: no row took a field`);
    for (let point = 0; point < 40; point++) {
      const isCorner = point % 2 === 0;
      const x = lower.map((each) => {
        const share = random.uniform();
        return each + 0.5 * (isCorner ? Math.round(share) : share);
      });
      const z = valuesOf(fields.network, "original", x);
      const y = valuesOf(fields.network, "quantized", x);
      for (const [value, known] of bounds) {
        z[value]!.forEach((a, at) => {
          const b = y[value]![at]!;
          const slack = 1e-12 * (1 + Math.abs(a) + Math.abs(b));
          const inside = a >= known.zLower[at]! - slack && a <= known.zUpper[at]! + slack &&
            b >= known.yLower[at]! - slack && b <= known.yUpper[at]! + slack &&
            a - b >= known.eLower[at]! - slack && a - b <= known.eUpper[at]! + slack;
          assert.ok(inside, `seed ${seed}, value ${value}, element ${at}`);
        });
      }
    }
  }
});

Deno.test("threads find the same bounds", async () => {
  const build = (isCopy: boolean) => {
    const b = new Builder(1, isCopy);
    const convolve = (value: string, inputs: number) =>
      b.op("Relu", [
        b.op("Conv", [value, b.weights([16, inputs, 3, 3], Math.sqrt(2 / (9 * inputs)))], {
          pads: [1, 1, 1, 1],
        }),
      ]);
    const x = b.input("x", "float32", [1, 1, 18, 18]);
    b.output(b.op("Flatten", [convolve(convolve(convolve(x, 1), 16), 16)]));
    return b.build({ opset: 17 });
  };
  const network = pairModels(build(false), build(true));
  const random = Random.from(2, "threads");
  const lower = Float64Array.from({ length: 324 }, () => random.normal());
  const batch = { count: 1, lower, upper: lower.map((each) => each + 0.3) };
  using asked = watchThreads();
  const [one, two] = await Promise.all([1, 2].map(async (threads) => {
    await using fields = new Propagator(network, { threads });
    return (await fields.propagate(batch, "differences")).bounds;
  }));
  assert.ok(asked.groups > 10, `${asked.groups} groups`);
  assert.deepEqual(two, one);
});

Deno.test("a thread that cannot bound rows says so", async () => {
  const network = randomPair(0);
  using thread = new FieldThread({
    network,
    folded: new Set(),
    offsets: new Map(),
    unit: 1e-15,
  });
  const group = {
    box: 0,
    elements: Int32Array.of(0),
    rows: Int32Array.of(0),
    places: Int32Array.of(0),
  };
  const wanted = { target: 3, view: "z", sign: Float64Array.of(1) } as const;
  // It knows of no box.
  await assert.rejects(thread.ask(wanted, [group]), Error);
});

Deno.test("rows of one place share a field, and few rows are put together", () => {
  const rows = allRows(1, 12);
  // Three channels of four places: six rows a place.
  const groups = [...groupsOf(rows, 4)];
  assert.deepEqual(groups.map(({ rows }) => rows.length), [12, 12]);
  assert.deepEqual(groups.map(({ elements }) => [...elements].sort((a, b) => a - b)), [
    [0, 1, 4, 5, 8, 9],
    [2, 3, 6, 7, 10, 11],
  ]);
  const seen = groups.flatMap(({ rows, elements, places }) =>
    [...rows].map((row, at) => [row, elements[places[at]!]!] as const)
  );
  assert.equal(new Set(seen.map(([row]) => row)).size, 24);
  for (const [row, element] of seen) assert.equal(element, rows.index[row]);
});

Deno.test("networks without convolutions have no fields", () => {
  const builder = new GraphBuilder();
  const x = builder.input("x", "float32", [1, 3]);
  builder.output(builder.op("Gemm", [x, builder.constant(float32([3, 2], [1, 2, 3, 4, 5, 6]))]));
  const model = builder.build({ opset: 17 });
  const network = pairModels(model, model);
  assert.equal(sizeOf(network, network.output), 2);
  assert.equal(hasFields(network), false);
});
