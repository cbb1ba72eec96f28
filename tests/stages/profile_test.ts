import assert from "node:assert/strict";
import { UserError } from "../../src/base/errors.ts";
import type { JsonValue } from "../../src/base/canonical_json.ts";
import { fillDefaults } from "../../src/registry/defaults.ts";
import type { Schema } from "../../src/registry/schema.ts";
import { checkLatencyTable, LatencyLookup } from "../../src/search/cost/latency.ts";
import { workOf } from "../../src/search/cost/work.ts";
import { parameters as prepareParameters } from "../../src/stages/prepare/ports.ts";
import { prepareModel } from "../../src/stages/prepare/run.ts";
import { parameters } from "../../src/stages/profile/ports.ts";
import { run } from "../../src/stages/profile/run.ts";
import { smallNetwork } from "../quant/small_network.ts";
import { artifact, context } from "./stage_fixture.ts";

function complete<T>(schema: { static: T }, given: JsonValue): T {
  return fillDefaults(schema as unknown as Schema, given) as T;
}

const { model } = await prepareModel(smallNetwork(), complete(prepareParameters, {}));

Deno.test("every layer has a latency at every width, which search can look up", async () => {
  const { outputs, metrics } = await run(
    complete(parameters, { bits: [1, 2, 4], activation_bits: [8, 32], runs: 3 }),
    { model: artifact("model", model, "prepare.model") },
    context(),
  );
  const table = checkLatencyTable(outputs.latency, "profile.latency");
  const layers = ["stem", "depthwise", "project", "hidden", "logits", "conv1d"]
    .map((name) => ({ name, nodes: [name], elements: 1, entries: [] }));
  const works = workOf(model, { layers });
  for (const [widths, activations] of [[[1, 2, 4, 8], 8], [[1, 2, 4, 32], 32]] as const) {
    const lookup = new LatencyLookup(table);
    for (const { nodes } of works) {
      for (const width of widths) {
        const us = lookup.cost(nodes[0]!, width, activations);
        assert.ok(us >= 0 && us < 1e6);
      }
    }
    lookup.requireAll();
    assert.ok(table.rest[activations]! >= 0);
  }
  assert.ok(metrics!["float_seconds"]! > 0 && metrics!["int8_seconds"]! > 0);
  const keys = table.entries.map(({ us: _, ...key }) => JSON.stringify(key));
  assert.equal(new Set(keys).size, keys.length);
});

Deno.test("a model that takes several items at a time is refused", async () => {
  const fixed = await prepareModel(smallNetwork(), complete(prepareParameters, { batch: 2 }));
  await assert.rejects(
    () =>
      run(
        complete(parameters, {}),
        { model: artifact("model", fixed.model, "prepare.model") },
        context(),
      ),
    (error) => {
      assert.ok(error instanceof UserError);
      assert.match(error.message, /"x" of the model "prepare\.model" takes 2 items at a time/);
      return true;
    },
  );
});
