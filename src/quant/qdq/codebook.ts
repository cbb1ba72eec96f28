/**
 * Writing weights as numbers of a codebook: Gather of few values by narrow indices.
 *
 * @module
 */

import { int } from "../../onnx/attributes.ts";
import type { Graph, Node } from "../../onnx/model.ts";
import { DATA_TYPE_NUMBERS, float32, int64s } from "../../onnx/tensor.ts";
import { markBits } from "./metadata.ts";
import { addConstant, makeNode } from "./nodes.ts";
import { type Encoding, integerTensor, storageType } from "./storage.ts";

/** Weights that take one of a few values. */
export interface CodebookWeights {
  /** At most 2^bits values. */
  readonly codebook: Float32Array;
  /** Which value each weight takes. */
  readonly indices: ArrayLike<number>;
  readonly dims: readonly number[];
  readonly bits: number;
}

/** The constants of such weights in a graph, which several nodes can share. */
export interface CodebookConstants {
  readonly codebook: string;
  readonly indices: string;
  readonly bits: number;
}

/** Adds a codebook and its indices to a graph. */
export function addCodebook(
  graph: Graph,
  name: string,
  { codebook, indices, dims, bits }: CodebookWeights,
  encoding: Encoding,
): CodebookConstants {
  const type = storageType({ bits, signed: false }, encoding);
  return {
    codebook: addConstant(graph, `${name}.codebook`, float32([codebook.length], codebook)),
    indices: addConstant(graph, `${name}.indices`, integerTensor(type, dims, indices)),
    bits,
  };
}

/** Lets a node read weights through their codebook. */
export function readCodebook(
  graph: Graph,
  node: Node,
  input: number,
  dims: readonly number[],
  constants: CodebookConstants,
): void {
  const name = `${node.name}.weight`;
  const cast = makeNode(graph, "Cast", [constants.indices], `${name}.indices`);
  cast.attributes.set("to", int(DATA_TYPE_NUMBERS.int32));
  const gather = makeNode(
    graph,
    "Gather",
    [constants.codebook, cast.outputs[0]!],
    `${name}.values`,
    { axis: 0 },
  );
  markBits(gather, constants.bits);
  const nodes = [cast, gather];
  if (graph.initializers.get(constants.indices)!.dims.join() !== dims.join()) {
    const shape = addConstant(graph, `${name}.shape`, int64s(dims));
    nodes.push(makeNode(graph, "Reshape", [gather.outputs[0]!, shape], `${name}.reshaped`));
  }
  node.inputs[input] = nodes.at(-1)!.outputs[0]!;
  graph.nodes.splice(graph.nodes.indexOf(node), 0, ...nodes);
}
