/**
 * Like `run_process.ts`, but ends itself at a moment given on the command line as a {@linkcode KillSwitch}.
 *
 * @module
 */

import { arm, type KillSwitch } from "./kill_switch.ts";
import { run } from "./support.ts";

const [file, text] = Deno.args as [string, string];
const killSwitch = JSON.parse(text) as KillSwitch;
arm(killSwitch, 0);
let started = 0;
const PlainWorker = Worker;
globalThis.Worker = class extends PlainWorker {
  constructor(module: string | URL, options?: WorkerOptions) {
    const armed = new URL("./killed_worker.ts", import.meta.url);
    armed.searchParams.set("module", String(module));
    armed.searchParams.set("switch", text);
    armed.searchParams.set("thread", String(++started));
    super(armed.href, options);
  }
};
const { exitCode } = await run(file, { executor: "workers" });
Deno.exit(exitCode);
