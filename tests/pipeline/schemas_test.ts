import assert from "node:assert/strict";
import { fileURLToPath } from "node:url";
import { Ajv, type ValidateFunction } from "ajv";
import fc from "fast-check";
import { parse } from "yaml";
import type { JsonValue } from "../../src/base/canonical_json.ts";
import { publishSchema } from "../../src/pipeline/generated/json_schema.ts";
import { generatedFiles, outdatedFiles } from "../../src/pipeline/generated/main.ts";
import { fillDefaults } from "../../src/registry/defaults.ts";
import { asSchema, type Schema } from "../../src/registry/schema.ts";
import { fits, validate } from "../../src/registry/validate.ts";
import { builtInStages } from "../../src/stages/mod.ts";
import testStages from "./test_stages.ts";

const ROOT = fileURLToPath(new URL("../../", import.meta.url));

Deno.test("the generated files in the tree are those of the stages", async () => {
  assert.deepEqual(await outdatedFiles(), [], "Run deno task schemas");
});

/** The published pipeline schema, as an editor uses it. */
function editor(): ValidateFunction {
  const ajv = new Ajv({ allErrors: true, allowUnionTypes: true });
  let pipeline: object = {};
  for (const [path, text] of generatedFiles()) {
    if (!path.endsWith(".json")) continue;
    const schema = JSON.parse(text);
    if (path === "schemas/pipeline.schema.json") pipeline = schema;
    else ajv.addSchema(schema, path.replace("schemas/", ""));
  }
  return ajv.compile(pipeline);
}

