/**
 * `--events FILE`: a run's events as they happen, one JSON object a line.
 *
 * @module
 */

import { UserError } from "../../base/errors.ts";
import type { RunEvent } from "../../pipeline/events.ts";
import type { TextStream } from "./streams.ts";

/** In place of a file's name. */
export const STANDARD_OUTPUT = "-";

/** A file of events. */
export interface EventsFile extends Disposable {
  write(event: RunEvent): void;
}

/**
 * Starts a file of events, replacing the one before.
 *
 * @param out What {@linkcode STANDARD_OUTPUT} stands for.
 * @throws {UserError} If it cannot be written.
 */
export function openEventsFile(path: string, out: TextStream): EventsFile {
  if (path === STANDARD_OUTPUT) {
    return { write: (event) => out.lines(JSON.stringify(event)), [Symbol.dispose]() {} };
  }
  const encoder = new TextEncoder();
  let file: Deno.FsFile;
  try {
    file = Deno.openSync(path, { create: true, truncate: true, write: true });
  } catch (error) {
    throw new UserError({
      message: `File of events "${path}" cannot be written: ${(error as Error).message}`,
      hint: "Name a file in a folder that is there with --events, or - for standard output",
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
