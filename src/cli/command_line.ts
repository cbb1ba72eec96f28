/**
 * Reading the command line.
 *
 * @module
 */

import { importLater } from "../base/import_later.ts";
import type { ExitCode } from "./exit_code.ts";
import { type Action, commands } from "./grammar.ts";
import { readRight } from "./grammar/read.ts";
import type { Streams } from "./output/streams.ts";

export type { Action } from "./grammar.ts";

/**
 * Finds out what a command line asks for. Help, the version and mistakes are printed here.
 *
 * @returns What to do, or the exit code if there is nothing left to do.
 */
export async function readCommandLine(
  args: readonly string[],
  streams: Streams,
): Promise<Action | ExitCode> {
  const action = readRight(commands, args);
  if (action !== undefined) return action;
  const { explainCommandLine } = await importLater<typeof import("./grammar/explain.ts")>(
    import.meta.resolve("./grammar/explain.ts"),
  );
  return explainCommandLine(args, streams);
}
