import assert from "node:assert/strict";
import type { JsonValue } from "../../src/base/canonical_json.ts";
import { UserError } from "../../src/base/errors.ts";
import { weightSize } from "../../src/quant/weight_size.ts";
import type { Artifact } from "../../src/registry/artifact.ts";
import { fillDefaults } from "../../src/registry/defaults.ts";
import type { Schema } from "../../src/registry/schema.ts";
import type { StageContext } from "../../src/registry/stage.ts";
import type { Assignment } from "../../src/search/assignment.ts";
import type { LatencyTable } from "../../src/search/cost/latency.ts";
import { workOf } from "../../src/search/cost/work.ts";
import type { SensitivityTable } from "../../src/search/table.ts";
import { parameters as prepareParameters } from "../../src/stages/prepare/ports.ts";
import { prepareModel } from "../../src/stages/prepare/run.ts";
import { parameters as quantizeParameters } from "../../src/stages/quantize/ports.ts";
import { quantizeModel } from "../../src/stages/quantize/run.ts";
import { search } from "../../src/stages/search/mod.ts";
import { type Parameters, parameters } from "../../src/stages/search/ports.ts";
import { run } from "../../src/stages/search/run.ts";
import { bytesOf, microsecondsOf } from "../../src/stages/search/units.ts";
import { parameters as sensitivityParameters } from "../../src/stages/sensitivity/ports.ts";
import { run as measure } from "../../src/stages/sensitivity/run.ts";
import { INPUT_DIMS, networkInput, smallNetwork } from "../quant/small_network.ts";
import { artifact, context, numbers } from "./stage_fixture.ts";

const { model } = await prepareModel(smallNetwork(), complete(prepareParameters, {}));
const float = artifact("model", model, "prepare.model");
const { outputs: { sensitivity } } = await measure(
  complete(sensitivityParameters, { bits: [2, 4, 8] }),
  {
    model: float,
    calibration: artifact(
      "dataset",
      numbers({ dims: INPUT_DIMS.slice(1), values: [...networkInput().data] }),
      "inputs.calibration",
    ),
    ranges: undefined,
  },
  context(),
);
const table = sensitivity as SensitivityTable;
const int8 = table.layers.reduce((sum, { entries }) => sum + entries[2]!.bytes, 0);

function complete<T>(schema: { static: T }, given: JsonValue): T {
  return fillDefaults(schema as unknown as Schema, given) as T;
}

interface Found {
  readonly assignment: Assignment;
  readonly front: {
    readonly chosen: { loss: number; cost: number; bits: number[]; exceeded: unknown[] };
    readonly points: { cost: number; loss: number; bits: number[] }[];
  };
  readonly metrics: Readonly<Record<string, number>>;
}

async function choose(
  given: JsonValue,
  latency?: Artifact<"latency">,
  own: StageContext = context(),
): Promise<Found> {
  const { outputs, metrics } = await run(
    complete(parameters, given) as Parameters,
    { sensitivity: artifact("sensitivity", table, "s.sensitivity"), model: float, latency },
    own,
  );
  return { ...outputs as unknown as Found, metrics: metrics! };
}

Deno.test("a size is kept exactly: quantize makes a model of the bytes that were predicted", async () => {
  for (const method of ["exact", "genetic", "greedy"]) {
    const { assignment, metrics } = await choose({ method, budget: { of_int8: 0.5 } });
    assert.ok(metrics["weight_bytes"]! <= int8 * 0.5);
    assert.equal(metrics["exceeded"], 0);
    const quantized = quantizeModel(
      model,
      undefined,
      complete(quantizeParameters, { activations: { mode: "none" } }),
      context(),
      { origin: "search.assignment", value: assignment },
    );
    const size = weightSize(quantized.outputs.model);
    assert.equal(size.bytes, metrics["weight_bytes"]);
    assert.ok(Math.abs(size.bits - metrics["mean_bits"]!) < 1e-9);
  }
});

Deno.test("exact is best, and the chosen point is on the front", async () => {
  const exact = await choose({ budget: { of_int8: 0.4 } });
  for (const method of ["genetic", "greedy"]) {
    const other = await choose({ method, budget: { of_int8: 0.4 } });
    assert.ok(exact.metrics["predicted_loss"]! <= other.metrics["predicted_loss"]! + 1e-12);
  }
  const { chosen, points } = exact.front;
  assert.ok(points.some(({ cost, loss }) => cost === chosen.cost && loss === chosen.loss));
  points.forEach((point, index) => {
    const before = points[index - 1];
    assert.ok(before === undefined || before.cost < point.cost && before.loss > point.loss);
  });
});

Deno.test("the cheapest choice of a loss", async () => {
  const { front: { points } } = await choose({ budget: { of_int8: 1 } });
  const wanted = points[Math.floor(points.length / 2)]!;
  const { metrics } = await choose({ budget: { loss: wanted.loss } });
  assert.equal(metrics["predicted_loss"], wanted.loss);
  assert.equal(metrics["weight_bytes"], wanted.cost);
  const bits = await choose({ budget: { loss: wanted.loss }, minimize: "mean_bits" });
  assert.ok(bits.metrics["mean_bits"]! <= metrics["mean_bits"]!);
});

