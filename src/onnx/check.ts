/**
 * Checking that a model is sound before anything is done with it.
 *
 * @module
 */

import type { Problem } from "../base/errors.ts";
import { describeNode, subgraphs } from "./attributes.ts";
import { constantOfNode } from "./constants.ts";
import { countNonFinite } from "./finite.ts";
import type { Graph, Model, Node } from "./model.ts";
import { fromBinary, ModelProtoSchema } from "./protobuf.ts";
import { storedLength, type Tensor } from "./tensor.ts";
import { MAX_IR_VERSION, MAX_OPSET } from "./versions.ts";

/** Operators whose constant inputs are trained weights, where infinity can only be a mistake. */
const WEIGHTED = new Set([
  "BatchNormalization",
  "Conv",
  "ConvTranspose",
  "Gemm",
  "GRU",
  "InstanceNormalization",
  "LayerNormalization",
  "LSTM",
  "MatMul",
  "PRelu",
  "RNN",
]);

/** A value's definition, for messages. */
type Definition = { readonly what: string };

/**
 * Everything that is structurally wrong with a model, or would spoil every result: names defined twice, values
 * that nothing makes, nodes out of order, missing operator sets, tensors whose data does not fit their shape, and NaN
 * or infinity in weights. Each problem names the node and its operator. An empty list means sound.
 *
 * What an operator makes of its inputs is not checked; ONNX Runtime does that when it opens the model.
 */
export function checkModel(model: Model): Problem[] {
  const problems: Problem[] = [];
  checkVersions(model, problems);
  const local = functionDomains(model);
  checkGraph(model.graph, new Map(), { opsets: model.opsets, local, problems });
  return problems;
}

interface Context {
  readonly opsets: ReadonlyMap<string, number>;
  /** Domains of functions that the model brings along. */
  readonly local: ReadonlySet<string>;
  readonly problems: Problem[];
}

function checkVersions(model: Model, problems: Problem[]): void {
  if (model.irVersion < 3 || model.irVersion > MAX_IR_VERSION) {
    problems.push({
      message: `IR version ${model.irVersion} is not supported: it must be 3 to ${MAX_IR_VERSION}`,
    });
  }
  const opset = model.opsets.get("");
  if (opset !== undefined && (opset < 1 || opset > MAX_OPSET)) {
    problems.push({ message: `Opset ${opset} is not supported: it must be 1 to ${MAX_OPSET}` });
  }
}

function functionDomains(model: Model): Set<string> {
  if (model.rest === undefined) return new Set();
  const { functions } = fromBinary(ModelProtoSchema, model.rest);
  return new Set(functions.map(({ domain }) => domain));
}

function checkGraph(
  graph: Graph,
  outer: ReadonlyMap<string, Definition>,
  context: Context,
): void {
  const { problems } = context;
  const visible = new Map(outer);
  const define = (name: string, what: string) => {
    const before = visible.get(name);
    if (before !== undefined) {
      problems.push({
        message: `The name "${name}" is defined twice: by ${before.what} and by ${what}`,
        hint: "Every value of a model must have a name of its own",
      });
    }
    visible.set(name, { what });
  };

  for (const { name } of graph.inputs) define(name, "a graph input");
  const inputs = new Set(graph.inputs.map(({ name }) => name));
  for (const name of [...graph.initializers.keys(), ...(graph.sparse?.keys() ?? [])]) {
    // Before IR version 4 every initializer is an input too: its default value.
    if (!inputs.has(name)) define(name, "an initializer");
  }
  for (const [name, tensor] of graph.initializers) {
    checkTensor(tensor, `Initializer "${name}"`, () => readersOf(graph, name), problems);
  }

  const makers = new Map<string, Node>();
  for (const node of graph.nodes) for (const output of node.outputs) makers.set(output, node);
  for (const node of graph.nodes) checkNode(node, graph, visible, makers, define, context);

  if (graph.outputs.length === 0) {
    problems.push({ message: `Graph "${graph.name}" has no outputs` });
  }
  const given = new Set<string>();
  for (const { name } of graph.outputs) {
    if (given.has(name)) problems.push({ message: `Graph output "${name}" is listed twice` });
    given.add(name);
    if (!visible.has(name)) problems.push({ message: `Nothing makes the graph output "${name}"` });
  }
}

function checkNode(
  node: Node,
  graph: Graph,
  visible: ReadonlyMap<string, Definition>,
  makers: ReadonlyMap<string, Node>,
  define: (name: string, what: string) => void,
  context: Context,
): void {
  const { problems } = context;
  const described = describeNode(node);
  if (node.opType === "") {
    problems.push({ message: `Node ${described} has no operator` });
  }
  if (!context.opsets.has(node.domain) && !context.local.has(node.domain)) {
    const domain = node.domain === "" ? "the standard operators" : `domain "${node.domain}"`;
    problems.push({
      message: `Node ${described} needs an operator set that the model does not import: ${domain}`,
    });
  }
  for (const input of node.inputs) {
    if (input === "" || visible.has(input)) continue;
    const maker = makers.get(input);
    problems.push(
      maker === undefined
        ? { message: `Node ${described} reads "${input}", which nothing makes` }
        : maker === node
        ? { message: `Node ${described} reads its own output "${input}"` }
        : {
          message: `Node ${described} reads "${input}" before node ${describeNode(maker)} makes it`,
        },
    );
  }
  for (const inner of subgraphs(node)) checkGraph(inner, visible, context);
  for (const output of node.outputs) if (output !== "") define(output, `node ${described}`);
  if (node.opType === "Constant" && node.domain === "" && !node.attributes.has("sparse_value")) {
    checkConstant(node, graph, problems);
  }
}

function checkConstant(node: Node, graph: Graph, problems: Problem[]): void {
  const tensor = [...node.attributes.values()].some(({ kind }) => kind === "opaque")
    ? undefined
    : constantOfNode(node);
  if (tensor === undefined) return;
  const name = node.outputs[0] ?? "";
  checkTensor(tensor, `Constant "${name}"`, () => readersOf(graph, name), problems);
}

function checkTensor(
  tensor: Tensor,
  what: string,
  readers: () => Node[],
  problems: Problem[],
): void {
  const expected = storedLength(tensor.type, tensor.dims);
  if (tensor.data.length !== expected) {
    problems.push({
      message: `${what} must have ${expected} stored values for ${tensor.type}[${
        tensor.dims.join(", ")
      }]: it has ${tensor.data.length}`,
    });
  }
  const { nan, infinite } = countNonFinite(tensor);
  if (nan === 0 && infinite === 0) return;
  const used = readers();
  const reader = used.find((node) => node.domain === "" && WEIGHTED.has(node.opType)) ?? used[0];
  const where = reader === undefined ? "" : `, read by node ${describeNode(reader)},`;
  if (nan > 0) {
    problems.push({
      message: `${what}${where} holds ${nan} NaN values`,
      hint: "Export the model again from weights that are finite",
    });
  }
  // Masks and clip bounds are infinite on purpose; trained weights are not.
  if (infinite > 0 && reader !== undefined && WEIGHTED.has(reader.opType)) {
    problems.push({
      message: `${what}${where} holds ${infinite} infinite values`,
      hint: "Export the model again from weights that are finite",
    });
  }
}

function readersOf(graph: Graph, name: string): Node[] {
  return graph.nodes.filter((node) => node.inputs.includes(name));
}
