import assert from "node:assert/strict";
import type { JsonValue } from "../../src/base/canonical_json.ts";
import { Artifacts, keyOfStage } from "../../src/pipeline/artifacts.ts";
import { type Machine, rememberedProcessor, thisMachine } from "../../src/pipeline/processor.ts";
import { loadPipeline } from "../../src/pipeline/load.ts";
import { digestOf } from "../../src/store/digest.ts";
import type { Keyed } from "../../src/store/key.ts";
import { openStore } from "../../src/store/store.ts";
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
  const processor = saturates === undefined
    ? undefined
    : () => Promise.resolve({ products_saturate: saturates });
  const artifacts = new Artifacts(
    { root: folder.join("store"), blobPath: (digest) => digest },
    processor,
  );
  for (const [port, source] of stage!.inputs) {
    const [kind] = stage!.stage.definition.inputs[port]!.kinds;
    artifacts.add(source, { kind, digest: digestOf(port), origin: port, path: "" });
  }
  return (await keyOfStage(stage!, artifacts, seed))!;
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

Deno.test("what the processor does is asked once a start of the machine, and never taken from another machine", async () => {
  using folder = new Folder();
  const root = folder.join("store");
  await using store = openStore(root);
  await store.putBlob(new Uint8Array(1));
  let asked = 0;
  const answerOn = (machine: Machine | undefined, saturates: boolean) =>
    rememberedProcessor(root, () => machine, () => {
      asked++;
      return Promise.resolve({ products_saturate: saturates });
    })();
  const here: Machine = { host: "here", start: 5 };
  const asking: [Machine | undefined, boolean, boolean, number][] = [
    [here, true, true, 1],
    [here, false, true, 1],
    [{ ...here, start: 6 }, false, false, 2],
    [{ ...here, host: "there" }, false, false, 3],
    [here, false, true, 3],
    [undefined, false, false, 4],
    [undefined, true, true, 5],
  ];
  for (const [machine, truth, answer, times] of asking) {
    assert.deepEqual(await answerOn(machine, truth), { products_saturate: answer });
    assert.equal(asked, times);
  }
});

Deno.test("this machine is the same when it is asked again", () => {
  const starts = Array.from({ length: 5 }, () => thisMachine()!);
  assert.ok(starts[0]!.host.length > 0);
  // A clock that is read at the border of two numbers may give either.
  assert.ok(starts.every(({ start }) => Math.abs(start - starts[0]!.start) <= 1));
});
