import assert from "node:assert/strict";
import fc from "fast-check";
import { parseAddress } from "../../src/base/address.ts";
import type { JsonValue } from "../../src/base/canonical_json.ts";
import {
  addressOf,
  type Item,
  itemsOf,
  itemText,
  join,
  labelOf,
  NO_AXES,
  project,
} from "../../src/pipeline/matrix.ts";

const texts = (items: readonly Item[]) => items.map(itemText);

Deno.test("a matrix has every combination, without what is excluded, with what is included", () => {
  const { items, problems } = itemsOf({
    bits: [8, 4],
    method: ["mse", "minmax"],
    exclude: [{ bits: 8, method: "mse" }],
    include: [{ bits: 2, method: "mse" }, { bits: 4, method: "mse" }],
  });
  assert.deepEqual(problems, []);
  assert.deepEqual(texts(items), [
    "bits=8,method=minmax",
    "bits=4,method=mse",
    "bits=4,method=minmax",
    "bits=2,method=mse",
  ]);
  assert.deepEqual(items[3]!.get("bits"), { label: "2", value: 2 });
});

Deno.test("values of any form have names", () => {
  const { items } = itemsOf({ preset: { small: { bits: 4 }, "very large": { bits: 8 } } });
  assert.deepEqual(items.map((item) => addressOf("w", item)), [
    "w@preset=small",
    "w@preset=very%20large",
  ]);
  assert.deepEqual(items[0]!.get("preset")!.value, { bits: 4 });
});

Deno.test("what is wrong with a matrix is named", () => {
  const problemsOf = (matrix: { [name: string]: JsonValue }) =>
    itemsOf(matrix).problems.map(({ path, message }) => `${path.join(".")}: ${message}`);
  assert.deepEqual(problemsOf({ "a b": [1] }), [
    'a b: axis "a b" must begin with a letter and have only letters, digits, "-" and "_"',
  ]);
  assert.deepEqual(problemsOf({ a: [1, "1"] }), ['a.1: axis "a" has the value 1 twice']);
  assert.deepEqual(problemsOf({}), [": matrix has no axis"]);
  assert.deepEqual(problemsOf({ a: [1], exclude: [{ b: 1 }] }), [
    'exclude.0.b: exclude names "b", which is no axis',
  ]);
  assert.deepEqual(problemsOf({ a: [1], exclude: [{ a: 2 }] }), [
    "exclude.0.a: exclude names a=2, which is none of its values",
  ]);
  assert.deepEqual(problemsOf({ a: [1], b: [2], include: [{ a: 1 }] }), [
    'include.0: include does not say the value of axis "b"',
  ]);
  assert.deepEqual(problemsOf({ a: { x: {} }, include: [{ a: "y" }] }), [
    "include.0.a: include names a=y, which is none of its values",
  ]);
  assert.deepEqual(problemsOf({ a: [1], exclude: [{ a: 1 }] }), [
    "exclude: matrix has nothing left after exclude",
  ]);
  const many = Array.from({ length: 60 }, (_, index) => index);
  assert.match(problemsOf({ a: many, b: many })[0]!, /3600 combinations, more than 2000/);
});

Deno.test("addresses are read back, whatever their values hold", () => {
  const value = fc.oneof(fc.string({ minLength: 1 }), fc.double({ noNaN: true }), fc.boolean());
  const axes = fc.dictionary(fc.stringMatching(/^[a-z][a-z0-9_-]{0,3}$/), value, { minKeys: 1 });
  fc.assert(fc.property(axes, (values) => {
    const item: Item = new Map(
      Object.entries(values).map(([axis, value]) => [axis, { label: labelOf(value), value }]),
    );
    const { id, axes } = parseAddress(addressOf("w4", item));
    assert.equal(id, "w4");
    const read = Object.fromEntries(
      Array.from(axes, ([axis, label]) => [axis, decodeURIComponent(label)]),
    );
    const expected = Object.entries(values).map(([axis, value]) => [axis, String(value)]);
    assert.deepEqual(read, Object.fromEntries(expected));
    const reversed = new Map([...item].reverse());
    assert.equal(addressOf("w4", reversed), addressOf("w4", item), "the order of axes is nothing");
  }));
});

/** Items over some axes, each with all of them. */
const itemsOver = (axes: readonly string[]) =>
  fc.uniqueArray(fc.tuple(...axes.map(() => fc.nat(2))), { selector: String, maxLength: 9 })
    .map((rows) =>
      rows.map((row): Item =>
        new Map(axes.map((axis, index) => [axis, { label: `${row[index]}`, value: row[index]! }]))
      )
    );

Deno.test("join() pairs the items that agree, as looking at all pairs does", () => {
  const sides = fc.constantFrom(["a"], ["a", "b"], ["b", "c"], ["c"], []).chain(itemsOver);
  fc.assert(fc.property(sides, sides, (left, right) => {
    const expected = left.flatMap((one) =>
      right.filter((other) =>
        [...one].every(([axis, { label }]) => (other.get(axis)?.label ?? label) === label)
      ).map((other) => itemText(new Map([...one, ...other])))
    );
    assert.deepEqual(texts(join(left, right)), expected);
  }));
  assert.deepEqual(texts(join(NO_AXES, NO_AXES)), [""]);
});

Deno.test("project() leaves each part once", () => {
  const { items } = itemsOf({ a: [1, 2], b: [3, 4] });
  assert.deepEqual(texts(project(items, (axis) => axis === "a")), ["a=1", "a=2"]);
  assert.deepEqual(texts(project(items, () => false)), [""]);
});
