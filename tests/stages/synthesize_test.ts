import assert from "node:assert/strict";
import type { JsonValue } from "../../src/base/canonical_json.ts";
import { Random } from "../../src/base/random.ts";
import type { UserError } from "../../src/base/errors.ts";
import type { Dataset } from "../../src/data/dataset.ts";
import { decodePng } from "../../src/data/images/png.ts";
import { decodeRecipe, openDataset } from "../../src/data/recipe.ts";
import { runWithIntermediates } from "../../src/engine/intermediates.ts";
import { openSession } from "../../src/engine/session.ts";
import { GraphBuilder } from "../../src/onnx/build.ts";
import { cloneModel } from "../../src/onnx/edit.ts";
import type { Model } from "../../src/onnx/model.ts";
import { elementCount, float32, type Tensor } from "../../src/onnx/tensor.ts";
import { setFoldedStatistics } from "../../src/quant/distributions/batch_norm.ts";
import type { Match } from "../../src/quant/synthesis/synthesize.ts";
import { fillDefaults } from "../../src/registry/defaults.ts";
import type { Schema } from "../../src/registry/schema.ts";
import type { Checkpoints, StageContext } from "../../src/registry/stage.ts";
import { prepareModel } from "../../src/stages/prepare/run.ts";
import { synthesize } from "../../src/stages/synthesize/mod.ts";
import { type Parameters, parameters } from "../../src/stages/synthesize/ports.ts";
import { run } from "../../src/stages/synthesize/run.ts";
import { digestOf } from "../../src/store/digest.ts";
import { artifact, context } from "./stage_fixture.ts";

const ITEM = [3, 8, 8];
const PREPARE = {
  shape: {},
  batch: "keep",
  opset: 21,
  fold_batch_norm: true,
  fold_arithmetic: true,
  fold_constants: true,
} as const;

/** A classifier whose batch normalizations hold the statistics of smooth pictures. */
async function trained(): Promise<Model> {
  const random = Random.from(8, "synthesize");
  const weights = (dims: number[]) => {
    const scale = Math.sqrt(2 / elementCount(dims.slice(1)));
    return float32(dims, Array.from({ length: elementCount(dims) }, () => scale * random.normal()));
  };
  const builder = new GraphBuilder();
  const norms: { input: string; name: string; channels: number }[] = [];
  const layer = (name: string, input: string, dims: number[], strides: number[]) => {
    const conv = builder.op("Conv", [input, builder.constant(weights(dims))], {
      pads: [1, 1, 1, 1],
      strides,
    }, { name });
    const [channels] = dims as [number];
    norms.push({ input: conv, name, channels });
    const ones = (what: string, value: number) =>
      builder.constant(float32([channels], Array(channels).fill(value)), `${name}.${what}`);
    return builder.op("Relu", [
      builder.op(
        "BatchNormalization",
        [
          conv,
          ones("scale", 1),
          ones("bias", 0.1),
          ones("mean", 0),
          ones("variance", 1),
        ],
        {},
        { name: `${name}_norm` },
      ),
    ]);
  };
  const x = builder.input("x", "float32", ["N", ...ITEM]);
  const a = layer("a", x, [8, 3, 3, 3], [1, 1]);
  const b = layer("b", a, [12, 8, 3, 3], [2, 2]);
  const flat = builder.op("Flatten", [builder.op("GlobalAveragePool", [b])], { axis: 1 });
  builder.output(
    builder.op("Gemm", [flat, builder.constant(float32([12, 4], weights([4, 12]).data))]),
    "float32",
    ["N", 4],
  );
  const model = builder.build();
  for (const { input, name, channels } of norms) {
    await runWithIntermediates(model, [input], () => [{ x: pictures(200) }], (values) => {
      const { mean, variance } = statistics(values[input]!);
      model.graph.initializers.set(`${name}.mean`, float32([channels], mean));
      model.graph.initializers.set(`${name}.variance`, float32([channels], variance));
    });
  }
  return model;
}

