/**
 * `bitbound run FILE`
 *
 * @module
 */

import type { RunOutcome } from "../../pipeline/execute.ts";
import type { Plan } from "../../pipeline/plan.ts";
import { summarizeRun } from "../../report/summary.ts";
import { ExitCode } from "../exit_code.ts";
import { Interrupted, interruptible } from "../interrupt.ts";
import { openEventsFile } from "../output/events_file.ts";
import { reportToGithub } from "../output/github.ts";
import { planDocument, runDocument } from "../output/json_documents.ts";
import { planLines } from "../output/plan_text.ts";
import { problemLines, shownPath } from "../output/problems.ts";
import { reportText, requireFolder, writeReport } from "../output/report_file.ts";
import { formatOfFile } from "../output/report_format.ts";
import { runLines } from "../output/run_text.ts";
import { RunView } from "../output/run_view.ts";
import type { Streams } from "../output/streams.ts";
import { storeFolder } from "../store_folder.ts";

/** Its options. */
export interface RunOptions {
  readonly file: string;
  readonly set: readonly string[];
  readonly store: string | undefined;
  readonly jobs: number | undefined;
  readonly threads: number | undefined;
  readonly keepGoing: boolean;
  readonly dryRun: boolean;
  readonly json: boolean;
  readonly events: string | undefined;
  readonly report: string | undefined;
}

/** Loads, plans and executes a pipeline, and prints what came out. */
export async function run(options: RunOptions, streams: Streams): Promise<ExitCode> {
  const { loadPipeline } = await import("../../pipeline/load.ts");
  const { planPipeline } = await import("../../pipeline/plan.ts");
  const { openStore } = await import("../../store/store.ts");
  const { out, err } = streams;
  if (options.report !== undefined) {
    formatOfFile(options.report, "--report");
    await requireFolder(options.report, "--report");
  }

  const pipeline = await loadPipeline(options.file, { set: options.set });
  err.lines(...problemLines(pipeline.warnings, err.style, err.columns(), "warning"));
  await using store = openStore(storeFolder(options.store), {
    onWarning: (message) => err.lines(`${err.style.yellow("warning")}: ${message}`),
  });
  let interrupted = false;
  try {
    return await interruptible(async (signal) => {
      const plan = await planPipeline(pipeline, store);
      if (options.dryRun) {
        if (options.json) out.lines(JSON.stringify(planDocument(plan), null, 2));
        else out.lines(...planLines(plan, out.style));
        return ExitCode.done;
      }
      const outcome = await execute(plan, options, streams, signal);
      interrupted = outcome.status === "interrupted";
      report(plan, outcome, options, streams);
      reportToGithub(pipeline, outcome, streams);
      if (options.report !== undefined) {
        const format = formatOfFile(options.report, "--report");
        await writeReport(options.report, await reportText(outcome.record, store, format));
        err.lines(`Report: ${shownPath(options.report)}`);
      }
      return outcome.exitCode;
    });
  } catch (error) {
    if (!(error instanceof Interrupted)) throw error;
    interrupted = true;
    return ExitCode.interrupted;
  } finally {
    if (interrupted) err.lines(resumeLine(streams));
  }
}

async function execute(
  plan: Plan,
  options: RunOptions,
  { err, debug }: Streams,
  signal: AbortSignal,
): Promise<RunOutcome> {
  const { executePlan } = await import("../../pipeline/execute.ts");
  using events = options.events === undefined ? undefined : openEventsFile(options.events);
  const view = new RunView(err, debug);
  try {
    return await executePlan(plan, {
      ...(options.jobs === undefined ? {} : { jobs: options.jobs }),
      ...(options.threads === undefined ? {} : { threads: options.threads }),
      keepGoing: options.keepGoing,
      signal,
      onEvent: (event) => {
        events?.write(event);
        view.onEvent(event);
      },
    });
  } finally {
    view.close();
  }
}

function report(
  { pipeline, store }: Plan,
  outcome: RunOutcome,
  options: RunOptions,
  { out }: Streams,
): void {
  if (options.json) out.lines(JSON.stringify(runDocument(pipeline, outcome), null, 2));
  else out.lines(...runLines(summarizeRun(outcome.record), store, out.style));
}

function resumeLine({ err }: Streams): string {
  return `${err.style.yellow("Interrupted.")} What had finished is kept: ` +
    "run the same command again to go on";
}
