import assert from "node:assert/strict";
import { decodeBase64 } from "./base64.ts";
import { NUMPY_FILES } from "./numpy_files.ts";
import { everything, fails, Folder, open, values } from "./opening.ts";

type Name = keyof typeof NUMPY_FILES;

async function read(name: Name, extra: Record<string, unknown> = {}) {
  using folder = new Folder();
  folder.write("a.npy", { base64: NUMPY_FILES[name] });
  const dataset = await open({ npy: "a.npy", ...extra }, folder.path);
  return { input: dataset.inputs[0]!, values: values(await everything(dataset)) };
}

Deno.test("arrays of every type and byte order are read", async () => {
  const cases: [Name, string, number[], (number | bigint)[]][] = [
    ["float64", "float32", [2], [0, .25, .5, .75, 1, 1.25]],
    ["bigEndianInt16", "float32", [3], [1, -2, 300, -400, 5, 600]],
    ["float16", "float32", [3], [.5, -2, 65504]],
    ["int64", "int64", [2], [1n, 2n, 2n ** 40n, -3n]],
    ["uint64", "int64", [1], [7n, 2n ** 53n - 1n]],
    ["bool", "bool", [2], [1, 0, 0, 1]],
    ["version2", "float32", [2], [0, 1, 2, 3]],
    ["version3", "int64", [2], [0n, 1n, 2n, 3n]],
  ];
  for (const [name, type, dims, expected] of cases) {
    const { input, values } = await read(name);
    assert.deepEqual([input.type, input.dims, values], [type, dims, expected], name);
  }
});

Deno.test("a column-major array is read in the order of its indices", async () => {
  const { input, values } = await read("fortranFloat32");
  assert.deepEqual(input.dims, [3, 4]);
  assert.deepEqual(values, Array.from({ length: 24 }, (_, index) => index));
});

Deno.test("dtype, scale, mean and std apply to arrays, one number for each feature", async () => {
  const { input, values } = await read("float64", {
    preprocess: { dtype: "float64", scale: 4, mean: [0, 1], std: [1, 2] },
  });
  assert.equal(input.type, "float64");
  assert.deepEqual(values, [0, 0, 2, 1, 4, 2]);
});

Deno.test("what is no array of numbers is refused", async () => {
  using folder = new Folder();
  const cases: [Name, string][] = [
    ["object", 'File "a.npy" holds elements of type |O, expected numbers or booleans'],
    [
      "structured",
      "File \"a.npy\" holds elements of type [('a', '<f4'), ('b', '<i4')], expected numbers or booleans",
    ],
    ["text", 'File "a.npy" holds elements of type <U2, expected numbers or booleans'],
    ["scalar", 'File "a.npy" holds a single number, expected items'],
  ];
  for (const [name, message] of cases) {
    folder.write("a.npy", { base64: NUMPY_FILES[name] });
    await fails(() => open({ npy: "a.npy" }, folder.path), { message }, folder);
  }
  const whole = decodeBase64(NUMPY_FILES.float64);
  folder.write("a.npy", whole.subarray(0, whole.length - 8));
  await fails(() => open({ npy: "a.npy" }, folder.path), {
    message: 'File "a.npy" has 168 bytes, expected 176 for float64 of shape 3×2: it is truncated',
  }, folder);
  folder.write("a.npy", whole.subarray(0, 40));
  await fails(() => open({ npy: "a.npy" }, folder.path), {
    message: 'File "a.npy" is truncated in its header',
  }, folder);
  folder.write("a.npy", "PK");
  await fails(() => open({ npy: "a.npy" }, folder.path), {
    message: 'File "a.npy" is not a NumPy array (.npy): it does not start with \\x93NUMPY',
  }, folder);
});

/** An array without numbers, whatever its header says. */
function headerAlone(shape: string): Uint8Array<ArrayBuffer> {
  const header = `{'descr': '<f4', 'fortran_order': True, 'shape': (${shape}), }\n`;
  const bytes = new Uint8Array(10 + header.length);
  bytes.set([0x93, ...new TextEncoder().encode("NUMPY"), 1, 0, header.length, 0]);
  bytes.set(new TextEncoder().encode(header), 10);
  return bytes;
}

