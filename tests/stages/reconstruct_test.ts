import assert from "node:assert/strict";
import type { JsonValue } from "../../src/base/canonical_json.ts";
import { UserError } from "../../src/base/errors.ts";
import { openSession } from "../../src/engine/session.ts";
import { cloneModel } from "../../src/onnx/edit.ts";
import type { Model } from "../../src/onnx/model.ts";
import { encodeModel } from "../../src/onnx/write.ts";
import { readQuantization } from "../../src/quant/qdq.ts";
import type { EndRecord } from "../../src/quant/reconstruct/ends.ts";
import type { PartTime, UnitRecord } from "../../src/quant/reconstruct/reconstruct.ts";
import type { Checkpoints, StageContext } from "../../src/registry/stage.ts";
import { fillDefaults } from "../../src/registry/defaults.ts";
import { asSchema } from "../../src/registry/schema.ts";
import { reconstruct } from "../../src/stages/reconstruct/mod.ts";
import type { Parameters } from "../../src/stages/reconstruct/ports.ts";
import { run } from "../../src/stages/reconstruct/run.ts";
import { ITEM, items, quantized, residualNetwork } from "../quant/reconstruct/network.ts";
import { diskTest } from "../small_disk.ts";
import { artifact, context, numbers } from "./stage_fixture.ts";

const float = residualNetwork();
const w2 = await quantized(float, 2);
const w3a4 = await quantized(float, 3, 4);
const calibration = numbers({ dims: ITEM, values: [...items(96).data] });

type Given = Partial<Record<keyof Parameters, unknown>>;

/** Parameters with every default filled in. */
function completed(given: Given): Parameters {
  const set = Object.entries(given).filter(([, value]) => value !== undefined);
  const value = Object.fromEntries(set) as Record<string, JsonValue>;
  return fillDefaults(asSchema(reconstruct.parameters), value) as unknown as Parameters;
}

/** Runs the stage with defaults that are quick. */
function reconstructed(
  model: Model,
  given: Given = {},
  own: Partial<StageContext> = {},
  data = calibration,
  reference = float,
) {
  const parameters = completed({
    steps: 150,
    batch: 16,
    distill: 0,
    threads: 1,
    ...given,
  });
  const listening = context(own);
  const result = run(parameters, {
    model: artifact("quantized-model", model, "quantized.model"),
    reference: artifact("model", reference, "prepare.model"),
    calibration: artifact("dataset", data, "inputs.calibration"),
  }, listening);
  return { result, listening };
}

async function outputsOf(model: Model): Promise<Float32Array> {
  await using session = await openSession(model);
  return (await session.run({ x: items(64, 1) }))[model.graph.outputs[0]!.name]!
    .data as Float32Array;
}

/** Mean squared difference of outputs from the float network's, on items that were not learned from. */
async function errorOf(model: Model): Promise<number> {
  const [own, exact] = [await outputsOf(model), await outputsOf(float)];
  return own.reduce((sum, value, index) => sum + (value - exact[index]!) ** 2, 0) / own.length;
}

const resultOf = async ({ result }: ReturnType<typeof reconstructed>) => {
  const { outputs, metrics } = await result;
  return {
    model: outputs.model as Model,
    units: (outputs.record as unknown as { units: UnitRecord[] }).units,
    metrics: metrics!,
  };
};

Deno.test("Every unit comes closer to the float network, and so does the whole", async () => {
  const { model, units, metrics } = await resultOf(reconstructed(w2));
  assert.deepEqual(units.map(({ name }) => name), ["stem", "block1..block2", "deep", "head"]);
  for (const { loss_before, loss_after, changed, steps, kept, name } of units) {
    // A depthwise layer has so few weights that nearest may be the best there is.
    if (name === "deep") continue;
    assert.ok(loss_after < loss_before, `${name}: ${loss_before} to ${loss_after}`);
    assert.ok(changed > 0 && changed < 0.6);
    assert.equal(steps, 150);
    assert.ok(kept);
  }
  assert.equal(metrics.units, 4);
  assert.ok(await errorOf(model) < 0.5 * await errorOf(w2));
});

