import assert from "node:assert/strict";
import { join } from "node:path";
import fc from "fast-check";
import { UserError } from "../../src/base/errors.ts";
import { collectGarbage } from "../../src/store/gc.ts";
import { openStore, type RunRecord, type RunStage, type Store } from "../../src/store/store.ts";
import { verifyStore } from "../../src/store/verify.ts";
import { action, filesOf, keyed, temporaryFolder } from "./fixture.ts";

const DAY = 24 * 3600 * 1000;
const NOW = Date.parse("2026-03-01T00:00:00Z");
const bytes = (text: string) => new TextEncoder().encode(text);

/** A run `daysAgo` in which the named stages ran or, if they had before, were hits. */
async function run(
  store: Store,
  pipeline: string,
  daysAgo: number,
  names: readonly string[],
): Promise<RunRecord> {
  const time = new Date(NOW - daysAgo * DAY).toISOString();
  const id = `${time.slice(0, 10).replaceAll("-", "")}-000000-${pipeline.padEnd(6, "0")}`;
  const stages: RunStage[] = [];
  for (const name of names) {
    const found = (await store.lookup(keyed(name).key)).action;
    if (found === undefined) {
      const blob = await store.putBlob(bytes(`result of ${name}`));
      await store.record(keyed(name), action(blob, { run: id, finished: time }));
    }
    stages.push({
      id: name,
      uses: name,
      status: found ? "hit" : "ran",
      inputs: {},
      reason: "",
      key: keyed(name).key,
    });
  }
  const input = await store.putBlob(bytes(`input of ${pipeline}`));
  const record: RunRecord = {
    version: 2,
    id,
    pipeline,
    file: `${pipeline}.yaml`,
    settings: [],
    seed: 0,
    versions: {},
    started: time,
    finished: time,
    status: "done",
    inputs: { model: { kind: "model", ...input } },
    stages,
    metrics: {},
  };
  await store.runs.save(record);
  return record;
}

async function isHit(root: string, name: string): Promise<boolean> {
  await using store = openStore(root);
  return (await store.lookup(keyed(name).key)).action !== undefined;
}

Deno.test("gc keeps the newest runs of each pipeline and what they used", async () => {
  await using folder = temporaryFolder();
  const root = folder.path;
  {
    await using store = openStore(root);
    await run(store, "a", 30, ["shared", "old"]);
    await run(store, "a", 20, ["shared", "middle"]);
    await run(store, "a", 1, ["shared", "new"]);
    await run(store, "b", 90, ["other"]);
  }
  const before = filesOf(root);
  const dry = await collectGarbage(root, { keepRuns: 1, dryRun: true, now: NOW });
  assert.deepEqual(filesOf(root), before);
  const real = await collectGarbage(root, { keepRuns: 1, now: NOW });
  assert.deepEqual(dry, real);
  assert.equal(real.runs, 2);
  assert.equal(real.results, 2);
  assert.equal(real.blobs, 2);
  assert.equal(real.keptRuns, 2);
  assert.equal(real.keptResults, 3);
  const hits = [];
  for (const name of ["shared", "old", "middle", "new", "other"]) {
    hits.push(await isHit(root, name));
  }
  assert.deepEqual(hits, [true, false, false, true, true]);
  assert.deepEqual((await verifyStore(root)).damage, []);
});

Deno.test("gc by age keeps younger runs; with both limits either is reason to keep", async () => {
  for (
    const [options, kept] of [
      [{ olderThan: 14 * DAY }, [false, false, true]],
      [{ olderThan: 25 * DAY }, [false, true, true]],
      [{ olderThan: 14 * DAY, keepRuns: 2 }, [false, true, true]],
      [{ olderThan: 40 * DAY, keepRuns: 1 }, [true, true, true]],
      [{ olderThan: 0 }, [false, false, false]],
    ] as const
  ) {
    await using folder = temporaryFolder();
    {
      await using store = openStore(folder.path);
      await run(store, "a", 30, ["r30"]);
      await run(store, "a", 20, ["r20"]);
      await run(store, "a", 1, ["r1"]);
    }
    await collectGarbage(folder.path, { ...options, now: NOW });
    const hits = [];
    for (const name of ["r30", "r20", "r1"]) hits.push(await isHit(folder.path, name));
    assert.deepEqual(hits, kept, JSON.stringify(options));
  }
});

