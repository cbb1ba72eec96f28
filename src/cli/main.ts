/**
 * The program `bitbound`.
 *
 * @module
 */

import { UserError } from "../base/errors.ts";
import { importLater } from "../base/import_later.ts";
import { ConfinementNeeded, refuseForeignCode } from "../pipeline/foreign_code.ts";
import { LockError } from "../pipeline/lock_error.ts";
import { StoreError } from "../store/explain.ts";
import { readCommandLine } from "./command_line.ts";
import { ExitCode } from "./exit_code.ts";
import { annotate } from "./output/annotations.ts";
import { problemsDocument } from "./output/json_documents.ts";
import { problemLines } from "./output/problems.ts";
import { processStreams, type Streams } from "./output/streams.ts";

/** Does what the arguments ask for. */
export async function main(args: readonly string[], streams: Streams): Promise<ExitCode> {
  try {
    const asked = await readCommandLine(args, streams);
    return typeof asked === "number" ? asked : await asked(streams);
  } catch (error) {
    if (error instanceof ConfinementNeeded) {
      const { runConfined } = await importLater<typeof import("./confinement.ts")>(
        import.meta.resolve("./confinement.ts"),
      );
      return await runConfined(args, [...error.code.exports, ...error.writes], streams);
    }
    if (error instanceof UserError) return mistakes(error, args, streams);
    return defect(error, streams);
  }
}

function mistakes(error: UserError, args: readonly string[], streams: Streams): ExitCode {
  const { out, err, debug } = streams;
  if (args.includes("--json")) out.lines(JSON.stringify(problemsDocument(error.problems), null, 2));
  err.lines(...problemLines(error.problems, err.style, err.columns()));
  annotate(error.problems, streams);
  if (debug) err.lines(error.stack ?? "");
  if (error instanceof StoreError) return ExitCode.failed;
  return error instanceof LockError ? ExitCode.frozen : ExitCode.usage;
}

function defect(error: unknown, { err, debug }: Streams): ExitCode {
  const { bold, red, cyan } = err.style;
  const shown = error instanceof Error ? `${error.name}: ${error.message}` : String(error);
  const advice = "Run it again with --debug, and report what it prints with the pipeline file";
  err.lines(
    `${red("internal error")}: ${bold(shown)}`,
    "  This is a defect of the program, not a mistake of yours.",
    debug ? error instanceof Error ? error.stack ?? "" : "" : `  ${cyan("→")} ${advice}`,
  );
  return ExitCode.failed;
}

if (import.meta.main) {
  // Under `deno task`, the folder that the user is in; paths on the command line count from there.
  const folder = Deno.env.get("BITBOUND_CWD");
  if (folder) Deno.chdir(folder);
  const debug = Deno.args.includes("--debug") || Boolean(Deno.env.get("BITBOUND_DEBUG"));
  const trust = "--trust-plugins";
  if (!Deno.args.includes(trust)) refuseForeignCode();
  const args = Deno.args.filter((each) => each !== "--debug" && each !== trust);
  Deno.exit(await main(args, processStreams(debug)));
}