Deno.test("a shape that the file cannot hold allocates nothing", async () => {
  using folder = new Folder();
  folder.write("a.npy", headerAlone("1000000, 1000000, 100"));
  await fails(() => open({ npy: "a.npy" }, folder.path), {
    message:
      'File "a.npy" has 86 bytes, expected 400000000000086 for float32 of shape 1000000×1000000×100: ' +
      "it is truncated",
  }, folder);
});

Deno.test("items without values are refused, however many there are", async () => {
  using folder = new Folder();
  folder.write("a.npy", headerAlone("1000000000000, 0"));
  await fails(() => open({ npy: "a.npy" }, folder.path), {
    message: 'File "a.npy" holds items of shape 0, which have no values',
  }, folder);
});

Deno.test("several arrays feed several inputs, with labels and targets", async () => {
  using folder = new Folder();
  folder.write("a.npy", { base64: NUMPY_FILES.float64 });
  folder.write("y.npy", { base64: NUMPY_FILES.version2 });
  folder.write("b.npy", { base64: NUMPY_FILES.int64 });
  folder.write("c.npy", { base64: NUMPY_FILES.bool });
  const dataset = await open(
    { npy: { ids: "b.npy", mask: "c.npy" }, target: "y.npy" },
    folder.path,
  );
  assert.deepEqual(dataset.inputs, [
    { name: "ids", type: "int64", dims: [2] },
    { name: "mask", type: "bool", dims: [2] },
  ]);
  assert.deepEqual(dataset.target, { type: "float32", dims: [2] });
  assert.deepEqual([...(await everything(dataset)).targets!.data as Float32Array], [0, 1, 2, 3]);
  await fails(() => open({ npy: { ids: "b.npy", x: "a.npy" } }, folder.path), {
    message: 'File "a.npy" has 3 items, but file "b.npy" has 2 items',
  }, folder);
  await fails(() => open({ npy: "a.npy", labels: "y.npy" }, folder.path), {
    message: 'File "y.npy" has 2 items, but file "a.npy" has 3 items',
  }, folder);
  await fails(() => open({ npy: "b.npy", labels: "y.npy" }, folder.path), {
    message: 'File "y.npy" has items of shape 2, expected one label an item',
    hint: "If these are scores or one-hot vectors, use target instead of labels",
    path: ["labels"],
  }, folder);
});

Deno.test("NaN names its item, and values that do not fit the type are never clipped", async () => {
  using folder = new Folder();
  const bytes = decodeBase64(NUMPY_FILES.float64);
  new DataView(bytes.buffer).setFloat64(bytes.length - 16, NaN, true);
  folder.write("a.npy", bytes);
  await fails(async () => everything(await open({ npy: "a.npy" }, folder.path)), {
    message: 'Item 2 of "a.npy" holds NaN',
    hint: "Correct the data, or leave the item out with skip and take",
  }, folder);
  folder.write("b.npy", { base64: NUMPY_FILES.bigEndianInt16 });
  const dtype = "uint8";
  await fails(
    async () => everything(await open({ npy: "b.npy", preprocess: { dtype } }, folder.path)),
    {
      message: 'Item 0 of "b.npy" holds a value that becomes -2, which does not fit uint8',
    },
    folder,
  );
  folder.write("c.npy", { base64: NUMPY_FILES.float16 });
  const preprocess = { dtype: "float16", scale: 2 } as const;
  await fails(async () => everything(await open({ npy: "c.npy", preprocess }, folder.path)), {
    message: 'Item 0 of "c.npy" holds an infinite number',
  }, folder);
});

