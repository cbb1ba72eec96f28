/**
 * `bitbound run FILE`
 *
 * @module
 */

import { UserError } from "../../base/errors.ts";
import { formatSeconds } from "../../base/units.ts";
import type { SigningKey } from "../../base/signature.ts";
import type { RunOutcome } from "../../pipeline/execute.ts";
import type { PipelineLock } from "../../pipeline/lock.ts";
import type { Pipeline } from "../../pipeline/pipeline.ts";
import type { Plan } from "../../pipeline/plan.ts";
import { summarizeRun } from "../../report/summary.ts";
import type { RunRecord, Store } from "../../store/store.ts";
import { ExitCode } from "../exit_code.ts";
import { Interrupted, interruptible } from "../interrupt.ts";
import { openEventsFile, STANDARD_OUTPUT } from "../output/events_file.ts";
import { reportToGithub } from "../output/github.ts";
import { planDocument, runDocument } from "../output/json_documents.ts";
import { planLines } from "../output/plan_text.ts";
import { problemLines, shownPath } from "../output/problems.ts";
import { reportText, requireFolder, writeReport } from "../output/report_file.ts";
import { formatOfFile } from "../output/report_format.ts";
import { runLines } from "../output/run_text.ts";
import { RunView } from "../output/run_view.ts";
import type { Streams } from "../output/streams.ts";
import { finishRemote, openStoreOf, type PipelineStoreOptions } from "../pipeline_store.ts";

/** Its options. */
export interface RunOptions extends PipelineStoreOptions {
  readonly file: string;
  readonly set: readonly string[];
  readonly jobs: number | undefined;
  readonly threads: number | undefined;
  readonly memory: number | undefined;
  readonly keepGoing: boolean;
  readonly smoke: boolean;
  readonly dryRun: boolean;
  readonly json: boolean;
  readonly events: string | undefined;
  readonly report: string | undefined;
  readonly only: readonly string[];
  readonly force: readonly string[];
  readonly lock: boolean;
  readonly frozen: boolean;
}

