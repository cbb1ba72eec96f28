/**
 * Fuzzes what reads input: pipelines, models, VNN-LIB, data, images, results, records, remote stores, provenance.
 *
 *     deno run -A --cached-only --no-check bench/fuzz.ts --target models --cases 100000 --seed 0
 *
 * Without `--target`, all of them. Ends with exit code 1 if anything crashed, hung, or took too much memory.
 *
 * @module
 */

import { parseArgs } from "node:util";
import { LONGEST } from "./fuzz/fuzz.ts";
import { targets } from "./fuzz/targets.ts";

const { values } = parseArgs({
  options: {
    target: { type: "string", multiple: true, default: Object.keys(targets) },
    cases: { type: "string", default: "100000" },
    from: { type: "string", default: "0" },
    seed: { type: "string", default: "0" },
  },
});

/** Seconds without progress; counted one by one, as a machine may be busy, or stop the whole process for a while. */
const STILL = LONGEST * 6;

/** Runs a target in a thread, and watches that it goes on. */
function run(target: string): Promise<{ faults: readonly unknown[] }> {
  const progress = new Int32Array(new SharedArrayBuffer(4));
  const worker = new Worker(new URL("./fuzz/worker.ts", import.meta.url), { type: "module" });
  return new Promise((resolve, reject) => {
    let last = -1;
    let still = 0;
    const watch = setInterval(() => {
      const now = Atomics.load(progress, 0);
      still = now === last ? still + 1 : 0;
      if (still >= STILL) {
        clearInterval(watch);
        worker.terminate();
        reject(new Error(`${target}: case ${now} of seed ${values.seed} hangs`));
      }
      last = now;
    }, 1000);
    worker.onmessage = ({ data }) => {
      clearInterval(watch);
      worker.terminate();
      resolve(data);
    };
    worker.onerror = (event) => {
      clearInterval(watch);
      reject(new Error(`${target}: case ${Atomics.load(progress, 0)}: ${event.message}`));
    };
    worker.postMessage({
      target,
      from: Number(values.from),
      cases: Number(values.cases),
      seed: Number(values.seed),
      progress,
    });
  });
}

let isFaulty = false;
for (const target of values.target) {
  const report = await run(target);
  isFaulty ||= report.faults.length > 0;
  console.log(JSON.stringify({ target, seed: Number(values.seed), ...report }));
}
Deno.exit(isFaulty ? 1 : 0);
