import { deepEqual, equal, match, ok, throws } from "node:assert/strict";
import { fileURLToPath } from "node:url";
import { productsSaturate } from "../../src/engine/cpu.ts";
import { engineIdentity, RUNTIME_VERSION } from "../../src/engine/identity.ts";
import { completeOptions, sessionOptionsFor } from "../../src/engine/options.ts";
import { loadRuntime } from "../../src/engine/runtime.ts";
import { type Arithmetic, openSession } from "../../src/engine/session.ts";
import type { Model } from "../../src/onnx/model.ts";
import { type Layer, OUTPUT_RANGE, qdqModel, waves } from "./qdq_models.ts";

Deno.test("the engine's identity names the runtime that is installed", async () => {
  const runtime = await loadRuntime();
  equal(runtime.env.versions.node, RUNTIME_VERSION);
  const identity = engineIdentity();
  equal(identity.version, RUNTIME_VERSION);
  deepEqual(Object.keys(identity.options), ["integer", "integer-exact", "simulated"]);
  // It is hashed, so it must survive JSON.
  deepEqual(JSON.parse(JSON.stringify(identity)), identity);
});

Deno.test("the engine's identity is there without permission to load the runtime", async () => {
  const module = new URL(import.meta.resolve("../../src/engine/identity.ts"));
  const command = new Deno.Command(Deno.execPath(), {
    args: ["run", "--no-prompt", "--no-check", fileURLToPath(module)],
  });
  const { success, stderr } = await command.output();
  ok(success, new TextDecoder().decode(stderr));
});

Deno.test("threads must be a positive integer", () => {
  throws(() => completeOptions({ threads: 0 }), {
    name: "RangeError",
    message: "threads must be an integer ≥ 1: current value is 0",
  });
});

Deno.test("no option is undefined, which the runtime's binding refuses", () => {
  const check = (value: unknown): void => {
    ok(value !== undefined);
    if (typeof value === "object" && value !== null) Object.values(value).forEach(check);
  };
  for (const arithmetic of ["simulated", "integer", "integer-exact"] as const) {
    check(sessionOptionsFor(completeOptions({ arithmetic })));
  }
});

async function output(model: Model, arithmetic: Arithmetic, none = false) {
  await using session = await openSession(model, {
    arithmetic,
    ...(none ? { optimization: "none" } : {}),
  });
  const input = session.inputs[0]!;
  const { y } = await session.run({ x: waves(input.dims as number[]) });
  return { values: y!.data as Float32Array, notes: session.notes, execution: session.execution };
}

function largestDifference(a: Float32Array, b: Float32Array): number {
  let largest = 0;
  a.forEach((value, index) => largest = Math.max(largest, Math.abs(value - b[index]!)));
  return largest;
}

const LAYERS: Layer[] = (["Conv", "MatMul"] as const).flatMap((operator) =>
  ([8, 4, 2] as const).flatMap((weightBits) =>
    ([0, 8, 4, 2] as const).flatMap((activationBits) =>
      [false, true].map((blocked) => ({ operator, weightBits, activationBits, blocked }))
    )
  )
);

Deno.test("simulated arithmetic is the quantizers as written, for every width", async (context) => {
  for (const layer of LAYERS) {
    await context.step(JSON.stringify(layer), async () => {
      const model = qdqModel(layer);
      const written = await output(model, "simulated", true);
      const simulated = await output(model, "simulated");
      deepEqual(simulated.notes, []);
      const largest = written.values.reduce((most, value) => Math.max(most, Math.abs(value)), 0);
      // Without quantized outputs, another order of summation shows in the last bits.
      const tolerance = layer.activationBits === 0 ? 1e-6 * largest : 0;
      ok(largest > 1);
      ok(largestDifference(simulated.values, written.values) <= tolerance);
    });
  }
});

Deno.test("integer arithmetic without saturation is at most one step from simulated", async () => {
  for (const layer of LAYERS) {
    const model = qdqModel(layer);
    const simulated = await output(model, "simulated");
    const integer = await output(model, "integer-exact");
    const step = layer.activationBits === 0
      ? 1e-5
      : OUTPUT_RANGE[layer.operator] / (2 ** layer.activationBits - 1);
    ok(largestDifference(integer.values, simulated.values) <= step * 1.001, JSON.stringify(layer));
  }
});

Deno.test("a fusion that fails is replaced by simulated arithmetic, and the session says so", async () => {
  const failsToLoad = qdqModel({
    operator: "Conv",
    weightBits: 8,
    activationBits: 4,
    blocked: false,
  });
  const loaded = await output(failsToLoad, "integer");
  equal(loaded.notes.length, 1);
  match(
    loaded.notes[0]!,
    /cannot run the model with integer arithmetic at optimization level all: Node "layer" \(QLinearConv\): its input ".+" must not be tensor\(uint4\)\. It ran with simulated arithmetic/,
  );
  equal(loaded.execution.arithmetic, "simulated");
  deepEqual(loaded.values, (await output(failsToLoad, "simulated")).values);

  const failsToRun = qdqModel({
    operator: "Conv",
    weightBits: 8,
    activationBits: 8,
    blocked: true,
  });
  const ran = await output(failsToRun, "integer");
  equal(ran.notes.length, 1);
  match(
    ran.notes[0]!,
    /\(QLinearConv\): .*filter scale shape invalid\. It ran with simulated arithmetic/,
  );
  equal(ran.execution.arithmetic, "simulated");
  deepEqual(ran.values, (await output(failsToRun, "simulated")).values);
});

Deno.test("weight-only products keep their activations in float, also where kernels are fused", async () => {
  const model = qdqModel({ operator: "MatMul", weightBits: 4, activationBits: 0, blocked: false });
  const written = await output(model, "simulated", true);
  for (const arithmetic of ["simulated", "integer"] as const) {
    const { values } = await output(model, arithmetic);
    ok(largestDifference(values, written.values) < 1e-4, arithmetic);
  }
});

Deno.test("products saturate on this processor exactly when a full-range layer shows it", async () => {
  const model = qdqModel({ operator: "MatMul", weightBits: 8, activationBits: 8, blocked: false });
  const exact = await output(model, "integer-exact");
  const integer = await output(model, "integer");
  const step = OUTPUT_RANGE.MatMul / 255;
  const differs = largestDifference(exact.values, integer.values) > 1.5 * step;
  equal(await productsSaturate(), differs);
});

Deno.test("the record of an execution holds what can change a result, and not the threads", async () => {
  const model = qdqModel({ operator: "MatMul", weightBits: 8, activationBits: 8, blocked: false });
  await using session = await openSession(model, { threads: 2 });
  deepEqual(session.options, {
    arithmetic: "simulated",
    optimization: "all",
    threads: 2,
    arena: true,
  });
  deepEqual(session.execution, {
    runtime: `onnxruntime-node ${RUNTIME_VERSION}`,
    provider: "cpu",
    arithmetic: "simulated",
    graph_optimization_level: "all",
    "session.qdq_matmulnbits_accuracy_level": "1",
    "session.disable_quant_qdq": "1",
  });
});
