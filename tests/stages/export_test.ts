import { deepEqual, equal, match, ok, rejects } from "node:assert/strict";
import type { Static } from "@sinclair/typebox";
import type { UserError } from "../../src/base/errors.ts";
import { openSession } from "../../src/engine/session.ts";
import { GraphBuilder } from "../../src/onnx/build.ts";
import type { Model } from "../../src/onnx/model.ts";
import { readModel } from "../../src/onnx/read.ts";
import { writeModel } from "../../src/onnx/write.ts";
import type { Evaluation } from "../../src/quant/evaluation.ts";
import type { Artifact } from "../../src/registry/artifact.ts";
import { exportStage } from "../../src/stages/export/mod.ts";
import type { parameters } from "../../src/stages/export/ports.ts";
import { run } from "../../src/stages/export/run.ts";
import type { ExportSummary } from "../../src/stages/export/summary.ts";
import { digestOf } from "../../src/store/digest.ts";
import { type Layer, qdqModel, waves } from "../engine/qdq_models.ts";
import { artifact, context, Fixture, type ListeningContext, numbers } from "./stage_fixture.ts";

type Settings = Static<typeof parameters>;
const DEFAULTS: Settings = { name: "model", allow_options: false };

interface Exported {
  readonly bytes: Uint8Array;
  readonly summary: ExportSummary;
  readonly readme: string;
  readonly metrics: Readonly<Record<string, number>>;
}

async function exported(
  model: Artifact<"model" | "quantized-model">,
  more: {
    settings?: Partial<Settings>;
    evaluation?: Evaluation;
    test?: Artifact<"dataset">;
    context?: ListeningContext;
  } = {},
): Promise<Exported> {
  const { outputs, metrics } = await run(
    { ...DEFAULTS, ...more.settings },
    {
      model,
      evaluation: more.evaluation && artifact("evaluation", more.evaluation, "w-test.evaluation"),
      test: more.test,
    },
    more.context ?? context(),
  );
  return {
    bytes: outputs.model,
    summary: outputs.summary as unknown as ExportSummary,
    readme: new TextDecoder().decode(outputs.readme as Uint8Array),
    metrics: metrics!,
  };
}

function layer(changes: Partial<Layer>): Model {
  return qdqModel({
    operator: "MatMul",
    weightBits: 8,
    activationBits: 8,
    blocked: false,
    ...changes,
  });
}

