/**
 * The forward pass of a training run as a model of one batch.
 *
 * @module
 */

import { cloneGraph } from "../../onnx/edit.ts";
import type { Graph, Model } from "../../onnx/model.ts";
import type { DataType } from "../../onnx/tensor.ts";
import type { TrainingOptions } from "./options.ts";

/**
 * The forward pass as a model of one batch, for shape inference.
 *
 * @throws {RangeError} If the graph has an input that the run gives no value for.
 */
export function forwardModel(options: TrainingOptions): Model {
  const graph = cloneGraph(options.graph);
  const provided = providedValues(options);
  for (const { name } of graph.inputs) {
    if (!provided.has(name) && !graph.initializers.has(name)) {
      throw new RangeError(`Input "${name}" of the graph is given no value by the training run`);
    }
  }
  graph.inputs = [...provided].map(([name, { type, dims }]) => ({ name, type, dims: [...dims] }));
  for (const name of provided.keys()) graph.initializers.delete(name);
  return modelOf(graph, options.opset);
}

/** Type and shape of everything that the run gives to the graph. */
export function providedValues(
  options: TrainingOptions,
): Map<string, { type: DataType; dims: readonly number[] }> {
  const provided = new Map<string, { type: DataType; dims: readonly number[] }>();
  for (const [name, { initial }] of options.trainable) provided.set(name, initial);
  for (const [name, { initial }] of options.carried ?? []) provided.set(name, initial);
  for (const [name, { type, dims }] of options.data) {
    provided.set(name, { type, dims: [options.batch, ...dims.slice(1)] });
  }
  for (const [name, dims] of options.uniform ?? []) provided.set(name, { type: "float32", dims });
  if (options.step !== undefined) provided.set(options.step, { type: "float32", dims: [] });
  return provided;
}

/** A graph as a model. */
export function modelOf(graph: Graph, opset = 21): Model {
  return {
    irVersion: 10,
    opsets: new Map([["", opset]]),
    producerName: "bitbound",
    producerVersion: "",
    modelVersion: 0,
    domain: "",
    metadata: new Map(),
    graph,
  };
}