Deno.test("Only integers and biases change, and integers by at most one step of nearest", async () => {
  const { model } = await resultOf(reconstructed(w2));
  const before = readQuantization(w2).weights;
  for (const [index, { values, parameters, bits }] of readQuantization(model).weights.entries()) {
    assert.equal(bits, 2);
    assert.deepEqual(parameters.scale, before[index]!.parameters.scale);
    assert.deepEqual(parameters.zeroPoint, before[index]!.parameters.zeroPoint);
    for (let at = 0; at < values.length; at++) {
      assert.ok(values[at]! >= -2 && values[at]! <= 1);
      assert.ok(Math.abs(values[at]! - before[index]!.values[at]!) <= 1);
    }
  }
});

for (const method of ["adaround", "gptq", "bias"] as const) {
  Deno.test(`Method ${method} reduces the error`, async () => {
    const learns = method === "adaround";
    const given = learns ? { method } : { method, steps: undefined };
    const { model, units } = await resultOf(reconstructed(w2, given));
    assert.ok(units.every(({ loss_after, loss_before }) => loss_after <= loss_before));
    assert.ok(await errorOf(model) < 0.9 * await errorOf(w2));
  });
}

for (const method of ["brecq", "qdrop", "genie"] as const) {
  Deno.test(`Method ${method} learns weights and activations, in the same form`, async () => {
    const given = { method, activation_steps: 80, activation_rate: 5e-3 };
    const { model, units } = await resultOf(reconstructed(w3a4, given));
    assert.ok(units.every(({ loss_after, loss_before }) => loss_after <= loss_before));
    assert.ok(await errorOf(model) < 0.9 * await errorOf(w3a4));
    const [own, before] = [readQuantization(model), readQuantization(w3a4)];
    assert.equal(own.activations.length, before.activations.length);
    assert.equal(own.biases.length, before.biases.length);
    const scales = ({ activations }: typeof own) => activations.map((a) => a.parameters!.scale[0]);
    assert.notDeepEqual(scales(own), scales(before));
    const weightScales = ({ weights }: typeof own) => weights.map((w) => w.parameters.scale);
    if (method === "genie") assert.notDeepEqual(weightScales(own), weightScales(before));
    else assert.deepEqual(weightScales(own), weightScales(before));
    // Integer biases have the scale of their products, whatever was learned.
    for (const { node, scale } of own.biases) {
      const input = own.activations.find(({ result }) => result === node.inputs[0])!;
      const weight = own.weights.find((reading) => reading.node === node)!;
      weight.parameters.scale.forEach((value, index) => {
        const product = Math.fround(value * input.parameters!.scale[0]!);
        assert.ok(Math.abs(scale[index]! / product - 1) < 1e-6);
      });
    }
  });
}

Deno.test("The last pass brings the answers closer on the items it learned from", async () => {
  const { result } = reconstructed(w2, { distill: 100 });
  const { network } = (await result).outputs.record as unknown as {
    network: { divergence_before: number; divergence_after: number; kept: boolean };
  };
  assert.ok(network.kept);
  assert.ok(network.divergence_after < 0.8 * network.divergence_before);
});

Deno.test("The last pass moves weights too, on the grid, and leaves those of more bits", async () => {
  const given = { steps: 20, distill: 100, distill_weight_rate: 0.02 };
  const divergence = async (own: Given) => {
    const { result } = reconstructed(w2, { ...given, ...own });
    const { model, record } = (await result).outputs as unknown as {
      model: Model;
      record: { network: { divergence_after: number } };
    };
    return { model, after: record.network.divergence_after };
  };
  const [moved, still] = [await divergence({}), await divergence({ distill_weight_rate: 0 })];
  assert.ok(moved.after < 0.8 * still.after, `${moved.after} after ${still.after}`);
  const integers = ({ model }: typeof moved) =>
    readQuantization(model).weights.map(({ values }) => Array.from(values));
  assert.notDeepEqual(integers(moved), integers(still));
  for (const values of integers(moved)) {
    assert.ok(values.every((value) => value >= -2 && value <= 1));
  }
  const given4 = { ...given, except: ["block*"], max_bits: 2 };
  const { model } = await resultOf(reconstructed(w2, given4));
  const after = new Map(readQuantization(model).weights.map((own) => [own.node.name, own]));
  for (const { node, values } of readQuantization(w2).weights) {
    if (node.name.startsWith("block")) assert.deepEqual(after.get(node.name)!.values, values);
  }
});

