/**
 * Gives a gradient rule its view of one node.
 *
 * @module
 */

import { UserError } from "../../base/errors.ts";
import { constantValue } from "../../onnx/edit.ts";
import type { Node } from "../../onnx/model.ts";
import type { Tensor } from "../../onnx/tensor.ts";
import { unbroadcast } from "./broadcast.ts";
import type { Emitter, FloatType } from "./emitter.ts";
import type { RuleContext } from "./rule.ts";
import type { ValueTypes } from "./types.ts";

/** The state of the backward pass, as far as one node's rule needs it. */
export interface Sweep {
  readonly emit: Emitter;
  readonly types: ValueTypes;
  readonly opset: number;
  /** Values whose gradients are wanted, or lead to one that is. */
  readonly depends: ReadonlySet<string>;
  /** The sum of a value's gradients so far; `undefined` where it does not reach the loss. */
  gradient(name: string): string | undefined;
  /** Element type of a value's gradient. */
  gradientType(name: string): FloatType;
}

/** What the rule of a node is given. */
export function ruleContext(node: Node, sweep: Sweep): RuleContext {
  const { emit, types, depends } = sweep;
  const at = `${node.opType} "${node.name}"`;
  const typeOf = (name: string) => {
    const type = types.get(name);
    if (type === undefined) throw new RangeError(`${at}: shape of value "${name}" is not known`);
    return type;
  };
  const dimsOf = (name: string) => typeOf(name).dims;
  const first = node.outputs.find((output) => sweep.gradient(output) !== undefined)!;
  const type = sweep.gradientType(first);
  const context: RuleContext = {
    node,
    opset: sweep.opset,
    emit,
    type,
    get upstream() {
      return sweep.gradient(node.outputs[0]!) ?? emit.full(dimsOf(node.outputs[0]!), 0, type);
    },
    gradient: (output) => {
      const name = node.outputs[output];
      return name ? sweep.gradient(name) : undefined;
    },
    wants: (input) => depends.has(node.inputs[input] ?? ""),
    input: (index) => {
      const name = node.inputs[index];
      if (!name) throw new RangeError(`${at}: input ${index} is missing`);
      return name;
    },
    output: (index = 0) => node.outputs[index]!,
    requireOutput: (index) => {
      while (node.outputs.length <= index) node.outputs.push("");
      if (node.outputs[index] === "") node.outputs[index] = emit.fresh(`${node.opType}_${index}`);
      return node.outputs[index]!;
    },
    inputType: (index) => typeOf(context.input(index)).type,
    inputDims: (index) => dimsOf(context.input(index)),
    outputDims: (index = 0) => dimsOf(context.output(index)),
    constant: (index) => {
      const name = node.inputs[index];
      if (!name) return undefined;
      const value = constantValue(emit.graph, name);
      if (value === undefined) {
        throw context.unsupported(`its input "${name}" must be constant`);
      }
      return value;
    },
    integers: (index, attribute) => {
      const list = node.attributes.get(attribute);
      if (list?.kind === "ints") return list.value.map(Number);
      if (list?.kind === "int") return [Number(list.value)];
      return context.constant(index) && integersOf(context.constant(index)!);
    },
    scalar: (value) => emit.scalar(value, type),
    unbroadcast: (value, from, input) => unbroadcast(emit, value, from, context.inputDims(input)),
    unsupported: (reason) =>
      new UserError({ message: `${at} cannot be differentiated: ${reason}` }),
  };
  return context;
}

function integersOf(value: Tensor): number[] {
  return Array.from(value.data as ArrayLike<number | bigint>, Number);
}
