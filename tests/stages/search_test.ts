import assert from "node:assert/strict";
import type { JsonValue } from "../../src/base/canonical_json.ts";
import { UserError } from "../../src/base/errors.ts";
import { readQuantization } from "../../src/quant/qdq.ts";
import type { Ranges } from "../../src/quant/ranges.ts";
import { weightSize } from "../../src/quant/weight_size.ts";
import type { Artifact } from "../../src/registry/artifact.ts";
import { fillDefaults } from "../../src/registry/defaults.ts";
import type { Schema } from "../../src/registry/schema.ts";
import type { StageContext } from "../../src/registry/stage.ts";
import type { Assignment } from "../../src/search/assignment.ts";
import type { LatencyTable } from "../../src/search/cost/latency.ts";
import { workOf } from "../../src/search/cost/work.ts";
import type { SensitivityTable } from "../../src/search/table.ts";
import { parameters as calibrateParameters } from "../../src/stages/calibrate/ports.ts";
import { run as calibrate } from "../../src/stages/calibrate/run.ts";
import { parameters as evaluateParameters } from "../../src/stages/evaluate/ports.ts";
import { run as evaluate } from "../../src/stages/evaluate/run.ts";
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
import { artifact, context, Fixture, numbers } from "./stage_fixture.ts";

const { model } = await prepareModel(smallNetwork(), complete(prepareParameters, {}));
const float = artifact("model", model, "prepare.model");
const values = [1, 2, 3].flatMap((seed) => [...networkInput(seed).data]);
const dims = INPUT_DIMS.slice(1);
const data = artifact("dataset", numbers({ dims, values }), "inputs.calibration");
const validation = artifact(
  "dataset",
  numbers({ dims, values }, { labels: [0, 1, 2, 0, 1, 2] }),
  "inputs.validation",
);
const calibrated = await calibrate(
  complete(calibrateParameters, {}),
  { model: float, calibration: data },
  context(),
);
const ranges = artifact("ranges", calibrated.outputs.ranges as Ranges, "calibrate.ranges");
const { outputs: { sensitivity } } = await measure(
  complete(sensitivityParameters, {
    bits: [2, 4, 8],
    targets: "both",
    activations: { bits: [3, 8] },
  }),
  { model: float, calibration: data, ranges },
  context(),
);
const table = sensitivity as SensitivityTable;
const int8 = table.layers.reduce((sum, { entries }) => sum + entries[2]!.bytes, 0);

function complete<T>(schema: { static: T }, given: JsonValue): T {
  return fillDefaults(schema as unknown as Schema, given) as T;
}

interface Found {
  readonly assignment: Assignment;
  readonly picture: Uint8Array;
  readonly widths: Uint8Array;
  readonly front: {
    readonly layers: string[];
    readonly trials: { bits: number[]; measured: Record<string, number> }[];
    readonly chosen: { loss: number; cost: number; bits: number[]; exceeded: unknown[] };
    readonly points: { cost: number; loss: number; bits: number[] }[];
  };
  readonly metrics: Readonly<Record<string, number>>;
}

async function choose(
  given: JsonValue,
  latency?: Artifact<"latency">,
  own: StageContext = context(),
  losses: SensitivityTable = table,
): Promise<Found> {
  const { outputs, metrics } = await run(
    complete(parameters, given) as Parameters,
    {
      sensitivity: artifact("sensitivity", losses, "s.sensitivity"),
      model: float,
      latency,
      calibration: data,
      validation,
      ranges,
    },
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
  await assert.rejects(() => choose({ budget, bits: [3, 4] }), /no losses of weights at 3 bits/);
});

