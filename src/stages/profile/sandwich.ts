/**
 * Layers between others: what a layer takes inside a network.
 *
 * A convolution alone also brings its input into the runtime's own layout and its output out of it, which in a network
 * happens at the ends only. Between two plain convolutions it does not; what those take is known from chains of them.
 *
 * @module
 */

import { cloneModel } from "../../onnx/edit.ts";
import type { Model, Node } from "../../onnx/model.ts";
import { elementCount, float32 } from "../../onnx/tensor.ts";

/** The least and the greatest of what a chain is made of. */
export const CHAINS = [1, 3] as const;

/** Shapes of feature maps, `[1, channels, …]`, that plain convolutions can stand before and behind. */
export function isFeatureMap(shape: readonly number[]): boolean {
  return shape.length >= 3 && shape.every((dim) => dim > 0);
}

/** A number of convolutions of kernel 1 in a row, float, on values of one shape. */
export function chain(source: Model, shape: readonly number[], count: number): Model {
  const nodes: Node[] = [];
  const initializers = new Map([["carrier.w", plainWeights(shape)]]);
  let value = "carrier.0";
  for (let index = 1; index <= count; index++) {
    nodes.push(carrier(value, `carrier.${index}`));
    value = `carrier.${index}`;
  }
  return modelOf(source, nodes, initializers, ["carrier.0", shape], [value, shape]);
}

/**
 * The model of one layer with a plain convolution behind it, and one before it unless it is a network's first.
 *
 * @param single The model of the layer alone.
 */
export function sandwich(single: Model, isFirst: boolean): Model {
  const { graph } = single;
  const [layer] = graph.nodes;
  const [input, output] = [graph.inputs[0]!, graph.outputs[0]!];
  const [from, to] = [input.dims as number[], output.dims as number[]];
  const initializers = new Map(graph.initializers);
  initializers.set("after.w", plainWeights(to));
  const nodes = [layer!, carrier(output.name, "after", "after.w")];
  if (isFirst) return modelOf(single, nodes, initializers, [input.name, from], ["after", to]);
  initializers.set("before.w", plainWeights(from));
  nodes.unshift(carrier("before", input.name, "before.w"));
  return modelOf(single, nodes, initializers, ["before", from], ["after", to]);
}

function modelOf(
  source: Model,
  nodes: readonly Node[],
  initializers: Model["graph"]["initializers"],
  [input, from]: readonly [string, readonly number[]],
  [output, to]: readonly [string, readonly number[]],
): Model {
  return cloneModel({
    ...source,
    graph: {
      name: "sandwich",
      nodes: [...nodes],
      inputs: [{ name: input, type: "float32", dims: [...from] }],
      outputs: [{ name: output, type: "float32", dims: [...to] }],
      initializers,
      values: new Map(),
    },
  });
}

function carrier(input: string, output: string, weights = "carrier.w"): Node {
  return {
    name: `${output}.carrier`,
    opType: "Conv",
    domain: "",
    inputs: [input, weights],
    outputs: [output],
    attributes: new Map(),
  };
}

function plainWeights([, channels, ...space]: readonly number[]) {
  const dims = [channels!, channels!, ...space.map(() => 1)];
  const values = Float32Array.from({ length: elementCount(dims) }, (_, index) => index % 7 - 3);
  return float32(dims, values);
}
