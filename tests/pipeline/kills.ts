/**
 * Kills runs of a five-stage pipeline at random moments and compares what comes out in the end with an uninterrupted run.
 *
 * Half of the moments are random in time. The others are in front of, amid or after a random change to a file, in the main
 * thread or in a Worker: in time, most of these take next to nothing.
 *
 * @module
 */

import { fileURLToPath } from "node:url";
import type { Random } from "../../src/base/random.ts";
import type { RunEvent } from "../../src/pipeline/events.ts";
import { openStore } from "../../src/store/store.ts";
import { verifyStore } from "../../src/store/verify.ts";
import type { KillSwitch } from "./kill_switch.ts";
import { Folder, run, type TestRun } from "./support.ts";

const PROCESS = fileURLToPath(new URL("./run_process.ts", import.meta.url));
const KILLED = fileURLToPath(new URL("./killed_process.ts", import.meta.url));

const PIPELINE = `
name: kills
stages:
  - { id: one, uses: count, with: { to: 12, milliseconds: 10 } }
  - { id: two, uses: number, with: { value: 5 } }
  - { id: three, uses: increment, in: { from: two } }
  - { id: four, uses: count, with: { to: 9, milliseconds: 15 } }
  - { id: five, uses: deliver, in: { value: three } }
`;

/** What came of some kills. */
export interface Kills {
  /** Processes that were killed before their end. */
  readonly killed: number;
  /** Pipelines that were brought to their end. */
  readonly finished: number;
  /** How often each moment was hit, such as `"main: amid write temporary"`. */
  readonly moments: Readonly<Record<string, number>>;
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
  const wanted = bytesOf(await run(whole.pipeline(PIPELINE)), whole);
  const totals = await countMoments();
  const faults: string[] = [];
  const moments = new Map<string, number>();
  let killed = 0;
  let finished = 0;
  /** How long a process takes that is not killed, in milliseconds. */
  let longest = 2000;
  while (killed < points) {
    using folder = new Folder();
    const file = folder.pipeline(PIPELINE);
    for (let isOver = false; !isOver;) {
      // Now and then nobody kills it, so that every pipeline ends.
      const isSpared = killed >= points || random.uniform() < 0.15;
      const started = performance.now();
      const { code, moment } = isSpared
        ? await killInTime(file, undefined)
        : random.uniform() < 0.5
        ? await killInTime(file, random.uniform() * longest)
        : await killAtChange(file, changeOf(totals, random, folder.join("note")));
      if (code === undefined) {
        moments.set(moment, (moments.get(moment) ?? 0) + 1);
        onKill(++killed, faults);
      } else {
        isOver = true;
        if (isSpared) longest = performance.now() - started;
        if (code !== 0) faults.push(`A process ended with exit code ${code}`);
      }
    }
    finished++;
    const outcome = await run(file);
    const hits = outcome.stages.every(({ status }) => status === "hit");
    if (!hits) faults.push("After a run that ended, not every stage was a hit");
    if (bytesOf(outcome, folder) !== wanted) {
      faults.push("The bytes are others than those of a whole run");
    }
    faults.push(...(await verifyStore(folder.join("store"))).damage);
    await using store = openStore(folder.join("store"));
    for (const { key, stage } of outcome.stages) {
      if (await store.isLocked(key!)) faults.push(`Stage "${stage}" is locked`);
    }
  }
  const sorted = [...moments].sort(([a], [b]) => a.localeCompare(b));
  return { killed, finished, moments: Object.fromEntries(sorted), faults };
}

/** Of each thread, how many moments it has in a whole run. */
async function countMoments(): Promise<readonly number[]> {
  using folder = new Folder();
  const note = folder.join("note");
  await killAtChange(folder.pipeline(PIPELINE), { thread: 0, moment: 0, note });
  const totals: number[] = [];
  for (const { name } of Deno.readDirSync(folder.path)) {
    if (!name.startsWith("note.")) continue;
    const [thread, count] = Deno.readTextFileSync(folder.join(name)).split(" ");
    totals[Number(thread)] = Number(count);
  }
  if (totals.length < 6) throw new Error(`Moments were counted in ${totals.length} threads`);
  return totals;
}

/** A moment of the main thread as often as one of a Worker. */
function changeOf(totals: readonly number[], random: Random, note: string): KillSwitch {
  const thread = random.uniform() < 0.5 ? 0 : 1 + random.integer(totals.length - 1);
  return { thread, moment: 1 + random.integer(totals[thread]!), note };
}

/** How a process ended: its exit code, or `undefined` if it was killed, and when that was. */
interface End {
  readonly code: number | undefined;
  readonly moment: string;
}

async function killInTime(file: string, milliseconds: number | undefined): Promise<End> {
  const child = start(PROCESS, file);
  const timer = milliseconds === undefined
    ? undefined
    : setTimeout(() => child.kill("SIGKILL"), milliseconds);
  const text = await new Response(child.stdout).text();
  const { signal, code } = await child.status;
  clearTimeout(timer);
  // The last line may be cut off.
  const events = text.split("\n").slice(0, -1).map((line) => JSON.parse(line) as RunEvent);
  const last = events.at(-1);
  const moment = last === undefined ? "time: before the run" : `time: after ${last.type}`;
  return { code: signal === "SIGKILL" ? undefined : code, moment };
}

async function killAtChange(file: string, killSwitch: KillSwitch): Promise<End> {
  const child = start(KILLED, file, JSON.stringify(killSwitch));
  await new Response(child.stdout).text();
  const { signal, code } = await child.status;
  if (signal !== "SIGKILL") return { code, moment: "" };
  const [thread, , ...what] = Deno.readTextFileSync(killSwitch.note).split(" ");
  return { code: undefined, moment: `${thread === "0" ? "main" : "Worker"}: ${what.join(" ")}` };
}

function start(module: string, ...args: string[]): Deno.ChildProcess {
  return new Deno.Command(Deno.execPath(), {
    args: ["run", "--no-check", "--allow-all", module, ...args],
    stdout: "piped",
    stderr: "inherit",
  }).spawn();
}

/** What a run gave: the digest of each output, and the file that was delivered. */
function bytesOf({ stages }: TestRun, folder: Folder): string {
  return JSON.stringify([
    stages.map(({ stage, outputs }) => [stage, Object.values(outputs).map(({ digest }) => digest)]),
    Deno.readTextFileSync(folder.join("delivered.json")),
  ]);
}
