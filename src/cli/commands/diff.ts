/**
 * `bitbound diff BEFORE AFTER`
 *
 * @module
 */

import { padText, printable, type Style, textTable, textWidth } from "../../base/terminal_text.ts";
import { formatBytes, formatQuantity, formatSeconds } from "../../base/units.ts";
import { showIngredient } from "../../pipeline/changes.ts";
import type { Pair, RunDifference, StageDifference } from "../../pipeline/compare_runs.ts";
import type { MetricDefinition } from "../../registry/stage.ts";
import { shortDigest } from "../../store/digest.ts";
import { ExitCode } from "../exit_code.ts";
import type { Streams } from "../output/streams.ts";
import { runOf } from "../run_of.ts";
import { openNamedStore } from "../store_folder.ts";

/** Its options. */
export interface DiffOptions {
  readonly before: string;
  readonly after: string;
  readonly store: string | undefined;
  readonly json: boolean;
}

/** Shows what differs between two runs. */
export async function diff(options: DiffOptions, streams: Streams): Promise<ExitCode> {
  const { out } = streams;
  await using store = openNamedStore(options.store, streams);
  const { compareRuns } = await import("../../pipeline/compare_runs.ts");
  const [before, after] = [await runOf(options.before, store), await runOf(options.after, store)];
  const difference = await compareRuns(before, after, store);
  if (options.json) {
    out.lines(JSON.stringify({ version: 1, ...difference }, null, 2));
    return ExitCode.done;
  }
  const { metricsOf } = await import("../../report/summary.ts");
  const definitions = (uses: string) => metricsOf(uses, after);
  out.lines(...differenceLines(difference, definitions, out.style));
  return ExitCode.done;
}

type Definitions = (uses: string) => Readonly<Record<string, MetricDefinition>>;

function differenceLines(difference: RunDifference, of: Definitions, style: Style): string[] {
  const { before, after, same, stages } = difference;
  const facts: [name: string, change: string | undefined][] = [
    ["pipeline", arrow(difference.pipeline, String, style)],
    ["seed", arrow(difference.seed, String, style)],
    ["settings", arrow(difference.settings, (value) => value.join(" ") || "none", style)],
  ];
  for (const [name, pair] of Object.entries(difference.versions)) {
    facts.push([name, arrow(pair, String, style)]);
  }
  for (const [name, pair] of Object.entries(difference.inputs)) {
    facts.push([`inputs.${name}`, arrow(pair, shortDigest, style)]);
  }
  const changed = facts.flatMap(([name, change]) =>
    change === undefined ? [] : [[name, change] as const]
  );
  const width = Math.max(0, ...changed.map(([name]) => textWidth(name)));
  const lines = [
    `${style.bold(before)} → ${style.bold(after)}`,
    ...changed.map(([name, change]) => `  ${padText(printable(name), width)}  ${change}`),
    ...stages.flatMap((stage) => ["", ...stageLines(stage, of(stage.uses), style)]),
  ];
  if (same.length > 0) {
    const all = stages.length === 0 && changed.length === 0 ? "Nothing differs: " : "";
    lines.push(
      "",
      style.dim(
        `${all}${same.length} ${same.length === 1 ? "stage is" : "stages are"} the same: ${
          printable(same.join(", "))
        }`,
      ),
    );
  }
  return lines;
}

function stageLines(
  stage: StageDifference,
  definitions: Readonly<Record<string, MetricDefinition>>,
  style: Style,
): string[] {
  const { id, uses, only, status, changes, metrics, outputs, widths, seconds } = stage;
  const name = style.bold(printable(id)) + (uses === id ? "" : ` (${uses})`);
  if (only !== undefined) {
    return [`${name} is only in the ${only === "before" ? "first" : "second"} run`];
  }
  const lines = changes.map((change) => {
    const what = change.ingredient === "input" ? `input ${change.name}` : change.name;
    const value = (side: "before" | "after") => printable(showIngredient(change, change[side]));
    return `  ${printable(what)}  ${value("before")} → ${style.bold(value("after"))}`;
  });
  const outcome = arrow(status, String, style);
  if (outcome !== undefined) lines.push(`  status  ${outcome}`);
  const rows = Object.entries(metrics).map(([metric, pair]) =>
    metricRow(definitions[metric], metric, pair, style)
  );
  if (rows.length > 0) {
    const right = "right" as const;
    const table = textTable(
      [{ title: "metric" }, { title: "before", align: right }, { title: "after", align: right }, {
        title: "change",
        align: right,
      }],
      rows,
      style,
    );
    lines.push(...table.map((line) => `  ${line}`));
  }
  for (const [port, { before, after }] of Object.entries(outputs)) {
    if (before === undefined || after === undefined) continue;
    const sizes = before.size === after.size
      ? ""
      : `, ${formatBytes(before.size)} → ${formatBytes(after.size)}`;
    lines.push(
      `  output ${port}  ${shortDigest(before.digest)} → ${shortDigest(after.digest)}${sizes}`,
    );
  }
  const layers = Object.entries(widths);
  if (layers.length > 0) {
    const table = textTable(
      [{ title: "layer" }, { title: "bits" }],
      layers.map(([layer, pair]) => [printable(layer), arrow(pair, String, style) ?? ""]),
      style,
    );
    lines.push(...table.map((line) => `  ${line}`));
  }
  if (seconds.before !== undefined && seconds.after !== undefined) {
    lines.push(`  took  ${arrow(seconds, formatSeconds, style)}`);
  }
  return [name, ...lines];
}

function metricRow(
  definition: MetricDefinition | undefined,
  name: string,
  { before, after }: Pair<number>,
  style: Style,
): string[] {
  const { title = name, unit = "number", better } = definition ?? {};
  const show = (value: number | undefined) =>
    value === undefined ? "–" : formatQuantity(value, unit);
  const delta = before === undefined || after === undefined ? undefined : after - before;
  const sign = delta === undefined || delta <= 0 ? "" : "+";
  const text = delta === undefined ? "" : sign + formatQuantity(delta, unit).replace(/ %$/, " pp");
  const isGood = delta === undefined || better === undefined
    ? undefined
    : (delta > 0) === (better === "higher");
  const colored = isGood === undefined ? text : isGood ? style.green(text) : style.red(text);
  return [printable(title), show(before), show(after), colored];
}

/** `4 → 5`; nothing if it is the same. */
function arrow<T>(
  { before, after }: Pair<T>,
  show: (value: T) => string,
  style: Style,
): string | undefined {
  if (before === undefined && after === undefined) return undefined;
  const text = (value: T | undefined) => value === undefined ? "nothing" : printable(show(value));
  return `${text(before)} → ${style.bold(text(after))}`;
}
