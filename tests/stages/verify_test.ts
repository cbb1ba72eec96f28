import assert from "node:assert/strict";
import { GraphBuilder } from "../../src/onnx/build.ts";
import type { Model } from "../../src/onnx/model.ts";
import { float32, tensor } from "../../src/onnx/tensor.ts";
import { run } from "../../src/stages/verify/run.ts";
import { artifact, context, Fixture, numbers } from "./stage_fixture.ts";

/** |x₀| − |x₁| by four Relus, with weights 1 or almost 1, and activations rounded to sixteenths if asked for. */
function model(weight: number, rounded = false): Model {
  const b = new GraphBuilder();
  const x = b.input("x", "float32", [1, 2]);
  const first = b.constant(float32([2, 4], [weight, -1, 0, 0, 0, 0, 1, -1]));
  let value = b.op("Relu", [b.op("MatMul", [x, first])]);
  if (rounded) {
    const scale = b.constant(float32([], [0.0625]));
    const zero = b.constant(tensor("uint8", [], Uint8Array.of(0)));
    value = b.op("DequantizeLinear", [b.op("QuantizeLinear", [value, scale, zero]), scale, zero]);
  }
  b.output(b.op("MatMul", [value, b.constant(float32([4, 1], [1, 1, -1, -1]))], {}, { name: "y" }));
  return b.build({ opset: 17 });
}

interface Answer {
  readonly domains: {
    readonly name: string;
    readonly outputs: { found: number; proven: number; witness: number[] }[];
  }[];
}

async function verify(
  quantized: Model,
  domain: Parameters<typeof run>[0]["domain"],
  others: Partial<Parameters<typeof run>[0]> = {},
  inputs: Partial<Parameters<typeof run>[1]> = {},
) {
  await using fixture = new Fixture();
  const { outputs, metrics } = await run(
    {
      domain,
      method: "differential",
      split: true,
      semantics: "real",
      stop: { ratio: 1.01 },
      ...others,
    },
    {
      model: fixture.model("quantized-model", quantized),
      reference: fixture.model("model", model(1)),
      property: undefined,
      test: undefined,
      ...inputs,
    },
    context(),
  );
  return { answer: outputs.bracket as unknown as Answer, metrics: metrics! };
}

Deno.test("verify proves the largest difference on a box, and shows where it is", async () => {
  const { answer, metrics } = await verify(model(1.5), { box: { lower: -1, upper: [2, 1] } });
  const [output] = answer.domains[0]!.outputs;
  // f′ − f = x₀/2 where x₀ > 0.
  assert.ok(Math.abs(output!.found - 1) < 1e-9 && output!.proven >= 1 && output!.proven <= 1.01);
  assert.equal(output!.witness[0], 2);
  assert.equal(metrics.bound, output!.proven);
  assert.equal(metrics.settled, 1);
});

Deno.test("verify counts what rounding of activations does", async () => {
  const { metrics } = await verify(model(1, true), { box: { lower: 0.1, upper: [0.9, 0.8] } });
  // Two live activations, each off by half a step at most.
  assert.ok(metrics.bound! <= 0.0625 + 1e-9 && metrics.bound! >= metrics.found!);
  assert.ok(metrics.found! > 0.045);
});

Deno.test("each method is sound, and the differential one the tightest", async () => {
  const bounds: Record<string, number> = {};
  for (const method of ["interval", "crown-separate", "crown-merged", "differential"] as const) {
    const { metrics } = await verify(model(1.25), { box: { lower: -1, upper: 1 } }, {
      method,
      split: false,
    });
    bounds[method] = metrics.bound!;
    assert.ok(metrics.bound! >= 0.25);
  }
  assert.ok(bounds.differential! <= 0.26);
  assert.ok(bounds["crown-merged"]! <= bounds["crown-separate"]! + 1e-12);
  assert.ok(bounds["crown-separate"]! <= bounds.interval! + 1e-12);
});

Deno.test("boxes stand around items of a data set; points are exact", async () => {
  const test = artifact("dataset", numbers({ dims: [2], values: [0.5, -0.25, -1, 1] }), "test");
  const { answer } = await verify(model(1.5), { linf: 0 }, {}, { test });
  const [first, second] = answer.domains.map(({ outputs }) => outputs[0]!);
  assert.ok(Math.abs(first!.proven - 0.25) < 1e-9 && Math.abs(first!.found - 0.25) < 1e-12);
  assert.ok(second!.proven < 1e-9 && second!.found === 0);
});

Deno.test("a domain without its data says what to add", async () => {
  await assert.rejects(verify(model(1), "property"), /needs a VNN-LIB file/);
  await assert.rejects(verify(model(1), { linf: 0.1 }), /needs the data set/);
});
