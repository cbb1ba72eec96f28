import assert from "node:assert/strict";
import { loadPipeline } from "../../src/pipeline/load.ts";
import { executePlan } from "../../src/pipeline/execute.ts";
import { planPipeline } from "../../src/pipeline/plan.ts";
import { rehearsalOf, SLIVER, unmeasured } from "../../src/pipeline/rehearsal.ts";
import { openStore } from "../../src/store/store.ts";
import { builtInStages } from "../../src/stages/mod.ts";
import { fillDefaults } from "../../src/registry/defaults.ts";
import { asSchema } from "../../src/registry/schema.ts";
import { validate } from "../../src/registry/validate.ts";
import { Folder } from "./support.ts";

Deno.test("a rehearsal takes a few items, does little, judges and publishes nothing", async () => {
  using folder = new Folder();
  const file = folder.pipeline(`
name: long
inputs:
  many: { synthetic: { shape: [1], count: 1000 } }
  few: { synthetic: { shape: [1], count: 5 } }
  chosen: { synthetic: { shape: [1], count: 1000 }, take: 10 }
stages:
  - { id: slow, uses: slow, matrix: { seconds: [900, 1000] }, with: { seconds: "\${matrix.seconds}" }, expect: { total: "< 0" } }
  - { id: kept, uses: deliver, in: { value: slow }, with: { to: "out-\${matrix.seconds}.txt" } }
`);
  const pipeline = await loadPipeline(file);
  await using store = openStore(folder.join("store"));
  const rehearsal = await rehearsalOf(pipeline, store);
  const takes = Array.from(rehearsal.inputs.values(), ({ name, spec }) => [name, spec.take]);
  assert.deepEqual(takes, [["many", SLIVER], ["few", undefined], ["chosen", 10]]);
  assert.equal(rehearsal.name, "long (rehearsal)");
  const outcome = await executePlan(await planPipeline(rehearsal, store), { executor: "inline" });
  assert.equal(outcome.status, "done");
  assert.ok(outcome.seconds < 60, "the whole would take half an hour");
  assert.deepEqual(outcome.stages.flatMap(({ published }) => published), []);
  assert.equal(
    [...Deno.readDirSync(folder.path)].some(({ name }) => name.startsWith("out")),
    false,
  );
  assert.deepEqual(unmeasured(pipeline, outcome), []);
  const none = { ...outcome, stages: outcome.stages.map((stage) => ({ ...stage, metrics: {} })) };
  assert.deepEqual(unmeasured(pipeline, none), [
    "slow@seconds=900 did not measure total, which is expected of it",
    "slow@seconds=1000 did not measure total, which is expected of it",
  ]);
});

Deno.test("what stages change for a rehearsal fits their schemas", () => {
  const given: Record<string, { [name: string]: number | object | string }[]> = {
    reconstruct: [{}, { method: "gptq" }, { preset: "fast" }, { distill: 0 }],
    search: [
      { budget: { mean_bits: 4 } },
      { budget: { mean_bits: 4 }, trials: { reconstruction: { steps: 100 } } },
    ],
    verify: [{ domain: { linf: 0.1, take: 5 } }, { domain: "property" }],
  };
  const rehearsed = builtInStages.filter(({ rehearse }) => rehearse !== undefined);
  assert.ok(rehearsed.length >= 7);
  for (const { name, parameters, rehearse, validate: check } of rehearsed) {
    for (const each of given[name] ?? [{}]) {
      const schema = asSchema(parameters);
      const filled = fillDefaults(schema, each as never) as Record<string, never>;
      const changed = { ...filled, ...rehearse!(filled) } as Record<string, never>;
      assert.deepEqual(validate(schema, changed), [], `${name} ${JSON.stringify(each)}`);
      assert.deepEqual(check?.(changed) ?? [], check?.(filled) ?? [], name);
    }
  }
});
