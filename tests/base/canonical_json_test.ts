import assert from "node:assert/strict";
import fc from "fast-check";
import { canonicalJson, type JsonValue } from "../../src/base/canonical_json.ts";

Deno.test("canonicalJson writes the example of RFC 8785", () => {
  const value = {
    numbers: [333333333.33333329, 1e30, 4.50, 2e-3, 0.000000000000000000000000001],
    string: "\u20ac$\u000F\u000aA'\u0042\u0022\u005c\\\"\/",
    literals: [null, true, false],
  };
  assert.equal(
    canonicalJson(value),
    '{"literals":[null,true,false],"numbers":[333333333.3333333,1e+30,4.5,0.002,1e-27],' +
      '"string":"€$\\u000f\\nA\'B\\"\\\\\\\\\\"/"}',
  );
});

Deno.test("canonicalJson reads back as the same value", () => {
  fc.assert(fc.property(fc.jsonValue({ noUnicodeString: false }), (value) => {
    const wanted = JSON.parse(JSON.stringify(value));
    let text;
    try {
      text = canonicalJson(wanted as JsonValue);
    } catch (error) {
      assert.ok(error instanceof TypeError && JSON.stringify(wanted).includes("\\ud"));
      return;
    }
    assert.deepEqual(JSON.parse(text), wanted);
  }));
});

Deno.test("canonicalJson refuses what has no JSON form", () => {
  const refused: [unknown, RegExp][] = [
    [{ a: NaN }, /\$\.a is not a finite number: NaN/],
    [{ a: [1, undefined] }, /\$\.a\[1\] has no JSON form: undefined/],
    [1n, /\$ has no JSON form: bigint/],
    [{ when: new Date(0) }, /\$\.when has no JSON form: Date/],
    [new Uint8Array(1), /Uint8Array/],
    [{ f: () => 1 }, /function/],
    ["\ud800", /lone surrogate/],
    [{ "\ud800": 1 }, /lone surrogate/],
  ];
  for (const [value, message] of refused) {
    assert.throws(() => canonicalJson(value as JsonValue), { name: "TypeError", message });
  }
  assert.equal(canonicalJson({ a: 1, b: undefined } as unknown as JsonValue), '{"a":1}');
});
