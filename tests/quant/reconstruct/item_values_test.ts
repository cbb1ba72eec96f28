import assert from "node:assert/strict";
import { float32, type Tensor, tensor } from "../../../src/onnx/tensor.ts";
import { ItemStorage } from "../../../src/quant/reconstruct/item_values.ts";

const rows = float32([3, 2], [1, 2, 3, 4, 5, 6]);
const numbers = ({ data }: Tensor) => [...data as Float32Array];

for (const limit of [1e6, 0]) {
  const place = limit === 0 ? "file" : "memory";
  Deno.test(`Values in a ${place} are read, gathered and written by item`, () => {
    using storage = new ItemStorage(limit);
    const values = storage.allocate(rows, 5);
    assert.equal(storage.files, limit === 0 ? 1 : 0);
    values.write(0, rows);
    values.write(3, float32([2, 2], [7, 8, 9, 10]));
    assert.deepEqual(values.dims, [5, 2]);
    assert.deepEqual(numbers(values.read(1, 3)), [3, 4, 5, 6, 7, 8]);
    const some = values.gather([4, 0, 4]);
    assert.deepEqual(some.dims, [3, 2]);
    assert.deepEqual(numbers(some), [9, 10, 1, 2, 9, 10]);
    assert.equal("gather" in values.asData(), limit === 0);
    values.release();
  });

  Deno.test(`Integers in a ${place} stay exact`, () => {
    using storage = new ItemStorage(limit);
    const large = tensor("int64", [2], BigInt64Array.of(2n ** 60n, -1n));
    const values = storage.allocate(large, 2);
    values.write(0, large);
    assert.deepEqual(values.read(0, 2), large);
  });
}

Deno.test("Values in memory can be written in place", () => {
  using storage = new ItemStorage(1e6);
  const values = storage.allocate(rows, 3);
  values.write(0, rows);
  (values.room(1, 1)!.data as Float32Array).set([8, 9]);
  assert.deepEqual(numbers(values.read(0, 3)), [1, 2, 8, 9, 5, 6]);
  using none = new ItemStorage(0);
  assert.equal(none.allocate(rows, 3).room(0, 1), undefined);
});

Deno.test("Room that is given back can be used again", () => {
  using storage = new ItemStorage(5 * 8);
  storage.allocate(rows, 5).release();
  storage.allocate(rows, 5);
  assert.equal(storage.files, 0);
  storage.allocate(rows, 1);
  assert.equal(storage.files, 1);
});
