import assert from "node:assert/strict";
import { gradientGraph, gradientName } from "../../../src/engine/autodiff/gradient.ts";
import { openSession } from "../../../src/engine/session.ts";
import { inferShapes } from "../../../src/engine/shapes.ts";
import { GraphBuilder } from "../../../src/onnx/build.ts";
import type { Model } from "../../../src/onnx/model.ts";
import { float32, tensor } from "../../../src/onnx/tensor.ts";

/** loss = Σ (x · w)², beside a value that does not reach it. */
function small(): { model: Model; loss: string } {
  const builder = new GraphBuilder();
  const x = builder.input("x", "float32", [2, 3]);
  const w = builder.constant(float32([3], [1, 2, 3]), "w");
  builder.constant(float32([2], [0, 0]), "unused");
  const y = builder.op("MatMul", [x, w], {}, { name: "y" });
  const loss = builder.op("ReduceSumSquare", [y], { keepdims: 0 }, { name: "loss" });
  builder.output(loss, "float32", []);
  return { model: builder.build(), loss };
}

Deno.test("a gradient graph gives the loss and the gradients asked for", async () => {
  const { model, loss } = small();
  const types = await inferShapes(model);
  const before = structuredClone(model.graph.nodes);
  const graph = gradientGraph(model, { loss, withRespectTo: ["x", "w", "y", "unused"], types });
  assert.deepEqual(model.graph.nodes, before, "the source is not changed");
  await using session = await openSession({ ...model, graph });
  const results = await session.run({ x: float32([2, 3], [1, 0, 0, 0, 1, -1]) });
  // y = [1, −1]
  assert.deepEqual([...results[loss]!.data as Float32Array], [2]);
  assert.deepEqual([...results[gradientName("y")]!.data as Float32Array], [2, -2]);
  assert.deepEqual([...results[gradientName("x")]!.data as Float32Array], [2, 4, 6, -2, -4, -6]);
  assert.deepEqual([...results[gradientName("w")]!.data as Float32Array], [2, -2, 2]);
  assert.deepEqual([...results[gradientName("unused")]!.data as Float32Array], [0, 0]);
});

Deno.test("only what lies between the loss and the values needs a rule", async () => {
  const builder = new GraphBuilder();
  const x = builder.input("x", "float32", [2]);
  const w = builder.input("w", "float32", [2]);
  const before = builder.op("Ceil", [x]);
  const y = builder.op("Mul", [before, w]);
  builder.output(builder.op("Floor", [y]));
  const loss = builder.output(builder.op("ReduceSum", [y], { keepdims: 0 }), "float32", []);
  const model = builder.build();
  const types = await inferShapes(model);
  assert.equal(gradientGraph(model, { loss, withRespectTo: [w], types }).outputs.length, 3);
  assert.throws(() => gradientGraph(model, { loss, withRespectTo: [x], types }), {
    name: "UserError",
    message: /^Operator Ceil of node "Ceil_\d+" has no gradient rule$/,
  });
});

Deno.test("what stands in the way of a gradient is named", async () => {
  const { model, loss } = small();
  const types = await inferShapes(model);
  const ask = (changes: Partial<Parameters<typeof gradientGraph>[1]>) => () =>
    gradientGraph(model, { loss, withRespectTo: ["w"], types, ...changes });
  assert.throws(ask({ loss: "y" }), { message: 'Loss "y" must be one number: its shape is [2]' });
  assert.throws(ask({ loss: "z" }), { message: 'Loss "z" has no known type' });
  assert.throws(ask({ types: new Map([[loss, types.get(loss)!]]) }), {
    message: 'ReduceSumSquare "loss": shape of value "y" is not known',
  });
  const old = { ...model, opsets: new Map([["", 13]]) };
  assert.throws(() => gradientGraph(old, { loss, withRespectTo: ["w"], types }), {
    name: "UserError",
    message: "Gradients need operator set 16 or newer: the model has 13",
  });
  const other = structuredClone(model);
  other.graph.nodes[0]!.domain = "com.example";
  assert.throws(() => gradientGraph(other, { loss, withRespectTo: ["w"], types }), {
    message: 'Operator com.example.MatMul of node "y" has no gradient rule',
  });
});

Deno.test("computed axes and integer values are refused", async () => {
  const builder = new GraphBuilder();
  const x = builder.input("x", "float32", [2, 2]);
  const axes = builder.input("axes", "int64", [1]);
  const sum = builder.op("ReduceSum", [x, axes], { keepdims: 1 }, { name: "sum" });
  const loss = builder.output(builder.op("ReduceMax", [sum], { keepdims: 0 }), "float32", []);
  const types = new Map(
    [
      [x, { type: "float32", dims: [2, 2] }],
      [axes, { type: "int64", dims: [1] }],
      [sum, { type: "float32", dims: [1, 2] }],
      [loss, { type: "float32", dims: [] }],
    ] as const,
  );
  assert.throws(() => gradientGraph(builder.build(), { loss, withRespectTo: [x], types }), {
    message: 'ReduceSum "sum" cannot be differentiated: its input "axes" must be constant',
  });
  const integers = new GraphBuilder();
  const n = integers.input("n", "int64", [1]);
  const total = integers.output(integers.op("ReduceSum", [n], { keepdims: 0 }), "int64", []);
  const model = integers.build();
  const found = await inferShapes(model);
  assert.throws(() => gradientGraph(model, { loss: total, withRespectTo: [n], types: found }), {
    message: /cannot be differentiated: its type is int64$/,
  });
});

Deno.test("gradients are computed inside the body of a Loop", async () => {
  // Newton's method for √2, the derivative of x² − 2 taken by the compiler inside the loop.
  const outer = new GraphBuilder();
  const body = new GraphBuilder("body", outer);
  const iteration = body.input("iteration", "int64", []);
  const running = body.input("running", "bool", []);
  const x = body.input("x", "float32", []);
  const value = body.op("Sub", [body.op("Mul", [x, x]), body.constant(2)], {}, { name: "value" });
  const graph = gradientGraph(body.graph(), {
    loss: value,
    withRespectTo: [x],
    types: new Map(
      body.graph().nodes.flatMap(({ outputs }) =>
        outputs.map((output) => [output, { type: "float32", dims: [] }] as const)
      ),
    ),
  });
  const again = new GraphBuilder("step");
  Object.assign(again.graph(), { ...graph, outputs: [] });
  const next = again.op("Sub", [x, again.op("Div", [value, gradientName(x)])], {}, {
    name: "improved",
  });
  again.graph().outputs = [
    { name: again.op("Identity", [running], {}, { name: "go_on" }), type: "bool", dims: [] },
    { name: next, type: "float32", dims: [] },
  ];
  assert.equal(iteration, "iteration");
  const start = outer.input("start", "float32", []);
  const count = outer.constant(tensor("int64", [], BigInt64Array.of(6n)));
  const root = outer.op("Loop", [count, "", start], {
    body: { kind: "graph", value: again.graph() },
  });
  outer.output(root, "float32", []);
  await using session = await openSession(outer.build());
  const results = await session.run({ start: float32([], [1]) });
  assert.ok(Math.abs(Number(results[root]!.data[0]) - Math.SQRT2) < 1e-6);
});
