/**
 * The other side of `WorkerExecutor`: a thread that runs one stage after another.
 *
 * @module
 */

import process from "node:process";
import { Registry } from "../registry/registry.ts";
import { builtInStages } from "../stages/mod.ts";
import { openStore } from "../store/store.ts";
import type { JobOutcome, WorkerMessage } from "./executor.ts";
import { failureOf, type Job, runJob } from "./job.ts";
import { importPlugin } from "./plugins.ts";

/** More messages than a terminal can show only cost time. */
const PROGRESS_MILLISECONDS = 50;

/** This thread as the one that started it sees it; the compiler takes it for a window. */
const thread = globalThis as unknown as {
  onmessage: (event: MessageEvent<Job>) => void;
  postMessage(message: WorkerMessage): void;
};

globalThis.addEventListener("error", (event) => {
  event.preventDefault();
  thread.postMessage({ type: "stray", failure: failureOf(event.error) });
});
globalThis.addEventListener("unhandledrejection", (event) => {
  event.preventDefault();
  thread.postMessage({ type: "stray", failure: failureOf(event.reason) });
});

/** Ending the thread would leave the run waiting for ever. */
function refuse(name: string): (code?: unknown) => never {
  return () => {
    throw new Error(`A stage must not call ${name}: throw an error instead`);
  };
}
Object.defineProperty(Deno, "exit", { value: refuse("Deno.exit") });
Object.defineProperty(globalThis, "close", { value: refuse("close") });
// By itself it would end the thread without asking Deno.exit.
Object.defineProperty(process, "exit", { value: refuse("process.exit") });

thread.onmessage = async ({ data }) => {
  thread.postMessage({ type: "end", outcome: await work(data) });
};

async function work(job: Job): Promise<JobOutcome> {
  try {
    const registry = new Registry(builtInStages);
    if (job.plugin !== undefined) registry.add(await importPlugin(job.plugin), job.plugin);
    const { definition } = registry.get(job.stage)!;
    await using store = openStore(job.store, {
      onWarning: (message) => thread.postMessage({ type: "warn", message }),
    });
    let last = 0;
    let phase = "";
    const result = await runJob(job, definition, store, {
      // An interrupted Worker is terminated; what it leaves is what a killed process leaves.
      signal: new AbortController().signal,
      progress(progress) {
        const now = performance.now();
        const minor = progress.phase === phase && progress.done < progress.total;
        if (minor && now - last < PROGRESS_MILLISECONDS) return;
        last = now;
        phase = progress.phase;
        thread.postMessage({ type: "progress", progress });
      },
      warn: (message) => thread.postMessage({ type: "warn", message }),
    });
    return { result };
  } catch (error) {
    return { failure: failureOf(error) };
  }
}
