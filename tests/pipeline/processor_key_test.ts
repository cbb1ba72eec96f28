import assert from "node:assert/strict";
import type { JsonValue } from "../../src/base/canonical_json.ts";
import { processorIdentity } from "../../src/engine/identity.ts";
import { Artifacts, keyOfStage } from "../../src/pipeline/artifacts.ts";
import { loadPipeline } from "../../src/pipeline/load.ts";
import { digestOf } from "../../src/store/digest.ts";
import type { Keyed } from "../../src/store/key.ts";
import { Folder } from "./support.ts";

/** The key of an evaluation on a processor; `undefined`: on this one. */
async function keyOn(saturates: boolean | undefined, arithmetic: string): Promise<Keyed> {
  using folder = new Folder();
  const file = folder.pipeline(`
name: evaluation
inputs: { model: { onnx: net.onnx }, test: { npy: x.npy } }
stages: [{ uses: evaluate, with: { arithmetic: ${arithmetic} } }]
`);
  const { stages: [stage], seed } = await loadPipeline(file);
  const artifacts = new Artifacts({ blobPath: (digest) => digest });
  for (const [port, source] of stage!.inputs) {
    const [kind] = stage!.stage.definition.inputs[port]!.kinds;
    artifacts.add(source, { kind, digest: digestOf(port), origin: port, path: "" });
  }
  const processor = saturates === undefined
    ? processorIdentity
    : () => Promise.resolve({ products_saturate: saturates });
  return (await keyOfStage(stage!, artifacts, seed, processor))!;
}

Deno.test("a result of integer kernels is not taken for one of another processor", async () => {
  const [saturating, exact, here] = await Promise.all([
    keyOn(true, "integer"),
    keyOn(false, "integer"),
    keyOn(undefined, "integer"),
  ]);
  assert.notEqual(saturating.key, exact.key);
  assert.ok([saturating.key, exact.key].includes(here.key));
});

Deno.test("what is the same on every processor is found on every processor", async () => {
  for (const arithmetic of ["simulated", "integer-exact"]) {
    const saturating = await keyOn(true, arithmetic);
    assert.deepEqual(saturating, await keyOn(false, arithmetic));
    const engine = saturating.manifest.engine as { readonly [name: string]: JsonValue };
    assert.deepEqual(Object.keys(engine), ["runtime", "version", "provider", "options"]);
  }
});
