import { deepStrictEqual } from "node:assert/strict";
import { Type } from "@sinclair/typebox";
import { asSchema } from "../../src/registry/schema.ts";
import { validate } from "../../src/registry/validate.ts";

const weights = asSchema(Type.Object({
  bits: Type.Union([
    Type.Integer({ minimum: 1, maximum: 8 }),
    Type.Literal(16),
    Type.Literal("ternary"),
  ]),
  range: Type.Optional(Type.String()),
}));

Deno.test("a wrong word among numbers and words hears of both", () => {
  const issues = validate(weights, { bits: "four" });
  deepStrictEqual(issues.map(({ predicate }) => predicate), [
    'must be an integer from 1 to 8, 16, or "ternary": current value is "four"',
  ]);
  const [close] = validate(weights, { bits: "ternery" });
  deepStrictEqual(close?.hint, 'Did you mean "ternary"?');
});

Deno.test("an unknown key that resembles a given one is told of it", () => {
  const hint = (value: Record<string, number>) => validate(weights, value)[0]?.hint;
  deepStrictEqual(hint({ bits: 4, bit: 3 }), 'Did you mean "bits", which is there already?');
  deepStrictEqual(hint({ bits: 4, rage: 3 }), 'Did you mean "range"?');
  deepStrictEqual(hint({ bits: 4, other: 3 }), 'Known: "range"');
});
