import { deepEqual, equal, ok, rejects } from "node:assert/strict";
import { type Feeds, runWithIntermediates } from "../../src/engine/intermediates.ts";
import { openSession } from "../../src/engine/session.ts";
import { GraphBuilder } from "../../src/onnx/build.ts";
import type { Model } from "../../src/onnx/model.ts";
import { readModel } from "../../src/onnx/read.ts";
import { float32, type Tensor } from "../../src/onnx/tensor.ts";
import { testWithSharedData } from "../shared_data.ts";
import { qdqModel, waves } from "./qdq_models.ts";

/** x → Relu → × 2 → + 1, so every value can be worked out by hand. */
function chain(): Model {
  const graph = new GraphBuilder();
  const x = graph.input("x", "float32", ["n", 2]);
  const relu = graph.op("Relu", [x], {}, { outputs: ["relu"] });
  const twice = graph.op("Mul", [relu, graph.constant(2)], {}, { outputs: ["twice"] });
  graph.output(graph.op("Add", [twice, graph.constant(1)], {}, { outputs: ["y"] }));
  return graph.build();
}

async function collect(
  model: Model,
  names: readonly string[],
  batches: Feeds[],
  options: { memory?: number; threads?: number } = {},
) {
  const seen = new Map<string, Tensor>();
  const groups = await runWithIntermediates(model, names, () => batches, (values, batch) => {
    for (const name in values) {
      ok(!seen.has(`${batch}:${name}`), "a value came twice");
      seen.set(`${batch}:${name}`, values[name]!);
    }
  }, options);
  return { groups, seen };
}

Deno.test("inner values, inputs and outputs of every batch are handed over", async () => {
  const batches = [{ x: float32([1, 2], [-1, 3]) }, { x: float32([1, 2], [5, -2]) }];
  const { groups, seen } = await collect(chain(), ["twice", "x", "y"], batches);
  equal(groups, 1);
  deepEqual(Object.fromEntries([...seen].map(([name, { data }]) => [name, [...data]])), {
    "0:twice": [0, 6],
    "0:x": [-1, 3],
    "0:y": [1, 7],
    "1:twice": [10, 0],
    "1:x": [5, -2],
    "1:y": [11, 1],
  });
});

Deno.test("a small budget divides the values into groups and changes none of them", async () => {
  const batches = [{ x: waves([64, 2]) }, { x: waves([64, 2], 1) }];
  const names = ["relu", "twice", "y"];
  const whole = await collect(chain(), names, batches);
  // A value takes 64 × 2 × 4 bytes, and twice that while it is handed over.
  for (const [memory, groups] of [[3 * 1024, 1], [3 * 1024 - 1, 2], [1024, 3], [1, 3]] as const) {
    const divided = await collect(chain(), names, batches, { memory });
    equal(divided.groups, groups, `memory ${memory}`);
    deepEqual(new Map([...divided.seen].sort()), new Map([...whole.seen].sort()));
  }
});

Deno.test("the model's own outputs need not be wanted, and only inputs may be", async () => {
  const batches = [{ x: waves([1, 2]) }];
  deepEqual([...(await collect(chain(), ["relu"], batches)).seen.keys()], ["0:relu"]);
  deepEqual([...(await collect(chain(), ["x"], batches)).seen.keys()], ["0:x"]);
});

Deno.test("values of quantizers are exposed, packed ones are refused", async () => {
  const model = qdqModel({ operator: "Conv", weightBits: 4, activationBits: 4, blocked: false });
  const batches = [{ x: waves([1, 4, 8, 8]) }];
  await rejects(collect(model, ["x.q"], batches), {
    name: "RangeError",
    message: 'Value "x.q" cannot be exposed: its type is uint4',
  });
  await rejects(collect(model, ["nothing"], batches), {
    name: "RangeError",
    message: 'Value "nothing" is neither an input nor computed in the model',
  });
  const { seen } = await collect(model, ["product"], batches);
  deepEqual(seen.get("0:product")!.dims, [1, 8, 6, 6]);
});

Deno.test("an interrupted run stops between batches", async () => {
  const interrupt = new AbortController();
  let batches = 0;
  const run = runWithIntermediates(
    chain(),
    ["y"],
    () => Array.from({ length: 9 }, () => ({ x: waves([1, 2]) })),
    () => {
      if (++batches === 3) interrupt.abort();
    },
    { signal: interrupt.signal },
  );
  await rejects(run, { name: "AbortError" });
  equal(batches, 3);
});

testWithSharedData(
  "values do not depend on threads or on the memory budget: ResNet-20",
  "models/cifar10_resnet20.onnx",
  async (path) => {
    const model = await readModel(path);
    const names = model.graph.nodes.flatMap((node) => node.outputs);
    const input = model.graph.inputs[0]!.name;
    const batches = [{ [input]: waves([8, 3, 32, 32]) }];
    const whole = await collect(model, names, batches);
    equal(whole.groups, 1);
    equal(whole.seen.size, names.length);
    const divided = await collect(model, names, batches, { memory: 12e6, threads: 2 });
    equal(divided.groups, 4);
    for (const [name, value] of whole.seen) deepEqual(divided.seen.get(name), value, name);

    await using session = await openSession(model);
    const { output } = await session.run(batches[0]!);
    const exposed = whole.seen.get("0:output")!;
    // Exposing every value forbids fusions, so the last bits may differ from the plain run.
    output!.data.forEach((value, index) =>
      ok(Math.abs(Number(value) - Number(exposed.data[index])) < 1e-4)
    );
  },
);
