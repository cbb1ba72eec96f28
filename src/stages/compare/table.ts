/**
 * The table of models, and its forms.
 *
 * @module
 */

import { parseAddress } from "../../base/address.ts";
import { formatQuantity } from "../../base/units.ts";
import { REPORTED_METRICS, type ReportedMetric } from "../../quant/metrics/reported.ts";
import type { EvaluatedMetric } from "./ports.ts";

/** A model that was measured. */
export interface Row {
  /** The address of the stage that measured it. */
  readonly model: string;
  /** Values of axes, by axis. */
  readonly axes: Readonly<Record<string, string>>;
  readonly values: Readonly<Partial<Record<EvaluatedMetric, number>>>;
  /** Whether no other model beats it. */
  readonly front: boolean;
}

/** All models. */
export interface Table {
  readonly version: 1;
  /** Every axis that some row has. */
  readonly axes: readonly string[];
  readonly metrics: readonly EvaluatedMetric[];
  /** The two metrics of the front. */
  readonly front: readonly [EvaluatedMetric, EvaluatedMetric];
  readonly rows: readonly Row[];
}

type Metrics = Readonly<Record<string, number>>;

/**
 * Puts evaluations side by side.
 *
 * @param evaluations Their metrics, by the address of the stage that made each.
 */
export function tableOf(
  evaluations: ReadonlyMap<string, Metrics>,
  metrics: readonly EvaluatedMetric[],
  front: readonly [EvaluatedMetric, EvaluatedMetric],
): Table {
  const all = [...evaluations];
  const shown = metrics.filter((metric) => all.some(([, each]) => each[metric] !== undefined));
  const rows = all.map(([model, measured]): Row => ({
    model,
    axes: Object.fromEntries(
      Array.from(parseAddress(model).axes, ([axis, label]) => [axis, decodeURIComponent(label)]),
    ),
    values: Object.fromEntries(
      shown.filter((metric) => measured[metric] !== undefined)
        .map((metric) => [metric, measured[metric]!]),
    ),
    front: all.every(([, other]) => !beats(other, measured, front)) &&
      front.every((metric) => measured[metric] !== undefined),
  }));
  const axes = [...new Set(rows.flatMap(({ axes }) => Object.keys(axes)))].sort();
  return { version: 1, axes, metrics: shown, front, rows };
}

/** Whether one model is at least as good in both metrics, and better in one. */
function beats(
  one: Metrics,
  other: Metrics,
  front: readonly [EvaluatedMetric, EvaluatedMetric],
): boolean {
  const gains = front.map((metric) => {
    const { better }: ReportedMetric = REPORTED_METRICS[metric];
    const gain = (one[metric] ?? NaN) - (other[metric] ?? NaN);
    return better === "lower" ? -gain : gain;
  });
  return gains.every((gain) => gain >= 0) && gains.some((gain) => gain > 0);
}

/** The table as Markdown; a star marks the front. */
export function markdownOf({ axes, metrics, front, rows }: Table): string {
  const titles = metrics.map((metric) => REPORTED_METRICS[metric].title);
  const [x, y] = front.map((metric) => REPORTED_METRICS[metric].title);
  const lines = [
    ["model", ...axes, ...titles, "front"],
    ["---", ...axes.map(() => "---"), ...titles.map(() => "---:"), ":---:"],
    ...rows.map((row) => [
      row.model,
      ...axes.map((axis) => row.axes[axis] ?? ""),
      ...metrics.map((metric) => {
        const value = row.values[metric];
        return value === undefined ? "" : formatQuantity(value, REPORTED_METRICS[metric].unit);
      }),
      row.front ? "★" : "",
    ]),
  ];
  const text = lines.map((cells) => `| ${cells.map(escapeCell).join(" | ")} |`).join("\n");
  return `${text}\n\n★ no other model is at least as good in ${x} and ${y} and better in one\n`;
}

function escapeCell(text: string): string {
  return text.replaceAll("\\", "\\\\").replaceAll("|", "\\|").replaceAll("\n", " ");
}

/** The table as CSV (RFC 4180). */
export function csvOf({ axes, metrics, rows }: Table): string {
  const lines = [
    ["model", ...axes, ...metrics, "front"],
    ...rows.map((row) => [
      row.model,
      ...axes.map((axis) => row.axes[axis] ?? ""),
      ...metrics.map((metric) => String(row.values[metric] ?? "")),
      String(row.front),
    ]),
  ];
  return lines.map((cells) => `${cells.map(quoteCell).join(",")}\r\n`).join("");
}

function quoteCell(text: string): string {
  return /[",\r\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
}
