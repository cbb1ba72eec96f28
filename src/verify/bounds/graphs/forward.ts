/**
 * Forward passes as float64 graphs: the networks themselves, and what the inputs contribute to each neuron.
 *
 * @module
 */

import { GraphBuilder } from "../../../onnx/build.ts";
import type { Model } from "../../../onnx/model.ts";
import {
  type PairedNetwork,
  type Quantizer,
  type Side,
  SIDES,
  type ValueNumber,
} from "../../network/network.ts";
import { emitForward, float64 } from "./linear.ts";

/** f′(x) − f(x) for points `x` [points, inputs]: output `difference` [points, outputs]. */
export function differenceGraph(network: PairedNetwork): Model {
  const builder = new GraphBuilder("difference");
  const x = builder.input("x", "float64", ["points", network.input.size]);
  const outputs = SIDES.map((side) => {
    const values = [x];
    for (const step of network.steps) {
      if (step.kind === "affine") {
        const parts = step.terms.map(({ input, map }) =>
          emitForward(builder, map[side], values[input]!)
        );
        const offset = float64(builder, [1, step.size], step.offset[side].values);
        values.push(parts.reduce((sum, part) => builder.op("Add", [sum, part]), offset));
      } else if (step.kind === "relu") {
        values.push(builder.op("Relu", [values[step.input]!]));
      } else if (step.kind === "quantize") {
        const quantizer = step.quantizer[side];
        const x = values[step.input]!;
        values.push(quantizer === undefined ? x : emitRounding(builder, quantizer, x));
      } else throw new TypeError(`Step ${step.kind} cannot be computed in float64`);
    }
    return values[network.output]!;
  });
  builder.output(builder.op("Sub", [outputs[1]!, outputs[0]!], {}, { name: "difference" }));
  return builder.build();
}

/**
 * Each input's share in each neuron: |∂z/∂xᵢ|·widthᵢ over the sum of all, with functions replaced by the middle slopes of
 * their relaxations.
 *
 * Inputs: `half` [boxes, inputs, 1] and `<value>.aSlope` [boxes, 1, size] by nonlinear step. Outputs: `<value>.share`
 * [boxes, size, inputs].
 */
export function shareGraph(network: PairedNetwork): Model {
  const builder = new GraphBuilder("shares");
  const inputs = network.input.size;
  const side: Side = "original";
  const half = builder.input("half", "float64", ["boxes", inputs, 1]);
  const unit = new Float64Array(inputs * inputs);
  for (let at = 0; at < inputs; at++) unit[at * inputs + at] = 1;
  // [boxes, inputs, size]: row i is what input i alone contributes over its width.
  const values = [builder.op("Mul", [half, float64(builder, [1, inputs, inputs], unit)])];
  const tiny = float64(builder, [], Float64Array.of(1e-300));
  for (const [at, step] of network.steps.entries()) {
    if (step.kind === "affine") {
      const parts = step.terms.map(({ input, map }) => {
        const flat = builder.op("Reshape", [
          values[input]!,
          builder.constant([-1, map[side].columns]),
        ]);
        const made = emitForward(builder, map[side], flat);
        return builder.op("Reshape", [made, builder.constant([-1, inputs, step.size])]);
      });
      values.push(parts.reduce((sum, part) => builder.op("Add", [sum, part])));
      continue;
    }
    if (step.kind === "maxpool") throw new TypeError(`Step ${step.kind} has no shares`);
    const name: ValueNumber = at + 1;
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
  return builder.build();
}

/** s·(clip(round(v/s) + z, qmin, qmax) − z). */
function emitRounding(
  builder: GraphBuilder,
  { scale, zeroPoint, qmin, qmax }: Quantizer,
  x: string,
): string {
  const row = (values: Float64Array) => float64(builder, [1, values.length], values);
  const rounded = builder.op("Round", [builder.op("Div", [x, row(scale)])]);
  const cut = builder.op("Clip", [
    builder.op("Add", [rounded, row(zeroPoint)]),
    float64(builder, [], Float64Array.of(qmin)),
    float64(builder, [], Float64Array.of(qmax)),
  ]);
  return builder.op("Mul", [builder.op("Sub", [cut, row(zeroPoint)]), row(scale)]);
}
