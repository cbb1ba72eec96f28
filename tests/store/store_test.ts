import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { join } from "node:path";
import fc from "fast-check";
import { UserError } from "../../src/base/errors.ts";
import { openStore } from "../../src/store/store.ts";
import { verifyStore } from "../../src/store/verify.ts";
import { action, filesOf, keyed, temporaryFolder, temporaryStore } from "./fixture.ts";

const bytes = (text: string) => new TextEncoder().encode(text);

Deno.test("a blob is found under the SHA-256 of its bytes", async () => {
  await using t = temporaryStore();
  await fc.assert(
    fc.asyncProperty(fc.uint8Array({ maxLength: 300 }), async (content) => {
      const { digest, size } = await t.store.putBlob(content);
      assert.equal(digest, createHash("sha256").update(content).digest("hex"));
      assert.equal(size, content.length);
      assert.deepEqual(await t.store.readBlob(digest), content);
      assert.deepEqual(await Deno.readFile(t.store.blobPath(digest)), content);
    }),
    { numRuns: 30 },
  );
});

Deno.test("a stream and a file give the same blob as their bytes", async () => {
  await using t = temporaryStore();
  const content = new Uint8Array(3_000_001).map((_, index) => index * 7);
  const half = content.length >> 1;
  const streamed = await t.store.putBlob(
    ReadableStream.from([content.subarray(0, half), content.subarray(half)]),
  );
  const path = join(t.root, "..", "input");
  await Deno.writeFile(path, content);
  assert.deepEqual(await t.store.putFile(path), streamed);
  assert.deepEqual(await t.store.fileDigest(path), streamed);
  assert.deepEqual(await t.store.putBlob(content), streamed);
  assert.equal(filesOf(t.root).filter((file) => file.startsWith("blobs")).length, 1);
});

Deno.test("looking something up creates nothing", async () => {
  await using t = temporaryStore();
  assert.deepEqual(await t.store.lookup(keyed("a").key), { action: undefined, damage: [] });
  assert.equal(await t.store.hasBlob("0".repeat(64)), false);
  await assert.rejects(() => Deno.stat(t.root), Deno.errors.NotFound);
});

Deno.test("a result comes back as recorded, from another opening too", async () => {
  await using t = temporaryStore();
  const blob = await t.store.putBlob(bytes("result"));
  const made = keyed("made");
  await t.store.record(made, action(blob));
  const other = openStore(t.root);
  const found = (await other.lookup(made.key)).action;
  assert.deepEqual(found, { ...made, ...action(blob) });
  assert.equal((await other.lookup(keyed("other").key)).action, undefined);
  await other[Symbol.asyncDispose]();
});

Deno.test("a result without its blob cannot be recorded", async () => {
  await using t = temporaryStore();
  const blob = { digest: "0".repeat(64), size: 3 };
  await assert.rejects(() => t.store.record(keyed("a"), action(blob)), TypeError);
  assert.equal((await t.store.lookup(keyed("a").key)).action, undefined);
});

Deno.test("a failing stream leaves nothing behind", async () => {
  await using t = temporaryStore();
  await t.store.putBlob(bytes("first"));
  const before = filesOf(t.root);
  const failing = ReadableStream.from((function* () {
    yield bytes("half of ");
    throw new Error("Source broke");
  })());
  await assert.rejects(() => t.store.putBlob(failing), /Source broke/);
  assert.deepEqual(filesOf(t.root), before);
});

