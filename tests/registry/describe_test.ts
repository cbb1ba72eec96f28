import assert from "node:assert/strict";
import { Type } from "@sinclair/typebox";
import { describeParameters } from "../../src/registry/describe.ts";

Deno.test("parameters are listed with type, default and description", () => {
  const schema = Type.Object({
    weights: Type.Object({
      bits: Type.Integer({ minimum: 2, maximum: 8, default: 8, description: "Width" }),
      range: Type.Union([Type.Literal("minmax"), Type.Literal("mse")], { description: "How" }),
    }, { default: {}, description: "All weights" }),
    tolerance: Type.Optional(Type.Number({ exclusiveMinimum: 0, description: "How much" })),
    overrides: Type.Array(
      Type.Object({ match: Type.String({ description: "Name" }) }),
      { default: [], description: "Exceptions" },
    ),
    shape: Type.Optional(Type.Tuple([Type.Integer(), Type.String()])),
    limits: Type.Optional(Type.Record(Type.String(), Type.Number({ minimum: 1 }))),
    size: Type.Union([Type.Literal("auto"), Type.Integer({ minimum: 1 })], { default: "auto" }),
  });
  const rows = describeParameters(schema).map(({ path, type, required, fallback, description }) => [
    path,
    type,
    required ? "required" : fallback ?? "",
    description,
  ]);
  assert.deepEqual(rows, [
    ["weights", "object", "{}", "All weights"],
    ["weights.bits", "integer from 2 to 8", "8", "Width"],
    ["weights.range", '"minmax" or "mse"', "required", "How"],
    ["tolerance", "number above 0", "", "How much"],
    ["overrides", "list of object", "[]", "Exceptions"],
    ["overrides[].match", "string", "required", "Name"],
    ["shape", "list [integer, string]", "", ""],
    ["limits", "object", "", ""],
    ["size", '"auto" or integer at least 1', '"auto"', ""],
  ]);
});
