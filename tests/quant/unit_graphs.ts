/**
 * Small networks in the shapes that unit finding has to know, and quantizers put into them.
 *
 * @module
 */

import { GraphBuilder } from "../../src/onnx/build.ts";
import { consumers, producers, sortNodes, uniqueName } from "../../src/onnx/edit.ts";
import type { Graph, Model, Node } from "../../src/onnx/model.ts";
import { elementCount, float32, scalar, type Tensor, tensor } from "../../src/onnx/tensor.ts";

/** Builds networks of convolutions with 8 channels unless told. */
export class NetworkBuilder extends GraphBuilder {
  /** A convolution; its node is named, so that tests can name it. */
  conv(name: string, x: string, { input = 8, output = 8, kernel = 3, group = 1, stride = 1 } = {}) {
    const dims = [output, input / group, kernel, kernel];
    const weight = this.constant(ramp(dims), `${name} weight`);
    const pad = kernel >> 1;
    const attributes = { group, strides: [stride, stride], pads: [pad, pad, pad, pad] };
    return this.op("Conv", [x, weight], attributes, { name });
  }

  /** A convolution and Relu. */
  convRelu(name: string, x: string, settings = {}): string {
    return this.op("Relu", [this.conv(name, x, settings)]);
  }

  /** A fully connected layer with bias, as MatMul and Add. */
  dense(name: string, x: string, size = 8): string {
    const product = this.op(
      "MatMul",
      [x, this.constant(ramp([size, size]), `${name} weight`)],
      {},
      {
        name,
      },
    );
    return this.op("Add", [product, this.constant(ramp([size]), `${name} bias`)]);
  }

  /** x · Sigmoid(x), as exporters spell it. */
  silu(x: string): string {
    return this.op("Mul", [x, this.op("Sigmoid", [x])]);
  }

  /** Gaussian error linear unit, as exporters spell it. */
  gelu(x: string): string {
    const scaled = this.op("Div", [x, this.constant(1.4142135)]);
    const cumulative = this.op("Add", [this.op("Erf", [scaled]), this.constant(1)]);
    return this.op("Mul", [this.op("Mul", [x, cumulative]), this.constant(0.5)]);
  }

  /** Squeeze and excitation: a gate over the channels. */
  squeezeExcite(name: string, x: string): string {
    const pooled = this.op("GlobalAveragePool", [x]);
    const squeezed = this.convRelu(`${name} reduce`, pooled, { kernel: 1, output: 2 });
    const gate = this.conv(`${name} expand`, squeezed, { kernel: 1, input: 2 });
    return this.op("Mul", [x, this.op("Sigmoid", [gate])]);
  }
}

function ramp(dims: readonly number[]): Tensor<"float32"> {
  const count = elementCount(dims);
  return float32(dims, Array.from({ length: count }, (_, index) => (index % 7 - 3) / 16));
}

/** A network of one input, `x`, and one output. */
export function network(build: (builder: NetworkBuilder, x: string) => string): Model {
  const builder = new NetworkBuilder();
  builder.output(build(builder, builder.input("x", "float32", [1, 8, 8, 8])));
  return builder.build();
}

/** Where the quantizers of an activation with several readers go. */
export type QuantizerStyle =
  | "one pair"
  | "a pair for each reader"
  | "a dequantizer for each reader";

/** Puts quantizers on the weights, and on every activation that a layer, an Add or a Concat reads. */
export function insertQuantizers(graph: Graph, style: QuantizerStyle): void {
  const made = producers(graph);
  const uses = consumers(graph);
  const inputs = graph.inputs.map(({ name }) => name);
  const reads = /^(Conv|Gemm|MatMul|Add|Concat)$/;
  graph.initializers.set("scale", scalar(0.1));
  graph.initializers.set("zero", tensor("int8", [], Int8Array.of(0)));
  const add = (opType: string, input: string, base: string): string => {
    const name = uniqueName(graph, `${base}_${opType}`);
    graph.nodes.push(
      {
        name,
        opType,
        domain: "",
        inputs: [input, "scale", "zero"],
        outputs: [name],
        attributes: new Map(),
      } satisfies Node,
    );
    return name;
  };
  for (const [value, readers] of uses) {
    const quantized = readers.filter(({ node }) => reads.test(node.opType));
    if (quantized.length === 0) continue;
    const constant = graph.initializers.get(value);
    if (constant !== undefined) {
      if (constant.dims.length < 2) continue;
      const data = new Int8Array(constant.data.length);
      graph.initializers.set(value, tensor("int8", constant.dims, data));
      const dequantized = add("DequantizeLinear", value, value);
      for (const { node, index } of quantized) node.inputs[index] = dequantized;
    } else if (made.has(value) || inputs.includes(value)) {
      let quantizer: string | undefined;
      let dequantizer: string | undefined;
      for (const { node, index } of quantized) {
        if (quantizer === undefined || style === "a pair for each reader") {
          quantizer = add("QuantizeLinear", value, value);
          dequantizer = undefined;
        }
        if (dequantizer === undefined || style === "a dequantizer for each reader") {
          dequantizer = add("DequantizeLinear", quantizer, value);
        }
        node.inputs[index] = dequantizer;
      }
    }
  }
  sortNodes(graph);
}
