/**
 * What changed in the meaning of standard operators, as rules by operator and version.
 *
 * A version that only allowed more types, or added an attribute or input whose default is the old behaviour, needs no
 * rule. Source: the operator change log of the ONNX standard.
 *
 * @module
 */

import { getFloat, getInt, getInts, getString, int, string } from "./attributes.ts";
import { constantValue } from "./edit.ts";
import type { Node } from "./model.ts";
import { scalar, tensor } from "./tensor.ts";
import type { UpgradeContext } from "./upgrade_context.ts";

/** Rewrites a node, in place, to mean in a version what it meant in the version before. */
export type UpgradeRule = (node: Node, context: UpgradeContext) => void;

/** The rules by operator, each keyed by the first version in which the new meaning holds. */
export const UPGRADE_RULES: Readonly<Record<string, Readonly<Record<number, UpgradeRule>>>> = {
  BatchNormalization: { 9: dropSpatial, 14: refuseTrainingOutputs },
  Clip: { 11: clipBoundsToInputs },
  DFT: { 20: dftAxisToInput },
  Dropout: { 10: refuseFloatMask, 12: dropoutRatioToInput },
  GridSample: { 20: renameGridSampleMode },
  GroupNormalization: {
    21: (node, context) => context.fail(node, "scale and bias became per channel"),
  },
  Hardmax: { 13: flattenAroundSoftmax },
  LogSoftmax: { 13: flattenAroundSoftmax },
  Pad: { 11: padsToInputs },
  ReduceL1: { 18: axesToInput },
  ReduceL2: { 18: axesToInput },
  ReduceLogSum: { 18: axesToInput },
  ReduceLogSumExp: { 18: axesToInput },
  ReduceMax: { 18: axesToInput },
  ReduceMean: { 18: axesToInput },
  ReduceMin: { 18: axesToInput },
  ReduceProd: { 18: axesToInput },
  ReduceSum: { 13: axesToInput },
  ReduceSumSquare: { 18: axesToInput },
  Resize: { 11: resizeCoordinates, 13: dropEmptyResizeInputs },
  RoiAlign: { 16: roiAlignCoordinates },
  Scan: { 9: (node, context) => context.fail(node, "the batch axis was removed") },
  Scatter: { 11: (node) => void (node.opType = "ScatterElements") },
  Slice: { 10: sliceBoundsToInputs },
  Softmax: { 13: flattenAroundSoftmax },
  Split: { 13: splitToInput, 18: countSplitOutputs },
  Squeeze: { 13: axesToInput },
  TopK: { 10: topkToInput },
  Unsqueeze: { 13: axesToInput },
  Upsample: { 9: upsampleScalesToInput, 10: upsampleToResize },
};

/** Operators that mean in every version up to the newest what they meant in opset 7 or when they came later. */
export const UNCHANGED_OPERATORS: ReadonlySet<string> = new Set([
  ...["Abs", "Acos", "Acosh", "Add", "AffineGrid", "And", "ArgMax", "ArgMin", "Asin", "Asinh"],
  ...["Atan", "Atanh", "AveragePool", "Bernoulli", "BitShift", "BitwiseAnd", "BitwiseNot"],
  ...["BitwiseOr", "BitwiseXor", "BlackmanWindow", "Cast", "CastLike", "Ceil", "Celu"],
  ...["CenterCropPad", "Col2Im", "Compress", "Concat", "ConcatFromSequence", "Constant"],
  ...["ConstantOfShape", "Conv", "ConvInteger", "ConvTranspose", "Cos", "Cosh", "CumSum"],
  ...["DeformConv", "DepthToSpace", "DequantizeLinear", "Det", "Div", "DynamicQuantizeLinear"],
  ...["Einsum", "Elu", "Equal", "Erf", "Exp", "Expand", "EyeLike", "Flatten", "Floor", "GRU"],
  ...["Gather", "GatherElements", "GatherND", "Gelu", "Gemm", "GlobalAveragePool"],
  ...["GlobalLpPool", "GlobalMaxPool", "Greater", "GreaterOrEqual", "HammingWindow"],
  ...["HannWindow", "HardSigmoid", "HardSwish", "Identity", "If", "ImageDecoder"],
  ...["InstanceNormalization", "IsInf", "IsNaN", "LRN", "LSTM", "LayerNormalization"],
  ...["LeakyRelu", "Less", "LessOrEqual", "Log", "Loop", "LpNormalization", "LpPool", "MatMul"],
  ...["MatMulInteger", "Max", "MaxPool", "MaxRoiPool", "MaxUnpool", "Mean"],
  ...["MeanVarianceNormalization", "MelWeightMatrix", "Min", "Mish", "Mod", "Mul"],
  ...["Multinomial", "Neg", "NegativeLogLikelihoodLoss", "NonMaxSuppression", "NonZero", "Not"],
  ...["OneHot", "Optional", "OptionalGetElement", "OptionalHasElement", "Or", "PRelu", "Pow"],
  ...["QLinearConv", "QLinearMatMul", "QuantizeLinear", "RNN", "RandomNormal"],
  ...["RandomNormalLike", "RandomUniform", "RandomUniformLike", "Range", "Reciprocal"],
  ...["RegexFullMatch", "Relu", "Reshape", "ReverseSequence", "Round", "STFT"],
  ...["ScatterElements", "ScatterND", "Selu", "SequenceAt", "SequenceConstruct"],
  ...["SequenceEmpty", "SequenceErase", "SequenceInsert", "SequenceLength", "SequenceMap"],
  ...["Shape", "Shrink", "Sigmoid", "Sign", "Sin", "Sinh", "Size", "SoftmaxCrossEntropyLoss"],
  ...["Softplus", "Softsign", "SpaceToDepth", "SplitToSequence", "Sqrt", "StringConcat"],
  ...["StringNormalizer", "StringSplit", "Sub", "Sum", "Tan", "Tanh", "TfIdfVectorizer"],
  ...["ThresholdedRelu", "Tile", "Transpose", "Trilu", "Unique", "Where", "Xor"],
  // Operators that are younger than any version this is called with still stand here for completeness.
  ...["Attention", "BitCast", "CumProd", "RMSNormalization", "RotaryEmbedding", "Swish"],
  "TensorScatter",
]);