Deno.test("Changed images count as further items, and only images are changed", async () => {
  const given = { augment: ["mirror"], copies: 2, steps: 20 };
  const few = numbers({ dims: ITEM, values: [...items(32).data] });
  const [changed, plain] = [
    await resultOf(reconstructed(w2, given, {}, few)),
    await resultOf(reconstructed(w2, { steps: 20 }, {}, few)),
  ];
  // What a unit loses is counted over all items, the changed ones too.
  assert.notEqual(changed.units[0]!.loss_before, plain.units[0]!.loss_before);
  assert.notDeepEqual(encodeModel(changed.model), encodeModel(plain.model));
  const flat = cloneModel(float);
  flat.graph.inputs[0]!.dims = ["N", 192];
  assert.deepEqual(await problemsOf(reconstructed(w2, given, {}, calibration, flat)), [[
    "augment needs a model that takes one image [N, C, H, W] of 1, 3 or 4 channels: " +
    '"prepare.model" takes "x" [N, 192]',
    "Leave augment out",
  ]]);
});

Deno.test("Weighted by Fisher information, units come closer too", async () => {
  const { model, units } = await resultOf(reconstructed(w2, { loss: "fisher" }));
  assert.ok(units.every(({ loss_after, loss_before }) => loss_after <= loss_before));
  assert.ok(await errorOf(model) < 0.7 * await errorOf(w2));
});

Deno.test("Larger units give one record each", async () => {
  const { units } = await resultOf(reconstructed(w2, { unit: "network", steps: 60 }));
  assert.deepEqual(units.map(({ layers }) => layers), [[
    "stem",
    "block1",
    "block2",
    "deep",
    "head",
  ]]);
});

/** Checkpoints that survive an interruption. */
function kept(): Checkpoints {
  const saved = new Map<string, Uint8Array>();
  return {
    load: (name) => Promise.resolve(saved.get(name)),
    save: (name, bytes) => Promise.resolve(void saved.set(name, bytes.slice())),
  };
}

Deno.test("Interrupted anywhere and run again, the bytes are the same; so they are with no memory", async () => {
  const given = { method: "qdrop", steps: 20, distill: 10, except: ["stem", "deep"] };
  const whole = await resultOf(reconstructed(w3a4, given));
  const bytes = encodeModel(whole.model);
  for (const after of [1, 4, 8]) {
    const checkpoints = kept();
    const abort = new AbortController();
    let reports = 0;
    const first = reconstructed(w3a4, given, {
      checkpoints,
      signal: abort.signal,
      progress: () => {
        if (++reports === after) abort.abort(new Error("stopped"));
      },
    });
    await assert.rejects(first.result, /stopped/);
    const second = await resultOf(reconstructed(w3a4, given, { checkpoints }));
    assert.deepEqual(encodeModel(second.model), bytes);
    assert.deepEqual(second.units, whole.units);
  }
  const onDisk = await resultOf(reconstructed(w3a4, given, { memory: 0 }));
  assert.deepEqual(encodeModel(onDisk.model), bytes);
});

Deno.test("Stopped early, units have fewer steps, and the same ones when interrupted", async () => {
  const given = { steps: 400, early_stop: 0.2, except: ["head"] };
  const { model, units } = await resultOf(reconstructed(w2, given));
  const made = units.map(({ steps }) => steps);
  // The fifth at the end is made in any case, and three windows before there is anything to compare.
  assert.ok(made.every((steps) => steps >= 140 && steps <= 400), String(made));
  assert.ok(made.some((steps) => steps < 300), String(made));
  assert.ok(made.every((steps) => steps === 400 || steps % 20 === 0));
  assert.ok(await errorOf(model) < 0.5 * await errorOf(w2));
  const checkpoints = kept();
  const abort = new AbortController();
  let reports = 0;
  const first = reconstructed(w2, given, {
    checkpoints,
    signal: abort.signal,
    progress: () => {
      if (++reports === 12) abort.abort(new Error("stopped"));
    },
  });
  await assert.rejects(first.result, /stopped/);
  const second = await resultOf(reconstructed(w2, given, { checkpoints }));
  assert.deepEqual(encodeModel(second.model), encodeModel(model));
  assert.deepEqual(second.units, units);
});