/** Smooth waves of three colours. */
function pictures(count: number): Tensor<"float32"> {
  const random = Random.from(9, "pictures");
  const values: number[] = [];
  for (let item = 0; item < count; item++) {
    for (const tint of [0.3, -0.2, 0.5]) {
      const [a, b, c] = [random.normal(), random.normal(), random.normal()];
      for (let at = 0; at < 64; at++) {
        values.push(tint + 0.7 * a + 0.5 * Math.sin(b * (at >> 3) + c * (at & 7)));
      }
    }
  }
  return float32([count, ...ITEM], values);
}

/** Mean and variance of each channel, element by element. */
function statistics({ dims, data }: Tensor): { mean: number[]; variance: number[] } {
  const [items, channels] = dims as [number, number];
  const size = elementCount(dims.slice(2));
  const of = (channel: number) => {
    const found: number[] = [];
    for (let item = 0; item < items; item++) {
      const start = (item * channels + channel) * size;
      found.push(...(data as Float32Array).subarray(start, start + size));
    }
    const mean = found.reduce((sum, value) => sum + value, 0) / found.length;
    const variance = found.reduce((sum, value) => sum + (value - mean) ** 2, 0) / found.length;
    return { mean, variance };
  };
  const all = Array.from({ length: channels }, (_, channel) => of(channel));
  return { mean: all.map(({ mean }) => mean), variance: all.map(({ variance }) => variance) };
}

const network = await trained();
const { model: folded } = await prepareModel(network, PREPARE);

interface Made {
  readonly dataset: Dataset;
  readonly archive: Uint8Array;
  readonly sheet: Uint8Array<ArrayBuffer>;
  readonly matches: readonly Match[];
  readonly metrics: Record<string, number>;
  readonly warnings: readonly string[];
  readonly inputs: Tensor;
  readonly labels: Int32Array | undefined;
}

async function made(
  settings: JsonValue,
  model: Model = folded,
  own: Partial<StageContext> = {},
): Promise<Made> {
  const listening = context(own);
  const given = { images: 24, batch: 12, width: 8, latent: 16, threads: 1 };
  const { outputs, metrics } = await run(
    fillDefaults(
      parameters as unknown as Schema,
      { ...given, ...settings as object },
    ) as Parameters,
    { model: artifact("model", model, "prepare.model") },
    listening,
  );
  const folder = Deno.makeTempDirSync({ prefix: "bitbound-test-" });
  try {
    const archive = outputs.images as Uint8Array;
    Deno.writeFileSync(`${folder}/images`, archive);
    const dataset = await openDataset(
      decodeRecipe(outputs.calibration as unknown as Uint8Array),
      (digest) => {
        assert.equal(digest, digestOf(archive));
        return `${folder}/images`;
      },
    );
    const { inputs: [inputs], labels } = await dataset.batch(0, dataset.length);
    const { batch_norms: matches } = outputs.record as unknown as { batch_norms: Match[] };
    return {
      dataset,
      archive,
      sheet: outputs.sheet as Uint8Array<ArrayBuffer>,
      matches,
      metrics: metrics!,
      warnings: listening.warnings,
      inputs: inputs!,
      labels,
    };
  } finally {
    Deno.removeSync(folder, { recursive: true });
  }
}

for (const method of ["generator", "bn-statistics"]) {
  Deno.test(`images of ${method} have the statistics that batch normalization knows`, async () => {
    const { dataset, inputs, matches, metrics } = await made({ method, steps: 120 });
    assert.equal(dataset.length, 24);
    assert.deepEqual(dataset.inputs, [{ name: "x", type: "float32", dims: ITEM }]);
    assert.equal(dataset.labeled, false);
    assert.equal(metrics.batch_norms, 2);
    assert.ok(metrics.matching_loss! < 0.1 * metrics.noise_matching_loss!);
    // The unfolded network's own inputs of batch normalization, by another computation.
    await runWithIntermediates(network, ["a", "b"], () => [{ x: inputs }], (values) => {
      for (const name of ["a", "b"]) {
        const { mean, variance } = statistics(values[name]!);
        const stored = (what: string) =>
          network.graph.initializers.get(`${name}.${what}`)!.data as Float32Array;
        mean.forEach((value, channel) => {
          const deviation = Math.sqrt(stored("variance")[channel]!);
          assert.ok(Math.abs(value - stored("mean")[channel]!) < 0.35 * deviation);
          assert.ok(Math.abs(Math.sqrt(variance[channel]!) / deviation - 1) < 0.35);
        });
      }
    });
    assert.deepEqual(matches.map(({ value }) => value), ["a_norm", "b_norm"]);
  });
}