Deno.test("gc without limits deletes only what no result needs", async () => {
  await using folder = temporaryFolder();
  const root = folder.path;
  {
    await using store = openStore(root);
    await run(store, "a", 300, ["kept"]);
    await store.checkpoints(keyed("unfinished").key).save("state", bytes("kept too"));
    await store.record(
      keyed("of a run without record"),
      action(await store.putBlob(bytes("orphan"))),
    );
    await store.putBlob(bytes("nobody needs this"));
  }
  await Deno.writeTextFile(join(root, "temporary", "123-left-by-a-kill"), "half");
  const report = await collectGarbage(root, { now: NOW });
  assert.deepEqual(
    [report.runs, report.results, report.blobs, report.checkpoints, report.leftovers],
    [0, 0, 1, 0, 1],
  );
  assert.ok(await isHit(root, "kept"));
  assert.ok(await isHit(root, "of a run without record"));
  await using store = openStore(root);
  assert.ok(await store.checkpoints(keyed("unfinished").key).load("state"));
});

Deno.test("gc keeps what a run that was killed had made", async () => {
  await using folder = temporaryFolder();
  {
    await using store = openStore(folder.path);
    const { finished: _finished, ...record } = await run(store, "a", 1, ["made"]);
    await store.runs.save({ ...record, status: "running", stages: [] });
  }
  await collectGarbage(folder.path, { keepRuns: 1, now: NOW });
  assert.ok(await isHit(folder.path, "made"));
});

Deno.test("gc refuses while a run uses the store, and a run waits for it", async () => {
  await using folder = temporaryFolder();
  {
    await using store = openStore(folder.path);
    await store.putBlob(bytes("x"));
    await assert.rejects(
      () => collectGarbage(folder.path),
      (error) => error instanceof UserError && /is in use by a run/.test(error.message),
    );
  }
  assert.equal((await collectGarbage(folder.path)).blobs, 1);
});

Deno.test("gc of a folder without a store does nothing", async () => {
  await using folder = temporaryFolder();
  const report = await collectGarbage(join(folder.path, "none"), { keepRuns: 1 });
  assert.equal(report.bytes, 0);
  assert.deepEqual(filesOf(folder.path), []);
});

Deno.test("after gc the kept runs are whole, whatever was run before", async () => {
  const history = fc.array(
    fc.record({
      pipeline: fc.constantFrom("a", "b"),
      stages: fc.uniqueArray(fc.constantFrom("s", "t", "u", "v", "w"), { maxLength: 3 }),
    }),
    { minLength: 1, maxLength: 5 },
  );
  await fc.assert(
    fc.asyncProperty(history, fc.nat(3), fc.nat(12), async (runs, keepRuns, days) => {
      await using folder = temporaryFolder();
      const records: RunRecord[] = [];
      {
        await using store = openStore(folder.path);
        for (const [index, { pipeline, stages }] of runs.entries()) {
          records.unshift(await run(store, pipeline, 2 * (runs.length - index), stages));
        }
      }
      await collectGarbage(folder.path, { keepRuns, olderThan: days * DAY, now: NOW });
      assert.deepEqual((await verifyStore(folder.path)).damage, []);
      await using store = openStore(folder.path);
      const left = new Set((await store.runs.list()).map(({ id }) => id));
      for (const [index, record] of records.entries()) {
        const newer = records.slice(0, index).filter((each) => each.pipeline === record.pipeline);
        const wanted = newer.length < keepRuns || Date.parse(record.started) >= NOW - days * DAY;
        assert.equal(left.has(record.id), wanted);
        if (!wanted) continue;
        for (const { key } of record.stages) assert.ok((await store.lookup(key!)).action);
        assert.ok(await store.hasBlob(record.inputs["model"]!.digest));
      }
    }),
    { numRuns: 15 },
  );
});
