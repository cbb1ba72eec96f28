/**
 * `--events FILE`: a run's events as they happen, one JSON object a line.
 *
 * @module
 */

import { UserError } from "../../base/errors.ts";
import type { RunEvent } from "../../pipeline/events.ts";

/** A file of events. */
export interface EventsFile extends Disposable {
  write(event: RunEvent): void;
}

/**
 * Starts a file of events, replacing the one before.
 *
 * @throws {UserError} If it cannot be written.
 */
export function openEventsFile(path: string): EventsFile {
  const encoder = new TextEncoder();
  let file: Deno.FsFile;
  try {
    file = Deno.openSync(path, { create: true, truncate: true, write: true });
  } catch (error) {
    throw new UserError({
      message: `File of events "${path}" cannot be written: ${(error as Error).message}`,
      hint: "Name a file in a folder that is there with --events",
    }, { cause: error });
  }
  return {
    write(event) {
      const bytes = encoder.encode(`${JSON.stringify(event)}\n`);
      for (let at = 0; at < bytes.length;) at += file.writeSync(bytes.subarray(at));
    },
    [Symbol.dispose]: () => file.close(),
  };
}
