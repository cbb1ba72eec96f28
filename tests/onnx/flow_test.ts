import assert from "node:assert/strict";
import fc from "fast-check";
import { GraphBuilder } from "../../src/onnx/build.ts";
import { ActivationFlow, type FlowPoint } from "../../src/onnx/flow.ts";
import type { Graph, Node } from "../../src/onnx/model.ts";
import { buildGraph, graphPlan } from "./random_graph.ts";

/** Whether a graph output still depends on a graph input, or a node on one, when some points are taken out. */
function reaches(
  flow: ActivationFlow,
  from: readonly FlowPoint[],
  to: (point: FlowPoint) => boolean,
  without: FlowPoint,
): boolean {
  const seen = new Set<FlowPoint>();
  const pending = from.filter((point) => point !== without);
  while (pending.length > 0) {
    const point = pending.pop()!;
    if (seen.has(point)) continue;
    if (to(point)) return true;
    seen.add(point);
    pending.push(...flow.successors(point).filter((next) => next !== without));
  }
  return false;
}

Deno.test("dominators are what every path goes through", () => {
  fc.assert(fc.property(graphPlan, (plan) => {
    const flow = new ActivationFlow(buildGraph(plan));
    const points: FlowPoint[] = [...flow.inputs, ...flow.nodes];
    for (const point of points) {
      const before = points.filter((other) =>
        other !== point && !reaches(flow, flow.inputs, (found) => found === point, other)
      );
      const nearest = before.sort((a, b) => flow.position(a) - flow.position(b)).at(-1);
      assert.equal(flow.dominator(point), nearest);
      for (const other of points) {
        assert.equal(flow.dominates(other, point), other === point || before.includes(other));
      }
    }
  }));
});

Deno.test("post-dominators are what every path to the outputs goes through", () => {
  fc.assert(fc.property(graphPlan, (plan) => {
    const flow = new ActivationFlow(buildGraph(plan));
    const points: FlowPoint[] = [...flow.inputs, ...flow.nodes];
    const ends = (point: FlowPoint) => flow.valuesOf(point).some((value) => flow.isOutput(value));
    for (const point of points) {
      const after = points.filter((other) =>
        other !== point && !reaches(flow, [point], ends, other)
      );
      const nearest = after.sort((a, b) => flow.position(a) - flow.position(b))[0];
      assert.equal(flow.postDominator(point), nearest);
    }
  }));
});

Deno.test("only nodes between inputs and outputs take part", () => {
  const builder = new GraphBuilder();
  const x = builder.input("x", "float32", [2]);
  builder.input("unused", "float32", [2]);
  const raw = builder.constant(1, "raw");
  const scaled = builder.op("Mul", [raw, raw], {}, { name: "scaled" });
  const weight = builder.op("Neg", [scaled], {}, { name: "weight" });
  const y = builder.op("Mul", [x, weight], {}, { name: "y" });
  builder.op("Relu", [y], {}, { name: "dead" });
  builder.output(builder.op("Relu", [y], {}, { name: "live" }));
  const graph: Graph = builder.graph();
  const flow = new ActivationFlow(graph);
  const names = (nodes: readonly Node[]) => nodes.map(({ name }) => name);
  assert.deepEqual(names(flow.nodes), ["y", "live"]);
  assert.deepEqual(flow.inputs, ["x"]);
  assert.deepEqual(flow.reads(flow.nodes[0]!), ["x"]);
  assert.deepEqual(names(flow.readers("y")), ["live"]);
  assert.deepEqual(names(flow.constantNodes(flow.nodes[0]!)), ["scaled", "weight"]);
  assert.equal(flow.constantMaker("weight")?.name, "weight");
  assert.equal(flow.constantMaker("raw"), undefined);
});
