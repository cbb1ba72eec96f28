/**
 * What is said when a run is over: results, gates, where the artifacts are, and what to do next.
 *
 * @module
 */

import { printable, type Style, textTable } from "../../base/terminal_text.ts";
import { formatBytes, formatSeconds } from "../../base/units.ts";
import type { RunOutcome, StageOutcome } from "../../pipeline/execute.ts";
import type { Pipeline } from "../../pipeline/pipeline.ts";
import { shownPath } from "./problems.ts";
import { resultTables, tableLines } from "./result_table.ts";

/** The lines for standard output. */
export function summaryLines(pipeline: Pipeline, outcome: RunOutcome, style: Style): string[] {
  const sections = [
    ...resultTables(pipeline, outcome.stages).map((table) => tableLines(table, style)),
    gateLines(outcome.stages, style),
    artifactLines(outcome.stages, style),
    publishedLines(outcome.stages, style),
    [countLine(outcome, style)],
  ];
  return sections.filter((lines) => lines.length > 0).flatMap((lines) => ["", ...lines]);
}

function gateLines(stages: readonly StageOutcome[], style: Style): string[] {
  return stages.flatMap(({ stage, expects }) =>
    expects.map(({ met, message, condition }) =>
      met
        ? `${style.green("✓")} ${printable(stage)}: ${message}, as expected (${condition})`
        : `${style.red("✗")} ${printable(stage)}: ${message}`
    )
  );
}

function artifactLines(stages: readonly StageOutcome[], style: Style): string[] {
  const rows = stages.flatMap(({ stage, outputs }) =>
    Object.entries(outputs).map(([port, { kind, size, path }]) => [
      printable(`${stage}.${port}`),
      kind,
      formatBytes(size),
      style.dim(shownPath(path)),
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

function publishedLines(stages: readonly StageOutcome[], style: Style): string[] {
  return stages.flatMap(({ stage, published }) =>
    published.map(({ output, path, changed }) =>
      `${printable(`${stage}.${output}`)} → ${style.bold(shownPath(path))}` +
      (changed ? "" : style.dim(" (unchanged)"))
    )
  );
}

function countLine({ stages, seconds, run, status }: RunOutcome, style: Style): string {
  const count = (wanted: StageOutcome["status"]) =>
    stages.filter(({ status }) => status === wanted).length;
  const parts = [
    [count("ran"), "ran"],
    [count("hit"), "cached"],
    [count("failed"), "failed"],
    [count("blocked") + count("skipped"), "not started"],
  ].filter(([number]) => number !== 0).map(([number, what]) => `${number} ${what}`);
  const outcome = {
    "done": style.green("Done"),
    "failed": style.red("Failed"),
    "expectation-failed": style.red("Done, but not as expected"),
    "interrupted": style.yellow("Interrupted"),
  }[status];
  const stagesText = `${stages.length} ${stages.length === 1 ? "stage" : "stages"}`;
  return `${outcome} in ${formatSeconds(seconds)}: ${stagesText}, ${parts.join(", ")} ` +
    style.dim(`(run ${run})`);
}
