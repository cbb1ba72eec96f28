/**
 * A run on a terminal: results, gates, where the artifacts are, and how it ended.
 *
 * @module
 */

import { printable, type Style, textTable } from "../../base/terminal_text.ts";
import { formatBytes, formatSeconds } from "../../base/units.ts";
import type { ReportStage, ReportTable, RunSummary } from "../document.ts";
import { cellsOf, countsOf, outcomeOf } from "./words.ts";

/** How a run is shown. */
export interface TerminalOptions {
  readonly style: Style;
  /** The file of an artifact, as it is to be shown. */
  readonly fileOf: (digest: string) => string;
  /** A path of the user's, as it is to be shown. */
  readonly shownPath: (path: string) => string;
  /** Whether to repeat what was told while the run went on: failures and warnings. */
  readonly repeat: boolean;
}

/** The lines. */
export function terminalLines(summary: RunSummary, options: TerminalOptions): string[] {
  const { style } = options;
  const { stages } = summary;
  const sections = [
    ...summary.tables.map((table) => tableLines(table, style)),
    options.repeat ? warningLines(stages, style) : [],
    options.repeat ? failureLines(stages, style) : [],
    gateLines(stages, style),
    artifactLines(stages, options),
    publishedLines(stages, options),
    [endLine(summary, style)],
  ];
  return sections.filter((lines) => lines.length > 0).flatMap((lines) => ["", ...lines]);
}

function tableLines(table: ReportTable, style: Style): string[] {
  return textTable(
    [
      { title: "model" },
      ...table.columns.map(({ title }) => ({ title, align: "right" as const })),
    ],
    table.rows.map((row) => [printable(row.subject), ...cellsOf(table, row)]),
    style,
  );
}

function warningLines(stages: readonly ReportStage[], style: Style): string[] {
  return stages.flatMap(({ id, warnings }) =>
    warnings.map((warning) => `${style.yellow("!")} ${printable(`${id}: ${warning}`)}`)
  );
}

function failureLines(stages: readonly ReportStage[], style: Style): string[] {
  return stages.flatMap(({ id, error }) =>
    error === undefined ? [] : [`${style.red("✗")} ${printable(`${id} failed: ${error}`)}`]
  );
}

function gateLines(stages: readonly ReportStage[], style: Style): string[] {
  return stages.flatMap(({ id, gates }) =>
    gates.map(({ met, message, condition }) =>
      met
        ? `${style.green("✓")} ${printable(`${id}: ${message}, as expected (${condition})`)}`
        : `${style.red("✗")} ${printable(`${id}: ${message}`)}`
    )
  );
}

function artifactLines(
  stages: readonly ReportStage[],
  { style, fileOf }: TerminalOptions,
): string[] {
  const rows = stages.flatMap(({ id, outputs }) =>
    Object.entries(outputs).map(([port, { kind, size, digest }]) => [
      printable(`${id}.${port}`),
      kind,
      formatBytes(size),
      style.dim(fileOf(digest)),
    ])
  );
  if (rows.length === 0) return [];
  return textTable(
    [{ title: "artifact" }, { title: "kind" }, { title: "size", align: "right" }, {
      title: "file",
    }],
    rows,
    style,
  );
}

function publishedLines(
  stages: readonly ReportStage[],
  { style, shownPath }: TerminalOptions,
): string[] {
  return stages.flatMap(({ id, published }) =>
    published.map(({ output, path, changed }) =>
      `${printable(`${id}.${output}`)} → ${style.bold(printable(shownPath(path)))}` +
      (changed ? "" : style.dim(" (unchanged)"))
    )
  );
}

function endLine(summary: RunSummary, style: Style): string {
  const { status, id, seconds } = summary.run;
  const paint = {
    "running": style.cyan,
    "done": style.green,
    "failed": style.red,
    "expectation-failed": style.red,
    "interrupted": style.yellow,
  }[status];
  const counts = countsOf(summary).map(({ count, what }) => `${count} ${what}`);
  const stages = summary.stages.length === 1 ? "1 stage" : `${summary.stages.length} stages`;
  const time = seconds === undefined ? "" : ` in ${formatSeconds(seconds)}`;
  return `${paint(outcomeOf(status))}${time}: ${[stages, ...counts].join(", ")} ${
    style.dim(`(run ${id})`)
  }`;
}