const LOWEST_FLOAT32 = -3.4028234663852886e38;

function axesToInput(node: Node, context: UpgradeContext): void {
  const axes = getInts(node, "axes");
  node.attributes.delete("axes");
  if (axes !== undefined && axes.length > 0) {
    node.inputs = [node.inputs[0]!, context.integers(node, "axes", axes)];
  }
}

function dropSpatial(node: Node, context: UpgradeContext): void {
  if (getInt(node, "spatial", 1) !== 1) context.fail(node, "attribute spatial = 0 was removed");
  node.attributes.delete("spatial");
}

function refuseTrainingOutputs(node: Node, context: UpgradeContext): void {
  if (node.outputs.slice(1).some((output) => context.isUsed(output))) {
    context.fail(node, "its training outputs are in use");
  }
  context.keepFirstOutput(node);
}

function clipBoundsToInputs(node: Node, context: UpgradeContext): void {
  const min = getFloat(node, "min", LOWEST_FLOAT32);
  const max = getFloat(node, "max", -LOWEST_FLOAT32);
  node.attributes.delete("min");
  node.attributes.delete("max");
  const input = node.inputs[0]!;
  const bounds = [
    min > LOWEST_FLOAT32 ? context.scalarLike(node, "min", input, min) : "",
    max < -LOWEST_FLOAT32 ? context.scalarLike(node, "max", input, max) : "",
  ];
  node.inputs = [input, ...bounds];
  while (node.inputs.at(-1) === "") node.inputs.pop();
}

function dftAxisToInput(node: Node, context: UpgradeContext): void {
  const axis = tensor("int64", [], BigInt64Array.of(BigInt(getInt(node, "axis", 1))));
  node.attributes.delete("axis");
  node.inputs = [node.inputs[0]!, node.inputs[1] ?? "", context.constant(node, "axis", axis)];
}

function refuseFloatMask(node: Node, context: UpgradeContext): void {
  if (context.isUsed(node.outputs[1] ?? "")) {
    context.fail(node, "its mask is in use, and became boolean");
  }
  context.keepFirstOutput(node);
}

function dropoutRatioToInput(node: Node, context: UpgradeContext): void {
  const ratio = getFloat(node, "ratio", 0.5);
  node.attributes.delete("ratio");
  node.inputs = [node.inputs[0]!, context.constant(node, "ratio", scalar(ratio))];
}

function renameGridSampleMode(node: Node): void {
  const names: Record<string, string> = { bilinear: "linear", bicubic: "cubic" };
  const mode = getString(node, "mode", "bilinear");
  node.attributes.set("mode", string(names[mode] ?? mode));
}

