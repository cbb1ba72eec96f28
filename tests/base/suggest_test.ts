import assert from "node:assert/strict";
import fc from "fast-check";
import { didYouMean, editDistance, suggest } from "../../src/base/suggest.ts";

Deno.test("editDistance counts known edits", () => {
  const cases: [string, string, number][] = [
    ["", "", 0],
    ["", "abc", 3],
    ["kitten", "sitting", 3],
    ["bits", "btis", 1],
    ["granularity", "granularty", 1],
    ["ca", "abc", 3],
  ];
  for (const [a, b, distance] of cases) assert.equal(editDistance(a, b), distance, `${a} ${b}`);
});

Deno.test("editDistance is symmetric, zero only for equal strings, and bounded", () => {
  const text = fc.string({ maxLength: 12, unit: fc.constantFrom("a", "b", "c") });
  fc.assert(fc.property(text, text, (a, b) => {
    const distance = editDistance(a, b);
    assert.equal(distance, editDistance(b, a));
    assert.equal(distance === 0, a === b);
    assert.ok(distance >= Math.abs(a.length - b.length));
    assert.ok(distance <= Math.max(a.length, b.length));
  }));
});

Deno.test("suggest finds a close name only", () => {
  const names = ["weights", "activations", "encoding"];
  assert.equal(suggest("wieghts", names), "weights");
  assert.equal(suggest("Weights", names), "weights");
  assert.equal(suggest("activation", names), "activations");
  assert.equal(suggest("bias", names), undefined);
  assert.equal(didYouMean("encodng", names), 'Did you mean "encoding"?');
  assert.equal(didYouMean("zzz", names), 'Known: "weights", "activations", "encoding"');
  assert.equal(didYouMean("zzz", []), undefined);
});

Deno.test("suggest does not guess at single letters", () => {
  assert.equal(suggest("a", ["b", "ab"]), undefined);
  assert.equal(suggest("a", ["A"]), "A");
  assert.equal(suggest("w5", ["w4", "w8"]), "w4");
});