Deno.test("The first and last layers are learned, kept, or treated by their width", async () => {
  const ends = async (given: Given) => {
    const { outputs } = await reconstructed(w2, { steps: 10, ...given }).result;
    const record = outputs.record as unknown as { units: UnitRecord[]; ends: EndRecord[] };
    return { names: record.units.flatMap(({ layers }) => layers), ends: record.ends };
  };
  const inner = ["block1", "block2", "deep"];
  const outer = (learned: boolean) => [
    { layer: "stem", end: "first", bits: 2, learned },
    { layer: "head", end: "last", bits: 2, learned },
  ];
  const all = ["stem", ...inner, "head"];
  assert.deepEqual(await ends({}), { names: all, ends: outer(true) });
  assert.deepEqual(await ends({ first_last: "keep" }), { names: inner, ends: outer(false) });
  const { names } = await ends({ first_last: "learn", max_bits: 2 });
  assert.deepEqual(names, all);
});

Deno.test("Wide first and last layers are learned if asked for", async () => {
  const w8 = await quantized(float, 8);
  const { units } = await resultOf(reconstructed(w8, { steps: 10, first_last: "learn" }));
  assert.deepEqual(units.flatMap(({ layers }) => layers), ["stem", "head"]);
});

Deno.test("The record of a unit and its time are whole", async () => {
  const { result } = reconstructed(w3a4, { steps: 30, activation_steps: 10, distill: 5 });
  const { outputs } = await result;
  const { units } = outputs.record as unknown as { units: UnitRecord[] };
  const { parts } = outputs.times as unknown as { parts: PartTime[] };
  assert.deepEqual(parts.map(({ name }) => name), [...units.map(({ name }) => name), "network"]);
  units.forEach(({ steps, loss_before, loss_after, changed, soft }, index) => {
    assert.equal(parts[index]!.steps, steps);
    assert.ok(parts[index]!.seconds > 0);
    assert.ok(loss_before > 0 && loss_after > 0 && changed >= 0 && soft >= 0);
  });
  assert.equal(parts.at(-1)!.steps, 5);
});

Deno.test("Another seed gives other bytes", async () => {
  const [a, b] = [
    await resultOf(reconstructed(w2, { steps: 40 }, { seed: 1 })),
    await resultOf(reconstructed(w2, { steps: 40 }, { seed: 2 })),
  ];
  assert.notDeepEqual(encodeModel(a.model), encodeModel(b.model));
});

Deno.test("A unit that gets worse stays as it was given", async () => {
  const { model, units } = await resultOf(
    reconstructed(w2, { learning_rate: 50, lambda: 0, bias: false, steps: 3 }),
  );
  const stays = units.filter(({ kept }) => !kept);
  assert.ok(stays.length > 0);
  const before = new Map(
    readQuantization(w2).weights.map((reading) => [reading.node.name, reading]),
  );
  for (const { node, values } of readQuantization(model).weights) {
    if (!stays.some(({ layers }) => layers.includes(node.name))) continue;
    assert.deepEqual(values, before.get(node.name)!.values);
  }
  for (const { loss_before, loss_after } of stays) assert.equal(loss_after, loss_before);
});

Deno.test("A loss that is no number stops the unit, says which, and loses nothing", async () => {
  const { result, listening } = reconstructed(w2, {
    learning_rate: 1e-2,
    bias_rate: 1e30,
    steps: 40,
  });
  const { outputs } = await result;
  const warned = listening.warnings.filter((text) =>
    /^Unit "stem" stopped after \d+ of 40 steps: Loss became/.test(text)
  );
  assert.equal(warned.length, 1, listening.warnings.join("\n"));
  assert.ok(await errorOf(outputs.model as Model) <= await errorOf(w2));
});

Deno.test("Progress counts the steps of all units", async () => {
  const { result, listening } = reconstructed(w2, { steps: 30 });
  await result;
  const { reports } = listening;
  assert.match(reports[0]!.phase, /^unit 1 of 4, stem$/);
  assert.equal(reports.at(-1)!.done, 120);
  assert.ok(reports.every(({ total, values }) => total === 120 && values!.loss! >= 0));
  reports.reduce((before, { done }) => {
    assert.ok(done >= before);
    return done;
  }, 0);
});

/** The problems of a run that is refused. */
async function problemsOf(run: ReturnType<typeof reconstructed>) {
  const error = await run.result.then(() => undefined, (error) => error);
  assert.ok(error instanceof UserError, String(error?.stack ?? error));
  return error.problems.map(({ message, hint }) => [message, hint]);
}

