import assert from "node:assert/strict";
import { decodeImage } from "../../src/data/images/decode.ts";
import type { Picture } from "../../src/data/source.ts";
import { digestOf } from "../../src/store/digest.ts";
import { decodeBase64 } from "./base64.ts";
import { everything, fails, Folder, open, values } from "./opening.ts";
import { PICTURES } from "./pillow_values.ts";

function pixels({ data, height, width, channels, offset, row, pixel, plane }: Picture): Uint8Array {
  const bytes = new Uint8Array(height * width * channels);
  let at = 0;
  for (let y = 0; y < height; y++) {
    for (let x = 0; x < width; x++) {
      for (let c = 0; c < channels; c++) {
        bytes[at++] = Number(data[offset + y * row + x * pixel + c * plane]);
      }
    }
  }
  return bytes;
}

for (const [name, { base64, size, channels, sha256 }] of Object.entries(PICTURES)) {
  if (sha256 === "") continue;
  Deno.test(`${name} decodes to the pixels that Pillow gives`, async () => {
    const picture = await decodeImage(decodeBase64(base64), name);
    assert.deepEqual([picture.height, picture.width, picture.channels], [...size, channels]);
    assert.equal(digestOf(pixels(picture)), sha256);
  });
}

Deno.test("damaged pictures name their file and what is wrong", async () => {
  const jpeg = decodeBase64(PICTURES.jpeg!.base64);
  const png = decodeBase64(PICTURES.png!.base64);
  const header = decodeBase64(PICTURES.jpeg!.base64);
  const frame = header.findIndex((byte, at) => byte === 0xff && header[at + 1] === 0xc0);
  const huge = header.slice();
  huge.set([0xff, 0xff, 0xff, 0xff], frame + 5);
  const flipped = png.slice();
  flipped[50]! ^= 0xff;
  const wide = png.slice();
  wide.set([0x7f, 0xff, 0xff, 0xff], 16);
  const cases: [Uint8Array<ArrayBuffer>, RegExp][] = [
    [jpeg.slice(0, jpeg.length - 40), /^Picture "x" is damaged: Premature end of JPEG file$/],
    [jpeg.slice(0, 10), /^Picture "x" is damaged: it has no frame header$/],
    [huge, /^Picture "x" claims 65535×65535 pixels in \d+ bytes$/],
    [
      decodeBase64(PICTURES.jpegCmyk!.base64),
      /^Picture "x" has 4 colour components \(CMYK\), expected 1 or 3$/,
    ],
    [png.slice(0, png.length - 30), /^Picture "x" is damaged: /],
    [png.slice(0, 20), /^Picture "x" is damaged: it ends in its header$/],
    [flipped, /^Picture "x" is damaged: /],
    [wide, /^Picture "x" claims 16×2147483647 pixels in \d+ bytes$/],
    [new Uint8Array(), /^File "x" is empty$/],
    [
      new TextEncoder().encode("GIF89a"),
      /^File "x" is not a JPEG or PNG picture: it starts with 47 49 46 38$/,
    ],
  ];
  for (const [bytes, message] of cases) {
    await assert.rejects(async () => await decodeImage(bytes, "x"), { name: "UserError", message });
  }
  // The decoder still works after it met damage.
  await decodeImage(jpeg, "x");
});

function classFolders(folder: Folder): void {
  folder.write("set/dog/2.jpg", { base64: PICTURES.jpeg!.base64 });
  folder.write("set/dog/1.png", { base64: PICTURES.png!.base64 });
  folder.write("set/cat/9.JPG", { base64: PICTURES.jpegProgressive!.base64 });
  folder.write("set/cat/notes.txt", "not a picture");
  folder.write("set/.hidden/1.png", { base64: PICTURES.png!.base64 });
}

Deno.test("class folders are sorted, and taken in turn", async () => {
  using folder = new Folder();
  classFolders(folder);
  const dataset = await open({ images: "set" }, folder.path);
  assert.deepEqual(dataset.classes, ["cat", "dog"]);
  assert.deepEqual(dataset.inputs, [{ name: undefined, type: "float32", dims: [3, 16, 24] }]);
  assert.deepEqual([...(await everything(dataset)).labels!], [0, 1, 1]);
  const names = [0, 1, 2].map((item) => dataset.nameOf(item).replace(folder.path, ""));
  assert.deepEqual(names, ['"/set/cat/9.JPG"', '"/set/dog/1.png"', '"/set/dog/2.jpg"']);
});

Deno.test("only the pictures that are used are read", async () => {
  using folder = new Folder();
  classFolders(folder);
  folder.write("set/dog/3.png", "damaged");
  const dataset = await open({ images: "set", take: 3 }, folder.path);
  assert.equal((await everything(dataset)).size, 3);
  const whole = await open({ images: "set" }, folder.path);
  await fails(() => everything(whole), {
    message: 'File "set/dog/3.png" is not a JPEG or PNG picture: it starts with 64 61 6d 61',
  }, folder);
});

Deno.test("folders named by numbers mean the numbers", async () => {
  using folder = new Folder();
  for (const name of ["10", "2", "0"]) {
    folder.write(`set/${name}/a.png`, { base64: PICTURES.png!.base64 });
  }
  const dataset = await open({ images: "set" }, folder.path);
  assert.deepEqual([...(await everything(dataset)).labels!], [0, 2, 10]);
});

