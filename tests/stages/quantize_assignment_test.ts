import assert from "node:assert/strict";
import { UserError } from "../../src/base/errors.ts";
import type { JsonValue } from "../../src/base/canonical_json.ts";
import { readQuantization } from "../../src/quant/qdq.ts";
import { fillDefaults } from "../../src/registry/defaults.ts";
import type { Schema } from "../../src/registry/schema.ts";
import { type Parameters, parameters } from "../../src/stages/quantize/ports.ts";
import { quantizeModel } from "../../src/stages/quantize/run.ts";
import { smallNetwork } from "../quant/small_network.ts";

function widths(layers: Record<string, number>, given: JsonValue = {}): Record<string, number> {
  const value = {
    version: 1,
    layers: Object.fromEntries(
      Object.entries(layers).map(([name, weights]) => [name, { weights }]),
    ),
  } as const;
  const complete = fillDefaults(
    parameters as unknown as Schema,
    { activations: { mode: "none" }, ...given as object } as JsonValue,
  ) as Parameters;
  const { outputs } = quantizeModel(smallNetwork(), undefined, complete, {
    seed: 0,
    signal: new AbortController().signal,
    warn: () => {},
  }, { origin: "search.assignment", value });
  return Object.fromEntries(
    readQuantization(outputs.model).weights.map(({ node, bits }) => [node.name, bits]),
  );
}

Deno.test("assigned widths come before those of all layers, and after overrides", () => {
  const found = widths({ stem: 3, left: 2 }, {
    weights: { bits: 4 },
    first_last: "brecq",
    overrides: [{ match: "left", weights: { bits: 6 } }],
  });
  assert.equal(found["stem"], 3);
  assert.equal(found["left"], 6);
  assert.ok(Object.values(found).includes(4));
});

Deno.test("a layer that is skipped stays float although it has a width", () => {
  const found = widths({ stem: 3, left: 2 }, { overrides: [{ match: "left", skip: true }] });
  assert.equal(found["stem"], 3);
  assert.equal(found["left"], undefined);
});

Deno.test("a layer that is not there and a width that cannot be written are refused", () => {
  const refused = (layers: Record<string, number>, message: string, hint: RegExp) =>
    assert.throws(() => widths(layers), (error) => {
      assert.ok(error instanceof UserError);
      assert.equal(error.message, message);
      assert.match(error.problems[0]!.hint!, hint);
      return true;
    });
  refused(
    { stm: 3, left: 4 },
    'The assignment "search.assignment" has a layer "stm", which the model does not have',
    /"stem"/,
  );
  refused({ stem: 9 }, 'The assignment "search.assignment" gives layer "stem" 9 bits', /1 to 8/);
});