for (
  const [what, damage] of [
    ["overwritten in place", (path: string) => Deno.writeTextFile(path, "rEsult")],
    ["truncated", (path: string) => Deno.truncate(path, 2)],
    ["emptied", (path: string) => Deno.truncate(path, 0)],
  ] as const
) {
  Deno.test(`a blob that was ${what} is no hit, is set aside, and can be made again`, async () => {
    await using t = temporaryStore();
    const blob = await t.store.putBlob(bytes("result"));
    await t.store.record(keyed("a"), action(blob));
    await damage(t.store.blobPath(blob.digest));

    const { action: found, damage: reported } = await t.store.lookup(keyed("a").key);
    assert.equal(found, undefined);
    assert.deepEqual(reported, [`Output "out" (${blob.digest.slice(0, 12)}) is damaged`]);
    assert.equal(t.warnings.length, 1);
    assert.match(t.warnings[0]!, /^Blob [0-9a-f]{12} was damaged; it is set aside as ".*damaged/);
    assert.equal(filesOf(t.root, "damaged").length, 1);
    await assert.rejects(() => t.store.readBlob(blob.digest), UserError);

    await t.store.putBlob(bytes("result"));
    await t.store.record(keyed("a"), action(blob));
    assert.ok((await t.store.lookup(keyed("a").key)).action);
    assert.deepEqual(await t.store.readBlob(blob.digest), bytes("result"));
  });
}

Deno.test("writing over a damaged blob replaces it", async () => {
  await using t = temporaryStore();
  const { digest } = await t.store.putBlob(bytes("result"));
  await Deno.writeTextFile(t.store.blobPath(digest), "rEsult");
  await t.store.putBlob(bytes("result"));
  assert.deepEqual(await t.store.readBlob(digest), bytes("result"));
});

Deno.test("a missing blob is no hit", async () => {
  await using t = temporaryStore();
  const blob = await t.store.putBlob(bytes("result"));
  await t.store.record(keyed("a"), action(blob));
  await Deno.remove(t.store.blobPath(blob.digest));
  const { action: found, damage } = await t.store.lookup(keyed("a").key);
  assert.equal(found, undefined);
  assert.deepEqual(damage, [`Output "out" (${blob.digest.slice(0, 12)}) is missing`]);
  await assert.rejects(() => t.store.readBlob(blob.digest), /is not in the store/);
});

Deno.test("damage behind the modification time is found when reading and by verify", async () => {
  await using t = temporaryStore();
  const blob = await t.store.putBlob(bytes("result"));
  const path = t.store.blobPath(blob.digest);
  const { mtime } = await Deno.stat(path);
  await Deno.writeTextFile(path, "rEsult");
  await Deno.utime(path, mtime!, mtime!);
  await t.store.record(keyed("a"), action(blob));

  const report = await verifyStore(t.root);
  assert.equal(report.blobs, 1);
  assert.equal(report.bytes, 6);
  assert.equal(report.damage.length, 2);
  assert.match(report.damage[0]!, /was damaged; it is set aside/);
  assert.match(report.damage[1]!, /lacks its output "out" .* will run again/);
  assert.equal((await t.store.lookup(keyed("a").key)).action, undefined);
  await assert.rejects(() => t.store.readBlob(blob.digest), /is not in the store/);
});

Deno.test("reading checks every byte", async () => {
  await using t = temporaryStore();
  const { digest } = await t.store.putBlob(bytes("result"));
  await Deno.writeTextFile(t.store.blobPath(digest), "rEsult");
  await assert.rejects(() => t.store.readBlob(digest), /is damaged/);
  await assert.rejects(() => t.store.readBlob(digest), /is not in the store/);
});

Deno.test("a copied store is still a store", async () => {
  await using t = temporaryStore();
  await using folder = temporaryFolder();
  const blob = await t.store.putBlob(bytes("result"));
  await t.store.record(keyed("a"), action(blob));
  for (const file of filesOf(t.root)) {
    const target = join(folder.path, file);
    await Deno.mkdir(join(target, ".."), { recursive: true });
    await Deno.writeFile(target, await Deno.readFile(join(t.root, file)));
  }
  await using copy = openStore(folder.path);
  assert.ok((await copy.lookup(keyed("a").key)).action);
  // Hashed once; from then on its modification time says that it was not touched.
  assert.deepEqual(
    (await Deno.stat(copy.blobPath(blob.digest))).mtime,
    (await Deno.stat(t.store.blobPath(blob.digest))).mtime,
  );
});

Deno.test("a damaged record is set aside and counts as not there", async () => {
  const damages: ((path: string) => Promise<void>)[] = [
    (path) => Deno.truncate(path, 100),
    (path) => Deno.truncate(path, 0),
    async (path) => {
      const text = await Deno.readTextFile(path);
      await Deno.writeTextFile(path, text.replace('"top1": 0.5', '"top1": 0.9'));
    },
    async (path) => {
      const text = await Deno.readTextFile(path);
      await Deno.writeTextFile(path, text.replace('"version": 1', '"version": 2'));
    },
  ];
  for (const damage of damages) {
    await using t = temporaryStore();
    const blob = await t.store.putBlob(bytes("result"));
    const { key } = keyed("a");
    await t.store.record(keyed("a"), action(blob));
    await damage(join(t.root, "actions", key.slice(0, 2), `${key.slice(2)}.json`));
    const found = await t.store.lookup(key);
    assert.equal(found.action, undefined);
    assert.match(found.damage[0]!, /Result [0-9a-f]{12} was damaged; it is set aside/);
    assert.deepEqual((await t.store.lookup(key)).damage, []);
    await t.store.record(keyed("a"), action(blob));
    assert.ok((await t.store.lookup(key)).action);
  }
});

Deno.test("a record under another key's name is refused", async () => {
  await using t = temporaryStore();
  const blob = await t.store.putBlob(bytes("result"));
  await t.store.record(keyed("a"), action(blob));
  const path = (key: string) => join(t.root, "actions", key.slice(0, 2), `${key.slice(2)}.json`);
  const target = path(keyed("b").key);
  await Deno.mkdir(join(target, ".."), { recursive: true });
  await Deno.copyFile(path(keyed("a").key), target);
  assert.equal((await t.store.lookup(keyed("b").key)).action, undefined);
});

Deno.test("checkpoints belong to one key and go when it is recorded", async () => {
  await using t = temporaryStore();
  const a = t.store.checkpoints(keyed("a").key);
  await a.save("unit/1", bytes("old"));
  await a.save("unit/1", bytes("new"));
  await a.save("..", bytes("dots"));
  assert.deepEqual(await a.load("unit/1"), bytes("new"));
  assert.deepEqual(await a.load(".."), bytes("dots"));
  assert.equal(await a.load("unit"), undefined);
  assert.equal(await t.store.checkpoints(keyed("b").key).load("unit/1"), undefined);
  const blob = await t.store.putBlob(bytes("result"));
  await t.store.record(keyed("a"), action(blob));
  assert.equal(await a.load("unit/1"), undefined);
});

Deno.test("a damaged checkpoint is not continued from", async () => {
  await using t = temporaryStore();
  const checkpoints = t.store.checkpoints(keyed("a").key);
  await checkpoints.save("state", bytes("content"));
  const path = join(t.root, "checkpoints", keyed("a").key, "state");
  const content = await Deno.readFile(path);
  content[content.length - 1]! ^= 1;
  await Deno.writeFile(path, content);
  assert.equal(await checkpoints.load("state"), undefined);
  assert.deepEqual(t.warnings, ['Checkpoint "state" is damaged; the stage starts without it']);
});

Deno.test("a store of another version is refused", async () => {
  await using t = temporaryStore();
  await t.store.putBlob(bytes("x"));
  await Deno.writeTextFile(join(t.root, "version"), "99\n");
  await using other = openStore(t.root);
  await assert.rejects(
    () => other.putBlob(bytes("y")),
    (error) =>
      error instanceof UserError && /has version 99; this program reads/.test(error.message),
  );
});

Deno.test("runs are listed newest first and found by the beginning of their id", async () => {
  await using t = temporaryStore();
  const record = (id: string, started = "2026-01-01T00:00:00.000Z") => ({
    version: 2 as const,
    id,
    pipeline: "p",
    file: "p.yaml",
    settings: [],
    seed: 0,
    versions: {},
    started,
    status: "done" as const,
    inputs: {},
    stages: [],
    metrics: {},
  });
  assert.deepEqual(await t.store.runs.list(), []);
  // Within one second, only the time of the record tells which was first.
  await t.store.runs.save(record("20260101-000000-bbbbbb", "2026-01-01T00:00:00.001Z"));
  await t.store.runs.save(record("20260101-000000-aaaaaa", "2026-01-01T00:00:00.002Z"));
  await Deno.writeTextFile(join(t.root, "runs", "20260103-000000-cccccc.json"), "{");
  assert.deepEqual(
    (await t.store.runs.list()).map(({ id }) => id),
    ["20260101-000000-aaaaaa", "20260101-000000-bbbbbb"],
  );
  assert.equal((await t.store.runs.read("20260101-000000-a"))?.id, "20260101-000000-aaaaaa");
  assert.equal(await t.store.runs.read("2026"), undefined);
  assert.match(t.store.runs.newId(), /^\d{8}-\d{6}-[0-9a-f]{6}$/);
});
