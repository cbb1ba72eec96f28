import assert from "node:assert/strict";
import type { JsonValue } from "../../src/base/canonical_json.ts";
import { UserError } from "../../src/base/errors.ts";
import { openSession } from "../../src/engine/session.ts";
import { GraphBuilder } from "../../src/onnx/build.ts";
import type { Model } from "../../src/onnx/model.ts";
import { cloneModel } from "../../src/onnx/edit.ts";
import type { Node } from "../../src/onnx/model.ts";
import { float32 } from "../../src/onnx/tensor.ts";
import type { Range, Ranges } from "../../src/quant/ranges.ts";
import { weightSize } from "../../src/quant/weight_size.ts";
import type { Artifact } from "../../src/registry/artifact.ts";
import { fillDefaults } from "../../src/registry/defaults.ts";
import type { Schema } from "../../src/registry/schema.ts";
import type { StageContext } from "../../src/registry/stage.ts";
import { checkTable, type SensitivityTable } from "../../src/search/table.ts";
import { parameters as calibrateParameters } from "../../src/stages/calibrate/ports.ts";
import { run as calibrate } from "../../src/stages/calibrate/run.ts";
import {
  type Parameters as QuantizeParameters,
  parameters as quantizeParameters,
} from "../../src/stages/quantize/ports.ts";
import { quantizeModel } from "../../src/stages/quantize/run.ts";
import {
  type Parameters as SensitivityParameters,
  parameters,
} from "../../src/stages/sensitivity/ports.ts";
import { run } from "../../src/stages/sensitivity/run.ts";
import { INPUT_DIMS, networkInput, smallNetwork } from "../quant/small_network.ts";
import { artifact, context, numbers } from "./stage_fixture.ts";

const network = smallNetwork();
const inputs = [...networkInput(1).data, ...networkInput(2).data];
const calibration = artifact(
  "dataset",
  numbers({ dims: INPUT_DIMS.slice(1), values: inputs }),
  "inputs.calibration",
);

async function measure(
  given: JsonValue,
  options: {
    model?: Model;
    data?: typeof calibration | undefined;
    context?: StageContext;
    ranges?: Artifact<"ranges">;
  } = {},
): Promise<SensitivityTable> {
  const complete = fillDefaults(parameters as unknown as Schema, given) as SensitivityParameters;
  const data = "data" in options ? options.data : calibration;
  const { outputs } = await run(
    complete,
    {
      model: artifact("model", options.model ?? network, "prepare.model"),
      calibration: data,
      ranges: options.ranges,
    },
    options.context ?? context(),
  );
  const table = outputs.sensitivity as SensitivityTable;
  checkTable(table, "table");
  return table;
}

/** The network with some layers quantized and all others float. */
function quantizeOnly(names: readonly string[], bits: number): Model {
  const all = network.graph.nodes
    .filter(({ opType }) => ["Conv", "ConvTranspose", "Gemm", "MatMul"].includes(opType))
    .map(({ name }) => name);
  const complete = fillDefaults(quantizeParameters as unknown as Schema, {
    weights: { bits },
    activations: { mode: "none" },
    overrides: all.filter((name) => !names.includes(name)).map((match) => ({ match, skip: true })),
  }) as QuantizeParameters;
  return quantizeModel(network, undefined, complete, context()).outputs.model;
}

async function divergence(model: Model): Promise<number> {
  const x = float32([4, ...INPUT_DIMS.slice(1)], inputs);
  await using float = await openSession(network);
  await using other = await openSession(model);
  const [p, q] = [await float.run({ x }), await other.run({ x })]
    .map((results) => results[float.outputs[0]!.name]!.data as Float32Array);
  return p!.reduce((sum, each, index) => sum + each * Math.log(each / q![index]!), 0) / 4;
}

Deno.test("output: losses are those of the network with only that layer quantized", async () => {
  const table = await measure({ bits: [3, 8], batch: 3 });
  assert.equal(table.measure, "kl");
  for (const { name, entries } of table.layers) {
    for (const { bits, loss } of entries) {
      const expected = await divergence(quantizeOnly([name], bits));
      near(loss, expected, 1e-3, 1e-7);
    }
  }
});

