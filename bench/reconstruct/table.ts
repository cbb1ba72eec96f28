/**
 * Measurements as lines of a Markdown table.
 *
 * @module
 */

import type { Measurement } from "./measure.ts";

const percent = (value: number) => `${(100 * value).toFixed(2)} %`;
const three = (value: number) => value.toPrecision(3);

const COLUMNS: readonly [title: string, key: keyof Measurement, show: (value: number) => string][] =
  [
    ["KL nearest", "nearestKl", three],
    ["KL", "kl", three],
    ["agreement", "agreement", percent],
    ["top-1", "top1", percent],
    ["top-1, further images", "furtherTop1", percent],
    ["seconds", "seconds", (value) => value.toFixed(0)],
  ];

/** The head of the table. */
export function head(): string {
  const titles = ["row", "parameters", ...COLUMNS.map(([title]) => title)];
  return `| ${titles.join(" | ")} |\n|${" --- |".repeat(titles.length)}`;
}

/** One line: of several measurements the mean, and from the least to the greatest. */
export function line(
  name: string,
  parameters: Readonly<Record<string, unknown>>,
  measurements: readonly Measurement[],
): string {
  const text = Object.entries(parameters).map(([key, value]) => `${key}: ${value}`).join(", ");
  const cells = COLUMNS.map(([, key, show]) => {
    const values = measurements.flatMap((measurement) => measurement[key] ?? []);
    if (values.length === 0) return "";
    const mean = show(values.reduce((sum, value) => sum + value, 0) / values.length);
    const [least, most] = [show(Math.min(...values)), show(Math.max(...values))];
    return least === most ? mean : `${mean} (${least}–${most})`;
  });
  return `| ${[name, text && `\`${text}\``, ...cells].join(" | ")} |`;
}
