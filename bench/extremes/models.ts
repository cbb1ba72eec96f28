/**
 * Small pairs of models that are made for mistakes of bounds to show.
 *
 * @module
 */

import type { Random } from "../../src/base/random.ts";
import { GraphBuilder } from "../../src/onnx/build.ts";
import type { Model } from "../../src/onnx/model.ts";
import { float32, tensor } from "../../src/onnx/tensor.ts";
import { type Box, box } from "../../src/verify/box.ts";

const { fround } = Math;

/** One of some. */
export function pick<T>(random: Random, from: readonly T[]): T {
  return from[random.integer(from.length)]!;
}

interface Grid {
  /** One, or one a neuron. */
  readonly scales: readonly number[];
  readonly zero: number;
  readonly type: "int8" | "uint8";
}

interface Layer {
  readonly rows: number;
  readonly columns: number;
  readonly weights: readonly [original: readonly number[], copy: readonly number[]];
  readonly offsets: readonly [original: readonly number[], copy: readonly number[]];
  /** Weights of a way from the input past the layers in front. */
  readonly skip: readonly number[] | undefined;
  /** What the copy rounds to. */
  readonly grid: Grid | undefined;
}

/** Where 0 is on a grid: at an end, or between. */
const ZEROS = [
  { zero: 0, type: "uint8" },
  { zero: 255, type: "uint8" },
  { zero: 128, type: "uint8" },
  { zero: -128, type: "int8" },
  { zero: 127, type: "int8" },
  { zero: 0, type: "int8" },
] as const;

/**
 * Layers of a few Relus: with neurons that are always 0, the same or opposite to one another, weights that are 0, powers of
 * two, tiny or huge, copies from equal to unrelated, and grids of all sizes whose ends, steps and ties are in reach.
 *
 * @param inputs Of the models.
 */
export function modelsOf(random: Random, inputs: number): [Model, Model] {
  const depth = 1 + random.integer(3);
  const sizes = pick(random, [
    () => 2 ** (random.integer(40) - 20),
    () => 2 ** -60,
    () => 2 ** -120,
    () => 2 ** 70,
    () => 1,
    () => 1,
  ]);
  const rounds = random.integer(3) === 0;
  const near = pick(random, [0, 1e-7, 1e-3, 0.05, 1]);
  const number = () =>
    pick(random, [
      () => 0,
      () => pick(random, [1, -1, 2, -0.5]),
      () => 2 ** (random.integer(20) - 10) * (random.integer(2) === 0 ? 1 : -1),
      ...new Array<() => number>(7).fill(() => random.normal()),
    ])();
  const moved = (x: number) =>
    pick(random, [
      () => x,
      () => fround(x * (1 + near)),
      () => fround(x * (1 + near * random.normal())),
    ])();
  const layers: Layer[] = [];
  for (let at = 0, columns = inputs; at <= depth; at++) {
    const rows = at === depth ? 1 + random.integer(2) : 1 + random.integer(7);
    const size = sizes();
    const weights = Array.from({ length: rows * columns }, () => fround(size * number()));
    const offsets = Array.from(
      { length: rows },
      () => fround(pick(random, [0, size * number(), 1e-3 * number(), 0])),
    );
    if (rows > 1 && random.integer(3) === 0) {
      const factor = pick(random, [1, -1, 0]);
      for (let column = 0; column < columns; column++) {
        weights[columns + column] = fround(factor * weights[column]!);
      }
      offsets[1] = fround(factor * offsets[0]!);
    }
    const isRounded = rounds && at < depth && random.integer(3) > 0;
    const scales = [0.5, 0.25, 1, 0.1, 3, 2 ** -6, 0.03, 2 ** -130, 2 ** 40];
    const grid = isRounded && {
      scales: Array.from(
        { length: random.integer(2) === 0 ? rows : 1 },
        () => fround(pick(random, [...scales, Math.max(size * 0.1, 2 ** -149)])),
      ),
      ...pick(random, ZEROS),
    };
    layers.push({
      rows,
      columns,
      weights: [weights, random.integer(5) === 0 ? weights : weights.map(moved)],
      offsets: [offsets, offsets.map(moved)],
      skip: at > 0 && random.integer(4) === 0
        ? Array.from({ length: inputs * rows }, () => fround(number()))
        : undefined,
      grid: grid || undefined,
    });
    columns = rows;
  }
  const onInput = rounds && random.integer(3) === 0
    ? { scales: [fround(pick(random, [0.5, 0.25, 1, 0.1]))], ...ZEROS[2] }
    : undefined;
  return [built(inputs, layers, onInput, 0), built(inputs, layers, onInput, 1)];
}

function built(
  inputs: number,
  layers: readonly Layer[],
  onInput: Grid | undefined,
  which: 0 | 1,
): Model {
  const b = new GraphBuilder();
  const x = b.input("x", "float32", [1, inputs]);
  const rounded = (value: string, grid: Grid | undefined) =>
    grid === undefined || which === 0 ? value : rounding(b, value, grid);
  let value = rounded(x, onInput);
  layers.forEach(({ rows, columns, weights, offsets, skip, grid }, at) => {
    value = b.op("Gemm", [
      value,
      b.constant(float32([rows, columns], weights[which])),
      b.constant(float32([rows], offsets[which])),
    ], { transB: 1 });
    if (skip !== undefined) {
      value = b.op("Add", [value, b.op("MatMul", [x, b.constant(float32([inputs, rows], skip))])]);
    }
    if (at < layers.length - 1) value = rounded(b.op("Relu", [value]), grid);
  });
  b.output(value);
  return b.build({ opset: 17 });
}

function rounding(b: GraphBuilder, value: string, { scales, zero, type }: Grid): string {
  const dims = scales.length === 1 ? [] : [scales.length];
  const zeros = type === "int8"
    ? tensor(type, dims, new Int8Array(scales.length).fill(zero))
    : tensor(type, dims, new Uint8Array(scales.length).fill(zero));
  const grid = [b.constant(float32(dims, scales)), b.constant(zeros)];
  const levels = b.op("QuantizeLinear", [value, ...grid], { axis: 1 });
  return b.op("DequantizeLinear", [levels, ...grid], { axis: 1 });
}

/** A box: of some width, of none, or of that of one number next to another; sides can end at 0, from either side. */
export function boxOf(random: Random, inputs: number): Box {
  const width = pick(random, [
    () => 0,
    () => 2 ** -149,
    () => 2 ** -30,
    () => pick(random, [0, 1]),
    () => 2 * random.uniform(),
    () => 0.5,
    () => 1e-3 * random.uniform(),
  ]);
  const lower: number[] = [], upper: number[] = [];
  for (let at = 0; at < inputs; at++) {
    const from = fround(pick(random, [0, 1, -1, 0.5, 0.25, 0.75, 1.25, random.normal()]));
    const to = Math.max(fround(from + width()), from);
    const [least, most] = pick(random, [
      ...new Array<[number, number]>(6).fill([from, to]),
      [-0, Math.max(to, 0)],
      [Math.min(from, 0), 0],
    ]);
    lower.push(least);
    upper.push(most);
  }
  return box(lower, upper);
}
