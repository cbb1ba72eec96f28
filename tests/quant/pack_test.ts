import assert from "node:assert/strict";
import fc from "fast-check";
import { pack, packedBytes, unpack } from "../../src/quant/pack.ts";

Deno.test("pack puts 4-bit and 2-bit integers low bits first, as ONNX does", () => {
  assert.deepEqual(pack([1, 2, 3], 4), Uint8Array.of(0x21, 0x03));
  assert.deepEqual(pack([-1, 7, -8], 4), Uint8Array.of(0x7f, 0x08));
  assert.deepEqual(pack([1, 2, 3, 0, -1], 2), Uint8Array.of(0b00_11_10_01, 0b11));
});

Deno.test("pack writes other widths as a dense stream of bits", () => {
  // 001, 010, 011, 100, 101, 110, 111, 000 from the lowest bit up.
  assert.deepEqual(
    pack([1, 2, 3, 4, 5, 6, 7, 0], 3),
    Uint8Array.of(0b11_010_001, 0b0_101_100_0, 0b000_111_11),
  );
});

Deno.test("unpack inverts pack, which takes the bytes that packedBytes says", () => {
  const cases = fc.integer({ min: 1, max: 16 }).chain((bits) =>
    fc.boolean().chain((signed) =>
      fc.record({
        bits: fc.constant(bits),
        signed: fc.constant(signed),
        values: fc.array(fc.integer({
          min: signed ? -(2 ** (bits - 1)) : 0,
          max: signed ? 2 ** (bits - 1) - 1 : 2 ** bits - 1,
        })),
      })
    )
  );
  fc.assert(fc.property(cases, ({ bits, signed, values }) => {
    const bytes = pack(values, bits);
    assert.equal(bytes.length, packedBytes(values.length, bits));
    assert.equal(bytes.length, Math.ceil(values.length * bits / 8));
    assert.deepEqual(Array.from(unpack(bytes, bits, signed, values.length)), values);
  }));
});

Deno.test("pack and unpack refuse what does not fit", () => {
  assert.throws(() => pack([16], 4), {
    name: "RangeError",
    message: "Value 16 does not fit into 4 bits",
  });
  assert.throws(() => pack([-9], 4), { message: "Value -9 does not fit into 4 bits" });
  assert.throws(() => pack([NaN], 4), { message: "Value NaN does not fit into 4 bits" });
  assert.throws(() => unpack(new Uint8Array(1), 4, true, 3), {
    name: "RangeError",
    message: "3 values of 4 bits take 2 bytes: current value has 1",
  });
  assert.throws(() => pack([0], 0), {
    message: "bits must be an integer from 1 to 16: current value is 0",
  });
});
