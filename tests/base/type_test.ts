import assert from "node:assert/strict";
import * as typebox from "@sinclair/typebox";
import fc from "fast-check";
import { Type } from "../../src/base/type.ts";

type Builder = typeof Type;
type Schema = typebox.TSchema;

/** Makes the same schema with any builder. */
type Recipe = (type: Builder) => Schema;

const options = fc.record({
  description: fc.string(),
  default: fc.constantFrom(0, 1.5, "x", [2], true),
  additionalProperties: fc.boolean(),
  minItems: fc.nat(3),
}, { requiredKeys: [] });

const recipes = fc.letrec<{ leaf: Recipe; object: Recipe; tree: Recipe }>((tie) => {
  const members = fc.dictionary(fc.stringMatching(/^[a-z]{1,3}$/), tie("tree"), { maxKeys: 4 });
  const optional = fc.array(fc.boolean(), { minLength: 4, maxLength: 4 });
  return {
    leaf: fc.oneof(
      fc.constantFrom("String", "Number", "Integer", "Boolean", "Null", "Unknown").chain((name) =>
        options.map((given): Recipe => (type) => type[name as "String"](given))
      ),
      fc.tuple(fc.constantFrom("a", 3, true), options)
        .map(([value, given]): Recipe => (type) => type.Literal(value, given)),
    ),
    object: fc.tuple(members, optional, fc.option(options, { nil: undefined })).map((
      [properties, flags, given],
    ): Recipe =>
    (type) => {
      const made = Object.entries(properties).map(([name, recipe], index) => {
        const schema = recipe(type);
        return [name, flags[index] ? type.Optional(schema) : schema];
      });
      return type.Object(Object.fromEntries(made), given);
    }),
    tree: fc.oneof(
      { depthSize: "small" },
      tie("leaf"),
      tie("object"),
      fc.tuple(tie("tree"), options).map(([of, given]): Recipe => (type) =>
        type.Array(of(type), given)
      ),
      fc.tuple(fc.array(tie("tree"), { minLength: 1, maxLength: 3 }), options)
        .map(([each, given]): Recipe => (type) => type.Union(each.map((one) => one(type)), given)),
      fc.array(tie("tree"), { minLength: 1, maxLength: 3 })
        .map((each): Recipe => (type) => type.Tuple(each.map((one) => one(type)))),
      fc.tuple(fc.constantFrom(undefined, "^x"), tie("tree"), options)
        .map(([pattern, of, given]): Recipe => (type) =>
          type.Record(type.String(pattern === undefined ? {} : { pattern }), of(type), given)
        ),
      fc.tuple(tie("object"), options)
        .map(([of, given]): Recipe => (type) => type.Partial(of(type), given)),
      fc.tuple(tie("object"), options).map(([of, given]): Recipe => (type) => {
        const schema = of(type) as typebox.TObject;
        return type.Omit(schema, Object.keys(schema.properties).slice(0, 2), given);
      }),
      tie("leaf").map((of): Recipe => (type) => type.Unsafe(of(type))),
    ),
  };
});

Deno.test("schemas are those of TypeBox, with the keys in the same order", () => {
  fc.assert(
    fc.property(recipes.tree, (recipe) => {
      const [ours, theirs] = [recipe(Type), recipe(typebox.Type)];
      // With the symbols by which TypeBox knows them.
      assert.deepEqual(ours, theirs);
      assert.equal(JSON.stringify(ours), JSON.stringify(theirs));
    }),
    { numRuns: 500 },
  );
});
