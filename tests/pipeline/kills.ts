/**
 * Kills runs of a five-stage pipeline at random moments and compares what comes out in the end with an uninterrupted run.
 *
 * @module
 */

import { fileURLToPath } from "node:url";
import type { Random } from "../../src/base/random.ts";
import { openStore } from "../../src/store/store.ts";
import { verifyStore } from "../../src/store/verify.ts";
import { Folder, run } from "./support.ts";

const PROCESS = fileURLToPath(new URL("./run_process.ts", import.meta.url));

const PIPELINE = `
name: kills
stages:
  - { id: one, uses: count, with: { to: 12, milliseconds: 10 } }
  - { id: two, uses: number, with: { value: 5 } }
  - { id: three, uses: increment, in: { from: two } }
  - { id: four, uses: count, with: { to: 9, milliseconds: 15 } }
  - { id: five, uses: sum, in: { a: two, b: three, c: none, d: none } }
`;

/** What came of some kills. */
export interface Kills {
  /** Processes that were killed before their end. */
  readonly killed: number;
  /** Pipelines that were brought to their end. */
  readonly finished: number;
  /** What was not as it has to be, one sentence each. */
  readonly faults: readonly string[];
}

/**
 * Kills processes until as many were killed as asked for: each pipeline is started again and again, in one store, until a
 * process comes to its end.
 *
 * @param onKill Told how many were killed, and what was found wrong so far.
 */
export async function killAtRandom(
  points: number,
  random: Random,
  onKill: (killed: number, faults: readonly string[]) => void = () => {},
): Promise<Kills> {
  using whole = new Folder();
  const wanted = digests(await run(whole.pipeline(PIPELINE)));
  const faults: string[] = [];
  let killed = 0;
  let finished = 0;
  /** How long a process takes that is not killed, in milliseconds. */
  let longest = 2000;
  while (killed < points) {
    using folder = new Folder();
    const file = folder.pipeline(PIPELINE);
    for (let isOver = false; !isOver;) {
      const started = performance.now();
      const child = start(file);
      // Now and then nobody kills it, so that every pipeline ends.
      const patience = killed >= points || random.uniform() < 0.15
        ? Infinity
        : random.uniform() * longest;
      const timer = patience === Infinity
        ? undefined
        : setTimeout(() => child.kill("SIGKILL"), patience);
      const { signal, code } = await child.status;
      clearTimeout(timer);
      if (signal === "SIGKILL") onKill(++killed, faults);
      else {
        isOver = true;
        longest = performance.now() - started;
        if (code !== 0) faults.push(`A process ended with exit code ${code}`);
      }
    }
    finished++;
    const outcome = await run(file);
    const hits = outcome.stages.every(({ status }) => status === "hit");
    if (!hits) faults.push("After a run that ended, not every stage was a hit");
    if (digests(outcome) !== wanted) faults.push("The bytes are others than those of a whole run");
    faults.push(...(await verifyStore(folder.join("store"))).damage);
    await using store = openStore(folder.join("store"));
    for (const { key, stage } of outcome.stages) {
      if (await store.isLocked(key!)) faults.push(`Stage "${stage}" is locked`);
    }
  }
  return { killed, finished, faults };
}

function start(file: string): Deno.ChildProcess {
  return new Deno.Command(Deno.execPath(), {
    args: ["run", "--no-check", "--allow-all", PROCESS, file],
    stdout: "null",
    stderr: "inherit",
  }).spawn();
}

function digests({ stages }: Awaited<ReturnType<typeof run>>): string {
  return JSON.stringify(
    stages.map(({ stage, outputs }) => [
      stage,
      Object.values(outputs).map(({ digest }) => digest),
    ]),
  );
}