Deno.test("editors accept the ready-made pipelines", () => {
  const check = editor();
  for (const { name } of Deno.readDirSync(`${ROOT}pipelines`)) {
    if (!name.endsWith(".yaml")) continue;
    const text = Deno.readTextFileSync(`${ROOT}pipelines/${name}`);
    assert.ok(check(parse(text)), `${name}: ${JSON.stringify(check.errors)}`);
    assert.match(text, /^# yaml-language-server: \$schema=\.\.\/schemas\/pipeline\.schema\.json\n/);
  }
});

Deno.test("editors accept references and plugins, and refuse mistakes", () => {
  const check = editor();
  const accepts = (text: string) => check(parse(text));
  const wrap = (stage: string) =>
    `{ name: x, inputs: { m: { onnx: m.onnx } }, stages: [${stage}] }`;
  assert.ok(accepts(wrap("{ uses: quantize, with: { weights: { bits: '${seed}' } } }")));
  assert.ok(accepts(wrap("{ uses: my-own, with: { anything: 1 }, expect: { what: '< 3' } }")));
  assert.ok(
    accepts(wrap("{ uses: evaluate, in: { model: w4.model }, expect: { top1: '>= 90%' } }")),
  );
  for (
    const stage of [
      "{ uses: quantize, with: { weights: { bits: nine } } }",
      "{ uses: quantize, with: { weight: {} } }",
      "{ uses: evaluate, in: { modle: w4.model } }",
      "{ uses: evaluate, expect: { top11: 1 } }",
      "{ usse: evaluate }",
      "{ uses: my-own, wiht: 1 }",
    ]
  ) assert.ok(!accepts(wrap(stage)), stage);
  assert.ok(!accepts("{ name: x, sed: 1, stages: [{ uses: a }] }"));
  assert.ok(!accepts("{ name: x, inputs: { m: { onx: m } }, stages: [{ uses: a }] }"));
});

const scalar = fc.oneof(
  fc.constantFrom<JsonValue>(null, true, false, "", "a", "bb", "mse", 0, 1, -1, 2.5, 8),
  fc.integer({ min: -10, max: 10 }),
);

/** Any JSON, small. */
const values: fc.Arbitrary<JsonValue> = fc.letrec<{ value: JsonValue }>((tie) => ({
  value: fc.oneof(
    { maxDepth: 3, withCrossShrink: true },
    scalar,
    fc.array(tie("value"), { maxLength: 3 }),
    fc.dictionary(fc.constantFrom("a", "b", "c", "kind"), tie("value"), { maxKeys: 3 }),
  ),
})).value;

/** Schemas as TypeBox makes them, of everything that parameters can use. */
const schemas: fc.Arbitrary<Schema> = fc.letrec<{ schema: Schema }>((tie) => ({
  schema: fc.oneof(
    { maxDepth: 3, withCrossShrink: true },
    fc.constantFrom<Schema>(
      {},
      { type: "null" },
      { type: "boolean" },
      { type: "string" },
      { type: "string", minLength: 1, maxLength: 1 },
      { type: "string", pattern: "^[a-m]*$" },
      { type: "string", enum: ["a", "mse"] },
      { const: 8, type: "number" },
      { const: "a", type: "string" },
      { type: "integer", minimum: 0, maximum: 5 },
      { type: "number", exclusiveMinimum: 0 },
      { type: "number", exclusiveMaximum: 2, multipleOf: 0.5 },
      { type: "array", items: { type: "integer" }, uniqueItems: true },
    ),
    fc.record({ type: fc.constant("array" as const), items: tie("schema") }),
    fc.record({
      type: fc.constant("array" as const),
      items: tie("schema"),
      minItems: fc.constant(1),
      maxItems: fc.constant(2),
    }),
    fc.tuple(tie("schema"), tie("schema")).map((items) => ({
      type: "array" as const,
      items,
      additionalItems: false,
      minItems: 2,
      maxItems: 2,
    })),
    fc.tuple(tie("schema"), tie("schema")).map((anyOf) => ({ anyOf })),
    tie("schema").map((member) => ({
      type: "object" as const,
      patternProperties: { "^(.*)$": member },
    })),
    fc.record({
      a: tie("schema"),
      b: tie("schema"),
      required: fc.subarray(["a", "b"]),
      additionalProperties: fc.constantFrom(undefined, true, false),
    }).map(({ a, b, required, additionalProperties }) => ({
      type: "object" as const,
      properties: { a, b },
      required,
      ...(additionalProperties !== undefined && { additionalProperties }),
    })),
  ),
})).schema;

Deno.test("our checks agree with a JSON Schema validator", () => {
  const ajv = new Ajv({ strict: false });
  fc.assert(
    fc.property(schemas, fc.array(values, { minLength: 1, maxLength: 10 }), (schema, all) => {
      const check = ajv.compile(publishSchema(schema, { references: false }));
      for (const value of all) assert.equal(fits(schema, value), check(value));
    }),
    { numRuns: 300 },
  );
});

Deno.test("whatever does not fit is explained", () => {
  fc.assert(fc.property(schemas, values, (schema, value) => {
    for (const { path, predicate } of validate(schema, value)) {
      assert.ok(predicate.length > 0);
      // The path leads to something that is there, or to a key of it.
      let current: unknown = value;
      for (const step of path) current = (current as Record<string | number, unknown>)?.[step];
      assert.notEqual(current, undefined);
    }
  }));
});

Deno.test("defaults fit, filling them in twice changes nothing, and what was given stays", () => {
  for (const { parameters, name } of [...builtInStages, ...testStages]) {
    const schema = asSchema(parameters);
    const required = Object.fromEntries(
      (schema.required ?? []).flatMap((key) => {
        const property = schema.properties![key]!;
        return property.default === undefined ? [[key, property.examples![0]!]] : [];
      }),
    ) as JsonValue;
    const filled = fillDefaults(schema, required);
    assert.deepEqual(validate(schema, filled), [], name);
    assert.deepEqual(fillDefaults(schema, filled), filled);
  }
});

Deno.test("every parameter of a stage is described", () => {
  for (const { name, parameters, inputs, outputs } of builtInStages) {
    for (const [key, property] of Object.entries(asSchema(parameters).properties ?? {})) {
      assert.ok((property.description ?? "").length > 10, `${name}: ${key}`);
    }
    for (const [port, { description }] of Object.entries({ ...inputs, ...outputs })) {
      assert.ok(description.length > 5, `${name}: ${port}`);
    }
  }
});
