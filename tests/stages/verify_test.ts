import assert from "node:assert/strict";
import { GraphBuilder } from "../../src/onnx/build.ts";
import type { Model } from "../../src/onnx/model.ts";
import { float32, tensor } from "../../src/onnx/tensor.ts";
import { checkCertificate } from "../../src/checker/check.ts";
import { openSession } from "../../src/engine/session.ts";
import { decodeModel } from "../../src/onnx/read.ts";
import { encodeModel } from "../../src/onnx/write.ts";
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
    readonly kept?: boolean;
    readonly outputs: {
      found: number;
      proven: number;
      witness: { item: number; evaluated: number; executed: number };
    }[];
  }[];
  readonly decomposition?: Readonly<Record<string, number>>;
}

/** The numbers of a NumPy file of float32, and its shape. */
function readNpy(bytes: Uint8Array): { dims: number[]; values: Float32Array } {
  const header = new TextDecoder().decode(bytes.subarray(10, 128));
  assert.match(header, /'descr': '<f4'/);
  const dims = header.match(/'shape': \(([^)]*)\)/)![1]!.split(",").filter((each) => each.trim());
  const start = 10 + bytes[8]! + 256 * bytes[9]!;
  return { dims: dims.map(Number), values: new Float32Array(bytes.slice(start).buffer) };
}

async function verify(
  quantized: Model,
  domain: Parameters<typeof run>[0]["domain"],
  others: Partial<Parameters<typeof run>[0]> = {},
  inputs: Partial<Parameters<typeof run>[1]> = {},
  told: Partial<Parameters<typeof run>[2]> = {},
) {
  await using fixture = new Fixture();
  const { outputs, metrics } = await run(
    {
      domain,
      method: "differential",
      split: true,
      semantics: "real",
      stop: { ratio: 1.01 },
      attack: { restarts: 2, steps: 10 },
      certificate: {},
      ...others,
    },
    {
      model: fixture.model("quantized-model", quantized),
      reference: fixture.model("model", model(1)),
      property: undefined,
      test: undefined,
      ranges: undefined,
      ...inputs,
    },
    { ...context(), ...told },
  );
  return {
    answer: outputs.bracket as unknown as Answer,
    metrics: metrics!,
    certificate: new TextDecoder().decode(outputs.certificate as Uint8Array),
    witness: readNpy(outputs.witness as Uint8Array),
    merged: outputs.merged as Uint8Array | undefined,
  };
}

/** The files of the two models of {@linkcode verify}. */
function filesOf(quantized: Model) {
  return { original: encodeModel(model(1)), quantized: encodeModel(quantized) };
}