/** Loads, plans and executes a pipeline, and prints what came out. */
export async function run(options: RunOptions, given: Streams): Promise<ExitCode> {
  const isStreaming = options.events === STANDARD_OUTPUT;
  if (isStreaming && options.json) {
    throw new UserError({
      message: "--json and --events - contradict each other",
      hint: "Both are for standard output: let --events write to a file",
    });
  }
  const streams = isStreaming ? { ...given, out: given.err } : given;
  const { loadFile } = await import("../load_file.ts");
  const { planPipeline } = await import("../../pipeline/plan.ts");
  const { out, err } = streams;
  if (options.report !== undefined) {
    formatOfFile(options.report, "--report");
    await requireFolder(options.report, "--report");
  }

  if (options.lock && options.frozen) {
    throw new UserError({
      message: "--lock and --frozen contradict each other",
      hint: "--lock writes the lock file, --frozen proves that it need not be written",
    });
  }
  const whole = await loadFile(options.file, options);
  const pipeline = options.only.length === 0 ? whole : await part(whole, options);
  err.lines(...problemLines(pipeline.warnings, err.style, err.columns(), "warning"));
  await using opened = await openStoreOf(pipeline, options, streams);
  const { store, remote, key } = opened;
  let interrupted = false;
  try {
    return await interruptible(async (signal) => {
      const plan = await planPipeline(pipeline, store, {
        force: options.force,
        peek: options.dryRun,
      });
      const lock = options.frozen ? await requireLocked(plan) : undefined;
      if (options.dryRun) {
        if (options.json) out.lines(JSON.stringify(planDocument(plan), null, 2));
        else out.lines(...planLines(plan, out.style));
        return ExitCode.done;
      }
      if (options.smoke) {
        const failed = await rehearse(plan, options, streams, signal);
        interrupted = failed === ExitCode.interrupted;
        if (failed !== undefined) return failed;
      }
      const outcome = await execute(plan, options, given, signal, key);
      interrupted = outcome.status === "interrupted";
      if (interrupted) remote?.stop();
      report(plan, outcome, options, streams);
      reportToGithub(pipeline, outcome, streams);
      if (options.report !== undefined) {
        const format = formatOfFile(options.report, "--report");
        await writeReport(options.report, await reportText(outcome.record, store, format));
        err.lines(`Report: ${shownPath(options.report)}`);
      }
      if (outcome.status === "done" && (options.lock || lock !== undefined)) {
        await finishLock(outcome.record, store, lock, options, streams);
      }
      if (remote !== undefined) await finishRemote(remote, streams);
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

/** Rehearses a pipeline; if that does not work out, says why, and with which code to end. */
async function rehearse(
  { pipeline, store, stages }: Plan,
  options: RunOptions,
  streams: Streams,
  signal: AbortSignal,
): Promise<ExitCode | undefined> {
  const { err } = streams;
  const { bold, green, red, dim } = err.style;
  if (stages.every(({ status }) => status === "hit")) {
    err.lines(dim("Nothing to rehearse: every result is in the store"));
    return undefined;
  }
  const { rehearsalOf, unmeasured } = await import("../../pipeline/rehearsal.ts");
  const { planPipeline } = await import("../../pipeline/plan.ts");
  err.lines(bold("Rehearsal"));
  const plan = await planPipeline(await rehearsalOf(pipeline, store), store);
  const outcome = await execute(
    plan,
    { ...options, events: undefined },
    streams,
    signal,
    undefined,
  );
  const { seconds } = outcome;
  if (outcome.exitCode !== ExitCode.done) {
    if (outcome.status === "failed") err.lines(red("The rehearsal failed: nothing else was run"));
    return outcome.exitCode;
  }
  const missing = unmeasured(pipeline, outcome);
  if (missing.length > 0) {
    err.lines(...missing.map((each) => `${red("✗")} ${each}`));
    err.lines(red("The rehearsal failed: nothing else was run"));
    return ExitCode.failed;
  }
  err.lines(`${green("✓")} Rehearsed in ${formatSeconds(seconds)}`, "");
  return undefined;
}

/** Some stages with what they need. */
async function part(pipeline: Pipeline, { only, lock, frozen }: RunOptions): Promise<Pipeline> {
  if (lock || frozen) {
    throw new UserError({
      message: `--only cannot be used with ${lock ? "--lock" : "--frozen"}`,
      hint: "A lock file is of the whole pipeline: leave out --only",
    });
  }
  const { onlyStages } = await import("../../pipeline/subset.ts");
  return onlyStages(pipeline, only);
}

/** The lock file, if a plan is as it says. */
async function requireLocked(plan: Plan): Promise<PipelineLock> {
  const { lockError, lockPath, planChanges, readLock } = await import("../../pipeline/lock.ts");
  const path = lockPath(plan.pipeline.file);
  const lock = await readLock(path);
  const changes = planChanges(plan, lock);
  if (changes.length > 0) throw lockError(shownPath(path), changes);
  return lock;
}

/** Compares what a run made with the lock file, or writes that file. */
async function finishLock(
  record: RunRecord,
  store: Store,
  locked: PipelineLock | undefined,
  options: RunOptions,
  { err }: Streams,
): Promise<void> {
  const { lockError, lockOf, lockPath, resultChanges, writeLock } = await import(
    "../../pipeline/lock.ts"
  );
  const path = lockPath(options.file);
  const now = await lockOf(record, store);
  if (locked !== undefined) {
    const changes = resultChanges(now, locked);
    if (changes.length > 0) throw lockError(shownPath(path), changes);
    err.lines(`${err.style.green("✓")} Everything is as ${shownPath(path)} says`);
    return;
  }
  await writeLock(path, now);
  err.lines(`Lock: ${shownPath(path)}`);
}

async function execute(
  plan: Plan,
  options: RunOptions,
  { out, err, debug }: Streams,
  signal: AbortSignal,
  key: SigningKey | undefined,
): Promise<RunOutcome> {
  const { executePlan } = await import("../../pipeline/execute.ts");
  using events = options.events === undefined ? undefined : openEventsFile(options.events, out);
  const view = new RunView(err, debug);
  try {
    return await executePlan(plan, {
      ...(options.jobs === undefined ? {} : { jobs: options.jobs }),
      ...(options.threads === undefined ? {} : { threads: options.threads }),
      ...(options.memory === undefined ? {} : { memory: options.memory }),
      keepGoing: options.keepGoing,
      ...(key === undefined ? {} : { key }),
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
