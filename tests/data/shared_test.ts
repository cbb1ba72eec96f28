import assert from "node:assert/strict";
import { dirname } from "node:path";
import { testWithSharedData } from "../shared_data.ts";
import { open, values } from "./opening.ts";

testWithSharedData(
  "CIFAR-10 batches have 4000 labelled pictures",
  "cifar10/train_4000.bin",
  async (path) => {
    const dataset = await open({ cifar: path }, ".");
    assert.equal(dataset.length, 4000);
    const { labels } = await dataset.batch(0, 4000);
    assert.deepEqual([...new Set(labels)].sort(), [0, 1, 2, 3, 4, 5, 6, 7, 8, 9]);
  },
);

testWithSharedData(
  "a folder of 3000 pictures gives balanced classes first",
  "cifar10/test-jpeg",
  async (path) => {
    const dataset = await open({ images: path, take: 100 }, ".");
    assert.equal(dataset.classes?.length, 10);
    const { labels, inputs } = await dataset.batch(0, 100);
    assert.deepEqual([...labels!], Array.from({ length: 100 }, (_, index) => index % 10));
    assert.deepEqual(inputs[0]!.dims, [100, 3, 32, 32]);
  },
);

testWithSharedData(
  "photographs have the pixels that Pillow gives",
  "imagenet/labels.csv",
  async (path) => {
    const dataset = await open({
      images: `${dirname(path)}/images`,
      labels: path,
      take: 2,
      preprocess: {
        resize: [227, 227],
        channels: "bgr",
        scale: 1,
        mean: [104, 117, 123],
        label_offset: 1,
      },
    }, ".");
    const batch = await dataset.batch(0, 2);
    assert.deepEqual([...batch.labels!], [389, 327]);
    assert.deepEqual(batch.inputs[0]!.dims, [2, 3, 227, 227]);
    const found = values(batch).map(Number);
    // From Image.open(f).convert("RGB").resize((227, 227), Image.BILINEAR).
    const places = [0, 1, 226, 51529, 108058, 154664, 300000];
    assert.deepEqual(places.map((at) => found[at]), [-95, -97, -56, -104, -87, 137, -10]);
    assert.equal(found.reduce((sum, value) => sum + value, 0), -2820775);
  },
);
