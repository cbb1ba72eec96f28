import assert from "node:assert/strict";
import { Value } from "@sinclair/typebox/value";
import type { TSchema } from "@sinclair/typebox";
import { INPUT_SCHEMAS, inputFormats, inputSchema } from "../../src/data/spec.ts";

Deno.test("every field says what it is, and its examples and default fit it", () => {
  const visit = (schema: TSchema, place: string, named: boolean): void => {
    if (named) assert.ok(schema.description, `${place} has no description`);
    for (const example of schema.examples ?? []) {
      assert.ok(Value.Check(schema, example), `${place}: example ${JSON.stringify(example)}`);
    }
    if (schema.default !== undefined) {
      assert.ok(Value.Check(schema, schema.default), `${place}: default`);
    }
    for (const [name, field] of Object.entries(schema.properties ?? {})) {
      visit(field as TSchema, `${place}.${name}`, true);
    }
    for (const part of schema.anyOf ?? []) visit(part, place, false);
  };
  for (const [format, schema] of Object.entries(INPUT_SCHEMAS)) visit(schema, format, true);
  visit(inputSchema, "inputs", true);
});

Deno.test("entries are of the format whose key they have", () => {
  assert.deepEqual(inputFormats({ idx: "a", take: 3 }), ["idx"]);
  assert.deepEqual(inputFormats({ take: 3 }), []);
  assert.deepEqual(inputFormats({ csv: "a", npy: "b" }), ["npy", "csv"]);
  assert.ok(Value.Check(inputSchema, { images: "x", preprocess: { scale: "1/255", crop: 3 } }));
  assert.ok(!Value.Check(inputSchema, { images: "x", preprocess: { sclae: 1 } }));
  assert.ok(!Value.Check(inputSchema, { images: "x", header: true }));
});
