import assert from "node:assert/strict";
import { gzipSync } from "node:zlib";
import { everything, fails, Folder, idxBytes, open, values } from "./opening.ts";

const PIXELS = Array.from({ length: 3 * 2 * 2 }, (_, index) => index * 20);

function mnist(folder: Folder): void {
  folder.write("train-images-idx3-ubyte", idxBytes([3, 2, 2], PIXELS));
  folder.write("train-labels-idx1-ubyte", idxBytes([3], [7, 0, 9]));
}

Deno.test("a common start finds images and labels, and bytes become x/255 in NCHW", async () => {
  using folder = new Folder();
  mnist(folder);
  const dataset = await open({ idx: "train" }, folder.path);
  assert.equal(dataset.length, 3);
  assert.equal(dataset.labeled, true);
  assert.deepEqual(dataset.inputs, [{ name: undefined, type: "float32", dims: [1, 2, 2] }]);
  const batch = await everything(dataset);
  assert.deepEqual(batch.inputs[0]!.dims, [3, 1, 2, 2]);
  assert.deepEqual(values(batch), PIXELS.map((value) => Math.fround(value / 255)));
  assert.deepEqual([...batch.labels!], [7, 0, 9]);
});

Deno.test("packed files give the same values", async () => {
  using folder = new Folder();
  folder.write("train-images-idx3-ubyte.gz", gzipSync(idxBytes([3, 2, 2], PIXELS)));
  folder.write("train-labels-idx1-ubyte.gz", gzipSync(idxBytes([3], [7, 0, 9])));
  for (const idx of ["train", "train-images-idx3-ubyte.gz"]) {
    const batch = await everything(await open({ idx }, folder.path));
    assert.deepEqual(values(batch), PIXELS.map((value) => Math.fround(value / 255)));
    assert.deepEqual([...batch.labels!], [7, 0, 9]);
  }
});

Deno.test("a label file can be named, and left out", async () => {
  using folder = new Folder();
  mnist(folder);
  folder.write("mine", idxBytes([3], [1, 1, 2]));
  const named = await open({ idx: "train", labels: "mine" }, folder.path);
  assert.deepEqual([...(await everything(named)).labels!], [1, 1, 2]);
  const bare = await open({ idx: "train", labels: false }, folder.path);
  assert.equal(bare.labeled, false);
  assert.equal((await everything(bare)).labels, undefined);
});

Deno.test("big-endian numbers of other types are read", async () => {
  using folder = new Folder();
  const bytes = new Uint8Array(12 + 8);
  bytes.set([0, 0, 0x0b, 2, 0, 0, 0, 2, 0, 0, 0, 2]);
  new DataView(bytes.buffer).setInt16(12, -300);
  new DataView(bytes.buffer).setInt16(18, 1000);
  folder.write("shorts", bytes);
  const dataset = await open({ idx: "shorts" }, folder.path);
  assert.deepEqual(dataset.inputs[0]!.dims, [2]);
  assert.deepEqual(values(await everything(dataset)), [-300, 0, 0, 1000]);
});

Deno.test("what is wrong with an idx file is said", async () => {
  using folder = new Folder();
  mnist(folder);
  const cases: [string, string | Uint8Array, string][] = [
    [
      "text",
      "hello",
      'File "text" is not an idx file: it starts with 68 65 6c 6c, expected 00 00, a type (08 for bytes) ' +
      "and the number of dimensions",
    ],
    [
      "empty",
      "",
      'File "empty" is not an idx file: it starts with nothing, expected 00 00, a type (08 for bytes) and ' +
      "the number of dimensions",
    ],
    [
      "short",
      idxBytes([3, 2, 2], PIXELS.slice(1)),
      'File "short" has 27 bytes, expected 28 for uint8 of shape 3×2×2: ' +
      "it is truncated",
    ],
    [
      "long",
      idxBytes([3, 2, 2], [...PIXELS, 1]),
      'File "long" has 29 bytes, expected 28 for uint8 of shape 3×2×2',
    ],
    ["header", Uint8Array.of(0, 0, 8, 3, 0, 0), 'File "header" is truncated in its header'],
    [
      "huge",
      idxBytes([2 ** 31, 2 ** 31, 2 ** 31], []),
      'File "huge" has 16 bytes, expected 9.903520314283042e+27 for uint8 of shape 2147483648×2147483648×2147483648: ' +
      "it is truncated",
    ],
    [
      "nothing",
      idxBytes([2 ** 31, 0, 7], []),
      'File "nothing" holds items of shape 0×7, which have no values',
    ],
    [
      "bomb.gz",
      gzipSync(idxBytes([2 ** 31, 1024, 1024], [])),
      `File "bomb.gz" claims shape 2147483648×1024×1024, which ${
        gzipSync(idxBytes([2 ** 31, 1024, 1024], [])).length
      } ` +
      "packed bytes cannot hold",
    ],
    ["none", idxBytes([0, 2, 2], []), 'Data set "none" is empty'],
  ];
  for (const [name, content, message] of cases) {
    folder.write(name, content);
    await fails(() => open({ idx: name }, folder.path), { message }, folder);
  }
  folder.write("more.gz", gzipSync(idxBytes([3, 2, 2], [...PIXELS, 1])));
  const more = await open({ idx: "more.gz" }, folder.path);
  await fails(() => everything(more), {
    message: 'File "more.gz" holds more data than its header says',
  }, folder);
  folder.write("cut.gz", gzipSync(idxBytes([3, 200, 200], Array(120000).fill(3))).subarray(0, -20));
  await fails(
    async () => everything(await open({ idx: "cut.gz" }, folder.path)),
    {
      message: 'File "cut.gz" does not unpack: unexpected end of file',
      hint: "Get the file again",
    },
    folder,
  );
});

Deno.test("labels that do not go with the images are refused", async () => {
  using folder = new Folder();
  mnist(folder);
  folder.write("two", idxBytes([2], [1, 2]));
  await fails(() => open({ idx: "train", labels: "two" }, folder.path), {
    message: 'File "two" has 2 labels, but "train-images-idx3-ubyte" has 3 items',
    hint: "Name the label file that goes with it with labels, or write labels: false",
  }, folder);
  await fails(() => open({ idx: "train", labels: "train-images-idx3-ubyte" }, folder.path), {
    message: 'File "train-images-idx3-ubyte" holds items of shape 2×2, expected one label an item',
  }, folder);
  await fails(() => open({ idx: "train", classes: ["a", "b"] }, folder.path), {
    message:
      'Label of item 0 of "train-images-idx3-ubyte" is 7, but there are 2 classes (labels count from 0)',
  }, folder);
});

Deno.test("a name that leads nowhere says what was looked for", async () => {
  using folder = new Folder();
  await fails(() => open({ idx: "data/t10k" }, folder.path), {
    message: 'File "data/t10k" does not exist, nor does "data/t10k-images-idx3-ubyte" (or .gz)',
    path: ["idx"],
  }, folder);
});
