import assert from "node:assert/strict";
import { everything, fails, Folder, open, values } from "./opening.ts";
import type { DatasetSpec } from "../../src/data/spec.ts";

type Fields = NonNullable<DatasetSpec["preprocess"]>;

/** One 2×3 colour picture in an array, [height, width, channel]. */
const PICTURE = [
  [[10, 20, 30], [40, 50, 60], [70, 80, 90]],
  [[11, 21, 31], [41, 51, 61], [71, 81, 91]],
];

function npy(dims: readonly number[], data: readonly number[], type = "|u1"): Uint8Array {
  const shape = `(${dims.join(", ")},)`;
  const text = `{'descr': '${type}', 'fortran_order': False, 'shape': ${shape}, }\n`;
  const header = Uint8Array.from([
    0x93,
    ...new TextEncoder().encode("NUMPY"),
    1,
    0,
    text.length,
    0,
  ]);
  return Uint8Array.from([...header, ...new TextEncoder().encode(text), ...data]);
}

async function prepared(preprocess: Fields) {
  using folder = new Folder();
  folder.write("a.npy", npy([1, 2, 3, 3], PICTURE.flat(2)));
  const dataset = await open({ npy: "a.npy", image: "hwc", preprocess }, folder.path);
  const batch = await everything(dataset);
  return { dims: dataset.inputs[0]!.dims, values: values(batch), type: dataset.inputs[0]!.type };
}

Deno.test("channels come in the order and number that is asked for", async () => {
  const plane = (channel: number) => PICTURE.flat().map((pixel) => pixel[channel]!);
  const scale = 1;
  assert.deepEqual(await prepared({ scale }), {
    dims: [3, 2, 3],
    type: "float32",
    values: [...plane(0), ...plane(1), ...plane(2)],
  });
  assert.deepEqual((await prepared({ scale, channels: "bgr" })).values, [
    ...plane(2),
    ...plane(1),
    ...plane(0),
  ]);
  const nhwc = await prepared({ scale, layout: "nhwc", channels: "bgr" });
  assert.deepEqual(nhwc.dims, [2, 3, 3]);
  assert.deepEqual(nhwc.values, PICTURE.flat().flatMap((pixel) => pixel.toReversed()));
  const gray = await prepared({ scale, channels: "gray" });
  assert.deepEqual(gray.dims, [1, 2, 3]);
  assert.deepEqual(
    gray.values,
    PICTURE.flat().map(([r, g, b]) =>
      Math.floor((19595 * r! + 38470 * g! + 7471 * b! + 32768) / 65536)
    ),
  );
});

Deno.test("values are (x · scale − mean) / std, rounded once", async () => {
  const mean = [0.485, 0.456, 0.406];
  const std = [0.229, 0.224, 0.225];
  const { values } = await prepared({ mean, std });
  const expected = [0, 1, 2].flatMap((channel) =>
    PICTURE.flat().map((pixel) =>
      Math.fround((pixel[channel]! / 255 - mean[channel]!) / std[channel]!)
    )
  );
  assert.deepEqual(values, expected);
  const bgr = await prepared({ scale: 1, channels: "bgr", mean: [104, 117, 123] });
  assert.deepEqual(bgr.values.slice(0, 6), PICTURE.flat().map((pixel) => pixel[2]! - 104));
  const signed = await prepared({ scale: "1/127.5", mean: 1 });
  assert.equal(signed.values[0], Math.fround(10 / 127.5 - 1));
});

Deno.test("pad adds a border and crop cuts it, before values are scaled", async () => {
  const scale = 1;
  const padded = await prepared({ scale, channels: "gray", pad: [1, 0, 0, 2], pad_value: 7 });
  assert.deepEqual(padded.dims, [1, 3, 5]);
  assert.deepEqual(padded.values.slice(0, 5), [7, 7, 7, 7, 7]);
  assert.deepEqual(padded.values.slice(8, 10), [7, 7]);
  const placed = await prepared({ scale, crop: { size: [1, 2], at: [1, 0] } });
  assert.deepEqual(placed.values, [11, 41, 21, 51, 31, 61]);
  // Half a pixel is left over: 0.5 rounds to 0, as in torchvision.
  const centred = await prepared({ scale, crop: 1 });
  assert.deepEqual(centred.values, [40, 50, 60]);
  const around = await prepared({ scale, pad: 1, crop: [2, 3] });
  assert.deepEqual(around.values, (await prepared({ scale })).values);
});

Deno.test("resize takes the shorter side, or height and width", async () => {
  assert.deepEqual((await prepared({ resize: 4 })).dims, [3, 4, 6]);
  assert.deepEqual((await prepared({ resize: [5, 4] })).dims, [3, 5, 4]);
  assert.deepEqual((await prepared({ resize: { size: 5, filter: "nearest" } })).dims, [3, 5, 7]);
  assert.deepEqual((await prepared({ resize: 8, crop: 8 })).dims, [3, 8, 8]);
});

