/**
 * Float64 networks: the same function in operators that ONNX Runtime has in double precision.
 *
 * Convolutions become slices and matrix products, so their gradients do not go through the rules of Conv at all.
 *
 * @module
 */

import { Emitter } from "../../../src/engine/autodiff/emitter.ts";
import { kernelPositions, windowOf } from "../../../src/engine/autodiff/rules/window.ts";
import type { ValueTypes } from "../../../src/engine/autodiff/types.ts";
import { cloneModel } from "../../../src/onnx/edit.ts";
import type { Model, Node, ValueInfo } from "../../../src/onnx/model.ts";
import { elementCount, type Tensor, tensor } from "../../../src/onnx/tensor.ts";

/** The tensor in float64 where it is in float32. */
export function widened(value: Tensor): Tensor {
  return value.type === "float32"
    ? tensor("float64", value.dims, Float64Array.from(value.data as Float32Array))
    : value;
}

/**
 * A network in float64.
 *
 * @param types Of its values, as `inferShapes` finds them.
 */
export function toFloat64(model: Model, types: ValueTypes): Model {
  const result = cloneModel(model);
  const { graph } = result;
  for (const [name, value] of graph.initializers) graph.initializers.set(name, widened(value));
  const wide = (info: ValueInfo): ValueInfo =>
    info.type === "float32" ? { ...info, type: "float64" } : info;
  graph.inputs = graph.inputs.map(wide);
  graph.outputs = graph.outputs.map(wide);
  graph.values.clear();
  const nodes = graph.nodes;
  graph.nodes = [];
  const emit = new Emitter(graph, "float64");
  emit.reserve({ ...graph, nodes });
  for (const node of nodes) {
    if (node.opType === "Conv") {
      emit.alias(convolution(emit, node, types), node.outputs[0]!);
    } else if (node.opType === "GlobalAveragePool") {
      emit.alias(
        emit.op("ReduceMean", [node.inputs[0]!, emit.ints([2, 3])], { keepdims: 1 }),
        node.outputs[0]!,
      );
    } else {
      graph.nodes.push(node);
    }
  }
  return result;
}

function convolution(emit: Emitter, node: Node, types: ValueTypes): string {
  const [x, weight, bias] = node.inputs as [string, string, string?];
  const dims = (name: string) => types.get(name)!.dims;
  const [outputs, inner, ...kernel] = dims(weight) as [number, number, ...number[]];
  const [batch, channels, ...wide] = dims(x) as [number, number, ...number[]];
  const narrow = dims(node.outputs[0]!).slice(2);
  const window = windowOf(node, kernel, wide, narrow);
  const { strides, dilations, group } = window;
  const padded = emit.pad(x, [0, 0, ...window.begins, 0, 0, ...window.ends]);
  const axes = kernel.map((_, axis) => axis + 2);
  const places = elementCount(narrow);
  const shifted = kernelPositions(kernel).map((position) => {
    const starts = position.map((offset, axis) => offset * dilations[axis]!);
    const ends = starts.map((start, axis) => start + strides[axis]! * (narrow[axis]! - 1) + 1);
    const slice = emit.slice(padded, axes, starts, ends, strides);
    return emit.reshape(slice, [batch, group, inner, 1, places]);
  });
  if (channels !== group * inner) throw new RangeError("Convolution does not fit its input");
  const size = inner * shifted.length;
  const patches = emit.reshape(emit.concat(shifted, 3), [batch, group, size, places]);
  const matrices = emit.reshape(weight, [group, outputs / group, size]);
  const product = emit.reshape(
    emit.op("MatMul", [matrices, patches]),
    [batch, outputs, ...narrow],
  );
  return bias === undefined || bias === ""
    ? product
    : emit.add(product, emit.reshape(bias, [outputs, ...kernel.map(() => 1)]));
}
