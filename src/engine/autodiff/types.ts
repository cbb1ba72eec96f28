/**
 * Static types and shapes of a graph's values, as gradient rules need them.
 *
 * @module
 */

import type { Graph } from "../../onnx/model.ts";
import type { DataType } from "../../onnx/tensor.ts";

/** Element type and fully known shape of a value. */
export interface ValueType {
  readonly type: DataType;
  readonly dims: readonly number[];
}

/** Types by value name. */
export type ValueTypes = ReadonlyMap<string, ValueType>;

/** What a graph itself says: initializers, and declared values whose shapes are all numbers. */
export function declaredTypes(graph: Graph): Map<string, ValueType> {
  const types = new Map<string, ValueType>();
  for (const info of [...graph.values.values(), ...graph.outputs, ...graph.inputs]) {
    const { type, dims } = info;
    if (type !== undefined && dims?.every((dim): dim is number => typeof dim === "number")) {
      types.set(info.name, { type, dims });
    }
  }
  for (const [name, { type, dims }] of graph.initializers) types.set(name, { type, dims });
  return types;
}