Deno.test("the losses are the distances of means and deviations, channel by channel", async () => {
  const { matches, inputs } = await made({ method: "bn-statistics", steps: 2, images: 12 });
  await runWithIntermediates(network, ["b"], () => [{ x: inputs }], (values) => {
    const { mean, variance } = statistics(values.b!);
    const stored = (what: string) =>
      network.graph.initializers.get(`b.${what}`)!.data as Float32Array;
    const losses = mean.map((value, channel) => {
      const deviation = Math.sqrt(stored("variance")[channel]! + 1e-5);
      return ((value - stored("mean")[channel]!) / deviation) ** 2 +
        (Math.sqrt(variance[channel]!) / deviation - 1) ** 2;
    });
    const loss = losses.reduce((sum, value) => sum + value, 0) / losses.length;
    assert.ok(Math.abs(matches[1]!.loss / loss - 1) < 1e-3, `${matches[1]!.loss} is not ${loss}`);
  });
});

Deno.test("images are the same before and after folding, but for rounding", async () => {
  const settings = { method: "bn-statistics", steps: 3, images: 12, swing: false };
  const [a, b] = [await made(settings, folded), await made(settings, network)];
  const [left, right] = [a.inputs.data as Float32Array, b.inputs.data as Float32Array];
  left.forEach((value, index) => assert.ok(Math.abs(value - right[index]!) < 1e-2));
});

Deno.test("classes are dealt evenly, and the network sees them in their images", async () => {
  const { inputs, labels, dataset } = await made({
    method: "generator",
    steps: 200,
    class_weight: 1,
  });
  assert.ok(dataset.labeled);
  for (const label of [0, 1, 2, 3]) {
    assert.equal(labels!.filter((each) => each === label).length, 6);
  }
  await using session = await openSession(network);
  const scores = (await session.run({ x: inputs }))[network.graph.outputs[0]!.name]!
    .data as Float32Array;
  const right = labels!.filter((label, item) => {
    const own = scores.subarray(4 * item, 4 * item + 4);
    return own.indexOf(Math.max(...own)) === label;
  });
  assert.ok(right.length >= 22, `${right.length} of 24`);
});

Deno.test("images stay inside the range of the input", async () => {
  for (const method of ["generator", "bn-statistics", "range"]) {
    const learns = method === "range" ? {} : { steps: 10 };
    const { inputs } = await made({ method, ...learns, input_range: [-0.5, 1] });
    const values = [...inputs.data as Float32Array];
    assert.ok(Math.min(...values) >= -0.5 && Math.max(...values) <= 1);
  }
});

Deno.test("noise is smooth, the same for the same seed, and comes with a warning", async () => {
  const settings = { method: "range", input_range: [0, 1] };
  const { inputs, archive, warnings, metrics } = await made(settings);
  assert.match(warnings[0]!, /noise of which the model knows nothing/);
  assert.equal(metrics.batch_norms, 0);
  assert.deepEqual((await made(settings)).archive, archive);
  assert.notDeepEqual((await made(settings, folded, { seed: 1 })).archive, archive);
  // Neighbouring pixels of a row are alike.
  const values = inputs.data as Float32Array;
  const { mean: [mean], variance: [variance] } = statistics(
    float32([1, 1, values.length], values),
  );
  let product = 0;
  let pairs = 0;
  for (let at = 0; at < values.length; at++) {
    if (at % 8 === 7) continue;
    product += (values[at]! - mean!) * (values[at + 1]! - mean!);
    pairs++;
  }
  assert.ok(product / pairs / variance! > 0.7);
});

Deno.test("the contact sheet shows every image", async () => {
  const { sheet } = await made({ method: "range", input_range: [0, 1] });
  const { width, height, channels } = await decodePng(sheet, "sheet");
  assert.deepEqual([width, height, channels], [5 * 9 + 1, 5 * 9 + 1, 3]);
});