Deno.test("the model is exported byte for byte, with what it is and how to run it", async () => {
  await using fixture = new Fixture();
  const model = fixture.model("quantized-model", layer({}), "w8.model");
  const { bytes, summary, readme, metrics } = await exported(model, {
    settings: { name: "digits" },
  });
  deepEqual(bytes, await Deno.readFile(model.path));
  deepEqual(summary.file, { name: "digits.onnx", bytes: bytes.length, sha256: digestOf(bytes) });
  deepEqual(summary.onnx, { opset: 21, ir: 10 });
  deepEqual(summary.inputs, [{ name: "x", type: "float32", shape: [4, 32] }]);
  deepEqual(summary.weights, { count: 256, bits: 8, bytes: 256 + 8 * 4 });
  deepEqual(summary.layers, [
    { node: "layer", operator: "MatMul", weights: 256, bits: 8, granularity: "channel" },
  ]);
  deepEqual(summary.activations, { "8": 2 });
  equal(summary.runtime.runs_by_default, true);
  equal(summary.runtime.integer_nodes, 1);
  deepEqual(summary.runtime.advised.map(({ name }) => name), ["session.x64quantprecision"]);
  equal(metrics.file_bytes, bytes.length);
  match(readme, /^# digits\.onnx$/m);
  match(readme, /InferenceSession\("digits\.onnx", options\)/);
  match(readme, /add_session_config_entry\("session\.x64quantprecision", "1"\)/);
  match(readme, /\| `layer` \| MatMul \| 256 \| 8 \| one a channel \|/);
});

Deno.test("a float model is exported too", async () => {
  await using fixture = new Fixture();
  const graph = new GraphBuilder();
  const x = graph.input("x", "float32", ["n", 4]);
  const w = graph.constant(waves([4, 2]), "w");
  graph.output(graph.op("MatMul", [x, w], {}, { name: "dense", outputs: ["y"] }));
  const { summary, readme, metrics } = await exported(fixture.model("model", graph.build()));
  deepEqual(summary.layers, [
    { node: "dense", operator: "MatMul", weights: 8, bits: 32, granularity: "float" },
  ]);
  deepEqual(summary.runtime.advised, []);
  equal(metrics.default_difference, 0);
  match(readme, /\| input \| `x` \| float32 \| \[n, 4\] \|/);
  match(readme, /InferenceSession\.create\("model\.onnx"\);/);
});

Deno.test("silent rounding of weight-only layers is measured, and the option against it is named", async () => {
  await using fixture = new Fixture();
  const model = fixture.model("quantized-model", layer({ weightBits: 4, activationBits: 0 }));
  const { summary, metrics, readme } = await exported(model);
  deepEqual(summary.runtime.advised.map(({ name, value }) => [name, value]), [
    ["session.qdq_matmulnbits_accuracy_level", "1"],
  ]);
  ok(metrics.default_difference! > 1e-4);
  match(readme, /extra: \{ "session\.qdq_matmulnbits_accuracy_level": "1" \}/);
});

Deno.test("a model that fails by default is refused with the reason and what helps", async () => {
  await using fixture = new Fixture();
  for (
    const [changes, reason] of [
      [
        { operator: "Conv", activationBits: 4 },
        /"layer" \(QLinearConv\): its input .* tensor\(uint4\)/,
      ],
      [{ operator: "Conv", blocked: true }, /\(QLinearConv\): .*filter scale shape invalid/],
      [{ weightBits: 2 }, /"layer" \(QLinearMatMul\): its input .* tensor\(int2\)/],
    ] as [Partial<Layer>, RegExp][]
  ) {
    const model = fixture.model("quantized-model", layer(changes), "w.model");
    await rejects(exported(model), (error: UserError) => {
      equal(error.name, "UserError", error.stack);
      match(
        error.message,
        /^ONNX Runtime cannot run the model "w\.model" with its default options: /,
      );
      match(error.message, reason);
      match(error.problems[0]!.hint!, /session\.disable_quant_qdq=1: say allow_options: true/);
      match(error.problems[0]!.hint!, /encoding: container/);
      return true;
    });
    const listening = context();
    const allowed = await exported(model, {
      settings: { allow_options: true },
      context: listening,
    });
    equal(allowed.summary.runtime.runs_by_default, false);
    deepEqual(allowed.summary.runtime.required.map(({ name }) => name), [
      "session.disable_quant_qdq",
      "graph_optimization_level",
    ]);
    match(listening.warnings[0]!, /It needs the session option session\.disable_quant_qdq=1$/);
    match(allowed.readme, /does \*\*not\*\* run in ONNX Runtime with default options/);
    match(allowed.readme, /add_session_config_entry\("session\.disable_quant_qdq", "1"\)/);
  }
});

Deno.test("a model that runs in no way is refused without advice about options", async () => {
  await using fixture = new Fixture();
  const graph = new GraphBuilder();
  const x = graph.input("x", "float32", ["n", 4]);
  graph.output(graph.op("Frobnicate", [x], {}, { name: "odd" }));
  await rejects(exported(fixture.model("model", graph.build())), {
    name: "UserError",
    message: /Node "odd" \(Frobnicate\): opset 21 has no operator Frobnicate/,
  });
});

Deno.test("the evaluation is in the summaries if it is this model's", async () => {
  await using fixture = new Fixture();
  const model = fixture.model("quantized-model", layer({}), "w8.model");
  const evaluation: Evaluation = {
    version: 1,
    subject: { model: model.digest, data: "d" },
    metrics: { top1: 0.9883, bits: 8, file_bytes: 1234 },
    execution: { runtime: "onnxruntime-node 1.30.0", arithmetic: "simulated" },
  };
  const own = await exported(model, { evaluation });
  equal(own.summary.evaluation!.metrics.top1, 0.9883);
  match(own.readme, /With simulated arithmetic in onnxruntime-node 1\.30\.0\./);
  match(own.readme, /\| top-1 \| 98\.83 % \|/);

  const listening = context();
  const other = await exported(model, {
    evaluation: { ...evaluation, subject: { model: "another", data: "d" } },
    context: listening,
  });
  equal(other.summary.evaluation, undefined);
  ok(!other.readme.includes("Measured"));
  match(listening.warnings[0]!, /"w-test\.evaluation" is about another model than "w8\.model"/);
});

Deno.test("real data is used to check the model where there is some", async () => {
  await using fixture = new Fixture();
  const model = fixture.model("quantized-model", layer({}), "w8.model");
  const data = numbers({ dims: [32], values: [...waves([6, 32]).data] });
  const checked = await exported(model, { test: artifact("dataset", data, "inputs.test") });
  equal(checked.summary.runtime.runs_by_default, true);
  const wrong = numbers({ dims: [31], values: [...waves([1, 31]).data] });
  await rejects(exported(model, { test: artifact("dataset", wrong, "inputs.test") }), {
    name: "UserError",
    message: /has shape \[4, 32\], but the items of the data set "inputs\.test" have shape \[31\]/,
  });
});

Deno.test("tensors of other files are put into the exported one", async () => {
  await using fixture = new Fixture();
  const graph = new GraphBuilder();
  const x = graph.input("x", "float32", [1, 64]);
  graph.output(
    graph.op("MatMul", [x, graph.constant(waves([64, 64]), "w")], {}, { outputs: ["y"] }),
  );
  const path = `${fixture.folder}/outside.onnx`;
  await writeModel(graph.build(), path, { external: true });
  const model: Artifact<"model"> = {
    kind: "model",
    digest: "d",
    origin: "inputs.model",
    path,
    load: () => readModel(path),
  };
  const { bytes } = await exported(model);
  await using session = await openSession(bytes);
  await using original = await openSession(path);
  const feeds = { x: waves([1, 64], 1) };
  deepEqual(await session.run(feeds), await original.run(feeds));
});

Deno.test("files are published under the pipeline's name or where the user says", () => {
  const publish = (settings: Partial<Settings>) =>
    exportStage.publish!({ ...DEFAULTS, ...settings }, { name: "digits" }).map(({ to }) => to);
  deepEqual(publish({}), [
    "exports/digits/model.onnx",
    "exports/digits/model.json",
    "exports/digits/model.md",
  ]);
  deepEqual(publish({ to: "out", name: "w4" }), ["out/w4.onnx", "out/w4.json", "out/w4.md"]);
});