Deno.test("several limits hold together", async () => {
  const accelerator = { rows: 8, columns: 8, clock_mhz: 100, bandwidth_gbs: 0.1 };
  const free = await choose({ budget: { of_int8: 0.6 }, accelerator });
  const half = free.metrics["latency"]! * 0.8;
  const budget = {
    of_int8: 0.6,
    bops: free.metrics["bops"]! * 0.9,
    latency: `${Math.floor(half * 1e9) / 1e3} us`,
    activation_memory: "1MB",
  };
  const { metrics } = await choose({ budget, accelerator });
  assert.ok(metrics["weight_bytes"]! <= int8 * 0.6);
  assert.ok(metrics["bops"]! <= budget.bops);
  assert.ok(metrics["latency"]! <= half);
  assert.ok(metrics["predicted_loss"]! >= free.metrics["predicted_loss"]!);
});

Deno.test("latencies of a table", async () => {
  const entries = workOf(model, table).flatMap(({ nodes }) =>
    nodes.flatMap(({ op, input, weight, output }) =>
      [2, 4, 8].map((weight_bits) => ({
        op,
        input,
        weight,
        output,
        weight_bits,
        activation_bits: 8,
        us: 10 * weight_bits,
      }))
    )
  );
  const value: LatencyTable = { version: 1, device: "made up", entries, rest: { "8": 5 } };
  const latency = artifact("latency", value, "profile.latency");
  const { metrics } = await choose({ budget: { latency: "0.4ms" } }, latency);
  assert.ok(metrics["latency"]! <= 400e-6 && metrics["latency"]! > 200e-6);
  await assert.rejects(() => choose({ budget: { latency: "0.4ms" } }), /Latency needs a table/);
  const broken = artifact("latency", { version: 2 } as unknown as LatencyTable, "inputs.device");
  await assert.rejects(
    () => choose({ budget: { latency: "1ms" } }, broken),
    /"inputs\.device" is none/,
  );
});

Deno.test("given widths are kept; a name that fits nothing and a width that was not measured are refused", async () => {
  const { assignment } = await choose({
    budget: { of_int8: 0.9 },
    fixed: [{ match: "*", bits: 4 }, { match: "stem", bits: 8 }],
  });
  assert.equal(assignment.layers["stem"]!.weights, 8);
  assert.equal(assignment.layers["logits"]!.weights, 4);
  const budget = { of_int8: 0.5 };
  await assert.rejects(
    () => choose({ budget, fixed: [{ match: "stme", bits: 8 }] }),
    /no layer of the sensitivity table has a name like "stme"/,
  );
  await assert.rejects(() => choose({ budget, bits: [3, 4] }), /no losses at 3 bits/);
});

Deno.test("a limit that cannot be kept: how much is over it, or the closest choice", async () => {
  await assert.rejects(() => choose({ budget: { size: "100B" } }), (error) => {
    assert.ok(error instanceof UserError);
    assert.match(
      error.message,
      /limit of bytes cannot be kept: the closest choice has \d+, \d+ over/,
    );
    return true;
  });
  for (const method of ["exact", "genetic", "greedy"]) {
    const own = context();
    const given = { method, budget: { size: "100B" }, unreachable: "keep" };
    const { assignment, metrics, front } = await choose(given, undefined, own);
    assert.ok(Object.values(assignment.layers).every(({ weights }) => weights === 2));
    assert.equal(metrics["exceeded"], 1);
    assert.equal(front.chosen.exceeded.length, 1);
    assert.match(own.warnings.join(), /limit of bytes cannot be kept/);
  }
  await assert.rejects(() => choose({ budget: { loss: 0 } }), /limit of the loss cannot be kept/);
});

Deno.test("a genetic search that was interrupted goes on to the same end", async () => {
  const given = { method: "genetic", budget: { of_int8: 0.4 }, genetic: { generations: 40 } };
  const whole = await choose(given);
  const saved = new Map<string, Uint8Array>();
  const interruption = new AbortController();
  const checkpoints = {
    load: (name: string) => Promise.resolve(saved.get(name)),
    save: (name: string, bytes: Uint8Array) => {
      saved.set(name, bytes);
      interruption.abort();
      return Promise.resolve();
    },
  };
  const first = context({ checkpoints, signal: interruption.signal });
  await assert.rejects(() => choose(given, undefined, first), /abort/i);
  const own = context({ checkpoints });
  assert.deepEqual(await choose(given, undefined, own), whole);
  assert.equal(own.reports[0]!.done, 11);
});

Deno.test("what the schema cannot say", () => {
  const problems = (given: JsonValue) =>
    search.validate!(complete(parameters, given) as Parameters).map(({ message }) => message)
      .join();
  assert.equal(problems({ budget: { size: "1kB", mean_bits: 4 } }), "");
  assert.match(problems({ budget: { size: "1kB", loss: 1 } }), /stands alone/);
  assert.match(problems({ budget: { loss: 1 }, method: "greedy" }), /needs method exact/);
});

Deno.test("amounts with units", () => {
  assert.equal(bytesOf("12.5kB"), 12500);
  assert.equal(bytesOf("1.1 MB"), 1100000);
  assert.equal(bytesOf(77), 77);
  assert.equal(microsecondsOf("2.5 ms"), 2500);
  assert.equal(microsecondsOf("250us"), 250);
});
