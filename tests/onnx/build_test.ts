import assert from "node:assert/strict";
import { openSession } from "../../src/engine/session.ts";
import {
  float,
  getFloat,
  getGraph,
  getInt,
  getInts,
  getString,
  getTensor,
  graphAttribute,
  tensorAttribute,
} from "../../src/onnx/attributes.ts";
import { GraphBuilder } from "../../src/onnx/build.ts";
import { checkModel } from "../../src/onnx/check.ts";
import { float32, tensor } from "../../src/onnx/tensor.ts";

Deno.test("a built model runs", async () => {
  const builder = new GraphBuilder();
  const x = builder.input("x", "float32", ["batch", 4]);
  const [left, right] = builder.ops("Split", [x, builder.constant([1, 3])], 2, { axis: 1 });
  const sum = builder.op("ReduceSum", [right!, builder.constant([1])], { keepdims: 1 });
  const leaky = builder.op("LeakyRelu", [builder.op("Sub", [left!, sum])], { alpha: float(0.5) });
  builder.output(builder.op("Mul", [leaky, builder.constant(2)], {}, { name: "y" }));
  const model = builder.build();
  assert.deepEqual(checkModel(model), []);
  await using session = await openSession(model);
  const { y } = await session.run({ x: float32([2, 4], [1, 2, 3, 4, 9, 1, 1, 1]) });
  assert.deepEqual(y, float32([2, 1], [-8, 12]));
});

Deno.test("a body built inside a graph reads its values and shares no name with it", async () => {
  const builder = new GraphBuilder();
  const start = builder.input("start", "float32", []);
  const step = builder.op("Mul", [start, builder.constant(2)]);
  const body = new GraphBuilder("body", builder);
  body.input("i", "int64", []);
  const keepOn = body.input("keep_on", "bool", []);
  const state = body.input("state", "float32", []);
  body.output(body.op("Identity", [keepOn]));
  body.output(body.op("Add", [state, step]));
  const trips = builder.constant(tensor("int64", [], BigInt64Array.of(5n)));
  const loop = builder.op("Loop", [trips, "", start], { body: graphAttribute(body.graph()) });
  builder.output(loop, "float32", []);
  const model = builder.build();
  assert.deepEqual(checkModel(model), []);
  await using session = await openSession(model);
  const results = await session.run({ start: float32([], [3]) });
  assert.deepEqual(results[loop], float32([], [33]));
});

Deno.test("a taken name and a number of the wrong kind are programming errors", () => {
  const builder = new GraphBuilder();
  const x = builder.input("x", "float32", []);
  assert.throws(() => builder.constant(1, "x"), /already named "x"/);
  assert.throws(() => builder.op("Elu", [x], { alpha: 0.5 }), /must say float\(0\.5\)/);
  assert.throws(() => builder.constant([0.5]), /must hold integers/);
});

Deno.test("other operator domains are imported", () => {
  const builder = new GraphBuilder();
  const x = builder.input("x", "float32", [1]);
  builder.output(builder.op("Gelu", [x], {}, { domain: "com.microsoft", name: "gelu" }));
  const { opsets, irVersion, graph } = builder.build({ opset: 25, ir: 13 });
  assert.deepEqual(opsets, new Map([["", 25], ["com.microsoft", 1]]));
  assert.equal(irVersion, 13);
  assert.deepEqual(graph.nodes[0]!.outputs, ["gelu"]);
});

Deno.test("attributes are read by kind, with the node named where it is another", () => {
  const body = new GraphBuilder("body").graph();
  const builder = new GraphBuilder();
  const value = float32([], [1]);
  builder.op("Thing", [], {
    axis: 2,
    alpha: float(0.25),
    mode: "reflect",
    pads: [0, 1],
    value: tensorAttribute(value),
    body: graphAttribute(body),
  }, { name: "thing" });
  const node = builder.graph().nodes[0]!;
  assert.equal(getInt(node, "axis"), 2);
  assert.equal(getInt(node, "missing"), undefined);
  assert.equal(getInt(node, "missing", 7), 7);
  assert.equal(getFloat(node, "alpha", 1), 0.25);
  assert.equal(getString(node, "mode"), "reflect");
  assert.deepEqual(getInts(node, "pads", []), [0, 1]);
  assert.equal(getTensor(node, "value"), value);
  assert.equal(getGraph(node, "body"), body);
  assert.throws(
    () => getInts(node, "axis"),
    /Attribute "axis" of node "thing" \(Thing\) must be of kind ints: the model has int/,
  );
});
