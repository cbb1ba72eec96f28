import assert from "node:assert/strict";
import { Random } from "../../../src/base/random.ts";
import { gradientGraph, gradientName } from "../../../src/engine/autodiff/gradient.ts";
import { openSession } from "../../../src/engine/session.ts";
import { inferShapes } from "../../../src/engine/shapes.ts";
import { enterTrainingMode, parametersOf } from "../../../src/engine/training/training_mode.ts";
import { Emitter } from "../../../src/engine/autodiff/emitter.ts";
import type { Model } from "../../../src/onnx/model.ts";
import { readModel } from "../../../src/onnx/read.ts";
import { elementCount, float32, type Tensor, tensor } from "../../../src/onnx/tensor.ts";
import { testWithSharedData } from "../../shared_data.ts";
import { toFloat64, widened } from "./float64_network.ts";

interface Network {
  readonly file: string;
  readonly dims: readonly number[];
  readonly classes: number;
  /** Standard deviation of the random input. */
  readonly spread: number;
  readonly training?: boolean;
}

/** A network with a random weighted sum of its logits as loss, and the values to differentiate by. */
async function lossOf(
  { file, dims, classes, spread, training }: Network,
): Promise<{ model: Model; loss: string; start: Record<string, Tensor<"float32">> }> {
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
  return { model, loss, start };
}

async function gradientsOf(
  model: Model,
  loss: string,
  at: Readonly<Record<string, Tensor>>,
): Promise<Record<string, Tensor>> {
  const withRespectTo = Object.keys(at);
  const types = await inferShapes(model);
  const graph = gradientGraph(model, { loss, withRespectTo, types });
  await using session = await openSession({ ...model, graph }, { threads: 2 });
  const found = await session.run(at);
  return Object.fromEntries(withRespectTo.map((name) => [name, found[gradientName(name)]!]));
}

function length(values: Float32Array | Float64Array): number {
  let sum = 0;
  for (const value of values) sum += value * value;
  return Math.sqrt(sum);
}

/**
 * Compares the gradients by all parameters and the input with those of the same network in float64, whose
 * convolutions are other operators, and these with central differences.
 */
async function checkNetwork(network: Network): Promise<void> {
  const { model, loss, start } = await lossOf(network);
  const wide = toFloat64(model, await inferShapes(model));
  const at = Object.fromEntries(
    Object.entries(start).map(([name, value]) => [name, widened(value) as Tensor<"float64">]),
  );
  const reference = await gradientsOf(wide, loss, at);
  await checkByDifferences(wide, loss, at, reference);

  const found = await gradientsOf(model, loss, start);
  for (const name of Object.keys(start)) {
    const wanted = reference[name]!.data as Float64Array;
    const own = found[name]!.data as Float32Array;
    const error = length(wanted.map((value, index) => own[index]! - value)) / length(wanted);
    assert.ok(error <= 2e-5, `gradient by ${name}: relative error ${error}`);
  }
}

async function checkByDifferences(
  model: Model,
  loss: string,
  start: Readonly<Record<string, Tensor<"float64">>>,
  gradients: Readonly<Record<string, Tensor>>,
): Promise<void> {
  await using session = await openSession(model, { threads: 2 });
  const random = Random.from(6, "directions");
  const names = Object.keys(start);
  const lossAt = async (direction: Record<string, Float64Array>, distance: number) => {
    const feeds: Record<string, Tensor> = {};
    for (const name of names) {
      const { dims, data } = start[name]!;
      const moved = data.map((value, index) => value + distance * direction[name]![index]!);
      feeds[name] = tensor("float64", dims, moved);
    }
    return Number((await session.run(feeds))[loss]!.data[0]);
  };
  for (let index = 0; index < 3; index++) {
    // Half the way along the gradient, half at random: neither part of an error cancels.
    const direction: Record<string, Float64Array> = {};
    let slope = 0;
    for (const name of names) {
      const gradient = gradients[name]!.data as Float64Array;
      const size = Math.max(length(start[name]!.data), 1e-2);
      const along = random.uniform() * size / length(gradient);
      const across = size / Math.sqrt(gradient.length);
      direction[name] = gradient.map((value) => along * value + across * random.normal());
      slope += gradient.reduce((sum, value, i) => sum + value * direction[name]![i]!, 0);
    }
    // So near that no kink of an activation lies between.
    const distance = 1e-10;
    const difference = await lossAt(direction, distance) - await lossAt(direction, -distance);
    const error = Math.abs(difference / (2 * distance) / slope - 1);
    assert.ok(error <= 1e-6, `direction ${index}: relative error ${error}`);
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
  { file: "models/squeezenet1.1.onnx", dims: [1, 3, 131, 131], classes: 1000, spread: 60 },
  {
    file: "models/mobilenet_v2_dequantized.onnx",
    dims: [1, 3, 96, 96],
    classes: 1001,
    spread: 0.5,
  },
];

for (const network of NETWORKS) {
  const mode = network.training === true ? ", statistics of the batch" : "";
  testWithSharedData(
    `the gradient of ${network.file}${mode} agrees with float64 and finite differences`,
    network.file,
    (path) => checkNetwork({ ...network, file: path }),
  );
}
