/**
 * Bringing models to a newer standard operator set.
 *
 * @module
 */

import { UserError } from "../base/errors.ts";
import { describeNode, subgraphs } from "./attributes.ts";
import { cloneModel } from "./edit.ts";
import type { Graph, Model, Node } from "./model.ts";
import { fromBinary, ModelProtoSchema } from "./protobuf.ts";
import { UpgradeContext } from "./upgrade_context.ts";
import { UNCHANGED_OPERATORS, UPGRADE_RULES } from "./upgrade_rules.ts";
import { irVersionFor, MAX_OPSET } from "./versions.ts";

/** The oldest operator set that models are brought up from; ONNX Runtime opens none older. */
const MIN_SOURCE = 7;
/** The oldest operator set that models are brought up to: the first with 4-bit integers and blocked scales. */
const MIN_TARGET = 21;

/**
 * A copy of a model that means the same in a newer standard operator set, with the IR version that goes with it. A
 * model that is new enough is copied as it is. Other operator domains stay at their versions.
 *
 * Initializers that files before IR version 4 also list as inputs become plain constants, which they then were by
 * definition.
 *
 * @param target Operator set version, 21 to 26.
 * @throws {UserError} If an operator's meaning changed in a way that has no rule; names node and operator.
 */
export function upgradeOpset(model: Model, target: number): Model {
  if (!Number.isInteger(target) || target < MIN_TARGET || target > MAX_OPSET) {
    throw new RangeError(
      `target must be an opset from ${MIN_TARGET} to ${MAX_OPSET}: current value is ${target}`,
    );
  }
  const upgraded = cloneModel(model);
  const source = model.opsets.get("");
  if (source === undefined || source >= target) return upgraded;
  if (source < MIN_SOURCE) {
    throw new UserError({
      message: `The model has opset ${source}: the oldest that can be upgraded is ${MIN_SOURCE}`,
      hint: `Export it again with an opset of ${MIN_TARGET} or more`,
    });
  }
  refuseFunctions(model);
  if (model.irVersion < 4) {
    const { graph } = upgraded;
    graph.inputs = graph.inputs.filter(({ name }) => !graph.initializers.has(name));
  }
  upgradeGraph(upgraded.graph, upgraded.graph, source, target);
  upgraded.opsets.set("", target);
  upgraded.irVersion = Math.max(model.irVersion, irVersionFor(target));
  return upgraded;
}

function upgradeGraph(graph: Graph, root: Graph, source: number, target: number): void {
  for (const node of [...graph.nodes]) {
    for (const inner of subgraphs(node)) upgradeGraph(inner, root, source, target);
    if (node.domain === "") upgradeNode(node, graph, root, source, target);
  }
}

function upgradeNode(
  node: Node,
  graph: Graph,
  root: Graph,
  source: number,
  target: number,
): void {
  for (let version = source + 1; version <= target; version++) {
    // Looked up anew each time, because a rule may have changed the operator.
    const rules = UPGRADE_RULES[node.opType];
    if (rules === undefined && !UNCHANGED_OPERATORS.has(node.opType)) {
      throw new UserError({
        message: `Node ${describeNode(node)} has an operator that is not in opset ${target}`,
        hint: "Replace the operator by standard ones and export the model again",
      });
    }
    rules?.[version]?.(node, new UpgradeContext(graph, root, source, version));
  }
}

function refuseFunctions(model: Model): void {
  if (model.rest === undefined) return;
  const [first] = fromBinary(ModelProtoSchema, model.rest).functions;
  if (first === undefined) return;
  throw new UserError({
    message: `The model brings functions of its own, which cannot be upgraded: "${first.name}"`,
    hint: "Inline them with onnx.inliner.inline_local_functions, or export with a newer opset",
  });
}
