/**
 * Accuracy and size of every model that was measured.
 *
 * @module
 */

import { formatQuantity } from "../../../base/units.ts";
import { scatterChart } from "../../charts/scatter.ts";
import type { Report, ReportTable } from "../../document.ts";
import { cellsOf } from "../../text/words.ts";
import { note, scrolling, section, stageLink, table } from "../parts.ts";
import { type Html, html } from "../template.ts";

type TableColumn = ReportTable["columns"][number];

/** More points than this are not named. */
const MOST_NAMES = 14;

/** A table for each kind of measurement, and a chart where it says what size costs. */
export function resultsSection({ tables }: Report): Html | undefined {
  if (tables.length === 0) return undefined;
  return section("results", "Results", tables.map((each) => [resultTable(each), tradeOff(each)]));
}

function resultTable(measured: ReportTable): Html {
  const { uses, columns, rows } = measured;
  return table(
    `Results of ${uses}`,
    [
      { title: "model" },
      ...columns.map(({ title, description }) => ({
        title,
        hint: description,
        align: "right" as const,
      })),
    ],
    rows.map((row) => [
      row.stage === undefined
        ? row.subject
        : html`<a href="${stageLink(row.stage)}">${row.subject}</a>`,
      ...cellsOf(measured, row),
    ]),
  );
}

/** A chart of size and quality, with those models joined than which none is better in both. */
function tradeOff({ columns, rows }: ReportTable): Html | undefined {
  const size = columns.filter(({ unit, better }) => unit === "bytes" && better === "lower").at(-1);
  const quality = columns.find(({ better }) => better === "higher") ??
    columns.find(({ better, metric }) => better === "lower" && metric !== size?.metric);
  if (size === undefined || quality === undefined) return undefined;
  const points = rows.flatMap(({ subject, reference, values }) => {
    const [x, y] = [values[size.metric], values[quality.metric]];
    return x === undefined || y === undefined ? [] : [{ x, y, label: subject, reference }];
  });
  if (points.length < 3) return undefined;
  const sign = quality.better === "higher" ? 1 : -1;
  const order = points.map((_, index) => index)
    .sort((a, b) => points[a]!.x - points[b]!.x || sign * (points[b]!.y - points[a]!.y));
  let best = -Infinity;
  const front = order.filter((index) => {
    const value = sign * points[index]!.y;
    if (value <= best) return false;
    best = value;
    return true;
  });
  const text = ({ unit }: TableColumn) => (value: number) => formatQuantity(value, unit);
  return html`<figure>${
    scrolling(
      `${quality.title} over ${size.title}`,
      scatterChart(
        `${quality.title} over ${size.title}`,
        {
          x: { title: size.title, text: text(size) },
          y: { title: quality.title, text: text(quality) },
        },
        points.map(({ x, y, label, reference }, index) => ({
          x,
          y,
          label,
          series: reference ? 7 : front.includes(index) ? 0 : 1,
          named: points.length <= MOST_NAMES,
        })),
        front,
      ),
    )
  }<figcaption>${
    note("The line joins the models than which none is both smaller and better.")
  }</figcaption></figure>`;
}