Deno.test("Too few items are refused", async () => {
  const few = numbers({ dims: ITEM, values: [...items(5).data] });
  assert.deepEqual(await problemsOf(reconstructed(w2, {}, {}, few)), [[
    "Reconstruction needs at least 16 items, as many as a step takes: the data set " +
    '"inputs.calibration" gives 5',
    "Give more items, or a smaller batch; a few hundred are needed for a good result",
  ]]);
});

Deno.test("An operator without a gradient rule is named, with what helps", async () => {
  const model = cloneModel(w2);
  for (const node of model.graph.nodes) if (node.name === "inner_relu") node.opType = "Det";
  assert.deepEqual(await problemsOf(reconstructed(model)), [[
    'Unit "block1..block2" cannot be reconstructed: "inner_relu" (Det) has no gradient rule',
    'Choose smaller units, unit: layer, leave it out, except: ["block1", "block2"], or choose a method without ' +
    "gradients, method: gptq",
  ]]);
});

diskTest("A full disk is said plainly, and its files are taken away", async (folder) => {
  const before = Deno.env.get("TMPDIR");
  Deno.env.set("TMPDIR", folder);
  try {
    const [[message, hint]] = await problemsOf(reconstructed(w2, { steps: 5 }, { memory: 0 })) as [
      [string, string],
    ];
    assert.match(
      message,
      new RegExp(
        `^Values between layers cannot be written to "${folder}/.*": No space left on device`,
      ),
    );
    assert.match(hint, /^Make room on that disk, name another with TMPDIR/);
    assert.deepEqual([...Deno.readDirSync(folder)], []);
  } finally {
    if (before === undefined) Deno.env.delete("TMPDIR");
    else Deno.env.set("TMPDIR", before);
  }
});

Deno.test("A pattern for nothing is refused", async () => {
  const [[message]] = await problemsOf(reconstructed(w2, { except: ["conv*"] })) as [[string]];
  assert.equal(message, 'No node of the quantized model matches except: "conv*"');
});

Deno.test("When nothing is left to do, that is said", async () => {
  assert.deepEqual(await problemsOf(reconstructed(w2, { except: ["*"] })), [[
    "None of the 5 quantized layers is left to reconstruct: except, max_bits (7) and first_last leave all of them as they are",
    "Raise max_bits, shorten except, or say first_last: learn",
  ]]);
  assert.deepEqual(await problemsOf(reconstructed(float)), [[
    "The quantized model has no integer weights to round anew",
    'Put the stage "quantize" before, with mapping: uniform and at least 2 bits',
  ]]);
});

Deno.test("Another float model is refused", async () => {
  const other = cloneModel(w2);
  for (const node of other.graph.nodes) if (node.name === "deep") node.name = "else";
  assert.deepEqual(await problemsOf(reconstructed(other)), [[
    'The float model "prepare.model" has no layer "else" (Conv) with constant weights',
    "Name the model that was quantized: in: { reference: prepare.model }",
  ]]);
});

Deno.test("What needs classes is refused where there are none", async () => {
  const regression = cloneModel(float);
  regression.graph.outputs[0]!.dims = ["N", 5, 1];
  for (const given of [{ loss: "fisher" }, { distill: 10 }]) {
    const refused = reconstructed(w2, given, {}, calibration, regression);
    const [[message]] = await problemsOf(refused) as [[string]];
    assert.match(
      message,
      /needs a model that gives one score a class for each item: its output ".*" has the shape \[N, 5, 1\]/,
    );
  }
});

Deno.test("A fixed batch is refused", async () => {
  const fixed = cloneModel(w2);
  fixed.graph.inputs[0]!.dims![0] = 4;
  const [[message, hint]] = await problemsOf(reconstructed(fixed)) as [[string, string]];
  assert.match(message, /takes exactly 4 items at a time/);
  assert.equal(hint, 'Say batch: dynamic at the stage "prepare"');
});

Deno.test("Parameters that a method has no use for are refused", () => {
  const parameters = completed({ method: "gptq", steps: 3, drop: 0.5 });
  const problems = reconstruct.validate!(parameters);
  assert.deepEqual(problems.map(({ path }) => path), [["steps"], ["drop"]]);
});