Deno.test("verify proves the largest difference on a box, and shows where it is", async () => {
  const { answer, metrics, witness } = await verify(model(1.5), {
    box: { lower: -1, upper: [2, 1] },
  });
  const [output] = answer.domains[0]!.outputs;
  // f′ − f = x₀/2 where x₀ > 0.
  assert.ok(Math.abs(output!.found - 1) < 1e-9 && output!.proven >= 1 && output!.proven <= 1.01);
  assert.deepEqual([output!.witness.item, witness.values[0]], [0, 2]);
  assert.ok(Math.abs(output!.witness.executed - 1) < 1e-6);
  assert.equal(Math.abs(output!.witness.evaluated), output!.found);
  assert.deepEqual(witness.dims, [1, 2]);
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
  const methods = [
    "interval",
    "crown-separate",
    "crown-merged",
    "zonotope",
    "differential",
  ] as const;
  for (const method of methods) {
    const { metrics } = await verify(model(1.25), { box: { lower: -1, upper: 1 } }, {
      method,
      split: method !== "differential",
    });
    bounds[method] = metrics.bound!;
    assert.ok(metrics.bound! >= 0.25);
  }
  assert.ok(bounds.differential! <= 0.26 && bounds.zonotope! < bounds.interval!);
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

Deno.test("the certificate is accepted on its own, for one box and for several, and is the same again", async () => {
  for (const semantics of ["real", "float32"] as const) {
    for (const quantized of [model(1.5), model(1, true)]) {
      const domain = { box: { lower: -1, upper: [2, 1] } };
      const { certificate, metrics } = await verify(quantized, domain, { semantics });
      const { certificate: checked } = checkCertificate(certificate, filesOf(quantized));
      assert.equal(checked.semantics, semantics);
      assert.ok(
        metrics.certified! <= 1.05 * metrics.bound! && metrics.certified! >= metrics.found!,
      );
      const again = await verify(quantized, domain, { semantics });
      assert.equal(again.certificate, certificate);
    }
  }
  const items = numbers({ dims: [2], values: [0.5, -0.25, -1, 1, 2, 0] });
  const test = artifact("dataset", items, "test");
  const { certificate } = await verify(model(1.5), { linf: 0.1 }, {}, { test });
  const { certificate: { boxes } } = checkCertificate(certificate, filesOf(model(1.5)));
  assert.deepEqual(boxes.map(({ name }) => name), ["item 0", "item 1", "item 2"]);
});

Deno.test("without a certificate the file says why", async () => {
  const box = { box: { lower: -1, upper: 1 } };
  const { certificate, metrics } = await verify(model(1.5), box, { certificate: { parts: 0 } });
  assert.equal(metrics.certified, undefined);
  assert.throws(
    () => checkCertificate(certificate, filesOf(model(1.5))),
    /holds no certificate: none was asked for/,
  );
});

Deno.test("attacks find what samples do not", async () => {
  // Largest in one corner of many inputs: f′ − f = ½·relu(Σ x + 1).
  const ridge = (factor: number): Model => {
    const b = new GraphBuilder();
    const x = b.input("x", "float32", [1, 12]);
    const sum = b.constant(float32([12, 1], new Float32Array(12).fill(1)));
    const z = b.op("Gemm", [x, sum, b.constant(float32([1], [1]))]);
    const weight = b.constant(float32([1, 1], [factor]));
    b.output(b.op("MatMul", [b.op("Relu", [z]), weight], {}, { name: "y" }));
    return b.build({ opset: 17 });
  };
  await using fixture = new Fixture();
  const reference = fixture.model("model", ridge(1));
  const domain = { box: { lower: -1, upper: 1 } };
  const found = async (restarts: number) =>
    (await verify(ridge(1.5), domain, { attack: { restarts, steps: 40 } }, { reference })).metrics
      .found!;
  assert.ok(Math.abs(await found(2) - 6.5) < 1e-6);
  assert.equal(await found(0), 0.5);
});

Deno.test("the parts of a bound add up, and each is where it comes from", async () => {
  const partsOf = async (
    quantized: Model,
    box: { lower: number; upper: number[] },
    semantics: "real" | "float32" = "real",
  ) => {
    const { answer, metrics } = await verify(quantized, { box }, { semantics });
    const { weights, rounding, saturation, arithmetic, total } = answer.decomposition!;
    const parts = [weights!, rounding!, saturation!, arithmetic!];
    assert.ok(Math.abs(parts.reduce((sum, part) => sum + part) - total!) < 1e-9);
    assert.ok(Math.abs(metrics.from_weights! - weights! / total!) < 1e-12);
    return parts.map((part) => part / total!);
  };
  const small = { lower: 0.1, upper: [0.9, 0.8] };
  assert.deepEqual(await partsOf(model(1.5), small), [1, 0, 0, 0]);
  const [weights, rounding, saturation] = await partsOf(model(1, true), small);
  assert.ok(weights! < 1e-9 && rounding! > 0.99 && saturation! < 0.01);
  // A grid of sixteenths with 256 levels ends at 15.9.
  const [, , cut] = await partsOf(model(1, true), { lower: 0.1, upper: [40, 0.8] });
  assert.ok(cut! > 0.9);
  const [, , , arithmetic] = await partsOf(model(1), small, "float32");
  assert.equal(arithmetic, 1);
});

Deno.test("classes that provably stay are told from those that may change", async () => {
  // The class is 0 where x₀ > x₁; the copy moves the border to 1.5·x₀ > x₁.
  const classifier = (factor: number): Model => {
    const b = new GraphBuilder();
    const x = b.input("x", "float32", [1, 2]);
    const z = b.op("MatMul", [x, b.constant(float32([2, 4], [factor, 0, -1, 0, 0, 1, 0, -1]))]);
    const last = b.constant(float32([4, 2], [1, 0, 0, 1, -1, 0, 0, -1]));
    b.output(b.op("MatMul", [b.op("Relu", [z]), last], {}, { name: "y" }));
    return b.build({ opset: 17 });
  };
  await using fixture = new Fixture();
  const reference = fixture.model("model", classifier(1));
  // Far on either side, near the border, between both borders.
  const items = numbers({ dims: [2], values: [1, 0.1, 0.2, 1, 0.5, 0.45, 0.8, 1] }, {
    labels: [0, 1, 0, 1],
  });
  const test = artifact("dataset", items, "test");
  const { answer, metrics } = await verify(classifier(1.5), { linf: 0.1 }, {}, { test, reference });
  assert.deepEqual(answer.domains.map(({ kept }) => kept), [true, true, false, false]);
  assert.equal(metrics.certified_share, 0.5);
});

Deno.test("the exact method gives the largest difference, and says what it is not for", async () => {
  const domain = { box: { lower: -1, upper: [2, 1] } };
  const { metrics, answer } = await verify(model(1.5), domain, { method: "exact" });
  assert.ok(Math.abs(metrics.bound! - 1) < 1e-5 && Math.abs(metrics.found! - 1) < 1e-6);
  assert.equal(answer.decomposition, undefined);
  await assert.rejects(
    verify(model(1, true), domain, { method: "exact" }),
    /\(quantize\) has no exact form/,
  );
});

Deno.test("the range of the input is what its model declares, or else what calibration saw", async () => {
  const seen = {
    version: 1,
    method: "minmax",
    settings: {},
    tensors: { x: { min: -1, max: 2, count: 9 } },
  } as const;
  const ranges = artifact("ranges", seen, "ranges");
  const { metrics } = await verify(model(1.5), "range", {}, { ranges });
  assert.ok(Math.abs(metrics.found! - 1) < 1e-9);
  await using fixture = new Fixture();
  const declared = {
    ...model(1),
    metadata: new Map([["Image.NominalPixelRange", "Normalized_0_1"]]),
  };
  const reference = fixture.model("model", declared);
  const { metrics: other } = await verify(model(1.5), "range", {}, { ranges, reference });
  assert.ok(Math.abs(other.found! - 0.5) < 1e-9);
  await assert.rejects(verify(model(1.5), "range"), /"x" of type float32 has no natural range/);
});

Deno.test("the merged model's output is the difference", async () => {
  const domain = { box: { lower: -1, upper: 1 } };
  const without = await verify(model(1.5), domain);
  assert.equal(without.merged, undefined);
  const { merged } = await verify(model(1.5, true), domain, { emit: "merged" });
  await using session = await openSession(decodeModel(merged!));
  const one = async (which: Model, values: number[]) => {
    await using each = await openSession(which);
    return (await each.run({ x: float32([1, 2], values) })).y!.data[0] as number;
  };
  for (const values of [[0.3, -0.7], [0.95, 0.5]]) {
    const { difference } = await session.run({ x: float32([1, 2], values) });
    const expected = await one(model(1.5, true), values) - await one(model(1), values);
    assert.equal(difference!.data[0], Math.fround(expected));
  }
});

Deno.test("an interrupted verification goes on behind the boxes that are done, to the same bytes", async () => {
  const items = numbers({ dims: [2], values: [0.5, -0.25, -1, 1, 2, 0] });
  const test = artifact("dataset", items, "test");
  const saved = new Map<string, Uint8Array>();
  const aborted = new AbortController();
  let done = 0;
  const checkpoints = {
    load: (name: string) => Promise.resolve(saved.get(name)),
    save(name: string, bytes: Uint8Array) {
      saved.set(name, bytes);
      if (++done === 2) aborted.abort();
      return Promise.resolve();
    },
  };
  const domain = { linf: 0.1 };
  await assert.rejects(
    verify(model(1.5, true), domain, {}, { test }, { checkpoints, signal: aborted.signal }),
    /abort/i,
  );
  assert.equal(done, 2);
  const resumed = await verify(model(1.5, true), domain, {}, { test }, { checkpoints });
  assert.equal(done, 3);
  assert.deepEqual(resumed, await verify(model(1.5, true), domain, {}, { test }));
});

Deno.test("float32 arithmetic is not claimed of models that compute in half precision", async () => {
  const half = (): Model => {
    const b = new GraphBuilder();
    const x = b.input("x", "float16", [1, 2]);
    const weights = b.constant(tensor("float16", [2, 1], Uint16Array.of(0x3c00, 0xbc00)));
    b.output(b.op("MatMul", [x, weights], {}, { name: "y" }));
    return b.build({ opset: 17 });
  };
  await assert.rejects(
    verify(half(), { box: { lower: -1, upper: 1 } }, { semantics: "float32" }),
    /compute in float32: one takes float16/,
  );
});
