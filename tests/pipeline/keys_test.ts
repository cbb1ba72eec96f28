import assert from "node:assert/strict";
import { fileURLToPath } from "node:url";
import { Artifacts, keyOfStage } from "../../src/pipeline/artifacts.ts";
import { loadPipeline } from "../../src/pipeline/load.ts";
import { portOf, sourceName } from "../../src/pipeline/pipeline.ts";
import { digestOf } from "../../src/store/digest.ts";

const ROOT = fileURLToPath(new URL("../../", import.meta.url));
const SNAPSHOT = fileURLToPath(new URL("./keys.json", import.meta.url));

/** The keys of stages that use integer kernels are those of a processor. */
const PROCESSOR = () => Promise.resolve({ products_saturate: true });

/** The keys of a pipeline's stages, if each of their inputs were the bytes of its own name. */
async function keysOf(file: string): Promise<Record<string, string>> {
  const { stages, seed } = await loadPipeline(file);
  const artifacts = new Artifacts({ root: "", blobPath: (digest) => digest }, PROCESSOR);
  const keys: Record<string, string> = {};
  for (const stage of stages) {
    for (const [port, source] of stage.inputs) {
      const [kind] = stage.stage.definition.inputs[portOf(port)]!.kinds;
      const origin = sourceName(source);
      artifacts.add(source, { kind, digest: digestOf(origin), origin, path: "" });
    }
    const { name, version } = stage.stage.definition;
    const { key } = (await keyOfStage(stage, artifacts, seed))!;
    keys[stage.id] = `${name}@${version} ${key}`;
  }
  return keys;
}

Deno.test("keys of the ready-made pipelines stay what they are", async () => {
  const keys: Record<string, Record<string, string>> = {};
  const names = [...Deno.readDirSync(`${ROOT}pipelines`)].map(({ name }) => name);
  for (const name of names.filter((each) => each.endsWith(".yaml")).sort()) {
    keys[name] = await keysOf(`${ROOT}pipelines/${name}`);
  }
  if (Deno.args.includes("--update")) {
    Deno.writeTextFileSync(SNAPSHOT, `${JSON.stringify(keys, null, 2)}\n`);
  }
  assert.deepEqual(
    keys,
    JSON.parse(Deno.readTextFileSync(SNAPSHOT)),
    "What was made before will not be found again. If that is meant, because a stage's results or parameters changed, " +
      "raise the stage's version where its results changed, and update: deno test -A tests/pipeline/keys_test.ts -- --update",
  );
});
