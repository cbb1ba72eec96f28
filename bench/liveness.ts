/**
 * Whether the program stays alive while it learns: how far apart redraws of the progress are, and how fast Ctrl-C is
 * answered, on a terminal of its own.
 *
 *     deno run --allow-read --allow-write --allow-env --allow-run bench/liveness.ts [ROW] [SECONDS] [PARAMETERS]
 *
 * The row is one of `bench/reconstruct/rows.ts`, the parameters are those of `reconstruct` as JSON. Needs the
 * command `script` (util-linux).
 *
 * @module
 */

import { fileURLToPath } from "node:url";
import { ROWS } from "./reconstruct/rows.ts";

const [name = "squeezenet-W4", seconds = "20", parameters = "{}"] = Deno.args;
const row = ROWS[name];
if (row === undefined) throw new RangeError(`Row ${name} does not exist`);
const folder = Deno.makeTempDirSync({ prefix: "bitbound-bench-" });
const file = `${folder}/pipeline.yaml`;
Deno.writeTextFileSync(file, JSON.stringify(row.pipeline(0, JSON.parse(parameters))));
const store = Deno.env.get("BITBOUND_STORE") ?? `${folder}/store`;

const child = new Deno.Command("script", {
  args: [
    "-qefc",
    `stty cols 120; exec ${Deno.execPath()} run -A src/cli/main.ts run ${file} --store ${store}`,
    "/dev/null",
  ],
  cwd: fileURLToPath(new URL("..", import.meta.url)),
  stdin: "piped",
  stdout: "piped",
  env: { TERM: "xterm" },
}).spawn();

/** Milliseconds between redraws while units are learned. */
const gaps: number[] = [];
let last: number | undefined;
let pressed: number | undefined;
let firstAnswer: number | undefined;
let begun: number | undefined;
const keyboard = child.stdin.getWriter();
for await (const text of child.stdout.pipeThrough(new TextDecoderStream())) {
  const now = performance.now();
  if (pressed !== undefined) {
    // Redraws go on until the work has stopped; the words that end the run are the answer.
    if (/interrupted|again/i.test(text)) firstAnswer ??= now - pressed;
    continue;
  }
  if (begun === undefined) {
    if (/unit \d+ of/.test(text)) begun = last = now;
    continue;
  }
  gaps.push(now - last!);
  last = now;
  if (now - begun > 1000 * Number(seconds)) {
    pressed = performance.now();
    await keyboard.write(Uint8Array.of(3));
  }
}
const ended = performance.now();
const { code } = await child.status;
await keyboard.close().catch(() => {});
Deno.removeSync(folder, { recursive: true });
if (pressed === undefined) throw new Error(`The program ended by itself, with exit code ${code}`);

gaps.sort((a, b) => a - b);
const at = (share: number) => gaps[Math.min(gaps.length - 1, Math.floor(share * gaps.length))]!;
console.log(
  `${name}: ${gaps.length} redraws, ${at(0.5).toFixed(0)} ms apart (median), ` +
    `${at(0.99).toFixed(0)} ms (99 %), ${at(1).toFixed(0)} ms at most`,
);
console.log(
  `Ctrl-C: answered after ${firstAnswer?.toFixed(0) ?? "–"} ms, ended after ${
    (ended - pressed).toFixed(0)
  } ms with exit code ${code}`,
);
