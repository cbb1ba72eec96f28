/**
 * A small residual network, its quantized forms, and items to reconstruct it from.
 *
 * @module
 */

import { Random } from "../../../src/base/random.ts";
import { runWithIntermediates } from "../../../src/engine/intermediates.ts";
import { GraphBuilder } from "../../../src/onnx/build.ts";
import type { Model } from "../../../src/onnx/model.ts";
import { elementCount, float32, type Tensor } from "../../../src/onnx/tensor.ts";
import { applyQuantization, raiseOpset } from "../../../src/quant/apply.ts";
import { constantValue } from "../../../src/onnx/edit.ts";
import {
  grid,
  parametersFromRange,
  type QuantizationParameters,
  tensorParameters,
} from "../../../src/quant/grid.ts";
import { placeQuantizers } from "../../../src/quant/placement.ts";
import type { QuantizedWeights } from "../../../src/quant/qdq.ts";
import { quantizeWeights } from "../../../src/quant/weights.ts";

/** Shape of an item. */
export const ITEM = [3, 8, 8];

/** A convolution, a residual block, a depthwise one and a classifier. */
export function residualNetwork(): Model {
  const random = Random.from(3, "weights");
  const builder = new GraphBuilder();
  const normal = (name: string, scale: number, dims: number[]) =>
    builder.constant(
      float32(dims, Array.from({ length: elementCount(dims) }, () => scale * random.normal())),
      name,
    );
  const conv = (name: string, input: string, dims: number[], group = 1) => {
    const scale = Math.sqrt(2 / elementCount(dims.slice(1)));
    const weight = normal(`${name}.w`, scale, dims);
    const bias = normal(`${name}.b`, 0.1, [dims[0]!]);
    const pad = (dims[2]! - 1) / 2;
    return builder.op("Conv", [input, weight, bias], {
      pads: [pad, pad, pad, pad],
      group,
    }, { name });
  };
  const relu = (name: string, input: string) => builder.op("Relu", [input], {}, { name });
  const x = builder.input("x", "float32", ["N", ...ITEM]);
  const stem = relu("stem_relu", conv("stem", x, [8, 3, 3, 3]));
  const inner = relu("inner_relu", conv("block1", stem, [8, 8, 3, 3]));
  const sum = builder.op("Add", [conv("block2", inner, [8, 8, 3, 3]), stem], {}, { name: "sum" });
  const joined = relu("sum_relu", sum);
  const deep = relu("deep_relu", conv("deep", joined, [8, 1, 3, 3], 8));
  const pooled = builder.op("GlobalAveragePool", [deep], {}, { name: "pool" });
  const flat = builder.op("Flatten", [pooled], { axis: 1 }, { name: "flat" });
  const head = builder.op(
    "Gemm",
    [flat, normal("head.w", 1, [5, 8]), normal("head.b", 0.1, [5])],
    { transB: 1 },
    { name: "head" },
  );
  builder.output(head, "float32", ["N", 5]);
  return builder.build();
}

/** Items with smooth structure, as pictures have. */
export function items(count: number, seed = 0): Tensor<"float32"> {
  const random = Random.from(seed, "items");
  const values: number[] = [];
  for (let item = 0; item < count * ITEM[0]!; item++) {
    const [a, b, c] = [random.normal(), random.normal(), random.normal()];
    for (let y = 0; y < 8; y++) {
      for (let x = 0; x < 8; x++) {
        values.push(a + Math.sin(b * x + c * y) + 0.2 * random.normal());
      }
    }
  }
  return float32([count, ...ITEM], values);
}

/** The network with weights of some bits and, where given, activations of some bits. */
export async function quantized(
  float: Model,
  bits: number,
  activations?: number,
): Promise<Model> {
  const model = raiseOpset(float, [bits, activations ?? 8], "container");
  const placement = placeQuantizers(model);
  const ranges = new Map<string, QuantizationParameters>();
  if (activations !== undefined) {
    const points = placement.points.filter(({ role }) => role !== "repeat");
    const values = points.map(({ value }) => value);
    await runWithIntermediates(float, values, () => [{ x: items(32) }], (found) => {
      for (const [name, { data }] of Object.entries(found)) {
        const numbers = [...data as Float32Array];
        const range = parametersFromRange(
          Math.min(...numbers),
          Math.max(...numbers),
          grid(activations),
        );
        ranges.set(name, tensorParameters(range, grid(activations)));
      }
    });
  }
  const weights = new Map(placement.layers.map((layer) => {
    const tensor = constantValue(model.graph, layer.weight)!;
    const { values, parameters } = quantizeWeights(tensor, {
      bits,
      symmetric: false,
      granularity: "channel",
      axis: layer.axes.channel,
      range: "mse",
    });
    const result: QuantizedWeights = { values, parameters, dims: tensor.dims, bits };
    return [layer, result];
  }));
  applyQuantization(model, placement, {
    encoding: "container",
    integerBias: true,
    activations: ranges,
    weights,
  });
  return model;
}
