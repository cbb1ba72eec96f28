import assert from "node:assert/strict";
import type { JsonValue } from "../../src/base/canonical_json.ts";
import { Random } from "../../src/base/random.ts";
import { GraphBuilder } from "../../src/onnx/build.ts";
import type { Model } from "../../src/onnx/model.ts";
import { float32 } from "../../src/onnx/tensor.ts";
import { fillDefaults } from "../../src/registry/defaults.ts";
import type { Schema } from "../../src/registry/schema.ts";
import type { Assignment } from "../../src/search/assignment.ts";
import type { SensitivityTable } from "../../src/search/table.ts";
import { makeCandidate } from "../../src/search/trial/candidate.ts";
import { findLayers } from "../../src/search/trial/layers.ts";
import { parameters as prepareParameters } from "../../src/stages/prepare/ports.ts";
import { prepareModel } from "../../src/stages/prepare/run.ts";
import { parameters as quantizeParameters } from "../../src/stages/quantize/ports.ts";
import { quantizeModel } from "../../src/stages/quantize/run.ts";
import { search } from "../../src/stages/search/mod.ts";
import { parameters as searchParameters } from "../../src/stages/search/ports.ts";
import { run as choose } from "../../src/stages/search/run.ts";
import { sensitivity } from "../../src/stages/sensitivity/mod.ts";
import { parameters as sensitivityParameters } from "../../src/stages/sensitivity/ports.ts";
import { run as measure } from "../../src/stages/sensitivity/run.ts";
import { evaluate } from "../../src/verify/network/evaluate.ts";
import { pairModels } from "../../src/verify/network/pair.ts";
import { artifact, context, numbers } from "./stage_fixture.ts";

function complete<T>(schema: { static: T }, given: JsonValue): T {
  return fillDefaults(schema as unknown as Schema, given) as T;
}

/** Three layers on three inputs; the last one's weights are a hundred times smaller. */
function network(): Model {
  const random = Random.from(3, "weights");
  const b = new GraphBuilder();
  const weights = (dims: number[], scale: number) => {
    const count = dims.reduce((product, dim) => product * dim, 1);
    return b.constant(
      float32(dims, Float32Array.from({ length: count }, () => scale * random.normal())),
    );
  };
  let value = b.input("x", "float32", ["batch", 3]);
  const widths = [3, 6, 6, 2];
  for (let at = 0; at < 3; at++) {
    const scale = at === 2 ? 0.01 : 0.5;
    const inputs = [
      value,
      weights([widths[at]!, widths[at + 1]!], scale),
      weights([widths[at + 1]!], 0.1),
    ];
    const z = b.op("Gemm", inputs, {}, { name: `z${at}` });
    value = at < 2 ? b.op("Relu", [z]) : z;
  }
  b.output(value);
  return b.build({ opset: 21 });
}

const { model } = await prepareModel(network(), complete(prepareParameters, {}));
const float = artifact("model", model, "prepare.model");
const DOMAIN = { box: { lower: -0.5, upper: [0.5, 0.25, 0] } };
const GRID = { granularity: "channel" };

async function tableOf(given: { [name: string]: JsonValue }, dataset?: ReturnType<typeof numbers>) {
  const parameters = complete(sensitivityParameters, {
    method: "certified",
    bits: [3, 6, 8],
    weights: GRID,
    ...given,
  });
  const calibration = dataset && artifact("dataset", dataset, "calibration");
  const { outputs } = await measure(
    parameters,
    { model: float, calibration, ranges: undefined },
    context(),
  );
  return outputs.sensitivity as SensitivityTable;
}

/** The largest difference from the float model at points of the domain. */
function sampled(quantized: Model): number {
  const pair = pairModels(model, quantized);
  const random = Random.from(1, "points");
  let most = 0;
  for (let trial = 0; trial < 500; trial++) {
    const x = Float64Array.of(
      random.uniform() - 0.5,
      0.75 * random.uniform() - 0.5,
      -0.5 * random.uniform(),
    );
    for (const each of evaluate(pair, x).difference) most = Math.max(most, Math.abs(each));
  }
  return most;
}

