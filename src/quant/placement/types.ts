/**
 * Where quantizers go in a float model.
 *
 * @module
 */

import type { Node } from "../../onnx/model.ts";
import type { WeightAxes } from "./operators.ts";

/**
 * Which activations are quantized.
 *
 * - `operators`: what operators with an integer kernel read and give, additions and pooling among them.
 * - `layers`: what operators with weights read, as papers have it.
 */
export type ActivationPlaces = "operators" | "layers";

/** A value that gets an activation quantizer. */
export interface ActivationPoint {
  /** The value's name. */
  readonly value: string;
  /**
   * The name of the value whose statistics give the scale and zero point. Points of the same group share them:
   * no value is rounded twice between them.
   */
  readonly group: string;
  /**
   * - `source`: rounds a freshly computed value.
   * - `repeat`: a copy of quantized values behind a MaxPool, Reshape and the like; quantizing it again changes
   *   nothing, but lets ONNX Runtime run the operator in between on integers.
   * - `result`: only leads to outputs of the model; quantized when asked for.
   */
  readonly role: "source" | "repeat" | "result";
}

/** A node with constant weights that can be quantized. */
export interface QuantizableLayer {
  readonly node: Node;
  /** Name of the constant that holds the weights. */
  readonly weight: string;
  readonly axes: WeightAxes;
  /** Name of the constant that holds the bias. */
  readonly bias?: string;
  /** The value that the node computes with. */
  readonly input: string;
  /** The point that its result reaches, behind a following activation; `undefined` if the result stays float. */
  readonly output?: string;
  /** No other layer comes before it. */
  readonly first: boolean;
  /** No other layer comes after it. */
  readonly last: boolean;
}

/** A node that stays in float, and why. */
export interface FloatNode {
  readonly node: Node;
  readonly reason: string;
}

/** Where quantizers go in a model. */
export interface Placement {
  /** Activation quantizers, in the order in which the values are computed. */
  readonly points: readonly ActivationPoint[];
  /** Nodes with quantizable weights, in the order of computation. */
  readonly layers: readonly QuantizableLayer[];
  /** Nodes that compute on quantized activations, in order. */
  readonly nodes: readonly Node[];
  /** Nodes that stay in float although they compute on activations. */
  readonly float: readonly FloatNode[];
}
