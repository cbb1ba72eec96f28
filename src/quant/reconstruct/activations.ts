/**
 * Activation quantizers whose steps can be learned.
 *
 * @module
 */

import type { Emitter } from "../../engine/autodiff/emitter.ts";
import { constantValue, producers } from "../../onnx/edit.ts";
import type { Graph, Node } from "../../onnx/model.ts";
import { scalar, type Tensor } from "../../onnx/tensor.ts";
import type { ActivationReading } from "../qdq.ts";

/** Quantizers with one step for all of them, such as those before and behind a pooling. */
export interface StepGroup {
  readonly members: readonly ActivationReading[];
  readonly scale: number;
}

/**
 * Groups quantizers that have the same scale and zero point to the last bit: calibrated ones have only where one
 * repeats the other. Those whose scale is found at run time are left out.
 */
export function stepGroups(readings: readonly ActivationReading[]): StepGroup[] {
  const groups = new Map<string, ActivationReading[]>();
  for (const reading of readings) {
    const { parameters } = reading;
    if (parameters === undefined || parameters.scale.length > 1) continue;
    const { grid: { qmin, qmax } } = parameters;
    const key = [parameters.scale[0], parameters.zeroPoint[0], qmin, qmax].join();
    const group = groups.get(key);
    if (group === undefined) groups.set(key, [reading]);
    else group.push(reading);
  }
  return Array.from(groups.values(), (members) => ({
    members,
    scale: members[0]!.parameters!.scale[0]!,
  }));
}

/** The value that a quantizer really reads: in front of the Max that only keeps narrow integers apart. */
export function quantizerInput(graph: Graph, { quantize }: ActivationReading): string {
  const guard = guardBefore(graph, quantize);
  return guard === undefined
    ? quantize.inputs[0]!
    : guard.inputs.find((name) => constantValue(graph, name) === undefined)!;
}

/**
 * Emits a quantizer in float, for learned step size quantization (Esser et al., 2020).
 *
 * @param factor Factor of the scale, a scalar; none where it stays.
 */
export function emitFakeQuantizer(
  emit: Emitter,
  input: string,
  { parameters }: ActivationReading,
  factor?: string,
): string {
  const c = (value: number) => emit.scalar(value, "float32");
  const { scale: [first], zeroPoint: [zero], grid } = parameters!;
  const scale = factor === undefined ? c(first!) : emit.mul(factor, c(first!));
  const level = emit.op("Round", [emit.div(input, scale)]);
  const clipped = emit.op("Clip", [level, c(grid.qmin - zero!), c(grid.qmax - zero!)]);
  return emit.mul(clipped, scale);
}

/** Sets the scale of all quantizers of a group in a model's graph. */
export function writeScale(graph: Graph, { members }: StepGroup, scale: number): void {
  for (const { quantize, dequantize, parameters, result } of members) {
    const set = (name: string) => {
      const { dims } = graph.initializers.get(name)!;
      graph.initializers.set(name, { ...scalar(scale), dims });
    };
    set(quantize.inputs[1]!);
    set(dequantize.inputs[1]!);
    const { grid: { qmin }, zeroPoint: [zero] } = parameters!;
    const lowest = scalar(Math.fround((qmin - zero!) * scale));
    const makers = producers(graph);
    for (const guard of [guardBefore(graph, quantize), guardOf(graph, makers.get(result))]) {
      const bound = guard?.inputs.find((name) => constantValue(graph, name) !== undefined);
      if (bound !== undefined) graph.initializers.set(bound, lowest);
    }
  }
}

function guardBefore(graph: Graph, quantize: Node): Node | undefined {
  return guardOf(graph, producers(graph).get(quantize.inputs[0]!));
}

function guardOf(graph: Graph, node: Node | undefined): Node | undefined {
  if (node?.opType !== "Max" || node.inputs.length !== 2) return undefined;
  const bounds = node.inputs.map((name) => constantValue(graph, name)).filter(isScalar);
  return bounds.length === 1 ? node : undefined;
}

function isScalar(tensor: Tensor | undefined): boolean {
  return tensor?.type === "float32" && tensor.data.length === 1;
}
