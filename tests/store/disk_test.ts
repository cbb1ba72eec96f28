import assert from "node:assert/strict";
import { join } from "node:path";
import { UserError } from "../../src/base/errors.ts";
import { explainWrite } from "../../src/store/explain.ts";
import { openStore } from "../../src/store/store.ts";
import { verifyStore } from "../../src/store/verify.ts";
import { diskTest } from "../small_disk.ts";
import { action, filesOf, keyed, temporaryFolder, temporaryStore } from "./fixture.ts";

const bytes = (text: string) => new TextEncoder().encode(text);

function isFull(root: string): (error: unknown) => boolean {
  return (error) => {
    assert.ok(error instanceof UserError, String(error));
    assert.equal(error.message, `No space left for the store "${root}"`);
    assert.match(error.problems[0]!.hint!, /bitbound cache gc .* --store/);
    return true;
  };
}

diskTest("a full disk is said plainly and leaves nothing half-written", async (folder) => {
  const root = join(folder, "store");
  await using store = openStore(root);
  const kept = await store.putBlob(bytes("fits"));
  await store.record(keyed("fits"), action(kept));
  const before = filesOf(root);

  const big = new Uint8Array(1_000_000).fill(1);
  await assert.rejects(() => store.putBlob(big), isFull(root));
  await assert.rejects(() => store.putBlob(ReadableStream.from([big])), isFull(root));
  await assert.rejects(() => store.checkpoints(keyed("a").key).save("x", big), isFull(root));
  const result = action(kept, { warnings: ["long ".repeat(200_000)] });
  await assert.rejects(() => store.record(keyed("big"), result), isFull(root));

  assert.deepEqual(filesOf(root), before);
  assert.deepEqual((await verifyStore(root)).damage, []);
  assert.equal((await store.lookup(keyed("big").key)).action, undefined);
  assert.ok((await store.lookup(keyed("fits").key)).action);
  await store.putBlob(bytes("fits too"));
});

diskTest(
  "a store on a read-only disk can be read, and says that it cannot be written",
  async (folder) => {
    const root = join(folder, "store");
    {
      await using store = openStore(root);
      await store.record(keyed("a"), action(await store.putBlob(bytes("result"))));
    }
    const remount = (mode: string) =>
      assert.ok(
        new Deno.Command("mount", { args: ["-o", `remount,${mode}`, folder] }).outputSync().success,
      );
    remount("ro");
    try {
      await using store = openStore(root);
      const found = (await store.lookup(keyed("a").key)).action!;
      assert.deepEqual(await store.readBlob(found.outputs["out"]!.digest), bytes("result"));
      assert.deepEqual((await verifyStore(root)).damage, []);
      await store.putBlob(bytes("result"));
      for (
        const write of [
          () => store.putBlob(bytes("other")),
          () => store.record(keyed("b"), action({ ...found.outputs["out"]! })),
          () => store.lock(keyed("b").key),
          () => store.checkpoints(keyed("b").key).save("x", bytes("x")),
        ]
      ) {
        await assert.rejects(write, (error) => {
          assert.ok(error instanceof UserError, String(error));
          assert.equal(error.message, `Store "${root}" is not writable`);
          return true;
        });
      }
    } finally {
      remount("rw");
    }
  },
);

Deno.test("a disk that fills up while a blob streams in leaves nothing behind", async () => {
  await using t = temporaryStore();
  await t.store.putBlob(bytes("first"));
  const before = filesOf(t.root);
  const full = Object.assign(new Error("No space left on device (os error 28)"), {
    code: "ENOSPC",
  });
  const failing = ReadableStream.from((function* () {
    yield new Uint8Array(100_000);
    throw full;
  })());
  await assert.rejects(() => t.store.putBlob(failing), isFull(t.root));
  assert.deepEqual(filesOf(t.root), before);
});

Deno.test("a store whose place is taken by a file is refused", async () => {
  await using folder = temporaryFolder();
  const root = join(folder.path, "file");
  await Deno.writeTextFile(root, "");
  for (const path of [root, join(root, "below")]) {
    await using store = openStore(path);
    await assert.rejects(() => store.putBlob(bytes("x")), (error) => {
      assert.ok(error instanceof UserError, String(error));
      assert.equal(error.message, `Store "${path}" is not a folder`);
      return true;
    });
  }
});

Deno.test("a file system without locks is said plainly", () => {
  const error = Object.assign(new Error("No locks available (os error 37)"), { code: "ENOLCK" });
  const explained = explainWrite(error, "/mnt/store");
  assert.ok(explained instanceof UserError);
  assert.equal(explained.message, 'The file system of the store "/mnt/store" has no locks');
  const other = new Error("Something else");
  assert.equal(explainWrite(other, "/mnt/store"), other);
});

Deno.test("what a killed process left is removed after a day, and nothing younger", async () => {
  await using folder = temporaryFolder();
  {
    await using store = openStore(folder.path);
    await store.putBlob(bytes("x"));
  }
  const [old, young] = ["1-old", "2-young"].map((name) => join(folder.path, "temporary", name));
  await Deno.writeTextFile(old!, "half");
  await Deno.writeTextFile(young!, "half");
  const before = new Date(Date.now() - 25 * 3600 * 1000);
  await Deno.utime(old!, before, before);
  await using store = openStore(folder.path);
  await store.putBlob(bytes("y"));
  assert.deepEqual(filesOf(folder.path, "temporary").map((path) => path.split("/").at(-1)), [
    "2-young",
  ]);
});
