import assert from "node:assert/strict";
import { getInt, getInts } from "../../src/onnx/attributes.ts";
import { fromFloat16 } from "../../src/onnx/float16.ts";
import type { Node } from "../../src/onnx/model.ts";
import { readModel } from "../../src/onnx/read.ts";
import { elementCount, type Tensor } from "../../src/onnx/tensor.ts";
import { decodeTensor } from "../../src/onnx/tensor_proto.ts";
import {
  dequantize,
  type Grid,
  grid,
  parametersFromRange,
  type QuantizationParameters,
  quantize,
  tensorParameters,
} from "../../src/quant/grid.ts";
import { pack } from "../../src/quant/pack.ts";
import { extent } from "../../src/quant/histogram.ts";
import { integerValues, typeRange } from "../../src/quant/qdq/storage.ts";
import { sharedData, testWithSharedData } from "../shared_data.ts";

/** Cases over types that no grid of integers has. */
const EXCEPTED = [
  "test_dequantizelinear_e4m3fn",
  "test_dequantizelinear_e4m3fn_float16",
  "test_dequantizelinear_e4m3fn_zero_point",
  "test_dequantizelinear_e5m2",
  "test_dequantizelinear_float4e2m1",
  "test_quantizelinear_e4m3fn",
  "test_quantizelinear_e5m2",
  "test_quantizelinear_float4e2m1",
];

function integersOf(tensor: Tensor): Int32Array {
  return Int32Array.from(integerValues(tensor));
}

function gridOf(type: Tensor["type"]): Grid {
  const range = typeRange(type)!;
  return grid(range.bits, { signed: range.signed });
}

function floats({ type, data }: Tensor): Float32Array {
  return type === "float16" ? fromFloat16(data as Uint16Array) : data as Float32Array;
}

function parametersOf(
  node: Node,
  scale: Tensor,
  zeroPoint: Tensor | undefined,
  type: Tensor["type"],
  rank: number,
): QuantizationParameters {
  const blockSize = getInt(node, "block_size", 0);
  const axis = getInt(node, "axis", 1);
  const single = elementCount(scale.dims) === 1;
  return {
    scale: floats(scale),
    zeroPoint: zeroPoint === undefined
      ? new Int32Array(elementCount(scale.dims))
      : integersOf(zeroPoint),
    grid: gridOf(type),
    ...(single ? {} : { axis: rank === 1 ? 0 : axis }),
    ...(blockSize > 0 && { blockSize }),
  };
}

function assertIntegers(actual: ArrayLike<number>, expected: Tensor): void {
  assert.deepEqual(Array.from(actual), Array.from(integersOf(expected)));
  const { bits } = typeRange(expected.type)!;
  if (bits < 8) assert.deepEqual(pack(actual, bits), expected.data);
}

/** Integers minus their zero point. */
function centered(values: Tensor, zeroPoint: Tensor | undefined, perRow = false): Int32Array {
  const zeros = zeroPoint === undefined ? Int32Array.of(0) : integersOf(zeroPoint);
  const width = perRow && zeros.length > 1 ? values.data.length / zeros.length : Infinity;
  return integersOf(values).map((value, index) => value - zeros[Math.floor(index / width)]!);
}

/** A batch of matrix products of integers; the second operand may lack batch dimensions. */
function multiply(
  a: Int32Array,
  b: Int32Array,
  aDims: readonly number[],
  bDims: readonly number[],
) {
  const [rows, inner] = aDims.slice(-2) as [number, number];
  const columns = bDims.at(-1)!;
  const batches = elementCount(aDims.slice(0, -2));
  const product = new Int32Array(batches * rows * columns);
  const bBatch = bDims.length > 2 ? inner * columns : 0;
  for (let batch = 0; batch < batches; batch++) {
    for (let row = 0; row < rows; row++) {
      for (let column = 0; column < columns; column++) {
        let sum = 0;
        for (let k = 0; k < inner; k++) {
          sum += a[(batch * rows + row) * inner + k]! * b[batch * bBatch + k * columns + column]!;
        }
        product[(batch * rows + row) * columns + column] = sum;
      }
    }
  }
  return product;
}

/** A two-dimensional convolution of integers, stride 1, one group. */
function convolve(
  x: Int32Array,
  w: Int32Array,
  xDims: readonly number[],
  wDims: readonly number[],
  pads: readonly number[],
): Int32Array {
  const [batch, channels, height, width] = xDims as [number, number, number, number];
  const [filters, , kernelHeight, kernelWidth] = wDims as [number, number, number, number];
  const [top, left, bottom, right] = pads as [number, number, number, number];
  const rows = height + top + bottom - kernelHeight + 1;
  const columns = width + left + right - kernelWidth + 1;
  const result: number[] = [];
  for (let n = 0; n < batch; n++) {
    for (let f = 0; f < filters; f++) {
      for (let i = 0; i < rows; i++) {
        for (let j = 0; j < columns; j++) {
          let sum = 0;
          for (let c = 0; c < channels; c++) {
            for (let p = 0; p < kernelHeight; p++) {
              for (let q = 0; q < kernelWidth; q++) {
                const [row, column] = [i + p - top, j + q - left];
                if (row < 0 || column < 0 || row >= height || column >= width) continue;
                sum += x[((n * channels + c) * height + row) * width + column]! *
                  w[((f * channels + c) * kernelHeight + p) * kernelWidth + q]!;
              }
            }
          }
          result.push(sum);
        }
      }
    }
  }
  return Int32Array.from(result);
}

