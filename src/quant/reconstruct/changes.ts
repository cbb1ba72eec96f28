/**
 * What reconstruction changed in a unit: constants of the quantized model.
 *
 * @module
 */

import { decodeState, encodeState } from "../../engine/training/checkpoint.ts";
import type { Graph } from "../../onnx/model.ts";
import { float32, type Tensor, tensor } from "../../onnx/tensor.ts";
import { integerTensor, type QuantizedType } from "../qdq/storage.ts";
import { type StepGroup, writeScale } from "./activations.ts";
import { dequantizerOf, type Layer } from "./layers.ts";

/** New constants, by the name of the node or value they belong to. */
export interface UnitChanges {
  /** Integers of weights, one each, by layer. */
  readonly weights: ReadonlyMap<string, ArrayLike<number>>;
  /** Scales of weights by layer. */
  readonly scales: ReadonlyMap<string, Float32Array>;
  /** Float biases by layer. */
  readonly biases: ReadonlyMap<string, Float32Array>;
  /** Scales of activations, by the first value of their group. */
  readonly steps: ReadonlyMap<string, number>;
}

/** No change. */
export const NO_CHANGES: UnitChanges = {
  weights: new Map(),
  scales: new Map(),
  biases: new Map(),
  steps: new Map(),
};

/** Later changes over earlier ones. */
export function mergeChanges(first: UnitChanges, second: UnitChanges): UnitChanges {
  return {
    weights: new Map([...first.weights, ...second.weights]),
    scales: new Map([...first.scales, ...second.scales]),
    biases: new Map([...first.biases, ...second.biases]),
    steps: new Map([...first.steps, ...second.steps]),
  };
}

/**
 * Writes changes into a model's graph. Only constants change, so a copy of `graph.initializers` undoes it.
 *
 * @param layers The layers of the model by name.
 * @param groups Its activation quantizers.
 */
export function applyChanges(
  graph: Graph,
  { weights, scales, biases, steps }: UnitChanges,
  layers: ReadonlyMap<string, Layer>,
  groups: readonly StepGroup[],
): void {
  for (const [name, values] of weights) {
    const { constant } = layers.get(name)!.reading;
    const { type, dims } = graph.initializers.get(constant)!;
    graph.initializers.set(constant, integerTensor(type as QuantizedType, dims, values));
  }
  for (const [name, values] of scales) {
    const constant = dequantizerOf(graph, layers.get(name)!).inputs[1]!;
    graph.initializers.set(constant, float32(graph.initializers.get(constant)!.dims, values));
  }
  for (const [name, values] of biases) {
    const constant = layers.get(name)!.node.inputs[2]!;
    graph.initializers.set(constant, float32([values.length], values));
  }
  for (const [value, scale] of steps) {
    writeScale(graph, groups.find(({ members }) => members[0]!.value === value)!, scale);
  }
}

/** Changes as bytes, with anything that belongs to them. */
export function encodeChanges(changes: UnitChanges, record: unknown): Uint8Array {
  const tensors = new Map<string, Tensor>();
  const text = new TextEncoder().encode(JSON.stringify(record));
  tensors.set("record", tensor("uint8", [text.length], text));
  for (const [name, values] of changes.weights) {
    tensors.set(`weights/${name}`, tensor("int32", [values.length], Int32Array.from(values)));
  }
  for (const [name, values] of changes.scales) {
    tensors.set(`scales/${name}`, float32([values.length], values));
  }
  for (const [name, values] of changes.biases) {
    tensors.set(`biases/${name}`, float32([values.length], values));
  }
  for (const [name, value] of changes.steps) tensors.set(`steps/${name}`, float32([1], [value]));
  return encodeState({ step: 0, tensors });
}

/** @throws {RangeError} If the bytes are damaged. */
export function decodeChanges(bytes: Uint8Array): { changes: UnitChanges; record: unknown } {
  const { tensors } = decodeState(bytes);
  const part = <T>(prefix: string, value: (tensor: Tensor) => T) =>
    new Map(
      [...tensors].filter(([name]) => name.startsWith(`${prefix}/`))
        .map(([name, tensor]): [string, T] => [name.slice(prefix.length + 1), value(tensor)]),
    );
  const floats = ({ data }: Tensor) => data as Float32Array;
  return {
    changes: {
      weights: part("weights", ({ data }) => data as Int32Array),
      scales: part("scales", floats),
      biases: part("biases", floats),
      steps: part("steps", (tensor) => floats(tensor)[0]!),
    },
    record: JSON.parse(new TextDecoder().decode(tensors.get("record")!.data as Uint8Array)),
  };
}