Deno.test("certified sensitivity bounds what one quantized layer does, on a box and around items", async () => {
  const table = await tableOf({ domain: DOMAIN });
  const layered = findLayers(model, []);
  assert.deepEqual([table.method, table.measure], ["certified", "bound"]);
  for (const { name, entries } of table.layers) {
    assert.deepEqual(entries.map(({ bits }) => bits), [3, 6, 8]);
    for (const { bits, loss } of entries) {
      const layer = layered.layers.find((each) => each.name === name)!;
      const quantized = makeCandidate(layered, { weights: new Map([[layer, bits]]) }, {
        weights: complete(sensitivityParameters, { weights: GRID }).weights,
        seed: 0,
      });
      const found = sampled(quantized);
      // Bounds hold, and are not far off: splitting stops at one and a half times what was found.
      assert.ok(found <= loss && loss <= 3 * found, `${name} ${bits}: ${found} … ${loss}`);
    }
    assert.ok(entries[0]!.loss > entries[1]!.loss && entries[1]!.loss > entries[2]!.loss);
  }
  const items = numbers({ dims: [3], values: [0.1, 0.2, -0.3, 0.4, 0, 0] });
  const around = await tableOf({ domain: { linf: 0.01, take: 1 } }, items);
  around.layers.forEach(({ entries }, layer) =>
    entries.forEach(({ loss }, at) =>
      assert.ok(loss > 0 && loss <= table.layers[layer]!.entries[at]!.loss * 1.5)
    )
  );
});

Deno.test("a limit of the bound is kept by the cheapest choice that is proven to keep it", async () => {
  const losses = await tableOf({ domain: DOMAIN });
  const table = artifact("sensitivity", losses, "sensitivity");
  const sumAt = (width: number) =>
    losses.layers.reduce((sum, { entries }) => sum + entries[width]!.loss, 0);
  const limits = [1.5 * sumAt(0), 1.5 * sumAt(2)] as const;
  const items = numbers({ dims: [3], values: [0.1, 0.2, -0.3, 0.4, 0, 0] });
  const chosen = async (bound: number) => {
    const { outputs, metrics } = await choose(
      complete(searchParameters, {
        budget: { bound },
        trials: { domain: DOMAIN, weights: GRID, count: 12 },
      }),
      {
        model: float,
        sensitivity: table,
        latency: undefined,
        calibration: undefined,
        validation: artifact("dataset", items, "validation"),
        ranges: undefined,
      },
      context(),
    );
    return { assignment: outputs.assignment as Assignment, metrics: metrics! };
  };
  const [loose, tight] = [await chosen(limits[0]), await chosen(limits[1])];
  for (
    const [{ assignment, metrics }, limit] of [[loose, limits[0]], [tight, limits[1]]] as const
  ) {
    assert.equal(metrics.exceeded, 0);
    assert.ok(metrics.measured_bound! <= limit, `${metrics.measured_bound}`);
    const { outputs: { model: quantized } } = quantizeModel(
      model,
      undefined,
      complete(quantizeParameters, { weights: { ...GRID }, activations: { mode: "none" } }),
      context(),
      { origin: "search.assignment", value: assignment },
    );
    assert.ok(sampled(quantized) <= metrics.measured_bound!);
  }
  assert.ok(tight.metrics.weight_bytes! > loose.metrics.weight_bytes!);
});

Deno.test("what a bound lacks is said before anything runs", () => {
  const problems = (stage: typeof search | typeof sensitivity, given: JsonValue) =>
    stage.validate!(
      complete(stage.parameters as unknown as { static: never }, given),
    ).map(({ message }) => message).join("\n");
  assert.match(problems(sensitivity, { method: "certified" }), /needs the domain/);
  assert.match(problems(sensitivity, { domain: DOMAIN }), /for method certified/);
  assert.equal(problems(sensitivity, { method: "certified", domain: DOMAIN }), "");
  assert.match(problems(search, { budget: { bound: 1 } }), /kept by measuring models/);
  assert.match(problems(search, { budget: { bound: 1 }, trials: {} }), /there is none/);
  assert.match(
    problems(search, { budget: { kl: 1 }, trials: { domain: DOMAIN } }),
    /limit of bound/,
  );
  assert.equal(problems(search, { budget: { bound: 1 }, trials: { domain: DOMAIN } }), "");
});
