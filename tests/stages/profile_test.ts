import assert from "node:assert/strict";
import { UserError } from "../../src/base/errors.ts";
import type { JsonValue } from "../../src/base/canonical_json.ts";
import { executedOperators } from "../../src/engine/fusion.ts";
import { GraphBuilder } from "../../src/onnx/build.ts";
import { float32 } from "../../src/onnx/tensor.ts";
import { placeQuantizers } from "../../src/quant/placement.ts";
import { fillDefaults } from "../../src/registry/defaults.ts";
import type { Schema } from "../../src/registry/schema.ts";
import { checkLatencyTable, LatencyLookup } from "../../src/search/cost/latency.ts";
import { declaredShapes, workOf } from "../../src/search/cost/work.ts";
import { parameters as prepareParameters } from "../../src/stages/prepare/ports.ts";
import { prepareModel } from "../../src/stages/prepare/run.ts";
import { atWidths } from "../../src/stages/profile/layer_model.ts";
import { otherNodes } from "../../src/stages/profile/others.ts";
import { parameters } from "../../src/stages/profile/ports.ts";
import { run } from "../../src/stages/profile/run.ts";
import { nonNegativeValues } from "../../src/stages/profile/signs.ts";
import { smallNetwork } from "../quant/small_network.ts";
import { artifact, context } from "./stage_fixture.ts";

function complete<T>(schema: { static: T }, given: JsonValue): T {
  return fillDefaults(schema as unknown as Schema, given) as T;
}

const { model } = await prepareModel(smallNetwork(), complete(prepareParameters, {}));

Deno.test("every layer has a latency at every width, which search can look up", async () => {
  const { outputs, metrics } = await run(
    complete(parameters, { bits: [1, 2, 4], activation_bits: [8, 32], runs: 3 }),
    { model: artifact("model", model, "prepare.model") },
    context(),
  );
  const table = checkLatencyTable(outputs.latency, "profile.latency");
  const layers = ["stem", "depthwise", "project", "hidden", "logits", "conv1d"]
    .map((name) => ({ name, nodes: [name], elements: 1, entries: [] }));
  const works = workOf(model, { layers });
  for (const [widths, activations] of [[[1, 2, 4, 8], 8], [[1, 2, 4, 32], 32]] as const) {
    const lookup = new LatencyLookup(table);
    for (const { nodes } of works) {
      for (const width of widths) {
        const us = lookup.cost(nodes[0]!, width, activations);
        assert.ok(us >= 0 && us < 1e6);
      }
    }
    lookup.requireAll();
    assert.ok(table.rest[activations]! >= 0);
  }
  assert.ok(metrics!["float_seconds"]! > 0 && metrics!["int8_seconds"]! > 0);
  const keys = table.entries.map(({ us: _, ...key }) => JSON.stringify(key));
  assert.equal(new Set(keys).size, keys.length);
});

Deno.test("values are known not to be negative where operators say so", () => {
  const builder = new GraphBuilder();
  const x = builder.input("x", "float32", [1, 4]);
  const constant = (values: number[]) => builder.constant(float32([values.length], values));
  const names = new Map<string, string>();
  const op = (name: string, opType: string, inputs: string[]) => {
    names.set(name, builder.op(opType, inputs, {}, { name }));
    return names.get(name)!;
  };
  const relu = op("relu", "Relu", [x]);
  const six = op("six", "Clip", [x, builder.constant(float32([], [0])), constant([6])]);
  const sum = op("sum", "Add", [relu, six]);
  op("mixed", "Add", [relu, x]);
  op("scaled", "Mul", [sum, constant([2])]);
  const flipped = op("flipped", "Mul", [sum, constant([-2])]);
  op("below", "Clip", [x, builder.constant(float32([], [-1])), constant([6])]);
  op("moved", "Flatten", [sum]);
  const y = op("joined", "Concat", [sum, flipped]);
  builder.output(y, "float32", [1, 8]);
  const found = nonNegativeValues(builder.build().graph);
  const known = [...names].filter(([, value]) => found.has(value)).map(([name]) => name);
  assert.deepEqual(known, ["relu", "six", "sum", "scaled", "moved"]);
});

Deno.test("the model that is timed runs a convolution and its Relu as one integer operator", async () => {
  const whole = atWidths(
    model,
    { weights: 8, activations: 8 },
    complete(parameters, {}),
    false,
  );
  const operators = await executedOperators(whole, { arithmetic: "integer" });
  assert.equal(operators.get("Relu") ?? 0, 0);
  assert.ok(operators.get("QLinearConv")! > 0);
});

Deno.test("operators without weights are timed once for all that are alike, and not where they are fused", () => {
  const { layers } = placeQuantizers(model);
  const shapes = declaredShapes(model.graph);
  const [int8, float] = [false, true].map((isFloat) => otherNodes(model, layers, shapes, isFloat));
  const types = (nodes: typeof int8) => nodes!.map(({ node }) => node.opType);
  assert.ok(
    types(int8).every((type) => !["Conv", "Gemm", "Relu", "Clip", "Flatten"].includes(type)),
  );
  assert.ok(types(int8).includes("MaxPool") && types(float).includes("MaxPool"));
  assert.ok(types(int8).length >= types(float).length);
});

Deno.test("a model that takes several items at a time is refused", async () => {
  const fixed = await prepareModel(smallNetwork(), complete(prepareParameters, { batch: 2 }));
  await assert.rejects(
    () =>
      run(
        complete(parameters, {}),
        { model: artifact("model", fixed.model, "prepare.model") },
        context(),
      ),
    (error) => {
      assert.ok(error instanceof UserError);
      assert.match(error.message, /"x" of the model "prepare\.model" takes 2 items at a time/);
      return true;
    },
  );
});
