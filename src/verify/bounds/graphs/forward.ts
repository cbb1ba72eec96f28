/**
 * Forward passes as float64 graphs: the networks themselves, and what the inputs contribute to each neuron.
 *
 * @module
 */

import { tensor } from "../../../onnx/tensor.ts";
import {
  type PairedNetwork,
  type Quantizer,
  type Side,
  SIDES,
  type ValueNumber,
} from "../../network/network.ts";
import { emitForward } from "./linear.ts";
import { type NetworkGraph, NetworkGraphBuilder } from "./network_graph.ts";

/** f′(x) − f(x) for points `x` [points, inputs]: output `difference` [points, outputs]. */
export function differenceGraph(network: PairedNetwork): NetworkGraph {
  const builder = new NetworkGraphBuilder("difference", network);
  const x = builder.input("x", "float64", ["points", network.input.size]);
  const outputs = SIDES.map((side) => {
    const values = [x];
    for (const [at, step] of network.steps.entries()) {
      if (step.kind === "affine") {
        const parts = step.terms.map(({ input }, term) =>
          emitForward(builder, { value: at + 1, term, part: side }, values[input]!)
        );
        const offset = emitOffset(builder, at + 1, side);
        values.push(parts.reduce((sum, part) => builder.op("Add", [sum, part]), offset));
      } else if (step.kind === "relu") {
        values.push(builder.op("Relu", [values[step.input]!]));
      } else if (step.kind === "quantize") {
        const quantizer = step.quantizer[side];
        const x = values[step.input]!;
        values.push(quantizer === undefined ? x : emitRounding(builder, quantizer, x));
      } else if (step.kind === "maxpool") throw new TypeError("Max pools must be expanded first");
      else {values.push(
          builder.op(step.kind === "tanh" ? "Tanh" : "Sigmoid", [values[step.input]!]),
        );}
    }
    return values[network.output]!;
  });
  builder.output(builder.op("Sub", [outputs[1]!, outputs[0]!], {}, { name: "difference" }));
  return builder.finish();
}

/** A graph of shares. */
export interface ShareGraph extends NetworkGraph {
  /** Values of the steps whose slopes it reads. */
  readonly relaxed: readonly ValueNumber[];
}

/**
 * Each input's share in each neuron: |∂z/∂xᵢ|·widthᵢ over the sum of all, with functions replaced by the middle slopes of
 * their relaxations.
 *
 * Inputs: `half` [boxes, inputs, 1] and `<value>.aSlope` [boxes, 1, size] by nonlinear step. Outputs: `<value>.share`
 * [boxes, size, inputs].
 */
export function shareGraph(network: PairedNetwork): ShareGraph {
  const builder = new NetworkGraphBuilder("shares", network);
  const inputs = network.input.size;
  const side: Side = "original";
  const half = builder.input("half", "float64", ["boxes", inputs, 1]);
  const unit = new Float64Array(inputs * inputs);
  for (let at = 0; at < inputs; at++) unit[at * inputs + at] = 1;
  // [boxes, inputs, size]: row i is what input i alone contributes over its width.
  const values = [
    builder.op("Mul", [half, builder.constant(tensor("float64", [1, inputs, inputs], unit))]),
  ];
  const tiny = builder.scalar(1e-300);
  const relaxed: ValueNumber[] = [];
  for (const [at, step] of network.steps.entries()) {
    if (step.kind === "affine") {
      const parts = step.terms.map(({ input, map }, term) => {
        const flat = builder.op("Reshape", [
          values[input]!,
          builder.constant([-1, map[side].columns]),
        ]);
        const made = emitForward(builder, { value: at + 1, term, part: side }, flat);
        return builder.op("Reshape", [made, builder.constant([-1, inputs, step.size])]);
      });
      values.push(parts.reduce((sum, part) => builder.op("Add", [sum, part])));
      continue;
    }
    if (step.kind === "maxpool") throw new TypeError(`Step ${step.kind} has no shares`);
    const name: ValueNumber = at + 1;
    relaxed.push(name);
    const before = values[step.input]!;
    const sizes = builder.op("Abs", [before]);
    const total = builder.op("ReduceSum", [sizes, builder.constant([1])], { keepdims: 1 });
    const share = builder.op("Div", [sizes, builder.op("Add", [total, tiny])]);
    builder.output(
      builder.op("Transpose", [share], { perm: [0, 2, 1] }, { name: `${name}.share` }),
    );
    const slope = builder.input(`${name}.aSlope`, "float64", ["boxes", 1, step.size]);
    values.push(builder.op("Mul", [before, slope]));
  }
  return { ...builder.finish(), relaxed };
}

/** The offset of an affine step, [size]: of one side, or original − quantized. */
export function emitOffset(
  builder: NetworkGraphBuilder,
  value: ValueNumber,
  part: Side | "difference",
): string {
  const { size } = builder.network.steps[value - 1]!;
  return builder.parameter(`${value}.offset.${part}`, [size], (network) => {
    const step = network.steps[value - 1]!;
    if (step.kind !== "affine") throw new TypeError(`Value ${value} has no offset`);
    const { original, quantized } = step.offset;
    if (part !== "difference") return step.offset[part].values;
    return original.values.map((each, at) => each - quantized.values[at]!);
  });
}

/** s·(clip(round(v/s) + z, qmin, qmax) − z). */
function emitRounding(
  builder: NetworkGraphBuilder,
  { scale, zeroPoint, qmin, qmax }: Quantizer,
  x: string,
): string {
  const row = (values: Float64Array) =>
    builder.constant(tensor("float64", [1, values.length], values));
  const rounded = builder.op("Round", [builder.op("Div", [x, row(scale)])]);
  const cut = builder.op("Clip", [
    builder.op("Add", [rounded, row(zeroPoint)]),
    builder.scalar(qmin),
    builder.scalar(qmax),
  ]);
  return builder.op("Mul", [builder.op("Sub", [cut, row(zeroPoint)]), row(scale)]);
}
