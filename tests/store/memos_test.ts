import assert from "node:assert/strict";
import { join } from "node:path";
import { Memos } from "../../src/store/memos.ts";
import { openStore } from "../../src/store/store.ts";

async function withFolder(work: (root: string) => Promise<void>): Promise<void> {
  const root = Deno.makeTempDirSync({ prefix: "bitbound-memos-" });
  try {
    await work(root);
  } finally {
    Deno.removeSync(root, { recursive: true });
  }
}

/** Makes the value of a name; counts how often. */
function maker() {
  let made = 0;
  return {
    count: () => made,
    make: (value: number) => () => Promise.resolve({ value, n: ++made }),
  };
}

async function makeStore(root: string): Promise<void> {
  await using store = openStore(root);
  await store.putBlob(new Uint8Array(1));
}

Deno.test("a value is made once for the same ingredients, also by other instances", async () => {
  await withFolder(async (root) => {
    await makeStore(root);
    const { make, count } = maker();
    const first = await new Memos(root).get({ a: 1 }, make(1));
    assert.deepEqual(first, { value: 1, n: 1 });
    assert.deepEqual(await new Memos(root).get({ a: 1 }, make(1)), first);
    assert.equal(count(), 1);
    assert.deepEqual(await new Memos(root).get({ a: 2 }, make(2)), { value: 2, n: 2 });
  });
});

Deno.test("a damaged value is made again", async () => {
  await withFolder(async (root) => {
    await makeStore(root);
    const { make } = maker();
    await new Memos(root).get("x", make(1));
    const [{ name } = { name: "" }] = [...Deno.readDirSync(join(root, "memos"))];
    const path = join(root, "memos", name);
    const text = Deno.readTextFileSync(path);
    for (const damaged of [text.replace('"value":1', '"value":7'), text.slice(0, -1), ""]) {
      Deno.writeTextFileSync(path, damaged);
      assert.equal((await new Memos(root).get("x", make(1)))?.value, 1);
      assert.match(Deno.readTextFileSync(path), /"value":1/);
    }
  });
});

Deno.test("without a store nothing is written; what is undefined is not kept", async () => {
  await withFolder(async (root) => {
    const { make, count } = maker();
    for (let times = 1; times <= 2; times++) {
      await new Memos(join(root, "none")).get("x", make(1));
      assert.equal(count(), times);
    }
    assert.deepEqual([...Deno.readDirSync(root)], []);
    await makeStore(root);
    assert.equal(await new Memos(root).get("y", () => Promise.resolve(undefined)), undefined);
    assert.equal((await new Memos(root).get("y", make(3)))?.value, 3);
  });
});
