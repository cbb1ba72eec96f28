/**
 * Many runs of pipelines that have stages in common, at once, on one store.
 *
 * @module
 */

import { fileURLToPath } from "node:url";
import { openStore } from "../../src/store/store.ts";
import { verifyStore } from "../../src/store/verify.ts";
import { Folder, run, type TestRun } from "./support.ts";

const PROCESS = fileURLToPath(new URL("./crowd_process.ts", import.meta.url));

/** How many pipelines there are; run `n` is of pipeline `n % VARIANTS`. */
const VARIANTS = 8;
/** Numbers that each execution of a counting stage logs. */
const NUMBERS = 6;

/** What came of a crowd. */
export interface Crowd {
  readonly runs: number;
  /** How often a stage was executed that somebody else executed, too. */
  readonly repeated: number;
  /** What was not as it has to be, one sentence each. */
  readonly faults: readonly string[];
}

/** The pipeline of a run: the first stages are those of all, the next two of every second one, the last of its own. */
function pipelineOf(folder: Folder, number: number): string {
  const variant = number % VARIANTS;
  const log = (name: string) => JSON.stringify(folder.join("logs", name));
  const half = variant % 2;
  return folder.pipeline(
    `
name: crowd-${variant}
stages:
  - { id: one, uses: count, with: { to: ${NUMBERS}, milliseconds: 8, log: ${log("one")} } }
  - { id: two, uses: number, with: { value: 5 } }
  - { id: three, uses: sum, in: { a: two, b: none, c: none, d: none }, with: { plus: ${half}, log: ${
      log(`three-${half}`)
    } } }
  - { id: four, uses: count, with: { to: ${NUMBERS}, milliseconds: ${half + 4}, log: ${
      log(`four-${half}`)
    } } }
  - { id: five, uses: sum, in: { a: two, b: three, c: none, d: none }, with: { plus: ${variant}, log: ${
      log(`five-${variant}`)
    } } }
`,
    `pipeline-${variant}.yaml`,
  );
}

/** The digests of what a run made. */
export function digestsOf({ stages }: TestRun): string {
  return stages.flatMap(({ stage, outputs }) =>
    Object.entries(outputs).map(([port, { digest }]) => `${stage}.${port} ${digest}`)
  ).join("\n");
}

/**
 * Lets processes run pipelines at once.
 *
 * @param each How many runs each process has going at once.
 */
export async function gather(processes: number, each: number): Promise<Crowd> {
  using alone = new Folder();
  using folder = new Folder();
  for (const place of [alone, folder]) Deno.mkdirSync(place.join("logs"));
  const wanted: string[] = [];
  for (let variant = 0; variant < VARIANTS; variant++) {
    pipelineOf(folder, variant);
    wanted.push(digestsOf(await run(pipelineOf(alone, variant))));
  }
  const faults: string[] = [];
  const outputs = await Promise.all(
    Array.from({ length: processes }, (_, index) =>
      new Deno.Command(Deno.execPath(), {
        args: [
          "run",
          "--no-check",
          "--allow-all",
          PROCESS,
          folder.path,
          String(index * each),
          String(each),
          String(VARIANTS),
        ],
        stderr: "inherit",
      }).output()),
  );
  for (const { code, stdout } of outputs) {
    if (code !== 0) faults.push(`A process ended with ${code}`);
    for (const [number, digests] of JSON.parse(new TextDecoder().decode(stdout))) {
      if (digests !== wanted[number % VARIANTS]) faults.push(`Run ${number} made other bytes`);
    }
  }
  let repeated = 0;
  for (const { name } of Deno.readDirSync(folder.join("logs"))) {
    const lines = Deno.readTextFileSync(folder.join("logs", name)).trim().split("\n").length;
    const once = name.startsWith("one") || name.startsWith("four") ? NUMBERS : 1;
    repeated += Math.ceil(lines / once) - 1;
  }
  if (repeated > 0) faults.push(`Stages were executed ${repeated} times more than needed`);
  await using store = openStore(folder.join("store"));
  const { damage } = await verifyStore(store.root);
  faults.push(...damage.map(String));
  const locks = [...Deno.readDirSync(folder.join("store", "locks"))];
  if (locks.length > 0) faults.push(`${locks.length} locks are left`);
  return { runs: processes * each, repeated, faults };
}