Deno.test("output: joint losses are those of the network with those layers quantized", async () => {
  const table = await measure({ bits: [2, 4], largest_block: 3 });
  const sets = table.blocks.flatMap(({ joint }) => joint);
  assert.ok(sets.length > 0);
  for (const { layers, loss } of sets.slice(0, 6)) {
    near(loss, await divergence(quantizeOnly(layers, 2)), 1e-3, 1e-7);
  }
});

Deno.test("reconstruction: learned roundings lose less on items they were not learned from", async () => {
  const given = { bits: [2, 4], largest_block: 2, batch: 16 } as const;
  const reconstruction = { steps: 150, batch: 16 };
  const items = Array.from({ length: 48 }, (_, seed) => [...networkInput(seed + 1).data]);
  const data = (of: number[][]) =>
    artifact("dataset", numbers({ dims: INPUT_DIMS.slice(1), values: of.flat() }), "inputs.many");
  const [output, learned] = [
    await measure({ ...given, method: "output" }, { data: data(items.slice(36)) }),
    await measure({ ...given, method: "reconstruction", reconstruction }, { data: data(items) }),
  ];
  assert.equal(learned.method, "reconstruction");
  const [nearest, best] = [output, learned].map(({ layers }) =>
    layers.reduce((sum, { entries }) => sum + entries[0]!.loss, 0)
  );
  assert.ok(best! < 0.7 * nearest!, `${best} against ${nearest}`);
  const sets = ({ blocks }: SensitivityTable) =>
    blocks.map(({ joint }) => joint.map(({ layers }) => layers));
  assert.deepEqual(sets(learned), sets(output));
  assert.deepEqual(
    learned.layers.map(({ entries }) => entries.map(({ bytes }) => bytes)),
    output.layers.map(({ entries }) => entries.map(({ bytes }) => bytes)),
  );
});

Deno.test("bytes are those of the quantized model", async () => {
  for (
    const weights of [
      {},
      { symmetric: false },
      { granularity: "group", block_size: 8 },
      { granularity: "tensor", symmetric: false },
    ] as const
  ) {
    const table = await measure({ method: "sqnr", bits: [2, 3, 8], weights }, { data: undefined });
    for (const width of table.widths) {
      const complete = fillDefaults(quantizeParameters as unknown as Schema, {
        weights: { bits: width, ...weights },
        activations: { mode: "none" },
      }) as QuantizeParameters;
      const { model } = quantizeModel(network, undefined, complete, context()).outputs;
      const sum = table.layers.reduce(
        (bytes, { entries }) => bytes + entries.find(({ bits }) => bits === width)!.bytes,
        0,
      );
      assert.equal(sum, weightSize(model).bytes);
    }
  }
});

Deno.test("sqnr: noise over signal, four times less a bit", async () => {
  const table = await measure({ method: "sqnr", bits: [4, 5, 6] }, { data: undefined });
  for (const { entries } of table.layers) {
    const [four, five, six] = entries.map(({ loss }) => loss);
    assert.ok(four! > 2 * five! && five! > 2 * six! && four! < 0.1);
  }
});

Deno.test("hawq: the curvature of a linear layer is that of its data", async () => {
  // Orthogonal items have no products between weights, so that every probe is exact.
  const items = Array.from(
    { length: 8 },
    (_, row) => Array.from({ length: 8 }, (_, column) => row === column ? row + 1 : 0),
  );
  const builder = new GraphBuilder();
  const x = builder.input("x", "float32", ["N", 8]);
  const weights = Float32Array.from({ length: 24 }, (_, index) => Math.sin(index));
  const y = builder.op("MatMul", [x, builder.constant(float32([8, 3], weights), "w")], {}, {
    name: "linear",
  });
  builder.output(y, "float32", ["N", 3]);
  const data = artifact("dataset", numbers({ dims: [8], values: items.flat() }), "inputs.data");
  const given = { bits: [2, 8], measure: "mse", probes: 3, batch: 3 } as const;
  const options = { model: builder.build(), data };
  const [hawq, sqnr] = [
    await measure({ ...given, method: "hawq" }, options),
    await measure({ ...given, method: "sqnr" }, options),
  ];
  const power = weights.reduce((sum, weight) => sum + weight * weight, 0);
  // L = Σ_j (x w_j − t_j)² / 3, so that ∂²L/∂w_ij² = 2 x_i² / 3; its mean over weights and items:
  const curvature = 2 / 3 * (1 + 4 + 9 + 16 + 25 + 36 + 49 + 64) / 8 / 8;
  sqnr.layers[0]!.entries.forEach(({ loss }, index) => {
    near(hawq.layers[0]!.entries[index]!.loss, curvature * loss * power / 2, 1e-3, 0);
  });
});

