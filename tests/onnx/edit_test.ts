import assert from "node:assert/strict";
import fc from "fast-check";
import { Random } from "../../src/base/random.ts";
import { getGraph } from "../../src/onnx/attributes.ts";
import { GraphBuilder } from "../../src/onnx/build.ts";
import {
  cloneGraph,
  constantValue,
  consumers,
  insertNode,
  nameEverything,
  producers,
  prune,
  removeNodes,
  renameValue,
  replaceUses,
  sortNodes,
  uniqueName,
} from "../../src/onnx/edit.ts";
import type { Graph, Node } from "../../src/onnx/model.ts";
import { float32 } from "../../src/onnx/tensor.ts";
import { evaluate } from "./interpreter.ts";
import { buildGraph, graphPlan } from "./random_graph.ts";

const FEEDS = [{ a: 3, b: -7 }, { a: 10, b: 4 }, { a: -1, b: 0 }];
const meaning = (graph: Graph) => FEEDS.map((feeds) => evaluate(graph, feeds));
const outputNames = (graph: Graph) => graph.outputs.map(({ name }) => name);

/** Every value that the outermost graph defines. */
function valueNames(graph: Graph): string[] {
  return [
    ...graph.inputs.map(({ name }) => name),
    ...graph.initializers.keys(),
    ...graph.nodes.flatMap((node) => node.outputs),
  ];
}

function identity(graph: Graph, input: string): Node {
  const name = uniqueName(graph, "copy");
  return {
    name,
    opType: "Identity",
    domain: "",
    inputs: [input],
    outputs: [name],
    attributes: new Map(),
  };
}

Deno.test("renaming every value keeps the meaning, also of bodies that capture it", () => {
  fc.assert(fc.property(graphPlan, (plan) => {
    const graph = buildGraph(plan);
    const before = meaning(graph);
    for (const name of valueNames(graph)) {
      if (name !== "a" && name !== "b") renameValue(graph, name, `${name} renamed`);
    }
    assert.deepEqual(meaning(graph), before);
    assert.ok(outputNames(graph).every((name) => name.endsWith(" renamed")));
  }));
});

Deno.test("reading a copy instead of a value keeps the meaning and the output names", () => {
  fc.assert(fc.property(graphPlan, fc.nat(), (plan, choice) => {
    const graph = buildGraph(plan);
    const before = meaning(graph);
    const names = outputNames(graph);
    const from = valueNames(graph)[choice % valueNames(graph).length]!;
    const copy = insertNode(graph, identity(graph, from));
    const after = replaceUses(graph, from, copy.outputs[0]!, { except: new Set([copy]) });
    assert.deepEqual(meaning(graph), before);
    assert.deepEqual(outputNames(graph), names);
    assert.deepEqual(copy.inputs, [after.from]);
    assert.deepEqual(copy.outputs, [after.to]);
    const uses = consumers(graph).get(after.from) ?? [];
    assert.deepEqual(uses.map(({ node }) => node), [copy]);
  }));
});

Deno.test("a shuffled graph means the same once it is sorted, and a sorted one is left alone", () => {
  fc.assert(fc.property(graphPlan, fc.nat(), (plan, seed) => {
    const graph = buildGraph(plan);
    const before = meaning(graph);
    const order = [...graph.nodes];
    sortNodes(graph);
    assert.deepEqual(graph.nodes, order);
    const shuffled = Random.from(seed).permutation(order.length);
    graph.nodes = Array.from(shuffled, (index) => order[index]!);
    sortNodes(graph);
    assert.deepEqual(meaning(graph), before);
  }));
});

Deno.test("pruning keeps the meaning, drops what nothing needs, and has nothing left to do", () => {
  fc.assert(fc.property(graphPlan, (plan) => {
    const graph = buildGraph(plan);
    const before = meaning(graph);
    prune(graph);
    assert.deepEqual(meaning(graph), before);
    assert.equal(prune(graph), 0);
    const used = consumers(graph);
    const outputs = new Set(outputNames(graph));
    for (const name of [...graph.initializers.keys(), ...producers(graph).keys()]) {
      assert.ok(used.has(name) || outputs.has(name), name);
    }
    assert.deepEqual(graph.inputs.map(({ name }) => name), ["a", "b"]);
    // Independent of the order in which dead nodes depend on each other: without any one node it breaks.
    for (const node of graph.nodes) {
      const broken = cloneGraph(graph);
      broken.nodes = broken.nodes.filter((other) => other.name !== node.name);
      assert.throws(() => evaluate(broken, FEEDS[0]!), /not made yet/);
    }
  }));
});

Deno.test("editing a copy leaves the original alone", () => {
  fc.assert(fc.property(graphPlan, (plan) => {
    const graph = buildGraph(plan);
    const copy = cloneGraph(graph);
    assert.deepEqual(copy, graph);
    for (const name of valueNames(copy)) renameValue(copy, name, `${name} renamed`);
    copy.nodes.splice(0, 1);
    assert.deepEqual(graph, buildGraph(plan));
  }));
});

Deno.test("naming gives every node, also in bodies, a name of its own", () => {
  fc.assert(fc.property(graphPlan, fc.boolean(), (plan, same) => {
    const graph = buildGraph(plan);
    const before = meaning(graph);
    const all = (inner: Graph): Node[] =>
      inner.nodes.flatMap((node) => [
        node,
        ...["then_branch", "else_branch"].flatMap((name) => {
          const body = getGraph(node, name);
          return body ? all(body) : [];
        }),
      ]);
    for (const node of all(graph)) node.name = same ? "same" : "";
    nameEverything(graph);
    const names = all(graph).map(({ name }) => name);
    assert.equal(new Set(names).size, names.length);
    assert.ok(!names.includes(""));
    assert.deepEqual(meaning(graph), before);
    assert.equal(nameEverything(graph), 0);
  }));
});

