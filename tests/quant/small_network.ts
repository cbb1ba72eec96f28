/**
 * A small network with every operator that is quantized, and a plan for it made from minima and maxima.
 *
 * @module
 */

import { Random } from "../../src/base/random.ts";
import { runWithIntermediates } from "../../src/engine/intermediates.ts";
import { float } from "../../src/onnx/attributes.ts";
import { GraphBuilder } from "../../src/onnx/build.ts";
import { constantValue } from "../../src/onnx/edit.ts";
import type { Model } from "../../src/onnx/model.ts";
import { elementCount, float32, type Tensor } from "../../src/onnx/tensor.ts";
import { applyQuantization, raiseOpset } from "../../src/quant/apply.ts";
import { elementsByScale, gatherRows } from "../../src/quant/granularity.ts";
import {
  grid,
  parametersFromRange,
  type QuantizationParameters,
  quantize,
  tensorParameters,
} from "../../src/quant/grid.ts";
import {
  type ActivationPlaces,
  placeQuantizers,
  type QuantizableLayer,
} from "../../src/quant/placement.ts";
import type { Encoding, QuantizedWeights } from "../../src/quant/qdq.ts";

/** Input of the network: two items. */
export const INPUT_DIMS = [2, 4, 8, 8];

/** Numbers from −1 to 1 for the network's input. */
export function networkInput(seed = 5): Tensor<"float32"> {
  const random = Random.from(seed, "input");
  const count = elementCount(INPUT_DIMS);
  return float32(INPUT_DIMS, Array.from({ length: count }, () => 2 * random.uniform() - 1));
}

/** Convolutions of all kinds, a residual sum, a Concat, pooling, activations, Gemm, MatMul and a Softmax. */
export function smallNetwork(): Model {
  const random = Random.from(1, "weights");
  const builder = new GraphBuilder();
  const normal = (name: string, scale: number, ...dims: number[]) => {
    const data = Array.from({ length: elementCount(dims) }, () => scale * random.normal());
    return builder.constant(float32(dims, data), name);
  };
  const conv = (
    name: string,
    input: string,
    dims: number[],
    attributes: Record<string, number | readonly number[]> = {},
    bias = true,
  ) => {
    const fan = elementCount(dims.slice(1));
    const inputs = [input, normal(`${name}.weight`, Math.sqrt(2 / fan), ...dims)];
    if (bias) inputs.push(normal(`${name}.bias`, 0.1, dims[0]!));
    return builder.op("Conv", inputs, attributes, { name });
  };
  const op = (opType: string, inputs: string[], name: string, attributes = {}) =>
    builder.op(opType, inputs, attributes, { name });

  const x = builder.input("x", "float32", ["N", 4, 8, 8]);
  const stem = op("Relu", [conv("stem", x, [8, 4, 3, 3], { pads: [1, 1, 1, 1] })], "stem_relu");
  const wide = conv("depthwise", stem, [8, 1, 3, 3], { pads: [1, 1, 1, 1], group: 8 });
  const clipped = op("Clip", [wide, builder.constant(0), builder.constant(6)], "clip");
  const sum = op("Add", [conv("project", clipped, [8, 8, 1, 1], {}, false), stem], "sum");
  const pooled = op("MaxPool", [op("Relu", [sum], "sum_relu")], "pool", {
    kernel_shape: [2, 2],
    strides: [2, 2],
  });
  const left = op("Relu", [conv("left", pooled, [8, 8, 1, 1])], "left_relu");
  const right = op("Relu", [conv("right", pooled, [8, 4, 1, 1], { group: 2 })], "right_relu");
  const joined = op("Concat", [left, right], "joined", { axis: 1 });
  const up = op(
    "ConvTranspose",
    [
      joined,
      normal("up.weight", 0.2, 16, 8, 2, 2),
      normal("up.bias", 0.1, 8),
    ],
    "up",
    { strides: [2, 2] },
  );
  const smooth = op("AveragePool", [up], "smooth", { kernel_shape: [2, 2], strides: [2, 2] });
  const leaky = op("LeakyRelu", [smooth], "leaky", { alpha: float(0.1) });
  const line = op("Reshape", [leaky, builder.constant([0, 8, -1])], "line");
  const conv1d = op("Relu", [conv("conv1d", line, [8, 8, 3])], "conv1d_relu");
  const mean = op("ReduceMean", [conv1d, builder.constant([2])], "mean", { keepdims: 0 });
  const hidden = op(
    "Gemm",
    [
      mean,
      normal("hidden.weight", 0.3, 32, 8),
      normal("hidden.bias", 0.1, 32),
    ],
    "hidden",
    { transB: 1 },
  );
  const gate = op("Mul", [hidden, op("Sigmoid", [hidden], "sigmoid")], "gate");
  const logits = op("MatMul", [gate, normal("logits.weight", 0.3, 32, 12)], "logits");
  builder.output(op("Softmax", [logits], "y", { axis: -1 }), "float32", ["N", 12]);
  return builder.build();
}