Deno.test("interrupted anywhere and run again, the bytes are the same", async () => {
  const settings = { method: "generator", steps: 12 };
  const { archive } = await made(settings);
  for (const after of [2, 4]) {
    const saved = new Map<string, Uint8Array>();
    const checkpoints: Checkpoints = {
      load: (name) => Promise.resolve(saved.get(name)),
      save: (name, bytes) => Promise.resolve(void saved.set(name, bytes.slice())),
    };
    const abort = new AbortController();
    let reports = 0;
    const first = made(settings, folded, {
      checkpoints,
      signal: abort.signal,
      progress: () => {
        if (++reports === after) abort.abort(new Error("stopped"));
      },
    });
    await assert.rejects(first, /stopped/);
    assert.deepEqual((await made(settings, folded, { checkpoints })).archive, archive);
  }
});

async function problem(settings: JsonValue, model: Model): Promise<UserError["problems"][number]> {
  try {
    await made(settings, model);
  } catch (error) {
    return (error as UserError).problems[0]!;
  }
  throw new assert.AssertionError({ message: "Nothing was refused" });
}

/** A model without batch normalization. */
function plain(inputs: [string, (string | number)[]][]): Model {
  const builder = new GraphBuilder();
  const names = inputs.map(([name, dims]) => builder.input(name, "float32", dims));
  builder.output(builder.op("Sum", names), "float32", inputs[0]![1]);
  return builder.build();
}

Deno.test("what cannot be made says why, and what helps", async () => {
  const image: [string, (string | number)[]] = ["x", ["N", 3, 8, 8]];
  const ones = new Float64Array(3).fill(1);
  const blank = await problem({}, plain([image]));
  assert.match(blank.message, /from the model "prepare.model": nothing in it tells/);
  assert.match(blank.hint!, /not folded.*say method: range, or calibrate with real data/);
  // That comes first: no other method would help.
  assert.match((await problem({}, plain([["x", ["N", 5]]]))).message, /nothing in it tells/);
  const told = (inputs: [string, (string | number)[]][]) => {
    const model = plain(inputs);
    setFoldedStatistics(model, new Map([["sum", { mean: ones, deviation: ones }]]));
    return problem({}, model);
  };
  assert.match((await told([image, ["y", ["N", 3, 8, 8]]])).message, /has 2, "x", "y"/);
  const fixed = await told([["x", [4, 3, 8, 8]]]);
  assert.match(fixed.message, /takes exactly 4 items at a time/);
  assert.match(fixed.hint!, /batch: dynamic/);
  assert.match((await told([["x", ["N", 5]]])).hint!, /method: bn-statistics/);
  assert.match(
    (await problem({ method: "range", input_range: [0, 1] }, plain([["x", ["N", "M"]]]))).message,
    /takes float32 of shape \[N, M\]/,
  );
});

Deno.test("an operator that gradients cannot pass is named, with what helps", async () => {
  const model = cloneModel(folded);
  const relu = model.graph.nodes.findLast(({ opType }) => opType === "Relu")!;
  relu.opType = "Atan";
  // The statistics behind it are what gradients have to come from.
  const { message, hint } = await problem(
    { images: 4, batch: 4, steps: 1, class_weight: 1 },
    model,
  );
  assert.equal(
    message,
    `Images cannot be made from the model "prepare.model": Operator Atan of node "${relu.name}" ` +
      "has no gradient rule",
  );
  assert.equal(hint, "Say method: range, or calibrate with real data");
});

Deno.test("parameters that a method has no use for are refused", () => {
  const problems = (settings: JsonValue) =>
    synthesize.validate!(fillDefaults(parameters as unknown as Schema, settings) as Parameters)
      .map(({ path }) => path[0]);
  assert.deepEqual(problems({ method: "range", steps: 5, class_weight: 1 }), [
    "method",
    "steps",
    "class_weight",
  ]);
  assert.deepEqual(problems({ input_range: [1, 0] }), ["input_range"]);
  assert.deepEqual(problems({ method: "range", input_range: [0, 1] }), []);
});
