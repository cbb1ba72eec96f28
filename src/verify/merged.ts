/**
 * Two models in one, whose output is the difference of theirs (Xiang and Shao, 2022: the merged network).
 *
 * @module
 */

import { UserError } from "../base/errors.ts";
import { sortNodes } from "../onnx/edit.ts";
import type { Graph, Model, ValueInfo } from "../onnx/model.ts";
import { upgradeOpset } from "../onnx/upgrade.ts";

/** Both models are brought to one operator set, this one at least. */
const OLDEST_OPSET = 21;

/** The name of the merged model's output. */
export const DIFFERENCE = "difference";

/**
 * One model that runs both on the same input, and gives f′ − f. Its values bear the names that they have in their
 * models behind `original/` and `quantized/`.
 *
 * @throws {UserError} If the inputs or outputs of the two are of different types.
 */
export function mergedModel(original: Model, quantized: Model): Model {
  const versions = [original, quantized].map(({ opsets }) => opsets.get("") ?? 1);
  const opset = Math.max(OLDEST_OPSET, ...versions);
  const [first, second] = [upgradeOpset(original, opset), upgradeOpset(quantized, opset)];
  const [input, other] = [inputOf(first.graph), inputOf(second.graph)];
  const [output, last] = [first.graph.outputs[0]!, second.graph.outputs[0]!];
  for (const [a, b, what] of [[input, other, "inputs"], [output, last, "outputs"]] as const) {
    if (a.type === b.type) continue;
    throw new UserError({
      message: `Models with ${what} of different types cannot be merged: ${a.type} and ${b.type}`,
      hint: "Leave emit: merged out",
    });
  }
  const parts = [
    prefixed(first.graph, "original/", input.name, input.name),
    prefixed(second.graph, "quantized/", other.name, input.name),
  ];
  const difference: ValueInfo = { ...last, name: DIFFERENCE };
  const graph: Graph = {
    name: "merged",
    nodes: [...parts.flatMap(({ nodes }) => nodes), {
      name: DIFFERENCE,
      opType: "Sub",
      domain: "",
      inputs: [`quantized/${last.name}`, `original/${output.name}`],
      outputs: [DIFFERENCE],
      attributes: new Map(),
    }],
    inputs: [{ ...input }],
    outputs: [difference],
    initializers: new Map(parts.flatMap(({ initializers }) => [...initializers])),
    values: new Map(),
  };
  sortNodes(graph);
  return {
    ...second,
    irVersion: Math.max(first.irVersion, second.irVersion),
    opsets: new Map([...first.opsets, ...second.opsets]),
    metadata: new Map(),
    graph,
  };
}

function inputOf({ inputs, initializers }: Graph): ValueInfo {
  return inputs.find(({ name }) => !initializers.has(name))!;
}

/** A graph with all names behind a prefix, but for its input's, which becomes that of the merged model. */
function prefixed(graph: Graph, prefix: string, own: string, input: string): Graph {
  const rename = (name: string) => name === "" ? name : name === own ? input : `${prefix}${name}`;
  return {
    ...graph,
    nodes: graph.nodes.map((node) => ({
      ...node,
      name: node.name === "" ? "" : `${prefix}${node.name}`,
      inputs: node.inputs.map(rename),
      outputs: node.outputs.map(rename),
    })),
    initializers: new Map(Array.from(graph.initializers, ([name, value]) => [rename(name), value])),
  };
}