/** What to vary. */
export interface PlanOptions {
  readonly weightBits: number;
  /** `none` leaves activations in float. */
  readonly activationBits: number | "none" | "dynamic";
  readonly at?: ActivationPlaces;
  readonly granularity: "tensor" | "channel" | "group";
  readonly encoding: Encoding;
  readonly symmetricWeights?: boolean;
  readonly symmetricActivations?: boolean;
  /** What ranges are taken from; the small network's input unless told. */
  readonly feeds?: Readonly<Record<string, Tensor>>;
}

/** Quantizes a model with ranges from least to greatest value. */
export async function quantizeMinMax(float: Model, options: PlanOptions): Promise<Model> {
  const { weightBits, activationBits, encoding, feeds = { x: networkInput() } } = options;
  const widths = [weightBits, typeof activationBits === "number" ? activationBits : 8];
  const model = raiseOpset(float, widths, encoding);
  const placement = placeQuantizers(model, { at: options.at ?? "operators" });
  const weights = new Map<QuantizableLayer, QuantizedWeights>();
  for (const layer of placement.layers) weights.set(layer, weightsOf(model, layer, options));
  const activations = new Map<string, QuantizationParameters>();
  if (typeof activationBits === "number") {
    const symmetric = options.symmetricActivations ?? false;
    const target = grid(activationBits, { symmetric });
    const observed = new Map<string, QuantizationParameters>();
    const names = [...new Set(placement.points.map(({ group }) => group))];
    await runWithIntermediates(model, names, () => [feeds], (values) => {
      for (const [name, { data }] of Object.entries(values)) {
        const numbers = data as Float32Array;
        const range = parametersFromRange(
          numbers.reduce((a, b) => Math.min(a, b)),
          numbers.reduce((a, b) => Math.max(a, b)),
          target,
        );
        observed.set(name, tensorParameters(range, target));
      }
    });
    for (const { value, group, role } of placement.points) {
      if (role === "source") activations.set(value, observed.get(group)!);
    }
  }
  applyQuantization(model, placement, {
    encoding,
    integerBias: true,
    activations: activationBits === "dynamic" ? "dynamic" : activations,
    weights,
  });
  return model;
}

function weightsOf(model: Model, layer: QuantizableLayer, options: PlanOptions): QuantizedWeights {
  const tensor = constantValue(model.graph, layer.weight) as Tensor<"float32">;
  const symmetric = options.symmetricWeights ?? true;
  const target = grid(options.weightBits, { symmetric, signed: true });
  const flat = options.granularity === "group" && layer.node.opType === "Conv";
  const dims = flat ? [tensor.dims[0]!, elementCount(tensor.dims.slice(1))] : tensor.dims;
  const where = options.granularity === "tensor"
    ? {}
    : options.granularity === "channel"
    ? { axis: layer.axes.channel }
    : { axis: layer.axes.block, blockSize: 16 };
  const ranges = elementsByScale(dims, where).map((rows) => {
    const values = gatherRows(tensor.data, rows);
    const low = values.reduce((a, b) => Math.min(a, b));
    const high = values.reduce((a, b) => Math.max(a, b));
    return parametersFromRange(low, high, target);
  });
  const parameters: QuantizationParameters = {
    scale: Float32Array.from(ranges, ({ scale }) => scale),
    zeroPoint: Int32Array.from(ranges, ({ zeroPoint }) => zeroPoint),
    grid: target,
    ...where,
  };
  return { values: quantize(tensor.data, dims, parameters), dims, parameters, bits: target.bits };
}
