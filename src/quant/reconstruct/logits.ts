/**
 * Where a classifier gives its scores.
 *
 * @module
 */

import { producers } from "../../onnx/edit.ts";
import type { Model } from "../../onnx/model.ts";

/** The first output of a model, in front of its Softmax. */
export function logitsOf({ graph }: Model): string {
  const [output] = graph.outputs;
  const maker = producers(graph).get(output!.name);
  return maker?.opType === "Softmax" ? maker.inputs[0]! : output!.name;
}

/** Whether the first output of a model is one score a class for each item. */
export function givesScores({ graph }: Model): boolean {
  const dims = graph.outputs[0]!.dims;
  return dims?.length === 2 && dims[1] !== 1;
}