Deno.test("classes gives the order of the folders, and refuses others", async () => {
  using folder = new Folder();
  classFolders(folder);
  const dataset = await open({ images: "set", classes: ["dog", "cow", "cat"] }, folder.path);
  assert.deepEqual([...(await everything(dataset)).labels!], [0, 2, 0]);
  await fails(() => open({ images: "set", classes: ["dogs", "cat"] }, folder.path), {
    message: '"set" has a folder "dog", which is not in classes',
    hint: 'Did you mean "dogs"?',
    path: ["classes"],
  }, folder);
});

Deno.test("a table gives the labels of a folder's pictures", async () => {
  using folder = new Folder();
  classFolders(folder);
  folder.write("l.csv", 'file,author,label\ndog/2.jpg,"Doe, J",7\ncat/9.JPG,x,3\n');
  const dataset = await open({ images: "set", labels: "l.csv" }, folder.path);
  assert.deepEqual([...(await everything(dataset)).labels!], [7, 3]);
  folder.write("m.csv", "name,kind\ndog/2.jpg,dog\ncat/9.JPG,cat\n");
  const named = await open(
    { images: "set", labels: { csv: "m.csv", file: "name", label: "kind" } },
    folder.path,
  );
  assert.deepEqual(named.classes, ["cat", "dog"]);
  assert.deepEqual([...(await everything(named)).labels!], [1, 0]);
  await fails(() => open({ images: "set", labels: "m.csv" }, folder.path), {
    message: 'File "m.csv" has no column "file": its first line is name, kind',
    hint: "Name the column with labels: { csv: …, file: … }",
    path: ["labels"],
  }, folder);
  folder.write("n.csv", "file,label\ndog/2.jpg,1\ngone.jpg,2\nlost.jpg,2\n");
  await fails(() => open({ images: "set", labels: "n.csv" }, folder.path), {
    message: 'Line 3 of "n.csv" names "gone.jpg", which is not in "set" (and 1 more)',
    path: ["images"],
  }, folder);
  folder.write("o.csv", "file,label\ndog/2.jpg,1\ncat/9.JPG,cat\n");
  await fails(() => open({ images: "set", labels: "o.csv" }, folder.path), {
    message: 'Line 2 of "o.csv" has the label 1, but other labels are names',
    hint: "Give the class names in order with classes",
  }, folder);
});

Deno.test("a folder that is no set of pictures says why", async () => {
  using folder = new Folder();
  folder.write("empty/readme.txt", "");
  folder.write("webp/a.webp", "");
  await fails(() => open({ images: "empty" }, folder.path), {
    message: 'Folder "empty" has no JPEG or PNG file',
    path: ["images"],
  }, folder);
  await fails(() => open({ images: "webp" }, folder.path), {
    message: 'Folder "webp" has no JPEG or PNG file',
    hint: '"a.webp" is of another format: convert it to PNG',
  }, folder);
  await fails(() => open({ images: "gone" }, folder.path), {
    message: 'Folder "gone" does not exist',
  }, folder);
  await fails(() => open({ images: "webp/a.webp" }, folder.path), {
    message: '"webp/a.webp" is a file, expected a folder of pictures',
  }, folder);
  classFolders(folder);
  folder.write("set/a.png", { base64: PICTURES.png!.base64 });
  await fails(() => open({ images: "set" }, folder.path), {
    message: '"set" has pictures beside class folders, such as "a.png"',
    path: ["images"],
  }, folder);
  const unlabelled = await open({ images: "set", labels: false }, folder.path);
  assert.deepEqual([unlabelled.length, unlabelled.labeled], [4, false]);
});

Deno.test("pictures of different sizes need one size", async () => {
  using folder = new Folder();
  folder.write("set/a.jpg", { base64: PICTURES.jpeg!.base64 });
  folder.write("set/b.jpg", { base64: PICTURES.jpegTurned!.base64 });
  const mixed = await open({ images: "set" }, folder.path);
  await fails(() => everything(mixed), {
    message:
      'Picture "set/b.jpg" has 24×16×3 values (height, width, channels), but the first one has 16×24×3',
    hint:
      "Give all pictures one size with preprocess.resize: [height, width], or with preprocess.resize and " +
      "preprocess.crop",
  }, folder);
  const sized = await open({ images: "set", preprocess: { resize: 16, crop: 16 } }, folder.path);
  assert.deepEqual((await everything(sized)).inputs[0]!.dims, [2, 3, 16, 16]);
});

Deno.test("a target is the same picture prepared in another way", async () => {
  using folder = new Folder();
  folder.write("set/a.png", { base64: PICTURES.pngGray!.base64 });
  const dataset = await open({
    images: "set",
    preprocess: { channels: "luma", resize: [8, 12] },
    target: { crop: { size: [2, 2], at: [1, 3] } },
  }, folder.path);
  assert.deepEqual(dataset.inputs[0]!.dims, [1, 8, 12]);
  assert.deepEqual(dataset.target, { type: "float32", dims: [1, 2, 2] });
  const picture = await decodeImage(decodeBase64(PICTURES.pngGray!.base64), "a");
  const at = (y: number, x: number) => Math.fround(Number(picture.data[y * picture.row + x]) / 255);
  const batch = await everything(dataset);
  assert.deepEqual([...batch.targets!.data as Float32Array], [
    at(1, 3),
    at(1, 4),
    at(2, 3),
    at(2, 4),
  ]);
  assert.equal(values(batch).length, 96);
});
