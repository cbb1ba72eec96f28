/**
 * A run in Markdown, for the pages of continuous integration.
 *
 * @module
 */

import { formatSeconds } from "../../base/units.ts";
import type { ReportTable, RunSummary } from "../document.ts";
import { cellsOf, countsOf, outcomeOf } from "./words.ts";

/**
 * Writes a run in Markdown.
 *
 * @param limit The most bytes that it may have: what is too much is cut off at the end of a line.
 */
export function markdownOf(summary: RunSummary, limit = Infinity): string {
  const { run, stages, tables } = summary;
  const counts = countsOf(summary).map(({ count, what }) => `${count} ${what}`).join(", ");
  const time = run.seconds === undefined ? "" : ` in ${formatSeconds(run.seconds)}`;
  const lines = [
    `### ${escapeMarkdown(run.pipeline)}: ${outcomeOf(run.status)}`,
    "",
    ...(run.description === undefined ? [] : [escapeMarkdown(run.description), ""]),
    `${stages.length} ${
      stages.length === 1 ? "stage" : "stages"
    }${time} (${counts}), run \`${run.id}\``,
    "",
    ...tables.flatMap(tableOf),
  ];
  for (const { id, gates } of stages) {
    for (const { met, message, condition } of gates) {
      const text = met ? `${id}: ${message} (${condition})` : `${id}: ${message}`;
      lines.push(`- ${met ? "✅" : "❌"} ${escapeMarkdown(text)}`);
    }
  }
  for (const { id, error } of stages) {
    if (error !== undefined) lines.push(`- ❌ ${escapeMarkdown(`${id} failed: ${error}`)}`);
  }
  for (const { id, warnings } of stages) {
    for (const warning of warnings) lines.push(`- ⚠️ ${escapeMarkdown(`${id}: ${warning}`)}`);
  }
  return cutToBytes(lines, limit);
}

function tableOf(table: ReportTable): string[] {
  return [
    rowOf(["model", ...table.columns.map(({ title }) => escapeMarkdown(title))]),
    rowOf(["---", ...table.columns.map(() => "---:")]),
    ...table.rows.map((row) => rowOf([row.subject, ...cellsOf(table, row)].map(escapeMarkdown))),
    "",
  ];
}

function rowOf(cells: readonly string[]): string {
  return `| ${cells.join(" | ")} |`;
}

function cutToBytes(lines: readonly string[], limit: number): string {
  const encoder = new TextEncoder();
  let bytes = 0;
  let text = "";
  for (const line of lines) {
    bytes += encoder.encode(line).length + 1;
    if (bytes > limit) break;
    text += `${line}\n`;
  }
  return text;
}

/** A text that Markdown shows as it is. */
function escapeMarkdown(text: string): string {
  return text.replace(/[\\`*_{}[\]<>|#&~]/g, "\\$&").replace(/\s+/g, " ");
}