Deno.test("a limit that cannot be kept: how much is over it, or the closest choice", async () => {
  const fails = { budget: { size: "100B" }, unreachable: "fail" };
  await assert.rejects(() => choose(fails), (error) => {
    assert.ok(error instanceof UserError);
    assert.match(
      error.message,
      /limit of bytes cannot be kept: the closest choice has \d+, \d+ over/,
    );
    return true;
  });
  for (const method of ["exact", "genetic", "greedy"]) {
    const own = context();
    const given = { method, budget: { size: "100B" } };
    const { assignment, metrics, front } = await choose(given, undefined, own);
    assert.ok(Object.values(assignment.layers).every(({ weights }) => weights === 2));
    assert.equal(metrics["exceeded"], 1);
    assert.equal(front.chosen.exceeded.length, 1);
    assert.match(own.warnings.join(), /limit of bytes cannot be kept/);
  }
  await assert.rejects(
    () => choose({ budget: { loss: 0 }, unreachable: "fail" }),
    /limit of the loss cannot be kept/,
  );
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

Deno.test("weights and activations: quantize gives both the widths, and operations are those of the model", async () => {
  const uniform = { targets: "both", bits: [8], activations: { bits: [8] } } as const;
  const all = await choose({ ...uniform, budget: { mean_bits: 8 } });
  const { assignment, metrics, front } = await choose({
    targets: "both",
    budget: { bops: all.metrics["bops"]! * 0.4, mean_activation_bits: 6.5 },
    minimize: "bops",
  });
  assert.ok(metrics["bops"]! <= all.metrics["bops"]! * 0.4);
  assert.ok(metrics["mean_activation_bits"]! <= 6.5);
  assert.equal(front.layers.length, table.layers.length + table.activations!.length);
  const quantized = quantizeModel(
    model,
    calibrated.outputs.ranges as Ranges,
    complete(quantizeParameters, {}),
    context(),
    { origin: "search.assignment", value: assignment },
  ).outputs.model;
  const reading = readQuantization(quantized);
  for (const { node, bits } of reading.weights) {
    assert.equal(bits, assignment.layers[node.name]!.weights);
  }
  const widths = new Map(
    table.activations!.flatMap(({ name, values }) =>
      values.map((value) => [value, assignment.activations![name]!.bits])
    ),
  );
  const read = new Set(reading.activations.map(({ bits }) => bits));
  assert.ok(new Set(widths.values()).size > 1);
  const works = workOf(model, table).flatMap(({ nodes }) => nodes);
  const bops = works.reduce(
    (sum, { name, reads, macs }) =>
      sum + macs * assignment.layers[name]!.weights * widths.get(reads)!,
    0,
  );
  assert.equal(bops, metrics["bops"]);
  assert.ok(read.has(3) && read.has(8));
});

Deno.test("activations alone: memory is the most that exists at one time", async () => {
  const free = await choose({ targets: "activations", budget: { mean_activation_bits: 8 } });
  const limit = Math.floor(free.metrics["activation_bytes"]! * 0.7);
  const { metrics, assignment } = await choose({
    targets: "activations",
    budget: { activation_memory: limit },
  });
  assert.ok(metrics["activation_bytes"]! <= limit);
  assert.deepEqual(assignment.layers, {});
  assert.ok(metrics["predicted_loss"]! > free.metrics["predicted_loss"]!);
  assert.equal(metrics["weight_bytes"], undefined);
});

Deno.test("pareto: the whole front, within other limits too, and its knee", async () => {
  const whole = await choose({ method: "pareto" });
  assert.equal(whole.front.points.length, whole.metrics["front_points"]);
  const { chosen, points } = whole.front;
  assert.ok(points.some(({ cost }) => cost === chosen.cost));
  assert.ok(chosen.cost > points[0]!.cost && chosen.cost < points.at(-1)!.cost);
  const bops = whole.metrics["bops"]!;
  const limited = await choose({ method: "pareto", budget: { bops } });
  assert.ok(limited.metrics["bops"]! <= bops);
  for (const { cost, loss } of limited.front.points) {
    const best = points.filter((point) => point.cost <= cost).at(-1)!;
    assert.ok(best.loss <= loss + 1e-12);
  }
});

Deno.test("trials: what is measured is what quantize and evaluate come to", async () => {
  await using fixture = new Fixture();
  const settings = { symmetric: false };
  const { assignment, metrics, front, widths, picture } = await choose({
    budget: { of_int8: 0.45 },
    trials: { count: 4, weights: settings },
  });
  assert.equal(metrics["trials"], front.trials.length);
  assert.ok(front.trials.length > 1 && front.trials.length <= 4);
  const least = Math.min(...front.trials.map(({ measured }) => measured["kl"]!));
  assert.equal(metrics["measured_kl"], least);
  assert.ok(metrics["gained"]! >= 0);
  const quantized = quantizeModel(
    model,
    undefined,
    complete(quantizeParameters, { weights: settings, activations: { mode: "none" } }),
    context(),
    { origin: "search.assignment", value: assignment },
  ).outputs.model;
  const evaluation = await evaluate(
    complete(evaluateParameters, { metrics: ["kl", "top1"] }),
    {
      model: fixture.model("quantized-model", quantized),
      reference: fixture.model("model", model),
      test: validation,
    },
    context(),
  );
  assert.ok(Math.abs(evaluation.metrics!["kl"]! - least) <= 1e-6 * least + 1e-9);
  assert.equal(evaluation.metrics!["top1_drop"], metrics["measured_top1_drop"]);
  const page = new TextDecoder().decode(widths);
  for (const { name } of table.layers) assert.ok(page.includes(`| ${name} |`), name);
  const svg = new TextDecoder().decode(picture);
  assert.match(svg, /^<svg .*<\/svg>\n$/s);
  assert.equal(svg.match(/class="bar"/g)!.length, table.layers.length);
  assert.equal(svg.match(/class="trial"/g)!.length, front.trials.length);
});

Deno.test("trials: the cheapest model of a measured loss", async () => {
  const { front: { points } } = await choose({ budget: { of_int8: 1 } });
  const limit = points[Math.floor(points.length / 2)]!.loss;
  const { metrics, front } = await choose({ budget: { kl: limit }, trials: { count: 12 } });
  assert.ok(metrics["measured_kl"]! <= limit);
  assert.equal(metrics["exceeded"], 0);
  const cheaper = front.trials.filter(({ measured }) => measured["kl"]! > limit);
  assert.ok(cheaper.length > 0);
  const own = context();
  const none = await choose(
    { budget: { kl: 0 }, trials: { count: 5 } },
    undefined,
    own,
  );
  assert.equal(none.metrics["exceeded"], 1);
  assert.match(own.warnings.join(), /limit of the measured divergence cannot be kept/);
  const drop = await choose({ budget: { top1_drop: 0.5 }, trials: { count: 6 } });
  assert.ok(drop.metrics["measured_top1_drop"]! <= 0.5);
});

Deno.test("trials with reconstruction go on where they were", async () => {
  const given = {
    budget: { of_int8: 0.4 },
    trials: { count: 2, reconstruction: { steps: 5, batch: 4 } },
  };
  const whole = await choose(given);
  const saved = new Map<string, Uint8Array>();
  for (const stop of [2, 5, 9]) {
    const interruption = new AbortController();
    let saves = 0;
    const checkpoints = {
      load: (name: string) => Promise.resolve(saved.get(name)),
      save: (name: string, bytes: Uint8Array) => {
        saved.set(name, bytes);
        if (++saves === stop) interruption.abort();
        return Promise.resolve();
      },
    };
    const own = context({ checkpoints, signal: interruption.signal });
    await assert.rejects(() => choose(given, undefined, own), /abort/i);
  }
  const checkpoints = {
    load: (name: string) => Promise.resolve(saved.get(name)),
    save: () => Promise.resolve(),
  };
  assert.deepEqual(await choose(given, undefined, context({ checkpoints })), whole);
});

Deno.test("a table without what gets widths is refused", async () => {
  const { activations: _, activation_widths: __, ...weights } = table;
  await assert.rejects(
    () => choose({ targets: "both", budget: { mean_bits: 4 } }, undefined, context(), weights),
    /no losses of activations/,
  );
  await assert.rejects(
    () => choose({ targets: "activations", activations: { bits: [5] }, budget: { bops: 1e9 } }),
    /no losses of activations at 5 bits, only at 3, 8/,
  );
});

Deno.test("what the schema cannot say", () => {
  const problems = (given: JsonValue) =>
    search.validate!(complete(parameters, given) as Parameters).map(({ message }) => message)
      .join();
  assert.equal(problems({ budget: { size: "1kB", mean_bits: 4 } }), "");
  assert.match(problems({ budget: { size: "1kB", loss: 1 } }), /stands alone/);
  assert.match(problems({ budget: { loss: 1 }, method: "greedy" }), /needs method exact/);
  assert.match(problems({}), /Method exact needs a budget/);
  assert.equal(problems({ method: "pareto" }), "");
  assert.match(problems({ budget: { top1_drop: 0.01 } }), /kept by measuring models/);
  assert.equal(problems({ budget: { top1_drop: 0.01 }, trials: {} }), "");
  assert.match(problems({ budget: { loss: 1 }, trials: {} }), /needs no trials/);
  assert.match(problems({ method: "pareto", trials: {} }), /trials are for one choice/);
  assert.match(
    problems({ targets: "activations", budget: { size: "1kB" } }),
    /size does not change with the widths of activations/,
  );
  assert.match(
    problems({ budget: { size: "1kB" }, minimize: "mean_activation_bits" }),
    /mean_activation_bits does not change with the widths of weights/,
  );
});

Deno.test("amounts with units", () => {
  assert.equal(bytesOf("12.5kB"), 12500);
  assert.equal(bytesOf("1.1 MB"), 1100000);
  assert.equal(bytesOf(77), 77);
  assert.equal(microsecondsOf("2.5 ms"), 2500);
  assert.equal(microsecondsOf("250us"), 250);
});