/** x → Relu → h → Relu → y, with y given out. */
function chain(): Graph {
  const builder = new GraphBuilder();
  builder.input("x", "float32", [1]);
  builder.op("Relu", ["x"], {}, { name: "first", outputs: ["h"] });
  builder.op("Relu", ["h"], {}, { name: "second", outputs: ["y"] });
  builder.output("y", "float32", [1]);
  return builder.graph();
}

Deno.test("a value that replaces a graph output takes over its name", () => {
  const graph = chain();
  assert.deepEqual(replaceUses(graph, "y", "h"), { from: "y_1", to: "y" });
  assert.deepEqual(graph.nodes[0]!.outputs, ["y"]);
  assert.deepEqual(graph.nodes[1]!.inputs, ["y"]);
  removeNodes(graph, [graph.nodes[1]!]);
  assert.equal(prune(graph), 0);
});

Deno.test("a graph input that replaces a graph output is given out by an Identity", () => {
  const graph = chain();
  assert.deepEqual(replaceUses(graph, "y", "x"), { from: "y_1", to: "x" });
  const identity = graph.nodes.find(({ opType }) => opType === "Identity")!;
  assert.deepEqual([identity.inputs, identity.outputs], [["x"], ["y"]]);
  assert.equal(prune(graph), 2);
});

Deno.test("graph outputs are left alone where asked", () => {
  const graph = chain();
  assert.deepEqual(replaceUses(graph, "y", "h", { outputs: false }), { from: "y", to: "h" });
  assert.deepEqual(graph, chain());
});

Deno.test("a node goes after what it reads, or before a given node", () => {
  const graph = chain();
  const late = insertNode(graph, identity(graph, "h"));
  assert.equal(graph.nodes.indexOf(late), 1);
  const early = insertNode(graph, identity(graph, "x"));
  assert.equal(graph.nodes.indexOf(early), 0);
  const placed = insertNode(graph, identity(graph, "x"), late);
  assert.equal(graph.nodes.indexOf(placed), graph.nodes.indexOf(late) - 1);
});

Deno.test("removing nodes forgets what was declared of their outputs", () => {
  const graph = chain();
  graph.values.set("h", { name: "h", type: "float32", dims: [1] });
  const [first] = graph.nodes;
  removeNodes(graph, [first!]);
  assert.equal(graph.values.size, 0);
  assert.equal(graph.nodes.length, 1);
});

Deno.test("pruning drops inputs that only declare a dropped constant", () => {
  const graph = chain();
  for (const name of ["w", "used"]) {
    graph.inputs.push({ name, type: "float32", dims: [1] });
    graph.initializers.set(name, float32([1], [1]));
  }
  graph.nodes[1]!.inputs.push("used");
  assert.equal(prune(graph), 0);
  assert.deepEqual(graph.inputs.map(({ name }) => name), ["x", "used"]);
});

Deno.test("a taken name is refused, and a free one is found", () => {
  const graph = chain();
  assert.throws(() => renameValue(graph, "h", "x"), /The name "x" is taken/);
  assert.throws(() => renameValue(graph, "nothing", "n"), /no value named "nothing"/);
  assert.equal(uniqueName(graph, "h"), "h_1");
  assert.equal(uniqueName(graph, "first"), "first_1");
  assert.equal(uniqueName(graph, "new"), "new");
});

Deno.test("a circle of nodes is named", () => {
  const graph = chain();
  graph.nodes[0]!.inputs[0] = "y";
  assert.throws(
    () => sortNodes(graph),
    /read each other in a circle: "first" \(Relu\) ← "second" \(Relu\)/,
  );
});

Deno.test("a chain of a hundred thousand nodes sorts", () => {
  const nodes = Array.from({ length: 100_000 }, (_, index): Node => ({
    name: `n${index}`,
    opType: "Relu",
    domain: "",
    inputs: [`v${index}`],
    outputs: [`v${index + 1}`],
    attributes: new Map(),
  }));
  const graph: Graph = { ...chain(), nodes: nodes.toReversed() };
  sortNodes(graph);
  assert.ok(graph.nodes.every((node, index) => node === nodes[index]));
});

Deno.test("constants are found as initializers and as nodes in every spelling", () => {
  const builder = new GraphBuilder();
  const initializer = builder.constant(float32([2], [1, 2]));
  const ints = builder.op("Constant", [], { value_ints: [3, 4] });
  const integer = builder.op("Constant", [], { value_int: 5 });
  const word = builder.op("Constant", [], { value_string: "s" });
  const other = builder.op("Relu", [initializer]);
  const graph = builder.graph();
  assert.deepEqual(constantValue(graph, initializer), float32([2], [1, 2]));
  assert.deepEqual(constantValue(graph, ints)!.data, BigInt64Array.of(3n, 4n));
  assert.deepEqual(constantValue(graph, integer)!.dims, []);
  assert.deepEqual(constantValue(graph, word)!.data, ["s"]);
  assert.equal(constantValue(graph, other), undefined);
  assert.equal(constantValue(graph, ""), undefined);
});
