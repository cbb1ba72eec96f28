import assert from "node:assert/strict";
import type { JsonValue } from "../../src/base/canonical_json.ts";
import { guaranteeSection } from "../../src/report/html/sections/guarantee.ts";
import { searchSection } from "../../src/report/html/sections/search.ts";
import { RunArtifacts } from "../../src/report/read/artifacts.ts";
import {
  readFronts,
  readReconstructions,
  readVerifications,
} from "../../src/report/read/documents.ts";
import { readReport } from "../../src/report/read/report.ts";
import { temporaryStore } from "../store/fixture.ts";
import { record, stage } from "./records.ts";

const UNIT = { loss_before: 2, loss_after: 1, changed: 0.1, steps: 20, kept: true };

const DOCUMENTS: Record<string, JsonValue> = {
  front: {
    version: 1,
    measure: "kl",
    cost: "size",
    layers: ["a", "b"],
    chosen: { bits: [4, 8], loss: 0.2, cost: 300, exceeded: [] },
    points: [{ bits: [2, 2], loss: 0.9, cost: 100 }, { bits: [4, 8], loss: 0.2, cost: 300 }],
    trials: [{ bits: [4, 8], loss: 0.2, cost: 300, measured: { kl: 0.25, top1_drop: 0.01 } }],
  },
  plain: {
    measure: "mse",
    cost: "mean_bits",
    layers: ["a"],
    chosen: { bits: [3], loss: 1, cost: 3 },
    points: [],
  },
  record: { units: [{ name: "u", layers: ["a"], ...UNIT }], ends: [], more: true },
  "no record": { units: [{ name: "u", layers: "a", ...UNIT }] },
  "no units": { units: 3 },
  proof: {
    method: "differential",
    semantics: "real",
    domains: [{
      name: "item 0",
      boxes: 12,
      splits: 5,
      settled: 1,
      outputs: [
        { found: 0.5, proven: 0.54321001, lower: -1, upper: 1, witness: [0] },
        { found: 0.1, proven: 0.2, lower: -1, upper: 1, witness: null },
      ],
      kept: true,
    }],
    certificate: { claims: 0.5444, parts: 12 },
    decomposition: {
      domain: "item 0",
      output: 0,
      total: 0.8,
      weights: 0.6,
      rounding: 0.2,
      saturation: 0,
      arithmetic: 0,
    },
  },
  unproven: {
    method: "interval",
    semantics: "float32",
    domains: [
      { name: "a", boxes: 1, settled: 0, outputs: [{ found: 0, proven: null }] },
      { name: "b", boxes: 1, settled: 0, outputs: [{ found: 0, proven: 3 }] },
    ],
    certificate: { none: "the operator Erf is not supported" },
  },
  list: [1, 2],
  nothing: null,
};

Deno.test("documents are known by their form, and others are left alone", async () => {
  await using t = temporaryStore();
  const stages = [];
  for (const [id, value] of Object.entries(DOCUMENTS)) {
    const blob = await t.store.putBlob(new TextEncoder().encode(JSON.stringify(value)));
    const inputs = { model: "w8.model", reference: "prepare.model" };
    stages.push(stage(id, "mine", { inputs, outputs: { out: { kind: "json", ...blob } } }));
  }
  const run = record(stages);
  const artifacts = new RunArtifacts(t.store, run);
  const fronts = await readFronts(artifacts);
  assert.deepEqual(fronts.map(({ stage }) => stage), ["front", "plain"]);
  assert.deepEqual(fronts[0]!.widths, [{ layer: "a", bits: 4 }, { layer: "b", bits: 8 }]);
  assert.deepEqual(fronts[0]!.trials[0]!.measured, { kl: 0.25, top1_drop: 0.01 });
  assert.deepEqual(fronts[1]!.trials, []);
  assert.deepEqual(await readReconstructions(artifacts), [
    { stage: "record", units: [{ name: "u", layers: ["a"], ...UNIT }] },
  ]);

  const verifications = await readVerifications(artifacts);
  assert.deepEqual(verifications.map(({ stage, model }) => [stage, model]), [
    ["proof", "w8.model"],
    ["unproven", "w8.model"],
  ]);
  assert.deepEqual(verifications[1]!.domains[0]!.outputs, [{ found: 0 }]);

  const report = await readReport(t.store, run);
  const words = guaranteeSection(report)!.markup.replace(/<[^>]*>/g, "").replace(/\s+/g, " ");
  // Rounded up: a smaller number would not be proven.
  assert.match(
    words,
    /For every input of item 0, no output of w8\.model differs from that of prepare\.model by more than 0\.5433, computed in exact arithmetic\. A difference of 0\.5 was found: the bound is at most 1\.087 times as large/,
  );
  assert.match(
    words,
    /Nothing is proven of the inputs of each of 2 boxes\. No difference was found/,
  );

  assert.match(
    words,
    /For 1 of 1 items the class provably stays in all of the box\. Without splitting, the bound of item 0 is 0\.8, made 75\.00 % by changed weights, 25\.00 % by rounding of activations\. A certificate proves 0\.5444 in 12 parts, for bitbound check-certificate\./,
  );
  assert.match(words, /There is no certificate: the operator Erf is not supported\./);

  const { markup } = searchSection(report)!;
  // Two points of the front, a model that was measured, and the choice.
  assert.equal(markup.match(/<circle/g)!.length, 4);
  assert.match(markup, /Measured: 300 B, 0\.25/);
  assert.match(markup, /Models that were measured: 1/);
});
