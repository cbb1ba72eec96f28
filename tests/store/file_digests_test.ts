import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { join } from "node:path";
import { UserError } from "../../src/base/errors.ts";
import { FileDigests } from "../../src/store/file_digests.ts";
import { StoreFiles } from "../../src/store/files.ts";
import { Layout } from "../../src/store/layout.ts";
import { temporaryFolder } from "./fixture.ts";

const HOUR = 3600 * 1000;

function sha256(text: string): string {
  return createHash("sha256").update(text).digest("hex");
}

/** Remembered digests, with a clock that runs an hour ahead, so that files count as settled. */
function remembered(root: string, ahead = HOUR): FileDigests {
  return new FileDigests(new StoreFiles(new Layout(root)), () => Date.now() + ahead);
}

/** Replaces a file's bytes, keeping its length and modification time: only the change time tells. */
async function replaceQuietly(path: string, text: string): Promise<void> {
  const { mtime } = await Deno.stat(path);
  await Deno.writeTextFile(path, text);
  await Deno.utime(path, mtime!, mtime!);
}

Deno.test("a file that did not change is not read again", async () => {
  await using folder = temporaryFolder();
  const path = join(folder.path, "data");
  await Deno.writeTextFile(path, "one");
  const root = join(folder.path, "store");
  const first = remembered(root);
  assert.deepEqual(await first.get(path), { digest: sha256("one"), size: 3 });
  await first.save();

  // A remembered digest that is wrong shows that the file is not read.
  const saved = join(root, "file-digests.json");
  const text = await Deno.readTextFile(saved);
  await Deno.writeTextFile(saved, text.replace(sha256("one"), sha256("remembered")));
  assert.equal((await remembered(root).get(path)).digest, sha256("remembered"));

  await Deno.writeTextFile(path, "three");
  assert.equal((await remembered(root).get(path)).digest, sha256("three"));
});

Deno.test("a file that was modified just before is not remembered", async () => {
  await using folder = temporaryFolder();
  const path = join(folder.path, "data");
  const root = join(folder.path, "store");
  await Deno.writeTextFile(path, "one");
  const digests = remembered(root, 0);
  assert.equal((await digests.get(path)).digest, sha256("one"));
  await replaceQuietly(path, "two");
  assert.equal((await digests.get(path)).digest, sha256("two"));
  await digests.save();
  assert.deepEqual(JSON.parse(await Deno.readTextFile(join(root, "file-digests.json"))).files, {});
});

Deno.test("another file in its place is read, even with the same length and time", async () => {
  await using folder = temporaryFolder();
  const path = join(folder.path, "data");
  const root = join(folder.path, "store");
  await Deno.writeTextFile(path, "one");
  const digests = remembered(root);
  await digests.get(path);
  const { mtime } = await Deno.stat(path);
  await Deno.writeTextFile(`${path}-new`, "two");
  await Deno.utime(`${path}-new`, mtime!, mtime!);
  await Deno.rename(`${path}-new`, path);
  assert.equal((await digests.get(path)).digest, sha256("two"));
});

Deno.test("two processes keep each other's digests", async () => {
  await using folder = temporaryFolder();
  const root = join(folder.path, "store");
  const [a, b] = [join(folder.path, "a"), join(folder.path, "b")];
  await Deno.writeTextFile(a, "a");
  await Deno.writeTextFile(b, "b");
  const [first, second] = [remembered(root), remembered(root)];
  await first.get(a);
  await second.get(b);
  await first.save();
  await second.save();
  const { files } = JSON.parse(await Deno.readTextFile(join(root, "file-digests.json")));
  assert.deepEqual(Object.keys(files).sort(), [a, b]);
  await Deno.remove(a);
  await remembered(root).prune();
  const pruned = JSON.parse(await Deno.readTextFile(join(root, "file-digests.json")));
  assert.deepEqual(Object.keys(pruned.files), [b]);
});

Deno.test("damaged memory is forgotten, a folder and a missing file are errors", async () => {
  await using folder = temporaryFolder();
  const root = join(folder.path, "store");
  await Deno.mkdir(root);
  await Deno.writeTextFile(join(root, "file-digests.json"), '{"version":1,"fi');
  const path = join(folder.path, "data");
  await Deno.writeTextFile(path, "one");
  const digests = remembered(root);
  assert.equal((await digests.get(path)).digest, sha256("one"));
  await assert.rejects(() => digests.get(folder.path), UserError);
  await assert.rejects(() => digests.get(join(folder.path, "none")), Deno.errors.NotFound);
});
