import { deepEqual, equal, match, ok, rejects } from "node:assert/strict";
import { dirname } from "node:path";
import { UserError } from "../../src/base/errors.ts";
import { sourceOf } from "../../src/engine/model_source.ts";
import { openSession } from "../../src/engine/session.ts";
import { GraphBuilder } from "../../src/onnx/build.ts";
import type { Model } from "../../src/onnx/model.ts";
import { readModel } from "../../src/onnx/read.ts";
import { float32, int64s, type Tensor, tensor } from "../../src/onnx/tensor.ts";
import { encodeModel, writeModel } from "../../src/onnx/write.ts";
import { testWithSharedData } from "../shared_data.ts";
import { packed, waves } from "./qdq_models.ts";

function affine(): GraphBuilder {
  const graph = new GraphBuilder();
  const x = graph.input("x", "float32", ["batch", 2]);
  const w = graph.constant(float32([2, 2], [1, 2, 3, 4]), "w");
  const product = graph.op("MatMul", [x, w], {}, { name: "product", outputs: ["p"] });
  graph.output(graph.op("Add", [product, graph.constant(0.5)], {}, { outputs: ["y"] }));
  return graph;
}

Deno.test("a model runs from a value, from bytes and from a file, with the same result", async () => {
  const model = affine().build();
  const folder = await Deno.makeTempDir();
  try {
    await writeModel(model, `${folder}/affine.onnx`);
    for (const form of [model, encodeModel(model), `${folder}/affine.onnx`]) {
      await using session = await openSession(form);
      const { y } = await session.run({ x: float32([1, 2], [10, 20]) });
      deepEqual(y, { type: "float32", dims: [1, 2], data: Float32Array.of(70.5, 100.5) });
    }
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
});

Deno.test("a session describes its inputs and outputs and computes only what is fetched", async () => {
  const graph = affine();
  graph.output("p");
  await using session = await openSession(graph.build());
  deepEqual(session.inputs, [{ name: "x", type: "float32", dims: ["batch", 2] }]);
  deepEqual(session.outputs.map(({ name }) => name), ["y", "p"]);
  const fetched = await session.run({ x: float32([1, 2], [1, 0]) }, ["p"]);
  deepEqual(Object.keys(fetched), ["p"]);
  deepEqual([...fetched.p!.data], [1, 2]);
});

Deno.test("results are written into tensors that are given, also in the middle of a buffer", async () => {
  await using session = await openSession(affine().build());
  const feeds = { x: float32([1, 2], [1, 0]) };
  const wanted = [...(await session.run(feeds)).y!.data];
  const room = new Float32Array(wanted.length + 2).fill(7);
  const into = tensor("float32", [1, wanted.length], room.subarray(1, 1 + wanted.length));
  const { y } = await session.run(feeds, { y: into });
  deepEqual([...y!.data], wanted);
  deepEqual([...room], [7, ...wanted, 7]);
  deepEqual(Object.keys(await session.run(feeds, { y: undefined })), ["y"]);
});

Deno.test("every element type goes in and comes out unchanged, also from the middle of a buffer", async () => {
  const cases: Tensor[] = [
    tensor("float16", [3], Uint16Array.of(0, 0x3c00, 0xc000, 7).subarray(1)),
    tensor("float64", [2], Float64Array.of(9, Math.PI, -0).subarray(1)),
    tensor("int64", [2], BigInt64Array.of(5n, -(2n ** 62n), 3n).subarray(1)),
    tensor("uint64", [1], BigUint64Array.of(2n ** 63n + 1n)),
    tensor("int8", [2], Int8Array.of(1, -128, 127).subarray(1)),
    tensor("uint8", [2], Uint8Array.of(0, 255)),
    tensor("uint16", [1], Uint16Array.of(65535)),
    tensor("int16", [1], Int16Array.of(-32768)),
    tensor("int32", [1], Int32Array.of(-5)),
    tensor("uint32", [1], Uint32Array.of(4294967295)),
    tensor("bool", [2], Uint8Array.of(1, 0)),
    tensor("string", [2], ["a", "größer"]),
    tensor("float32", [0, 3], new Float32Array(0)),
    tensor("float32", [], Float32Array.of(4)),
  ];
  for (const value of cases) {
    const graph = new GraphBuilder();
    const x = graph.input("x", value.type, value.dims);
    graph.output(graph.op("Identity", [x], {}, { outputs: ["y"] }), value.type, value.dims);
    await using session = await openSession(graph.build());
    const { y } = await session.run({ x: value });
    equal(y!.type, value.type);
    deepEqual(y!.dims, value.dims);
    deepEqual([...y!.data], [...value.data]);
  }
});

Deno.test("wrong feeds are refused by name before the model runs", async () => {
  await using session = await openSession(affine().build());
  await rejects(session.run({}), {
    name: "TypeError",
    message: /"x" is missing: the model needs "x"/,
  });
  await rejects(session.run({ x: float32([3], [1, 2, 3]) }), {
    name: "RangeError",
    message: 'Input "x" must have shape [batch,2]: current value has [3]',
  });
  await rejects(session.run({ x: int64s([1]) }), {
    name: "TypeError",
    message: 'Input "x" must be float32: current value is int64',
  });
  const x = float32([1, 2], [1, 2]);
  await rejects(session.run({ x, z: x }), { message: /"z" does not exist: the model has "x"/ });
  await rejects(session.run({ x }, ["q"]), { message: /Output "q" does not exist/ });
});

Deno.test("sub-byte inputs and outputs are refused before they can end the process", async () => {
  for (const [type, bits] of [["int4", 4], ["uint4", 4], ["int2", 2], ["uint2", 2]] as const) {
    const out = new GraphBuilder();
    const zero = out.constant(packed(type, bits, [], [0]));
    const x = out.input("x", "float32", [4]);
    out.output(out.op("QuantizeLinear", [x, out.constant(1), zero], {}, { outputs: ["y"] }));
    const untyped = out.build({ opset: 25, ir: 13 });
    const message =
      `The model's output "y" is ${type}, which cannot be passed in or out of ONNX Runtime`;
    await rejects(openSession(untyped), { name: "UserError", message });
    await rejects(openSession(encodeModel(untyped)), {
      name: "UserError",
      message: new RegExp(type),
    });
    untyped.graph.outputs[0]!.type = type;
    await rejects(openSession(untyped), { name: "UserError", message });

    const into = new GraphBuilder();
    const q = into.input("q", type, [4]);
    into.output(into.op("DequantizeLinear", [q, into.constant(1)]), "float32", [4]);
    await rejects(openSession(into.build({ opset: 25, ir: 13 })), {
      name: "UserError",
      message: `The model's input "q" is ${type}, which cannot be passed in or out of ONNX Runtime`,
    });
  }
});

Deno.test("what ONNX Runtime refuses is explained by node and operator", async () => {
  const unknown = affine();
  unknown.graph().nodes[0]!.opType = "Frobnicate";
  await refused(unknown, /^Node "product" \(Frobnicate\): opset 21 has no operator Frobnicate$/);

  const custom = affine();
  custom.graph().nodes[0]!.domain = "com.example";
  await refused(
    custom,
    /^Node "product" \(MatMul\): the model does not import the operator domain "com.example"$/,
  );
  const unregistered = affine().build();
  unregistered.graph.nodes[0]!.domain = "com.example";
  unregistered.opsets.set("com.example", 1);
  await refused(unregistered, /com\.example:MatMul/);

  const shapes = affine();
  shapes.graph().initializers.set("w", float32([5, 2], new Float32Array(10)));
  await refused(
    shapes,
    /^Node "product" \(MatMul\): Incompatible dimensions for matrix multiplication$/,
  );

  const noKernel = new GraphBuilder();
  const image = noKernel.input("x", "float64", [1, 1, 4, 4]);
  const kernel = noKernel.constant(tensor("float64", [1, 1, 2, 2], new Float64Array(4)));
  noKernel.output(noKernel.op("Conv", [image, kernel], {}, { name: "conv" }), "float64");
  await refused(noKernel, /^Node "conv" \(Conv\): ONNX Runtime has no CPU implementation of Conv/);

  const wrongType = new GraphBuilder();
  const ids = wrongType.input("x", "int32", [1, 1, 4, 4]);
  const ones = wrongType.constant(tensor("int32", [1, 1, 2, 2], new Int32Array(4)));
  wrongType.output(wrongType.op("Conv", [ids, ones], {}, { name: "conv" }), "int32");
  await refused(wrongType, /^Node "conv" \(Conv\): its input "x" must not be tensor\(int32\)$/);

  await rejects(openSession(Uint8Array.of(1, 2, 3)), {
    message: "Not an ONNX model, or a truncated one",
  });
  await rejects(openSession(new Uint8Array(0)), {
    message: "Not an ONNX model, or a truncated one",
  });
  await rejects(openSession("/nowhere/model.onnx"), {
    name: "UserError",
    message: 'Model file "/nowhere/model.onnx" does not exist',
  });
});

async function refused(from: GraphBuilder | Model, message: RegExp): Promise<void> {
  const model = from instanceof GraphBuilder ? from.build() : from;
  await rejects(openSession(model), (error: Error) => {
    ok(error instanceof UserError, String(error));
    match(error.message, message);
    return true;
  });
}

Deno.test("a node that fails while it runs is named, without source places of the runtime", async () => {
  const graph = new GraphBuilder();
  const x = graph.input("x", "float32", ["n", 4]);
  graph.output(graph.op("Reshape", [x, graph.constant([2, 4])], {}, { name: "to_pairs" }));
  await using session = await openSession(graph.build());
  equal((await session.run({ x: waves([2, 4]) })).to_pairs!.dims.length, 2);
  await rejects(session.run({ x: waves([3, 4]) }), (error: UserError) => {
    equal(error.name, "UserError");
    equal(
      error.message,
      'Node "to_pairs" (Reshape): The input tensor cannot be reshaped to the requested shape. ' +
        "Input shape:{3,4}, requested shape:{2,4}",
    );
    return true;
  });
});

Deno.test("a released session does not run", async () => {
  const session = await openSession(affine().build());
  await session[Symbol.asyncDispose]();
  await session[Symbol.asyncDispose]();
  await rejects(session.run({ x: float32([1, 2], [1, 2]) }), { message: "Session is released" });
});

Deno.test("weights in a file of their own need the model's path", async () => {
  const folder = await Deno.makeTempDir();
  try {
    const graph = new GraphBuilder();
    const x = graph.input("x", "float32", [1, 64]);
    const w = graph.constant(waves([64, 64]), "w");
    graph.output(graph.op("MatMul", [x, w], {}, { outputs: ["y"] }));
    const model = graph.build();
    const path = `${folder}/model.onnx`;
    await writeModel(model, path, { external: true });
    await using fromFile = await openSession(path);
    await using fromValue = await openSession(model);
    const feeds = { x: waves([1, 64], 1) };
    deepEqual(await fromFile.run(feeds), await fromValue.run(feeds));
    await rejects(openSession(await Deno.readFile(path)), {
      name: "UserError",
      message: 'The values of "w" are in another file, which is not there',
    });
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
});

Deno.test("a model value that is too large for one file goes through files that are removed again", async () => {
  const graph = new GraphBuilder();
  const x = graph.input("x", "float32", [1, 64]);
  graph.output(
    graph.op("MatMul", [x, graph.constant(waves([64, 64]), "w")], {}, { outputs: ["y"] }),
  );
  const model = graph.build();
  const source = await sourceOf(model, 64 * 64 * 4 - 1);
  ok(typeof source.model === "string");
  deepEqual([...Deno.readDirSync(dirname(source.model))].length, 2);
  await using session = await openSession(source.model);
  await source.release();
  await rejects(Deno.stat(source.model), Deno.errors.NotFound);
  // The weights are in memory by now.
  await using direct = await openSession(model);
  const feeds = { x: waves([1, 64], 1) };
  deepEqual(await session.run(feeds), await direct.run(feeds));
  ok((await sourceOf(model, 64 * 64 * 4)).model instanceof Uint8Array);
});

for (const name of ["cifar10_resnet20", "squeezenet1.1"]) {
  testWithSharedData(
    `one and two threads give the same bytes: ${name}`,
    `models/${name}.onnx`,
    async (path) => {
      const { graph } = await readModel(path);
      const input = graph.inputs.find((info) => !graph.initializers.has(info.name))!;
      const x = waves(input.dims!.map((dim) => typeof dim === "number" ? dim : 4));
      await using one = await openSession(path, { threads: 1 });
      await using two = await openSession(path, { threads: 2 });
      const feeds = { [input.name]: x };
      deepEqual(await two.run(feeds), await one.run(feeds));
    },
  );
}
