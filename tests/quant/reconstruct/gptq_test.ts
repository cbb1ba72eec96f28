import assert from "node:assert/strict";
import { Random } from "../../../src/base/random.ts";
import { getInt, getInts } from "../../../src/onnx/attributes.ts";
import { GraphBuilder } from "../../../src/onnx/build.ts";
import type { Node } from "../../../src/onnx/model.ts";
import { elementCount, float32 } from "../../../src/onnx/tensor.ts";
import { inverseFactor } from "../../../src/quant/reconstruct/gptq/factor.ts";
import { momentsOf } from "../../../src/quant/reconstruct/gptq/hessian.ts";
import { roundLayer } from "../../../src/quant/reconstruct/gptq/round.ts";
import { ItemStorage } from "../../../src/quant/reconstruct/item_values.ts";
import { type Layer, matchLayers, nearest } from "../../../src/quant/reconstruct/layers.ts";
import { quantized, residualNetwork } from "./network.ts";

const random = Random.from(11, "test");
const pieces = { threads: 1, signal: new AbortController().signal };

/** A random symmetric positive definite matrix. */
function positive(size: number): Float64Array {
  const a = Float64Array.from({ length: size * size }, () => random.normal());
  const h = new Float64Array(size * size);
  for (let i = 0; i < size; i++) {
    for (let j = 0; j < size; j++) {
      for (let k = 0; k < size; k++) h[i * size + j]! += a[i * size + k]! * a[j * size + k]!;
    }
    h[i * size + i]! += 0.1;
  }
  return h;
}

Deno.test("U is upper triangular, and Uᵀ U is the inverse", () => {
  for (const size of [1, 2, 7, 20]) {
    const h = positive(size);
    const u = inverseFactor(h.slice(), size);
    for (let i = 0; i < size; i++) {
      for (let j = 0; j < i; j++) assert.equal(u[i * size + j], 0);
      for (let j = 0; j < size; j++) {
        let sum = 0;
        for (let k = 0; k < size; k++) {
          for (let m = 0; m < size; m++) {
            sum += h[i * size + k]! * u[m * size + k]! * u[m * size + j]!;
          }
        }
        assert.ok(Math.abs(sum - (i === j ? 1 : 0)) < 1e-8, `${size}: ${sum} at ${i}, ${j}`);
      }
    }
  }
  assert.throws(() => inverseFactor(Float64Array.of(0), 1), RangeError);
});

/** Moments by plain loops over places, kernel positions and channels. */
function plainMoments(
  node: Node,
  dims: number[],
  x: Float32Array,
  [n, c, height, width]: number[],
) {
  const groups = getInt(node, "group", 1);
  const [top, left, bottom, right] = getInts(node, "pads", [0, 0, 0, 0]) as [
    number,
    number,
    number,
    number,
  ];
  const [sy, sx] = getInts(node, "strides", [1, 1]) as [number, number];
  const [dy, dx] = getInts(node, "dilations", [1, 1]) as [number, number];
  const [, channels, kh, kw] = dims as [number, number, number, number];
  const size = channels * kh * kw;
  const sums = new Float64Array(groups * size * size);
  const rows = Math.floor((height! + top + bottom - (kh - 1) * dy - 1) / sy) + 1;
  const columns = Math.floor((width! + left + right - (kw - 1) * dx - 1) / sx) + 1;
  for (let item = 0; item < n!; item++) {
    for (let g = 0; g < groups; g++) {
      for (let oy = 0; oy < rows; oy++) {
        for (let ox = 0; ox < columns; ox++) {
          const patch: number[] = [];
          for (let channel = 0; channel < channels; channel++) {
            for (let ky = 0; ky < kh; ky++) {
              for (let kx = 0; kx < kw; kx++) {
                const y = oy * sy + ky * dy - top;
                const z = ox * sx + kx * dx - left;
                const inside = y >= 0 && y < height! && z >= 0 && z < width!;
                const at = ((item * c! + g * channels + channel) * height! + y) * width! + z;
                patch.push(inside ? x[at]! : 0);
              }
            }
          }
          for (let i = 0; i < size; i++) {
            for (let j = 0; j < size; j++) {
              sums[(g * size + i) * size + j]! += patch[i]! * patch[j]!;
            }
          }
        }
      }
    }
  }
  return sums;
}

Deno.test("Moments of patches are those of plain loops, for every kind of convolution", async () => {
  const cases: [number[], Record<string, number | number[]>][] = [
    [[4, 4, 3, 3], { pads: [1, 1, 1, 1] }],
    [[4, 4, 3, 2], { strides: [2, 1], pads: [0, 1, 1, 0] }],
    [[4, 2, 3, 3], { group: 2, dilations: [2, 1] }],
    [[4, 1, 3, 3], { group: 4, pads: [1, 1, 1, 1], strides: [2, 2] }],
    [[6, 4, 1, 1], {}],
    // So many that the matrices are made in blocks.
    [[1, 40, 3, 3], { pads: [1, 1, 1, 1] }],
    [[2, 20, 3, 3], { group: 2 }],
  ];
  using storage = new ItemStorage(1e6);
  for (const [dims, attributes] of cases) {
    const groups = typeof attributes.group === "number" ? attributes.group : 1;
    const shape = [3, dims[1]! * groups, 7, 6];
    const x = float32(shape, Array.from({ length: elementCount(shape) }, () => random.normal()));
    const builder = new GraphBuilder();
    builder.op("Conv", [builder.input("x", "float32"), builder.input("w", "float32")], attributes);
    const node = builder.graph().nodes[0]!;
    const values = storage.allocate(x, 3);
    values.write(0, x);
    const { sums } = await momentsOf(node, dims, values, pieces);
    const expected = plainMoments(node, dims, x.data, shape);
    assert.equal(sums.length, expected.length);
    sums.forEach((sum, index) => assert.ok(Math.abs(sum - expected[index]!) < 1e-3));
  }
});

/** Weighted error of integers: tr (Ŵ − W) H (Ŵ − W)ᵀ. */
function weightedError(
  layer: Layer,
  values: ArrayLike<number>,
  h: Float64Array,
  size: number,
): number {
  const { float, scaleOf, parameters: { scale, zeroPoint } } = layer;
  let error = 0;
  const d = float.map((weight, index) => {
    const where = scaleOf[index]!;
    return (values[index]! - zeroPoint[where]!) * scale[where]! - weight;
  });
  for (let row = 0; row < float.length / size; row++) {
    for (let i = 0; i < size; i++) {
      for (let j = 0; j < size; j++) {
        error += d[row * size + i]! * h[i * size + j]! * d[row * size + j]!;
      }
    }
  }
  return error;
}

Deno.test("Rounding by columns is rounding to nearest where inputs are independent, and better where not", async () => {
  const float = residualNetwork();
  for (const bits of [2, 3, 4]) {
    const { layers } = matchLayers(await quantized(float, bits), float, "float");
    const layer = layers.find(({ name }) => name === "block1")!;
    const size = 72;
    const identity = new Float64Array(size * size);
    for (let index = 0; index < size; index++) identity[index * size + index] = 2;
    assert.deepEqual(roundLayer(layer, { groups: 1, size, sums: identity }, 0.01), nearest(layer));
    const h = positive(size);
    const values = roundLayer(layer, { groups: 1, size, sums: h }, 0.01);
    const ours = weightedError(layer, values, h, size);
    const plain = weightedError(layer, nearest(layer), h, size);
    assert.ok(ours < 0.6 * plain, `${ours} against ${plain} at ${bits} bits`);
  }
});
