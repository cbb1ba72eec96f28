import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { fileURLToPath } from "node:url";
import configuration from "../../deno.json" with { type: "json" };
import { READER_VERSION, readYaml, type YamlResult } from "../../src/pipeline/yaml.ts";
import { Memos } from "../../src/store/memos.ts";
import { openStore } from "../../src/store/store.ts";

const TEXT = Deno.readTextFileSync(new URL("../../pipelines/cifar10.yaml", import.meta.url));

function shown({ value, locations, mistakes, source }: YamlResult) {
  const places = Array.from(locations, ([pointer, { key, value, nested }]) => [
    pointer,
    nested,
    key && source.place(key),
    source.place(value),
  ]);
  return { value, mistakes, places };
}

Deno.test("a text that was read before is not read again, and means the same", async () => {
  const root = Deno.makeTempDirSync({ prefix: "bitbound-yaml-" });
  try {
    await using store = openStore(root);
    await store.putBlob(new Uint8Array(1));
    const memos = new Memos(root);
    const fresh = shown(await readYaml("p.yaml", TEXT));
    for (let times = 0; times < 2; times++) {
      const known = shown(await readYaml("p.yaml", TEXT, memos));
      assert.deepEqual(known, fresh);
      assert.equal(JSON.stringify(known), JSON.stringify(fresh), "the order of keys");
    }
    assert.equal([...Deno.readDirSync(`${root}/memos`)].length, 1);
    const wrong = await readYaml("p.yaml", "a: 1\na: 2\n", memos);
    assert.equal(wrong.mistakes.length, 1);
    assert.equal([...Deno.readDirSync(`${root}/memos`)].length, 1, "mistakes are not kept");
  } finally {
    Deno.removeSync(root, { recursive: true });
  }
});

Deno.test("the version of the reader is raised when what reads changes", () => {
  const source = fileURLToPath(new URL("../../src/pipeline/library_yaml.ts", import.meta.url));
  const hash = createHash("sha256").update(configuration.imports.yaml).update(
    Deno.readTextFileSync(source),
  );
  assert.deepEqual(
    [READER_VERSION, hash.digest("hex").slice(0, 16)],
    [3, "e2b648c087517dc9"],
    "Raise READER_VERSION, unless every text is read as before, and write down the new digest here",
  );
});
