/**
 * Killing the program in the middle of its work.
 *
 * @module
 */

import assert from "node:assert/strict";
import { call, start } from "../cli/fixture.ts";

/** What an event stream tells of a stage's progress. */
export interface Told {
  readonly type: string;
  readonly stage?: string;
  readonly phase?: string;
  readonly done?: number;
  readonly total?: number;
  readonly values?: Readonly<Record<string, number>>;
}

/**
 * Runs a pipeline and kills the program, with no chance to clean up, at the first event that fits.
 *
 * @param events A file for the events, replaced.
 */
export async function killAt(
  file: string,
  store: string,
  events: string,
  fits: (event: Told) => boolean,
): Promise<void> {
  await Deno.remove(events).catch(() => {});
  const process = start(["run", file, "--store", store, "--events", events]);
  const said = Promise.all([process.stdout, process.stderr].map((stream) => stream.text()));
  let isOver = false;
  process.status.then(() => isOver = true);
  for (;;) {
    const text = await Deno.readTextFile(events).catch(() => "");
    const told = text.split("\n").slice(0, -1).map((line) => JSON.parse(line) as Told);
    if (told.some(fits)) break;
    if (isOver) assert.fail(`the program ended before the event came: ${await said}`);
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
  process.kill("SIGKILL");
  assert.equal((await process.status).signal, "SIGKILL");
  await said;
}

/** Runs a pipeline to its end: the digests of its artifacts, by `stage.output`. */
export async function digestsOf(
  file: string,
  store: string,
  options: readonly string[] = [],
): Promise<Map<string, string>> {
  const { code, stdout, stderr } = await call([
    "run",
    file,
    "--store",
    store,
    "--json",
    ...options,
  ]);
  assert.equal(code, 0, stderr);
  const { stages } = JSON.parse(stdout) as {
    stages: { id: string; outputs: Record<string, { digest: string }> }[];
  };
  return new Map(
    stages.flatMap(({ id, outputs }) =>
      Object.entries(outputs).map((
        [name, { digest }],
      ): [string, string] => [`${id}.${name}`, digest])
    ),
  );
}
