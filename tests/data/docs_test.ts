import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import type { TSchema } from "@sinclair/typebox";
import { Value } from "@sinclair/typebox/value";
import { parse } from "yaml";
import { DATASET_SCHEMAS, INPUT_SCHEMAS, inputFormats } from "../../src/data/spec.ts";

const guide = readFileSync(new URL("../../docs/data.md", import.meta.url), "utf8");

Deno.test("every snippet of the guide fits the schema of its format", () => {
  let entries = 0;
  for (const [, snippet] of guide.matchAll(/```yaml\n([\s\S]*?)```/g)) {
    const { inputs } = parse(snippet!) as { inputs: Record<string, object> };
    for (const [name, entry] of Object.entries(inputs)) {
      const formats = inputFormats(entry);
      assert.equal(formats.length, 1, name);
      const schema = INPUT_SCHEMAS[formats[0]!];
      const errors = [...Value.Errors(schema, entry)].map(({ path, message }) =>
        `${path} ${message}`
      );
      assert.deepEqual(errors, [], name);
      entries++;
    }
  }
  assert.ok(entries > 20);
});

Deno.test("the guide mentions every field", () => {
  const visit = (schema: TSchema): void => {
    for (const [name, field] of Object.entries(schema.properties ?? {})) {
      assert.ok(new RegExp(`\\b${name}\\b`).test(guide), `${name} is not in the guide`);
      visit(field as TSchema);
    }
    for (const part of schema.anyOf ?? []) visit(part);
  };
  for (const schema of Object.values(DATASET_SCHEMAS)) visit(schema);
});