Deno.test("archives are read, stored and deflated", async () => {
  using folder = new Folder();
  folder.write("s.npz", { base64: NUMPY_FILES.stored });
  folder.write("d.npz", { base64: NUMPY_FILES.deflated });
  const stored = await open({ npz: "s.npz", labels: "y", image: "hw" }, folder.path);
  assert.deepEqual(stored.inputs, [{ name: undefined, type: "float32", dims: [1, 2, 2] }]);
  const batch = await everything(stored);
  assert.deepEqual(
    values(batch),
    Array.from({ length: 12 }, (_, index) => Math.fround(index * 10 / 255)),
  );
  assert.deepEqual([...batch.labels!], [2, 0, 1]);
  const deflated = await open(
    { npz: "d.npz", arrays: "x", labels: "y", target: "score", preprocess: { dtype: "uint8" } },
    folder.path,
  );
  assert.deepEqual(deflated.inputs[0]!.dims, [16, 16]);
  const all = await everything(deflated);
  const first = [...all.inputs[0]!.data as Uint8Array].slice(0, 34);
  assert.deepEqual(first, [
    ...Array(8).fill([0, 10]).flat(),
    ...Array(8).fill([20, 30]).flat(),
    0,
    10,
  ]);
  assert.deepEqual([...all.targets!.data as Float32Array], [.5, 1.5, 2.5]);
});

Deno.test("an archive's arrays feed the inputs of their names unless told", async () => {
  using folder = new Folder();
  folder.write("d.npz", { base64: NUMPY_FILES.deflated });
  const dataset = await open({ npz: "d.npz", labels: "y" }, folder.path);
  assert.deepEqual(dataset.inputs.map(({ name }) => name), ["x", "score"]);
  const renamed = await open({ npz: "d.npz", arrays: { image: "x" } }, folder.path);
  assert.deepEqual(renamed.inputs.map(({ name }) => name), ["image"]);
  await fails(() => open({ npz: "d.npz", arrays: "x_test" }, folder.path), {
    message: '"d.npz" has no array "x_test": it has "x", "y", "score"',
    path: ["arrays"],
  }, folder);
  await fails(() => open({ npz: "d.npz", input: "image" }, folder.path), {
    message: 'input is given, but there are several arrays: "x", "y", "score"',
    path: ["input"],
  }, folder);
});

Deno.test("a damaged archive is refused before anything is unpacked", async () => {
  using folder = new Folder();
  const whole = decodeBase64(NUMPY_FILES.deflated);
  folder.write("cut.npz", whole.subarray(0, whole.length - 30));
  await fails(() => open({ npz: "cut.npz" }, folder.path), {
    message: 'File "cut.npz" is not a NumPy archive (.npz): it has no zip directory at its end',
  }, folder);
  const directory = indexOf(whole, [0x50, 0x4b, 1, 2]);
  const bomb = whole.slice();
  new DataView(bomb.buffer).setUint32(directory + 24, 0x7fffffff, true);
  folder.write("bomb.npz", bomb);
  const packed = new DataView(whole.buffer).getUint32(directory + 20, true);
  await fails(() => open({ npz: "bomb.npz" }, folder.path), {
    message:
      `Entry "x.npy" of "bomb.npz" claims 2147483647 bytes, which ${packed} packed bytes in a file of ` +
      `${whole.length} cannot hold`,
  }, folder);
  const flipped = whole.slice();
  const crc = new DataView(flipped.buffer).getUint32(directory + 16, true);
  new DataView(flipped.buffer).setUint32(directory + 16, crc ^ 1, true);
  folder.write("crc.npz", flipped);
  await fails(async () => everything(await open({ npz: "crc.npz", arrays: "x" }, folder.path)), {
    message: 'Array "x" of "crc.npz" is damaged: its checksum is wrong',
  }, folder);
});

Deno.test("image says which arrays are pictures", async () => {
  using folder = new Folder();
  folder.write("s.npz", { base64: NUMPY_FILES.stored });
  await fails(() => open({ npz: "s.npz", arrays: "x", image: "hwc" }, folder.path), {
    message: 'image is hwc, but array "x" of "s.npz" has items of shape 2×2, expected 3 dimensions',
    path: ["image"],
  }, folder);
  await fails(
    () => open({ npz: "s.npz", arrays: "x", preprocess: { resize: [4, 4] } }, folder.path),
    {
      message: "preprocess.resize needs pictures, but items are numbers of shape 2×2",
      hint:
        "If they are pictures, say where height, width and channels are with image: hwc, chw or hw",
      path: ["preprocess", "resize"],
    },
    folder,
  );
});

function indexOf(bytes: Uint8Array, part: readonly number[]): number {
  for (let at = 0;; at++) if (part.every((byte, index) => bytes[at + index] === byte)) return at;
}
