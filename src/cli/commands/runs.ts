/**
 * `bitbound runs`, `bitbound show [RUN]` and `bitbound status`
 *
 * @module
 */

import { shellWord } from "../../base/shell_word.ts";
import { padText, printable, type Style, textTable, textWidth } from "../../base/terminal_text.ts";
import { formatAge, formatSeconds } from "../../base/units.ts";
import { type RunState, stateOf } from "../../pipeline/run_state.ts";
import { ExitCode } from "../exit_code.ts";
import { shownPath } from "../output/problems.ts";
import type { Streams } from "../output/streams.ts";
import { runOf } from "../run_of.ts";
import { openNamedStore } from "../store_folder.ts";

/** Options of `runs`. */
export interface RunsOptions {
  readonly pipeline: string | undefined;
  readonly number: number;
  readonly store: string | undefined;
  readonly json: boolean;
}

/** Lists recorded runs, newest first. */
export async function runs(options: RunsOptions, streams: Streams): Promise<ExitCode> {
  const { out } = streams;
  await using store = openNamedStore(options.store, streams);
  const all = (await store.runs.list())
    .filter(({ pipeline }) => options.pipeline === undefined || pipeline === options.pipeline);
  const states = await Promise.all(
    all.slice(0, options.number).map((record) => stateOf(record, store)),
  );
  if (options.json) {
    const listed = states.map(stateDocument);
    out.lines(
      JSON.stringify({ version: 1, store: store.root, total: all.length, runs: listed }, null, 2),
    );
  } else out.lines(...listLines(states, all.length, out.style));
  return ExitCode.done;
}

/** Options of `show`. */
export interface ShowOptions {
  readonly run: string;
  readonly store: string | undefined;
  readonly json: boolean;
}

/** Shows a run as it was shown when it ended. */
export async function show(options: ShowOptions, streams: Streams): Promise<ExitCode> {
  const { out } = streams;
  await using store = openNamedStore(options.store, streams);
  const record = await runOf(options.run, store);
  const state = await stateOf(record, store);
  if (options.json) {
    out.lines(JSON.stringify({ version: 1, ...stateDocument(state), record }, null, 2));
    return ExitCode.done;
  }
  const { summarizeRun } = await import("../../report/summary.ts");
  const { runLines } = await import("../output/run_text.ts");
  const settings = record.settings.map((setting) => `--set ${shellWord(setting)}`).join(" ");
  out.lines(
    `${out.style.bold(printable(record.pipeline))}  ${stateText(state, out.style)}  ${
      formatAge(record.started)
    }`,
    `bitbound run ${
      printable(
        [shellWord(shownPath(record.file)), settings].filter((part) => part !== "").join(" "),
      )
    }`,
    ...runLines(summarizeRun(record), store, out.style, true),
  );
  return ExitCode.done;
}

/** Options of `status`. */
export interface StatusOptions {
  readonly store: string | undefined;
  readonly json: boolean;
}

/** Shows the newest run of each pipeline, those that are going on stage by stage. */
export async function status(options: StatusOptions, streams: Streams): Promise<ExitCode> {
  const { out } = streams;
  await using store = openNamedStore(options.store, streams);
  const newest = new Map<string, RunState>();
  for (const record of await store.runs.list()) {
    const isNewest = !newest.has(record.pipeline);
    if (!isNewest && record.status !== "running") continue;
    const state = await stateOf(record, store);
    if (isNewest) newest.set(record.pipeline, state);
    else if (state.status === "running") newest.set(record.id, state);
  }
  const states = [...newest.values()]
    .sort((a, b) => Number(b.status === "running") - Number(a.status === "running"));
  if (options.json) {
    const listed = states.map((state) => ({
      ...stateDocument(state),
      stages: state.record.stages,
    }));
    out.lines(JSON.stringify({ version: 1, store: store.root, runs: listed }, null, 2));
    return ExitCode.done;
  }
  if (states.length === 0) {
    out.lines(`Nothing was run with the store ${shownPath(store.root)} yet`);
  }
  out.lines(...states.flatMap((state) => statusLines(state, out.style)));
  return ExitCode.done;
}

function stateDocument({ record, status, seconds, left }: RunState): object {
  return {
    run: record.id,
    pipeline: record.pipeline,
    file: record.file,
    status,
    started: record.started,
    ...(record.finished !== undefined && { finished: record.finished }),
    ...(seconds !== undefined && { seconds }),
    ...(left !== undefined && { left }),
  };
}

function listLines(states: readonly RunState[], total: number, style: Style): string[] {
  if (states.length === 0) return ["No run is recorded"];
  const rows = states.map((state) => {
    const { record: { id, pipeline, started, stages }, seconds } = state;
    const count = (wanted: string) => stages.filter(({ status }) => status === wanted).length;
    return [
      id,
      printable(pipeline),
      stateText(state, style),
      formatAge(started),
      seconds === undefined ? "" : formatSeconds(seconds),
      String(count("ran")),
      String(count("hit")),
    ];
  });
  const columns = [
    { title: "run" },
    { title: "pipeline" },
    { title: "status" },
    { title: "started" },
    { title: "took", align: "right" as const },
    { title: "ran", align: "right" as const },
    { title: "cached", align: "right" as const },
  ];
  const rest = total - states.length;
  return [
    ...textTable(columns, rows, style),
    ...(rest > 0 ? ["", `${rest} older ones; --number ${total} shows all`] : []),
  ];
}

function stateText({ status }: RunState, style: Style): string {
  switch (status) {
    case "done":
      return style.green("done");
    case "running":
      return style.cyan("running");
    case "failed":
      return style.red("failed");
    case "expectation-failed":
      return style.red("not as expected");
    case "interrupted":
    case "stopped":
      return style.yellow(status);
  }
}

function statusLines(state: RunState, style: Style): string[] {
  const { record, status, seconds, left } = state;
  const time = status === "running"
    ? `for ${formatSeconds(seconds ?? 0)}${
      left === undefined ? "" : `, about ${formatSeconds(left)} of work left`
    }`
    : formatAge(record.finished ?? record.started);
  const head = `${style.bold(printable(record.pipeline))}  ${stateText(state, style)} ${time}  ${
    style.dim(record.id)
  }`;
  if (status !== "running" && status !== "stopped") {
    const failed = record.stages.filter((each) => each.status === "failed");
    return [
      head,
      ...failed.map(({ id, error }) => `  ${style.red("✗")} ${printable(`${id}: ${error ?? ""}`)}`),
    ];
  }
  const width = Math.max(0, ...record.stages.map(({ id }) => textWidth(id)));
  const lines = record.stages.map(({ id, status: stage, seconds, started }) => {
    const name = padText(printable(id), width);
    switch (stage) {
      case "hit":
        return `  ${style.green("✓")} ${name}  ${style.dim("cached")}`;
      case "ran":
        return `  ${style.green("✓")} ${name}  ${formatSeconds(seconds ?? 0)}`;
      case "running": {
        const since = (Date.now() - Date.parse(started ?? record.started)) / 1000;
        return status === "running"
          ? `  ${style.cyan("▸")} ${name}  running for ${formatSeconds(since)}`
          : `  ${style.yellow("-")} ${name}  was under way`;
      }
      case "failed":
        return `  ${style.red("✗")} ${name}  failed`;
      default:
        return `  ${style.dim("·")} ${name}  ${style.dim("to come")}`;
    }
  });
  if (status === "stopped") lines.push(`  What had finished is kept: run it again to go on`);
  return [head, ...lines];
}