/** Rounds the real values of integer sums to a grid: `sum · scaleA · scaleB`. */
function requantize(
  sums: Int32Array,
  scaleA: Tensor,
  scaleB: Tensor,
  scale: Tensor,
  zeroPoint: Tensor,
): ArrayLike<number> {
  const factor = floats(scaleA)[0]! * floats(scaleB)[0]!;
  return quantize(Float32Array.from(sums, (sum) => sum * factor), [sums.length], {
    scale: floats(scale),
    zeroPoint: integersOf(zeroPoint),
    grid: gridOf(zeroPoint.type),
  });
}

type Check = (inputs: readonly Tensor[], outputs: readonly Tensor[], node: Node) => void;

/** By operator: what our functions make of a case's inputs is what the case says. */
const CHECKS: Readonly<Record<string, Check>> = {
  QuantizeLinear([x, scale, zeroPoint], [y], node) {
    const parameters = parametersOf(node, scale!, zeroPoint, y!.type, x!.dims.length);
    assertIntegers(quantize(floats(x!), x!.dims, parameters), y!);
  },
  DequantizeLinear([x, scale, zeroPoint], [y], node) {
    const parameters = parametersOf(node, scale!, zeroPoint, x!.type, x!.dims.length);
    assert.deepEqual(dequantize(integersOf(x!), x!.dims, parameters), floats(y!));
  },
  DynamicQuantizeLinear([x], [y, scale, zeroPoint]) {
    const values = floats(x!);
    const uint8 = grid(8);
    const { min, max } = extent(values);
    const chosen = parametersFromRange(min, max, uint8);
    assert.deepEqual(Float32Array.of(chosen.scale), scale!.data);
    assert.deepEqual(Uint8Array.of(chosen.zeroPoint), zeroPoint!.data);
    assertIntegers(quantize(values, x!.dims, tensorParameters(chosen, uint8)), y!);
  },
  MatMulInteger([a, b, aZero, bZero], [y]) {
    const product = multiply(centered(a!, aZero), centered(b!, bZero), a!.dims, b!.dims);
    assert.deepEqual(product, y!.data);
  },
  ConvInteger([x, w, xZero, wZero], [y], node) {
    const pads = getInts(node, "pads", [0, 0, 0, 0]);
    const sums = convolve(centered(x!, xZero), centered(w!, wZero, true), x!.dims, w!.dims, pads);
    assert.deepEqual(sums, y!.data);
  },
  QLinearMatMul([a, aScale, aZero, b, bScale, bZero, yScale, yZero], [y]) {
    const sums = multiply(centered(a!, aZero), centered(b!, bZero), a!.dims, b!.dims);
    assertIntegers(requantize(sums, aScale!, bScale!, yScale!, yZero!), y!);
  },
  QLinearConv([x, xScale, xZero, w, wScale, wZero, yScale, yZero], [y], node) {
    const pads = getInts(node, "pads", [0, 0, 0, 0]);
    const sums = convolve(centered(x!, xZero), centered(w!, wZero, true), x!.dims, w!.dims, pads);
    assertIntegers(requantize(sums, xScale!, wScale!, yScale!, yZero!), y!);
  },
};

async function runCase(folder: string): Promise<void> {
  const { graph } = await readModel(`${folder}/model.onnx`);
  // The expanded cases spell DynamicQuantizeLinear out as a function's body.
  const isExpanded = folder.endsWith("_expanded");
  const node = graph.nodes[0]!;
  const check = CHECKS[isExpanded ? "DynamicQuantizeLinear" : node.opType];
  assert.ok(check, `No check for ${node.opType}`);
  const tensors = (kind: string, count: number) =>
    Array.from(
      { length: count },
      (_, index) =>
        decodeTensor(Deno.readFileSync(`${folder}/test_data_set_0/${kind}_${index}.pb`)),
    );
  check(tensors("input", graph.inputs.length), tensors("output", graph.outputs.length), node);
}

const root = sharedData("onnx-node-tests");
const cases = root === undefined ? [] : [...Deno.readDirSync(root)].map(({ name }) => name).sort();
for (const name of cases) {
  if (!EXCEPTED.includes(name)) {
    testWithSharedData(`ONNX conformance: ${name}`, `onnx-node-tests/${name}`, runCase);
  }
}

testWithSharedData(
  "ONNX conformance: every case but those over float8 and float4 is tested",
  "onnx-node-tests",
  () => {
    const left = cases.filter((name) => EXCEPTED.includes(name));
    assert.deepEqual(left, EXCEPTED);
    assert.equal(cases.length - left.length, 37);
  },
);
