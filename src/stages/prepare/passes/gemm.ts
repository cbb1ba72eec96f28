/**
 * Bringing fully connected layers into one form: Gemm without factors, with a bias vector.
 *
 * @module
 */

import { float, getFloat, getInt } from "../../../onnx/attributes.ts";
import { constantValue, consumers, removeNodes, uniqueName } from "../../../onnx/edit.ts";
import type { Dimension, Graph, Node } from "../../../onnx/model.ts";
import { float32, type Tensor } from "../../../onnx/tensor.ts";

/**
 * Turns MatMul of a matrix by a constant one, followed by the addition of a constant vector, into Gemm.
 *
 * @param ranks The number of dimensions of each value, where known.
 * @returns How many were turned.
 */
export function matMulToGemm(graph: Graph, ranks: ReadonlyMap<string, number>): number {
  const uses = consumers(graph);
  const outputs = new Set(graph.outputs.map((output) => output.name));
  let turned = 0;
  for (const node of [...graph.nodes]) {
    if (node.opType !== "MatMul" || node.domain !== "") continue;
    const weight = constantValue(graph, node.inputs[1]!);
    const result = node.outputs[0]!;
    const add = uses.get(result)?.length === 1 ? uses.get(result)![0]!.node : undefined;
    if (
      ranks.get(node.inputs[0]!) !== 2 || weight?.dims.length !== 2 ||
      weight.type !== "float32" || add?.opType !== "Add" || outputs.has(result)
    ) continue;
    const bias = add.inputs.find((input) => input !== result);
    const vector = bias === undefined ? undefined : constantValue(graph, bias);
    if (vector === undefined || !broadcastsToRow(vector.dims, weight.dims[1]!)) continue;
    removeNodes(graph, [add]);
    node.opType = "Gemm";
    node.inputs.push(bias!);
    node.outputs[0] = add.outputs[0]!;
    graph.values.delete(result);
    turned++;
  }
  return turned;
}

/**
 * Multiplies the factors α and β of Gemm nodes into their constants and makes their bias a vector, as integer kernels
 * want it.
 *
 * @returns How many nodes changed.
 */
export function normalizeGemm(graph: Graph): number {
  let changed = 0;
  for (const node of graph.nodes) {
    if (node.opType !== "Gemm" || node.domain !== "") continue;
    const weight = constantValue(graph, node.inputs[1]!);
    if (weight?.type !== "float32") continue;
    const before = JSON.stringify([node.inputs, getFloat(node, "alpha"), getFloat(node, "beta")]);
    const alpha = getFloat(node, "alpha", 1);
    if (alpha !== 1) {
      setConstant(graph, node, 1, scaled(weight as Tensor<"float32">, alpha));
      node.attributes.set("alpha", float(1));
    }
    const columns = weight.dims[getInt(node, "transB", 0) === 1 ? 0 : 1]!;
    normalizeBias(graph, node, columns);
    const after = JSON.stringify([node.inputs, getFloat(node, "alpha"), getFloat(node, "beta")]);
    if (before !== after) changed++;
  }
  return changed;
}

function normalizeBias(graph: Graph, node: Node, columns: number): void {
  const name = node.inputs[2] ?? "";
  if (name === "") {
    node.attributes.delete("beta");
    return;
  }
  const bias = constantValue(graph, name);
  if (bias?.type !== "float32" || !broadcastsToRow(bias.dims, columns)) return;
  const beta = getFloat(node, "beta", 1);
  if (beta === 1 && bias.dims.length === 1 && bias.dims[0] === columns) return;
  const { data } = scaled(bias as Tensor<"float32">, beta);
  const row = Float32Array.from({ length: columns }, (_, i) => data[data.length === 1 ? 0 : i]!);
  setConstant(graph, node, 2, float32([columns], row));
  node.attributes.set("beta", float(1));
}

function broadcastsToRow(dims: readonly Dimension[], columns: number): boolean {
  const [last = 1, ...others] = dims.toReversed();
  return (last === 1 || last === columns) && others.every((dim) => dim === 1) && dims.length <= 2;
}

function scaled(tensor: Tensor<"float32">, factor: number): Tensor<"float32"> {
  return float32(tensor.dims, tensor.data.map((value) => value * factor));
}

/** Other nodes may read the old constant, so the node gets one of its own. */
function setConstant(graph: Graph, node: Node, index: number, value: Tensor): void {
  const name = uniqueName(graph, `${node.inputs[index]}.scaled`);
  graph.initializers.set(name, value);
  node.inputs[index] = name;
}
