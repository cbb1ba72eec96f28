/**
 * What a store keeps: results, records of runs, lock files.
 *
 * @module
 */

import assert from "node:assert/strict";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import type { JsonValue } from "../../../src/base/canonical_json.ts";
import { UserError } from "../../../src/base/errors.ts";
import type { Random } from "../../../src/base/random.ts";
import { executePlan } from "../../../src/pipeline/execute.ts";
import { loadPipeline } from "../../../src/pipeline/load.ts";
import { lockOf, planChanges, readLock, writeLock } from "../../../src/pipeline/lock.ts";
import { planPipeline } from "../../../src/pipeline/plan.ts";
import { summarizeRun } from "../../../src/report/summary.ts";
import { Layout } from "../../../src/store/layout.ts";
import { keyOfManifest } from "../../../src/store/key.ts";
import { readResultFile, resultFile } from "../../../src/store/result_file.ts";
import { openStore, type StoredAction } from "../../../src/store/store.ts";
import type { Target } from "../fuzz.ts";
import { mutateBytes, mutateJson } from "../mutate.ts";

const STAGES = fileURLToPath(new URL("../../../tests/pipeline/test_stages.ts", import.meta.url));

/** A store with a run of two stages, and its plan. */
export async function smallRun(folder: string) {
  const file = join(folder, "p.yaml");
  Deno.writeTextFileSync(
    file,
    `name: fuzzed
plugins: [${JSON.stringify(STAGES)}]
stages:
  - { uses: number, with: { value: 3 } }
  - { uses: increment }
`,
  );
  const pipeline = await loadPipeline(file);
  const store = openStore(join(folder, "store"));
  const plan = await planPipeline(pipeline, store);
  const outcome = await executePlan(plan, { executor: "inline" });
  assert.equal(outcome.status, "done");
  const actions: StoredAction[] = [];
  for await (const action of store.actions()) actions.push(action);
  return { file, pipeline, store, plan, outcome, actions };
}

/** A text that is damaged, or whose parts are exchanged and whose checksums are right again. */
export function damageResult(action: StoredAction, random: Random): string {
  if (random.integer(3) === 0) {
    const bytes = mutateBytes(new TextEncoder().encode(resultFile(action)), random);
    return new TextDecoder().decode(bytes);
  }
  const forged = mutateJson(action as unknown as JsonValue, random) as unknown as StoredAction;
  try {
    return resultFile(forged);
  } catch (error) {
    // What has no canonical form has no checksum either.
    if (error instanceof TypeError) return JSON.stringify({ version: 1, action: forged });
    throw error;
  }
}

/** Results as a lookup reads them, and as a whole pipeline is planned with them. */
export async function resultsTarget(folder: string): Promise<Target> {
  const { pipeline, store, actions } = await smallRun(folder);
  const layout = new Layout(store.root);
  const [first] = actions;
  return {
    async attempt(random: Random, keep) {
      const action = actions[random.integer(actions.length)] ?? first!;
      const text = damageResult(action, random);
      keep(text);
      const path = layout.action(action.key);
      Deno.writeTextFileSync(path, text);
      try {
        const read = readResultFile(text, action.key);
        const plan = await planPipeline(pipeline, store);
        if (read === undefined) throw new UserError("The result is damaged");
        assert.equal(keyOfManifest(read.action.manifest), action.key);
        if (random.integer(20) === 0) {
          const { status } = await executePlan(plan, { executor: "inline" });
          assert.equal(status, "done");
        }
      } finally {
        Deno.writeTextFileSync(path, resultFile(action));
      }
    },
    [Symbol.asyncDispose]: () => store[Symbol.asyncDispose](),
  };
}

/** Records of runs as commands read them, and lock files. */
export async function recordsTarget(folder: string): Promise<Target> {
  const { file, store, plan, outcome } = await smallRun(folder);
  const { record } = outcome;
  const path = new Layout(store.root).run(record.id);
  const whole = Deno.readTextFileSync(path);
  const lock = await lockOf(record, store);
  const lockFile = join(folder, "p.lock.json");
  await writeLock(lockFile, lock);
  return {
    async attempt(random: Random, keep) {
      if (random.integer(2) === 0) {
        const text = random.integer(2) === 0
          ? new TextDecoder().decode(mutateBytes(new TextEncoder().encode(whole), random))
          : JSON.stringify(mutateJson(JSON.parse(whole), random));
        keep(text);
        Deno.writeTextFileSync(path, text);
        const found = await store.runs.list();
        for (const each of found) summarizeRun(each);
        await planPipeline(plan.pipeline, store);
        if (found.length === 0) throw new UserError("The record is damaged");
      } else {
        const text = JSON.stringify(mutateJson(lock as unknown as JsonValue, random));
        keep(text);
        Deno.writeTextFileSync(lockFile, text);
        const changes = planChanges(plan, await readLock(lockFile));
        if (changes.length > 0) throw new UserError(changes);
      }
    },
    async [Symbol.asyncDispose]() {
      await store[Symbol.asyncDispose]();
      Deno.removeSync(file);
    },
  };
}
