import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import fc from "fast-check";
import { nativeHash, sha256 } from "../../src/base/sha256.ts";

const reference = (content: Uint8Array | string) =>
  createHash("sha256").update(content).digest("hex");

Deno.test("sha256() agrees with Node's for any bytes and text, few or many", () => {
  fc.assert(fc.property(fc.uint8Array({ maxLength: 300 }), (bytes) => {
    assert.equal(sha256(bytes), reference(bytes));
  }));
  fc.assert(fc.property(fc.string({ unit: "binary", maxLength: 500 }), (text) => {
    assert.equal(sha256(text), reference(text));
  }));
  for (const length of [65_535, 65_536, 65_537, 1_000_000]) {
    const bytes = new Uint8Array(length).fill(length & 0xff);
    assert.equal(sha256(bytes), reference(bytes), `${length} bytes`);
  }
});

Deno.test("nativeHash() takes its input bit by bit", () => {
  assert.equal(
    nativeHash().update("a").update(new Uint8Array([98, 99])).digest("hex"),
    reference("abc"),
  );
});
