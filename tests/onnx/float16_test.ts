import assert from "node:assert/strict";
import { openSession } from "../../src/engine/session.ts";
import { Random } from "../../src/base/random.ts";
import { GraphBuilder } from "../../src/onnx/build.ts";
import { fromBfloat16, fromFloat16, toBfloat16, toFloat16 } from "../../src/onnx/float16.ts";
import { DATA_TYPE_NUMBERS, float32 } from "../../src/onnx/tensor.ts";

Deno.test("every half-precision number keeps its bits, except that NaN is one NaN", () => {
  const all = Uint16Array.from({ length: 65536 }, (_, index) => index);
  const back = toFloat16(fromFloat16(all));
  for (let bits = 0; bits < 65536; bits++) {
    if ((bits & 0x7fff) <= 0x7c00) assert.equal(back[bits], bits);
    else assert.ok((back[bits]! & 0x7fff) > 0x7c00);
  }
});

Deno.test("every bfloat16 number keeps its bits", () => {
  const all = Uint16Array.from({ length: 65536 }, (_, index) => index)
    .filter((bits) => (bits & 0x7fff) <= 0x7f80);
  assert.deepEqual(toBfloat16(fromBfloat16(all)), all);
  assert.ok(Number.isNaN(fromBfloat16(toBfloat16([NaN]))[0]));
});

Deno.test("bfloat16 rounds to nearest, ties to even", () => {
  assert.deepEqual([...fromBfloat16(toBfloat16([1 + 2 ** -8, 1 + 3 * 2 ** -8, 1 + 2 ** -7]))], [
    1,
    1 + 2 ** -6,
    1 + 2 ** -7,
  ]);
  assert.equal(fromBfloat16(toBfloat16([3.4e38]))[0], Infinity);
});

Deno.test("ONNX Runtime rounds to half precision as we do", async () => {
  const random = Random.from(5);
  const values = float32([1000], Array.from({ length: 1000 }, () => random.normal() * 1000));
  const builder = new GraphBuilder();
  const x = builder.input("x", "float32", [1000]);
  const cast = { to: DATA_TYPE_NUMBERS.float16 };
  builder.output(builder.op("Cast", [x], cast, { name: "y" }), "float16", [1000]);
  await using session = await openSession(builder.build());
  const { y } = await session.run({ x: values });
  assert.deepEqual(y!.data, toFloat16(values.data));
});
