/**
 * Ctrl-C: the first one stops the work and lets the program say how to go on, the second one ends it at once.
 *
 * @module
 */

import { ExitCode } from "./exit_code.ts";

/** Work that does not stop by itself after this long is left where it is; the store stays whole. */
const PATIENCE_MILLISECONDS = 400;

/** Thrown when work was interrupted. */
export class Interrupted extends Error {
  constructor() {
    super("Interrupted");
    this.name = "Interrupted";
  }
}

/**
 * Does some work that Ctrl-C (or a termination signal) interrupts.
 *
 * @param work Should stop when its signal is aborted; its result then still counts if it comes at once.
 * @throws {Interrupted} If interrupted, and the work gave no result in time.
 */
export async function interruptible<T>(work: (signal: AbortSignal) => Promise<T>): Promise<T> {
  const controller = new AbortController();
  let timer: ReturnType<typeof setTimeout> | undefined;
  let giveUp: (reason: Interrupted) => void;
  const late = new Promise<never>((_, reject) => giveUp = reject);
  late.catch(() => {});
  const interrupt = () => {
    if (controller.signal.aborted) Deno.exit(ExitCode.interrupted);
    const reason = new Interrupted();
    timer = setTimeout(() => giveUp(reason), PATIENCE_MILLISECONDS);
    controller.abort(reason);
  };
  const signals: Deno.Signal[] = Deno.build.os === "windows" ? ["SIGINT"] : ["SIGINT", "SIGTERM"];
  for (const signal of signals) Deno.addSignalListener(signal, interrupt);
  try {
    return await Promise.race([work(controller.signal), late]);
  } catch (error) {
    throw controller.signal.aborted ? new Interrupted() : error;
  } finally {
    // Deno loads Node's timers at the first use of one, which takes longer than a plan of what is cached.
    if (timer !== undefined) clearTimeout(timer);
    for (const signal of signals) Deno.removeSignalListener(signal, interrupt);
  }
}