Deno.test("element types are converted exactly or not at all", async () => {
  assert.deepEqual((await prepared({ dtype: "uint8" })).values.slice(0, 3), [10, 40, 70]);
  assert.deepEqual((await prepared({ dtype: "int8", mean: 128 })).values.slice(0, 3), [
    -118,
    -88,
    -58,
  ]);
  assert.deepEqual((await prepared({ dtype: "int64" })).values.slice(0, 3), [10n, 40n, 70n]);
  assert.deepEqual((await prepared({ dtype: "float64" })).values[0], 10 / 255);
  const half = await prepared({ dtype: "float16" });
  assert.deepEqual(half.values[0], new Uint16Array(Float16Array.of(10 / 255).buffer)[0]);
  // Halves go to the even number.
  assert.deepEqual((await prepared({ dtype: "int32", scale: "1/20" })).values.slice(0, 3), [
    0,
    2,
    4,
  ]);
});

Deno.test("reshape gives items the model's shape", async () => {
  assert.deepEqual((await prepared({ reshape: [18] })).dims, [18]);
  assert.deepEqual((await prepared({ reshape: [1, -1, 1] })).dims, [1, 18, 1]);
});

Deno.test("gray pictures become colour ones by repetition", async () => {
  using folder = new Folder();
  folder.write("a.npy", npy([1, 1, 2], [3, 200]));
  const spec = { npy: "a.npy", image: "hw", preprocess: { channels: "rgb", scale: 1 } } as const;
  const batch = await everything(await open(spec, folder.path));
  assert.deepEqual(values(batch), [3, 200, 3, 200, 3, 200]);
});

Deno.test("pictures with other numbers of channels keep them", async () => {
  using folder = new Folder();
  folder.write("a.npy", npy([1, 5, 1, 2], [1, 2, 3, 4, 5, 6, 7, 8, 9, 10]));
  const spec: DatasetSpec = {
    npy: "a.npy",
    image: "chw",
    preprocess: { scale: 1, mean: [1, 3, 5, 7, 9], layout: "nhwc" },
  };
  const dataset = await open(spec, folder.path);
  assert.deepEqual(dataset.inputs[0]!.dims, [1, 2, 5]);
  assert.deepEqual(values(await everything(dataset)), [0, 0, 0, 0, 0, 1, 1, 1, 1, 1]);
  await fails(() => open({ ...spec, preprocess: { channels: "rgb" } }, folder.path), {
    message: "preprocess.channels is rgb, but the pictures have 5 channels, expected 1 or 3",
    path: ["preprocess", "channels"],
  });
});

Deno.test("settings that contradict the data or each other name their field", async () => {
  const cases: [Fields, { message: string; path: (string | number)[] }][] = [
    [{ mean: [1, 2] }, {
      message: "preprocess.mean has 2 numbers, but the pictures have 3 channels",
      path: ["preprocess", "mean"],
    }],
    [{ channels: "gray", std: [1, 2, 3] }, {
      message: "preprocess.std has 3 numbers, but the pictures have 1 channel",
      path: ["preprocess", "std"],
    }],
    [{ std: 0 }, { message: "preprocess.std must not be 0", path: ["preprocess", "std"] }],
    [{ scale: "1/0" }, {
      message:
        "preprocess.scale must be a number or a fraction such as 1/255: current value is 1/0",
      path: ["preprocess", "scale"],
    }],
    [{ pad_value: 1 }, {
      message: "preprocess.pad_value is given without preprocess.pad",
      path: ["preprocess", "pad_value"],
    }],
    [{ reshape: [-1, -1] }, {
      message: "preprocess.reshape can have only one −1",
      path: ["preprocess", "reshape"],
    }],
    [{ reshape: [7, -1] }, {
      message: "preprocess.reshape [7, -1] does not fit items of shape 3×2×3, which have 18 values",
      path: ["preprocess", "reshape"],
    }],
    [{ label_offset: 1 }, {
      message: 'label_offset is 1, but "a.npy" has no labels',
      path: ["preprocess", "label_offset"],
    }],
  ];
  for (const [preprocess, expected] of cases) {
    using folder = new Folder();
    folder.write("a.npy", npy([1, 2, 3, 3], PICTURE.flat(2)));
    await fails(
      () => open({ npy: "a.npy", image: "hwc", preprocess }, folder.path),
      expected,
      folder,
    );
  }
});

Deno.test("a crop that does not fit names the picture and its size", async () => {
  using folder = new Folder();
  folder.write("a.npy", npy([1, 2, 3, 3], PICTURE.flat(2)));
  const dataset = await open(
    { npy: "a.npy", image: "hwc", preprocess: { crop: [3, 3] } },
    folder.path,
  );
  await fails(() => everything(dataset), {
    message: 'A crop of 3×3 pixels does not fit item 0 of "a.npy", which has 2×3',
    hint:
      "Make preprocess.crop smaller, or enlarge the picture with preprocess.resize or preprocess.pad",
  }, folder);
});

Deno.test("labels are shifted by label_offset", async () => {
  using folder = new Folder();
  folder.write("a.npy", npy([2, 1], [1, 2]));
  folder.write("y.npy", npy([2], [0, 5]));
  const spec = (label_offset: number) => ({
    npy: "a.npy",
    labels: "y.npy",
    preprocess: { label_offset },
  });
  assert.deepEqual([...(await everything(await open(spec(1), folder.path))).labels!], [1, 6]);
  await fails(() => open(spec(-1), folder.path), {
    message: 'Label of item 0 of "a.npy" is 0: label_offset -1 makes it -1',
    path: ["preprocess", "label_offset"],
  }, folder);
});
