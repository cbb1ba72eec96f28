/**
 * What the store costs: keys, hits, small and large blobs, digests of files that did not change.
 *
 *     deno bench --allow-read --allow-write bench/store.ts
 *
 * @module
 */

import { join } from "node:path";
import { keyOf, openStore } from "../src/store/store.ts";

const root = Deno.makeTempDirSync({ prefix: "bitbound-bench-" });
globalThis.addEventListener("unload", () => Deno.removeSync(root, { recursive: true }));
const store = openStore(join(root, "store"));
const ingredients = {
  stage: "quantize",
  version: 1,
  parameters: { weights: { bits: 4, granularity: "channel" }, activations: { bits: 8 } },
  inputs: [{ port: "model", kind: "model", digest: "0".repeat(64) }],
  seed: 0,
};
const keyed = keyOf(ingredients);
const blob = await store.putBlob(new Uint8Array(100_000));
await store.record(keyed, {
  outputs: { model: { kind: "quantized-model", ...blob } },
  metrics: { top1: 0.99 },
  warnings: [],
  seconds: 1,
  run: store.runs.newId(),
  finished: new Date().toISOString(),
});
const path = join(root, "file");
await Deno.writeFile(path, new Uint8Array(50_000_000));
const longAgo = new Date(0);
await Deno.utime(path, longAgo, longAgo);
let content = 0;

Deno.bench("key", () => void keyOf(ingredients));

Deno.bench("hit", async () => {
  await store.lookup(keyed.key);
});

Deno.bench("new blob of 10 kB", { n: 100 }, async () => {
  await store.putBlob(new Uint8Array(10_000 + ++content));
});

Deno.bench("known blob of 100 kB", async () => {
  await store.putBlob(new Uint8Array(100_000));
});

Deno.bench("new blob of 50 MB", { n: 5 }, async () => {
  await store.putBlob(new Uint8Array(50_000_000 + ++content));
});

Deno.bench("digest of a file of 50 MB, read", { n: 10 }, async () => {
  const fresh = openStore(join(root, "none"));
  await fresh.fileDigest(path);
});
