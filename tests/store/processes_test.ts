import assert from "node:assert/strict";
import { join } from "node:path";
import { Random } from "../../src/base/random.ts";
import { collectGarbage } from "../../src/store/gc.ts";
import { openStore } from "../../src/store/store.ts";
import { verifyStore } from "../../src/store/verify.ts";
import { keyed, start, temporaryFolder } from "./fixture.ts";

Deno.test("three processes at once execute each stage once", async () => {
  await using folder = temporaryFolder();
  const root = join(folder.path, "store");
  const log = join(folder.path, "log");
  const count = 25;
  const processes = [1, 2, 3].map(() => start("execute_keys.ts", root, String(count), log));
  const outputs = await Promise.all(processes.map((process) => process.output()));
  assert.ok(outputs.every(({ success }) => success));
  const hits = outputs.map(({ stdout }) => Number(new TextDecoder().decode(stdout)));
  assert.equal(hits.reduce((sum, each) => sum + each), 2 * count);
  const executed = (await Deno.readTextFile(log)).trim().split("\n").map(Number);
  assert.deepEqual(executed.sort((a, b) => a - b), Array.from({ length: count }, (_, i) => i));
  assert.deepEqual((await verifyStore(root)).damage, []);
});

Deno.test("threads of one process exclude each other too", async () => {
  await using folder = temporaryFolder();
  await using a = openStore(join(folder.path, "store"));
  await using b = openStore(join(folder.path, "store"));
  const { key } = keyed("a");
  const order: string[] = [];
  const first = await a.lock(key);
  const second = b.lock(key, { onWait: () => order.push("waits") }).then(async (lock) => {
    order.push("gets it");
    await lock.release();
  });
  while (order.length === 0) await new Promise((resolve) => setTimeout(resolve, 1));
  order.push("gives it back");
  await first.release();
  await second;
  assert.deepEqual(order, ["waits", "gives it back", "gets it"]);
});

Deno.test("waiting for a lock can be aborted", async () => {
  await using folder = temporaryFolder();
  await using store = openStore(join(folder.path, "store"));
  const { key } = keyed("a");
  await using _lock = await store.lock(key);
  const controller = new AbortController();
  const waiting = store.lock(key, {
    signal: controller.signal,
    onWait: () => controller.abort(new Error("Interrupted")),
  });
  await assert.rejects(() => waiting, /Interrupted/);
});

Deno.test("a killed process holds nothing", async () => {
  await using folder = temporaryFolder();
  const process = start("hold_lock.ts", folder.path);
  const reader = process.stdout.getReader();
  await reader.read();
  {
    await using store = openStore(folder.path);
    let waited = false;
    const waiting = store.lock(keyed("held").key, { onWait: () => waited = true });
    while (!waited) await new Promise((resolve) => setTimeout(resolve, 1));
    process.kill("SIGKILL");
    await process.status;
    await (await waiting).release();
  }
  await reader.cancel();
  await collectGarbage(folder.path);
});

Deno.test("a kill at any moment leaves the store whole and keeps what was recorded", async () => {
  await using folder = temporaryFolder();
  const root = join(folder.path, "store");
  const random = Random.from(1, "kill");
  for (let round = 0; round < 12; round++) {
    const process = start("write_forever.ts", root, String(round));
    const lines = process.stdout.pipeThrough(new TextDecoderStream()).getReader();
    let seen = "";
    const until = 1 + random.integer(4);
    while (seen.split("\n").length <= until) seen += (await lines.read()).value ?? "";
    await new Promise((resolve) => setTimeout(resolve, random.uniform() * 12));
    process.kill("SIGKILL");
    await process.status;
    for (;;) {
      const { value, done } = await lines.read();
      if (done) break;
      seen += value;
    }

    const warnings: string[] = [];
    await using store = openStore(root, { onWarning: (message) => warnings.push(message) });
    assert.deepEqual((await verifyStore(root)).damage, [], `round ${round}`);
    const safe = seen.split("\n").length - 1;
    for (let index = 0; index < safe; index++) {
      const { action } = await store.lookup(keyed(`stage-${round}-${index}`).key);
      assert.ok(action, `stage ${index} of round ${round} was recorded`);
    }
    const state = await store.checkpoints(keyed("long").key).load("state");
    assert.ok(state);
    assert.deepEqual(warnings, []);
    // Whatever it was doing, nothing needs unlocking.
    let waited = false;
    const next = keyed(`stage-${round}-${safe}`).key;
    await (await store.lock(next, { onWait: () => waited = true })).release();
    assert.equal(waited, false);
  }
  await collectGarbage(root);
  assert.deepEqual((await verifyStore(root)).damage, []);
});
