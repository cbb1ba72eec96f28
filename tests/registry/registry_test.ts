import assert from "node:assert/strict";
import { Type } from "../../src/base/type.ts";
import { Registry } from "../../src/registry/registry.ts";
import { type AnyStage, defineStage } from "../../src/registry/stage.ts";
import { builtInStages } from "../../src/stages/mod.ts";

const stage = (facts: Partial<AnyStage>): AnyStage => ({
  ...defineStage({
    name: "some",
    version: 1,
    summary: "",
    description: "",
    parameters: Type.Object({}),
    inputs: {},
    outputs: {},
    engine: false,
    run: () => Promise.resolve({ outputs: {} }),
  }),
  ...facts,
});

Deno.test("every stage that comes with Bitbound is well defined", () => {
  const registry = new Registry(builtInStages);
  for (const { name } of builtInStages) assert.ok(registry.get(name), name);
});

Deno.test("a stage that is not well defined is refused when it is asked for", () => {
  const registry = new Registry([stage({}), stage({ name: "other", version: 0 })]);
  assert.equal(registry.get("some")?.definition.version, 1);
  for (let times = 0; times < 2; times++) {
    assert.throws(() => registry.get("other"), /version must be an integer of at least 1/);
  }
  assert.throws(() => new Registry([stage({}), stage({})]), /There is a stage "some" already/);
});

Deno.test("a plugin's stage is refused at once, with what is wrong", () => {
  const registry = new Registry([stage({})]);
  const plugin = { module: "file:///x.ts", digest: "0".repeat(64) };
  const unknown = Type.Object({
    x: { format: "odd" } as unknown as ReturnType<typeof Type.String>,
  });
  assert.match(
    registry.add([stage({ name: "a", parameters: unknown }), stage({ name: "b" })], plugin).join(),
    /Schema parameters\.x uses "format"/,
  );
  assert.deepEqual(registry.names(), ["some", "b"]);
});