Deno.test("hawq predicts small losses of a real network in the order of output", async () => {
  const exclude = ["logits"];
  const [hawq, output] = [
    await measure({ method: "hawq", bits: [6], probes: 30, exclude }),
    await measure({ method: "output", bits: [6], exclude }),
  ];
  assert.equal(hawq.layers.length, output.layers.length);
  hawq.layers.forEach(({ entries }, index) => {
    const ratio = entries[0]!.loss / output.layers[index]!.entries[0]!.loss;
    assert.ok(ratio > 1 / 30 && ratio < 30, `${ratio}`);
  });
});

Deno.test("several threads measure the same table", async () => {
  for (const method of ["output", "reconstruction"] as const) {
    const given = {
      method,
      bits: [2],
      take: 4,
      batch: 3,
      cross_terms: method === "output",
      reconstruction: { steps: 5, batch: 3 },
    };
    const one = await measure(given, { context: context({ threads: 1 }) });
    const own = context({ threads: 2 });
    assert.deepEqual(await measure(given, { context: own }), one);
    assert.equal(own.reports.at(-1)!.done, own.reports.at(-1)!.total);
  }
  await assert.rejects(
    () =>
      measure(
        { method: "reconstruction", take: 3 },
        { context: context({ threads: 2 }) },
      ),
    (error) => error instanceof UserError && /takes 32 items a step/.test(error.message),
  );
});

Deno.test("activations: losses are those of the network with only that scale quantized", async () => {
  const ranges = await calibrated();
  const given = {
    targets: "both",
    bits: [8],
    activations: { bits: [3, 8], range: "minmax" },
    cross_terms: false,
  } as const;
  const table = await measure(given, { ranges });
  assert.deepEqual(table.activation_widths, [3, 8]);
  assert.deepEqual(table.layers, (await measure({ bits: [8], cross_terms: false })).layers);
  const value = await ranges.load();
  for (const { name, values, entries } of table.activations!) {
    assert.ok(values.includes(name));
    for (const { bits, loss } of entries) {
      near(loss, await divergence(roundedOnly(values, value.tensors[name]!, bits)), 1e-3, 1e-7);
    }
  }
  const only = await measure({ ...given, targets: "activations" }, { ranges });
  assert.deepEqual([only.layers, only.widths], [[], []]);
  assert.deepEqual(only.activations, table.activations);
  await assert.rejects(() => measure(given), /quantized by calibrated ranges, and there are none/);
});

/** Min–max ranges of the network. */
async function calibrated(): Promise<Artifact<"ranges">> {
  const { outputs } = await calibrate(
    fillDefaults(calibrateParameters as unknown as Schema, {
      method: "minmax",
    }) as Parameters<typeof calibrate>[0],
    { model: artifact("model", network, "prepare.model"), calibration },
    context(),
  );
  return artifact("ranges", outputs.ranges as Ranges, "calibrate.ranges");
}

