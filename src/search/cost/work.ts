/**
 * How much there is to compute in each layer.
 *
 * @module
 */

import { UserError } from "../../base/errors.ts";
import { getInt } from "../../onnx/attributes.ts";
import { constantValue, nameEverything } from "../../onnx/edit.ts";
import { cloneModel } from "../../onnx/edit.ts";
import type { Graph, Model } from "../../onnx/model.ts";
import { elementCount } from "../../onnx/tensor.ts";
import { placeQuantizers, type QuantizableLayer } from "../../quant/placement.ts";
import type { SensitivityTable } from "../table.ts";

/** The work of one node with weights, for one item. */
export interface NodeWork {
  readonly name: string;
  readonly op: string;
  /** Name of the activation that it reads. */
  readonly reads: string;
  /** Shapes, the batch dimension 1. */
  readonly input: readonly number[];
  readonly weight: readonly number[];
  readonly output: readonly number[];
  /** Multiplications with a weight. */
  readonly macs: number;
  /** How many independent matrix products it is: groups of a convolution, matrices of a MatMul. */
  readonly products: number;
  /** Each product is `[rows × depth] · [depth × columns]`, with weights of `depth × columns`. */
  readonly rows: number;
  readonly depth: number;
  readonly columns: number;
}

/** The work of a layer of a table: of every node that has its weights. */
export interface LayerWork {
  readonly name: string;
  readonly nodes: readonly NodeWork[];
}

/**
 * The work of a table's layers in a model.
 *
 * @param shapes Of every value, with the batch dimension as in the model.
 * @throws {UserError} If the model lacks a layer of the table, or a shape is not known.
 */
export function workOf(
  model: Model,
  table: Pick<SensitivityTable, "layers">,
  shapes: ReadonlyMap<string, readonly number[]> = declaredShapes(model.graph),
): LayerWork[] {
  const named = cloneModel(model);
  nameEverything(named.graph);
  const layers = new Map(
    placeQuantizers(named).layers.map((layer) => [layer.node.name, layer]),
  );
  return table.layers.map(({ name, nodes }) => ({
    name,
    nodes: nodes.map((node) => {
      const layer = layers.get(node);
      if (layer === undefined) {
        throw new UserError({
          message: `The model has no layer "${node}", which the sensitivity table has`,
          hint: "Give the model that the table was made for",
        });
      }
      return nodeWork(named.graph, layer, shapes);
    }),
  }));
}

/** The shapes that a graph declares, its batch dimension 1 where it is not a number. */
export function declaredShapes(graph: Graph): Map<string, readonly number[]> {
  const shapes = new Map<string, readonly number[]>();
  for (const [name, { dims }] of graph.initializers) shapes.set(name, dims);
  for (const { name, dims } of [...graph.inputs, ...graph.values.values(), ...graph.outputs]) {
    if (dims === undefined || dims.slice(1).some((dim) => typeof dim !== "number")) continue;
    shapes.set(name, dims.map((dim) => typeof dim === "number" ? dim : 1));
  }
  return shapes;
}

function nodeWork(
  graph: Graph,
  { node, weight, axes, input }: QuantizableLayer,
  shapes: ReadonlyMap<string, readonly number[]>,
): NodeWork {
  const { dims } = constantValue(graph, weight)!;
  const from = shapeOf(shapes, input);
  const to = shapeOf(shapes, node.outputs[0]!);
  const group = node.opType.startsWith("Conv") ? getInt(node, "group", 1) : 1;
  const batch = Math.max(1, from[0] ?? 1);
  const facts = {
    name: node.name,
    op: node.opType,
    reads: input,
    input: single(from),
    weight: dims,
    output: single(to),
  };
  if (node.opType === "Conv" || node.opType === "ConvTranspose") {
    const isForward = node.opType === "Conv";
    const kernel = elementCount(dims.slice(2));
    // A transposed convolution multiplies each input value with a whole kernel.
    const rows = elementCount((isForward ? to : from).slice(2));
    const columns = isForward ? dims[0]! / group : dims[1]! * kernel;
    const depth = isForward ? dims[1]! * kernel : dims[0]! / group;
    return {
      ...facts,
      macs: group * rows * depth * columns,
      products: group,
      rows,
      depth,
      columns,
    };
  }
  const columns = dims[axes.channel]!;
  const depth = dims[axes.block]!;
  const products = elementCount(dims.slice(0, -2));
  const rows = Math.max(1, Math.round(elementCount(to) / batch / columns / products));
  return { ...facts, macs: products * rows * depth * columns, products, rows, depth, columns };
}

function single(dims: readonly number[]): readonly number[] {
  return dims.length === 0 ? dims : [1, ...dims.slice(1)];
}

function shapeOf(
  shapes: ReadonlyMap<string, readonly number[]>,
  name: string,
): readonly number[] {
  const shape = shapes.get(name);
  if (shape !== undefined) return shape;
  throw new UserError({
    message: `The shape of value "${name}" of the model is not known`,
    hint: 'Put the stage "prepare" before, which finds all shapes',
  });
}
