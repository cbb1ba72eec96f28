import assert from "node:assert/strict";
import { Random } from "../../../src/base/random.ts";
import { gradientGraph, gradientName } from "../../../src/engine/autodiff/gradient.ts";
import { openSession } from "../../../src/engine/session.ts";
import { inferShapes } from "../../../src/engine/shapes.ts";
import { enterTrainingMode, parametersOf } from "../../../src/engine/training/training_mode.ts";
import { Emitter } from "../../../src/engine/autodiff/emitter.ts";
import { readModel } from "../../../src/onnx/read.ts";
import { elementCount, float32, type Tensor } from "../../../src/onnx/tensor.ts";
import { testWithSharedData } from "../../shared_data.ts";

interface Network {
  readonly file: string;
  readonly dims: readonly number[];
  readonly classes: number;
  /** Standard deviation of the random input. */
  readonly spread: number;
  readonly training?: boolean;
}

/** Compares the gradients by all parameters and the input with central differences of the loss. */
async function checkNetwork({ file, dims, classes, spread, training }: Network): Promise<void> {
  const model = await readModel(file);
  model.opsets.set("", 21);
  const { graph } = model;
  const [input, logits] = [graph.inputs[0]!, graph.outputs[0]!];
  input.dims = [...dims];
  const parameters = parametersOf(graph).filter(({ role }) =>
    role !== "mean" && role !== "variance"
  );
  if (training === true) enterTrainingMode(graph);
  const random = Random.from(5, file);
  const emit = new Emitter(graph, "loss");
  const count = dims[0]! * classes;
  const weights = Float32Array.from({ length: count }, () => random.normal() / Math.sqrt(count));
  const weighted = emit.mul(logits.name, emit.constant(float32([dims[0]!, classes], weights)));
  const loss = emit.reduceSum(weighted, [0, 1], false);
  graph.outputs = [{ name: loss, type: "float32", dims: [] }];
  const start: Record<string, Tensor<"float32">> = {};
  for (const { name, tensor } of parameters) {
    graph.initializers.delete(name);
    graph.inputs = graph.inputs.filter((info) => info.name !== name);
    graph.inputs.push({ name, type: "float32", dims: [...tensor.dims] });
    start[name] = tensor;
  }
  start[input.name] = float32(
    dims,
    Float32Array.from({ length: elementCount(dims) }, () => spread * random.normal()),
  );

  const names = Object.keys(start);
  const gradients = gradientGraph(model, {
    loss,
    withRespectTo: names,
    types: await inferShapes(model),
  });
  await using backward = await openSession({ ...model, graph: gradients }, { threads: 2 });
  const analytic = await backward.run(start);
  await using forward = await openSession(model, { threads: 2 });
  const lossAt = async (direction: Record<string, Float64Array>, distance: number) => {
    const feeds: Record<string, Tensor> = {};
    for (const name of names) {
      const { dims, data } = start[name]!;
      const moved = new Float32Array(data.length);
      for (let i = 0; i < moved.length; i++) moved[i] = data[i]! + distance * direction[name]![i]!;
      feeds[name] = float32(dims, moved);
    }
    return Number((await forward.run(feeds))[loss]!.data[0]);
  };
  const gradientOf = (name: string) => analytic[gradientName(name)]!.data as Float32Array;
  const rootMeanSquare = (values: Float32Array) =>
    Math.sqrt(values.reduce((sum, value) => sum + value * value, 0) / values.length);
  // Each tensor moves along its own gradient, in proportion to its size: all weigh about the same.
  const along = (chosen: (tensor: number) => boolean) =>
    Object.fromEntries(names.map((name, tensor): [string, Float64Array] => {
      const gradient = gradientOf(name);
      const size = Math.max(rootMeanSquare(start[name]!.data), 1e-2) / rootMeanSquare(gradient);
      return [name, Float64Array.from(gradient, (value) => chosen(tensor) ? size * value : 0)];
    }));
  const half = names.map(() => random.uniform() < 0.5);
  const directions = [
    along(() => true),
    along((tensor) => half[tensor]!),
    along((tensor) => !half[tensor]!),
  ];
  for (const [index, direction] of directions.entries()) {
    const product = names.reduce(
      (sum, name) =>
        gradientOf(name).reduce((part, value, i) => part + value * direction[name]![i]!, sum),
      0,
    );
    // Kinks and curvature make large steps inexact, rounding small ones: some step in between must agree.
    let best = Infinity;
    for (const rise of [0.03, 0.01, 0.003, 0.001, 0.0003]) {
      const distance = rise / product;
      const difference = await lossAt(direction, distance) - await lossAt(direction, -distance);
      best = Math.min(best, Math.abs(difference / (2 * rise) - 1));
    }
    assert.ok(best <= 3e-3, `direction ${index}: relative error ${best}`);
  }
}

const NETWORKS: readonly Network[] = [
  { file: "models/cifar10_resnet20.onnx", dims: [4, 3, 32, 32], classes: 10, spread: 1 },
  {
    file: "models/cifar10_resnet20.onnx",
    dims: [8, 3, 32, 32],
    classes: 10,
    spread: 1,
    training: true,
  },
  { file: "models/squeezenet1.1.onnx", dims: [1, 3, 227, 227], classes: 1000, spread: 60 },
  {
    file: "models/mobilenet_v2_dequantized.onnx",
    dims: [1, 3, 224, 224],
    classes: 1001,
    spread: 0.5,
  },
];

for (const network of NETWORKS) {
  const mode = network.training === true ? ", statistics of the batch" : "";
  testWithSharedData(
    `the gradient of ${network.file}${mode} agrees with finite differences`,
    network.file,
    (path) => checkNetwork({ ...network, file: path }),
  );
}
