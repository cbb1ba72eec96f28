/**
 * Reverse-mode differentiation of an ONNX graph into an ONNX graph.
 *
 * The forward graph is extended by ordinary nodes that compute the gradients; nothing is executed here and
 * nothing is specific to training. What an operator's gradient is stands in the tables of `rules/`.
 *
 * @module
 */

import { UserError } from "../../base/errors.ts";
import type { Graph, Model, Node } from "../../onnx/model.ts";
import { cloneGraph } from "../../onnx/edit.ts";
import { elementCount } from "../../onnx/tensor.ts";
import { Emitter, type FloatType } from "./emitter.ts";
import { NoRuleError } from "./no_rule.ts";
import { ruleContext } from "./rule_context.ts";
import { RULES } from "./rules/table.ts";
import { declaredTypes, type ValueTypes } from "./types.ts";

/** What to differentiate, and by what. */
export interface GradientRequest {
  /** The value to differentiate: one element. */
  readonly loss: string;
  /** Initializers, inputs or intermediate values. */
  readonly withRespectTo: readonly string[];
  /**
   * Static types and shapes of the values between them, as `inferShapes` finds them; what the graph declares
   * is used besides.
   */
  readonly types?: ValueTypes;
}

/** Operator set that rules assume where the caller does not say. */
const DEFAULT_OPSET = 21;

/** The oldest operator set in which the rules' own nodes (scatter with reduction) are valid. */
const OLDEST_OPSET = 16;

/**
 * The gradient graph of a model or graph: a copy with one more output per entry of `withRespectTo`, named by
 * {@linkcode gradientName}.
 *
 * @throws {UserError} If an operator on the way has no gradient rule; names node and operator.
 */
export function gradientGraph(
  source: Model | Graph,
  request: GradientRequest & { readonly opset?: number },
): Graph {
  const [graph, opset] = "graph" in source
    ? [cloneGraph(source.graph), source.opsets.get("")]
    : [cloneGraph(source), request.opset];
  const types = new Map([...declaredTypes(graph), ...request.types ?? []]);
  const emit = new Emitter(graph);
  const gradients = appendGradients(emit, { ...request, types }, opset);
  for (const name of request.withRespectTo) {
    const { type, dims } = types.get(name)!;
    const output = gradientName(name);
    emit.alias(gradients.get(name)!, output);
    graph.outputs.push({ name: output, type, dims: [...dims] });
  }
  return graph;
}

/** The output of {@linkcode gradientGraph} that holds the gradient by a value. */
export function gradientName(value: string): string {
  return `gradient:${value}`;
}

/**
 * Appends the gradient computation to the emitter's graph, which must be in topological order.
 *
 * @returns The value that holds the gradient, by the name it is the gradient of.
 * @throws {UserError} If an operator on the way has no gradient rule; names node and operator.
 */
export function appendGradients(
  emit: Emitter,
  request: GradientRequest,
  opset: number = DEFAULT_OPSET,
): Map<string, string> {
  if (opset < OLDEST_OPSET) {
    throw new UserError({
      message: `Gradients need operator set ${OLDEST_OPSET} or newer: the model has ${opset}`,
      hint: "Run the prepare stage first, which upgrades the model",
    });
  }
  const { graph } = emit;
  const types = request.types ?? declaredTypes(graph);
  const loss = types.get(request.loss);
  if (loss === undefined) throw new RangeError(`Loss "${request.loss}" has no known type`);
  if (elementCount(loss.dims) !== 1) {
    throw new RangeError(`Loss "${request.loss}" must be one number: its shape is [${loss.dims}]`);
  }
  const active = activeNodes(graph, request);
  const depends = dependents(graph, request.withRespectTo);
  const parts = new Map<string, string[]>();
  // Integers between a quantizer and its dequantizer have float gradients: of the type of what consumes them.
  const gradientTypes = new Map<string, FloatType>();
  const gradientType = (name: string): FloatType => {
    const type = types.get(name)?.type;
    if (type === "float32" || type === "float64") return type;
    return gradientTypes.get(name) ?? "float32";
  };
  const sums = new Map<string, string>();

  const gradient = (name: string): string | undefined => {
    const known = sums.get(name);
    if (known !== undefined) return known;
    const list = parts.get(name);
    if (list === undefined) return undefined;
    const sum = list.length === 1 ? list[0]! : emit.op("Sum", list);
    sums.set(name, sum);
    return sum;
  };

  parts.set(request.loss, [emit.full(loss.dims, 1, floatType(loss.type, request.loss))]);
  for (let index = active.length - 1; index >= 0; index--) {
    const node = active[index]!;
    if (!node.outputs.some((output) => parts.has(output))) continue;
    const rule = node.domain === "" || node.domain === "ai.onnx" ? RULES[node.opType] : undefined;
    if (rule === undefined) throw new NoRuleError(node);
    const context = ruleContext(node, { emit, types, opset, depends, gradient, gradientType });
    const results = rule(context);
    node.inputs.forEach((input, position) => {
      const result = results[position];
      if (result === undefined || !depends.has(input)) return;
      gradientTypes.set(input, context.type);
      const list = parts.get(input);
      if (list === undefined) parts.set(input, [result]);
      else list.push(result);
    });
  }

  return new Map(request.withRespectTo.map((name) => {
    const found = gradient(name);
    if (found !== undefined) return [name, found];
    const type = types.get(name);
    if (type === undefined) throw new RangeError(`Value "${name}" has no known type`);
    return [name, emit.full(type.dims, 0, floatType(type.type, name))];
  }));
}

function floatType(type: string, name: string): FloatType {
  if (type !== "float32" && type !== "float64") {
    throw new UserError(`Value "${name}" cannot be differentiated: its type is ${type}`);
  }
  return type;
}

/** Every value that depends on one of the roots, the roots included. */
function dependents(graph: Graph, roots: readonly string[]): Set<string> {
  const found = new Set(roots);
  for (const node of graph.nodes) {
    if (node.inputs.some((input) => found.has(input))) {
      for (const output of node.outputs) if (output !== "") found.add(output);
    }
  }
  return found;
}

/** The nodes between the roots and the loss, in order. */
function activeNodes(graph: Graph, request: GradientRequest): Node[] {
  const forward = dependents(graph, request.withRespectTo);
  const needed = new Set([request.loss]);
  const active: Node[] = [];
  for (let index = graph.nodes.length - 1; index >= 0; index--) {
    const node = graph.nodes[index]!;
    if (!node.outputs.some((output) => needed.has(output))) continue;
    for (const input of node.inputs) needed.add(input);
    if (node.inputs.some((input) => forward.has(input))) active.push(node);
  }
  return active.reverse();
}
