import assert from "node:assert/strict";
import { everything, fails, Folder, open, values } from "./opening.ts";

/** Records whose pixels count up from their label, so that every place is recognizable. */
function records(labels: readonly (readonly number[])[]): Uint8Array {
  const bytes: number[] = [];
  for (const label of labels) {
    bytes.push(...label);
    for (let index = 0; index < 3072; index++) bytes.push((index + label.at(-1)!) & 255);
  }
  return Uint8Array.from(bytes);
}

Deno.test("CIFAR-10 files are read one after the other, planes as channels", async () => {
  using folder = new Folder();
  folder.write("1.bin", records([[3], [9]]));
  folder.write("2.bin", records([[0]]));
  const dataset = await open(
    { cifar: ["1.bin", "2.bin"], preprocess: { scale: 1, channels: "bgr" } },
    folder.path,
  );
  assert.equal(dataset.length, 3);
  assert.equal(dataset.classes?.[9], "truck");
  assert.equal(dataset.nameOf(2), `item 0 of "${folder.path}/2.bin"`);
  const batch = await dataset.batch(1, 2);
  assert.deepEqual([...batch.labels!], [9, 0]);
  const found = values(batch);
  const blue = Array.from({ length: 1024 }, (_, index) => (2048 + index + 9) & 255);
  assert.deepEqual(found.slice(0, 1024), blue);
  assert.equal(found[3 * 1024 + 2048 + 5], 5);
});

Deno.test("items in any order are read from the file that they are in", async () => {
  using folder = new Folder();
  folder.write("1.bin", records([[1], [2], [3]]));
  folder.write("2.bin", records([[4], [5]]));
  const dataset = await open(
    { cifar: ["1.bin", "2.bin"], shuffle: 5, preprocess: { scale: 1 } },
    folder.path,
  );
  const batch = await everything(dataset);
  const found = values(batch);
  // The first pixel of a record is its label.
  assert.deepEqual([...batch.labels!], [0, 1, 2, 3, 4].map((item) => found[item * 3072]));
  assert.deepEqual([...batch.labels!].sort(), [1, 2, 3, 4, 5]);
});

Deno.test("CIFAR-100 has two kinds of labels", async () => {
  using folder = new Folder();
  folder.write("test.bin", records([[4, 0], [19, 99]]));
  const fine = await open({ cifar: "test.bin" }, folder.path);
  assert.deepEqual([...(await everything(fine)).labels!], [0, 99]);
  assert.deepEqual([fine.classes!.length, fine.classes![99]], [100, "worm"]);
  const coarse = await open({ cifar: "test.bin", labels: "coarse" }, folder.path);
  assert.deepEqual([...(await everything(coarse)).labels!], [4, 19]);
  assert.deepEqual([coarse.classes!.length, coarse.classes![4]], [20, "fruit_and_vegetables"]);
});

Deno.test("files of another size, variant or version are refused", async () => {
  using folder = new Folder();
  folder.write("cut.bin", records([[1]]).subarray(1));
  await fails(() => open({ cifar: "cut.bin" }, folder.path), {
    message:
      'File "cut.bin" has 3072 bytes, expected a multiple of 3073 (CIFAR-10) or 3074 (CIFAR-100)',
    path: ["cifar"],
  }, folder);
  folder.write("ten.bin", records([[1]]));
  await fails(() => open({ cifar: "ten.bin", variant: "cifar100" }, folder.path), {
    message: 'File "ten.bin" has 3073 bytes, expected a multiple of 3074 for cifar100',
  }, folder);
  await fails(() => open({ cifar: "ten.bin", labels: "coarse" }, folder.path), {
    message: "labels is coarse, but CIFAR-10 has only one kind",
    path: ["labels"],
  }, folder);
  folder.write("bad.bin", records([[1], [10]]));
  await fails(() => open({ cifar: "bad.bin" }, folder.path), {
    message: 'Label of item 1 in "bad.bin" is 10, expected a number below 10',
  }, folder);
  await fails(() => open({ cifar: "gone.bin" }, folder.path), {
    message: 'File "gone.bin" does not exist',
  }, folder);
});