/** The network with some values rounded by plain arithmetic: x − s · frac, written as nodes. */
function roundedOnly(values: readonly string[], { min, max }: Range, bits: number): Model {
  const model = cloneModel(network);
  const { graph } = model;
  const [low, high] = [Math.min(min, 0), Math.max(max, 0)];
  const scale = (high - low) / (2 ** bits - 1);
  const zero = Math.round(-low / scale);
  const constant = (name: string, value: number) => {
    graph.initializers.set(name, float32([], [value]));
    return name;
  };
  for (const value of values) {
    const raw = `${value}.raw`;
    const producer = graph.nodes.find(({ outputs }) => outputs.includes(value));
    const node = (opType: string, inputs: string[], output: string): Node => ({
      name: `${output}.node`,
      opType,
      domain: "",
      inputs,
      outputs: [output],
      attributes: new Map(),
    });
    const source = producer === undefined ? value : raw;
    const result = producer === undefined ? `${value}.rounded` : value;
    if (producer === undefined) {
      for (const reader of graph.nodes) {
        reader.inputs = reader.inputs.map((name) => name === value ? result : name);
      }
    } else producer.outputs = producer.outputs.map((name) => name === value ? raw : name);
    const at = producer === undefined ? 0 : graph.nodes.indexOf(producer) + 1;
    graph.nodes.splice(
      at,
      0,
      node("Div", [source, constant(`${value}.s`, scale)], `${value}.1`),
      node("Round", [`${value}.1`], `${value}.2`),
      node(
        "Clip",
        [`${value}.2`, constant(`${value}.a`, -zero), constant(`${value}.b`, 2 ** bits - 1 - zero)],
        `${value}.3`,
      ),
      node("Mul", [`${value}.3`, `${value}.s`], result),
    );
  }
  return model;
}

Deno.test("an interrupted measurement goes on to the same table", async () => {
  const whole = await measure({ bits: [2, 4] });
  const saved = new Map<string, Uint8Array>();
  const interruption = new AbortController();
  let measured = 0;
  const checkpoints = {
    load: (name: string) => Promise.resolve(saved.get(name)),
    save: (name: string, bytes: Uint8Array) => {
      saved.set(name, bytes);
      if (++measured === 5) interruption.abort();
      return Promise.resolve();
    },
  };
  const first = context({ checkpoints, signal: interruption.signal });
  await assert.rejects(() => measure({ bits: [2, 4] }, { context: first }), /abort/i);
  measured = 100;
  const table = await measure({ bits: [2, 4] }, { context: context({ checkpoints }) });
  assert.deepEqual(table, whole);
  const total = whole.layers.length * 2 +
    whole.blocks.reduce((sum, { joint }) => sum + joint.length, 0);
  assert.equal(measured - 100, total - 5);
});

Deno.test("the same table whatever the memory", async () => {
  const tight = context({ memory: 1 });
  assert.deepEqual(
    await measure({ bits: [4], batch: 1 }, { context: tight }),
    await measure({ bits: [4], batch: 1 }),
  );
});

Deno.test("what does not fit is said", async () => {
  const says = (given: JsonValue, pattern: RegExp, data: typeof calibration | undefined) =>
    assert.rejects(() => measure(given, { data }), (error) => {
      assert.ok(error instanceof UserError);
      assert.match(error.message, pattern);
      assert.ok(error.problems[0]!.hint);
      return true;
    });
  await says({}, /Method output measures losses on data, and there is none/, undefined);
  await says(
    { method: "reconstruction" },
    /takes 32 items a step: the data has 3/,
    calibration,
  );
  await says(
    { method: "reconstruction", held_out: 0.1 },
    /has 4 items: held_out: 0.1 leaves none to measure losses on/,
    calibration,
  );
  await says(
    { method: "reconstruction", held_out: 0.9 },
    /has 4 items: held_out: 0.9 leaves none to learn from/,
    calibration,
  );
  await says({ output: "z" }, /has no output "z"/, calibration);
  await says({ exclude: ["stme"] }, /no node of the model has a name like "stme"/, calibration);
  const wrong = artifact("dataset", numbers({ dims: [3], values: [1, 2, 3] }), "inputs.wrong");
  await says({}, /shape/, wrong);
});

function near(actual: number, expected: number, relative: number, absolute: number): void {
  const allowed = relative * Math.abs(expected) + absolute;
  assert.ok(Math.abs(actual - expected) <= allowed, `${actual} ≠ ${expected}`);
}