function padsToInputs(node: Node, context: UpgradeContext): void {
  const input = node.inputs[0]!;
  const pads = getInts(node, "pads") ?? context.fail(node, "it has no pads");
  const value = getFloat(node, "value", 0);
  node.attributes.delete("pads");
  node.attributes.delete("value");
  node.inputs = [input, context.integers(node, "pads", pads)];
  if (value !== 0) node.inputs.push(context.scalarLike(node, "value", input, value));
}

/** Resize of opset 10 says nothing of rounding; ONNX Runtime rounds down to enlarge and up to shrink. */
function resizeCoordinates(node: Node, context: UpgradeContext): void {
  const scales = node.inputs[1]!;
  node.inputs = [node.inputs[0]!, "", scales];
  node.attributes.set("coordinate_transformation_mode", string("asymmetric"));
  if (getString(node, "mode", "nearest") !== "nearest" || node.attributes.has("nearest_mode")) {
    return;
  }
  const known = constantValue(context.graph, scales);
  if (known === undefined) context.fail(node, "its scales are not constant");
  const values = Array.from(known.data as Float32Array);
  const shrinks = values.some((scale) => scale < 1);
  if (shrinks && values.some((scale) => scale > 1)) {
    context.fail(node, "it enlarges one axis and shrinks another");
  }
  node.attributes.set("nearest_mode", string(shrinks ? "ceil" : "floor"));
}

function dropEmptyResizeInputs(node: Node, context: UpgradeContext): void {
  const isEmpty = (name: string | undefined) =>
    name === undefined || name === "" || constantValue(context.graph, name)?.data.length === 0;
  const cropped = getString(node, "coordinate_transformation_mode") === "tf_crop_and_resize";
  node.inputs = node.inputs.map((name, index) => {
    if (index === 1) return cropped ? name : "";
    return index > 1 && isEmpty(name) ? "" : name;
  });
  while (node.inputs.at(-1) === "") node.inputs.pop();
}

function roiAlignCoordinates(node: Node): void {
  node.attributes.set("coordinate_transformation_mode", string("output_half_pixel"));
}

function sliceBoundsToInputs(node: Node, context: UpgradeContext): void {
  for (const name of ["starts", "ends", "axes"]) {
    const values = getInts(node, name);
    node.attributes.delete(name);
    if (values !== undefined) {
      node.inputs.push(context.integers(node, name, values.map(clampInt64)));
    } else if (name !== "axes") context.fail(node, `it has no ${name}`);
  }
}

/** "To the end" is written as the largest int64, which a number cannot hold; 2³¹ − 1 means the same. */
function clampInt64(value: number): number {
  return Math.max(-(2 ** 31), Math.min(2 ** 31 - 1, value));
}

function splitToInput(node: Node, context: UpgradeContext): void {
  const sizes = getInts(node, "split");
  node.attributes.delete("split");
  if (sizes !== undefined) node.inputs.push(context.integers(node, "split", sizes));
}

function countSplitOutputs(node: Node): void {
  if (node.inputs[1] === undefined || node.inputs[1] === "") {
    node.attributes.set("num_outputs", int(node.outputs.length));
  }
}

function topkToInput(node: Node, context: UpgradeContext): void {
  const k = getInt(node, "k") ?? context.fail(node, "it has no k");
  node.attributes.delete("k");
  node.inputs.push(context.integers(node, "k", [k]));
}

function upsampleScalesToInput(node: Node, context: UpgradeContext): void {
  const attribute = node.attributes.get("scales");
  if (attribute?.kind !== "floats") context.fail(node, "it has no scales");
  node.attributes.delete("scales");
  const scales = Float32Array.from(attribute.value);
  node.inputs.push(
    context.constant(node, "scales", tensor("float32", [scales.length], scales)),
  );
}

function upsampleToResize(node: Node): void {
  node.opType = "Resize";
  node.attributes.set("nearest_mode", string("floor"));
}

/**
 * Before opset 13 these worked on the input flattened to two dimensions at `axis` (1 unless told); since then they
 * work along one axis. Along the last axis both are the same.
 */
function flattenAroundSoftmax(node: Node, context: UpgradeContext): void {
  const axis = getInt(node, "axis", 1);
  const input = node.inputs[0]!;
  const rank = context.rankOf(input);
  if (axis === -1 || (rank !== undefined && axis === rank - 1)) {
    node.attributes.set("axis", int(axis));
    return;
  }
  const shape = context.before(node, "Shape", [input]);
  node.inputs = [context.before(node, "Flatten", [input], { axis: int(axis) })];
  node.attributes.set("axis", int(-1));
  context.after(node, "Reshape", (output) => [output, shape]);
}
