/**
 * What a gradient rule is: given one node and the gradients of its outputs, the gradients of its inputs.
 *
 * @module
 */

import type { Node } from "../../onnx/model.ts";
import type { DataType, Tensor } from "../../onnx/tensor.ts";
import type { Emitter, FloatType } from "./emitter.ts";

/** One node as its rule sees it. */
export interface RuleContext {
  readonly node: Node;
  /** Version of the standard operator set. */
  readonly opset: number;
  /** Where the rule writes its nodes. */
  readonly emit: Emitter;
  /** Element type of the node's gradients. */
  readonly type: FloatType;
  /** Gradient of output 0, zeros where only other outputs reach the loss. */
  readonly upstream: string;
  /** Gradient of an output; `undefined` where it does not reach the loss. */
  gradient(output: number): string | undefined;
  /** Whether the gradient of an input is asked for. */
  wants(input: number): boolean;
  /** Name of an input that must be there. */
  input(index: number): string;
  /** Name of output 0 or another. */
  output(index?: number): string;
  /** Name of an output that the rule needs, added to the node when it has none yet. */
  requireOutput(index: number): string;
  /** Element type of an input. */
  inputType(index: number): DataType;
  /** Static shape of an input. */
  inputDims(index: number): readonly number[];
  /** Static shape of an output. */
  outputDims(index?: number): readonly number[];
  /** Value of an input that must be constant, such as axes; `undefined` where the node leaves it out. */
  constant(index: number): Tensor | undefined;
  /** Constant integers from an input, or from an attribute of the given name in older operator sets. */
  integers(index: number, attribute: string): number[] | undefined;
  /** A scalar constant of the gradient's type. */
  scalar(value: number): string;
  /** Sums a gradient down to an input's shape: the transpose of broadcasting. */
  unbroadcast(gradient: string, from: readonly number[], input: number): string;
  /** An error that names the node and operator. */
  unsupported(reason: string): Error;
}

/**
 * Emits the gradients of a node's inputs, in their order; `undefined` for an input that has none or whose
 * gradient is not wanted.
 */
export type Rule = (context: RuleContext) => readonly (string | undefined)[];

/** Rules by ONNX operator name. */
export type RuleTable = Readonly<Record<string, Rule>>;
