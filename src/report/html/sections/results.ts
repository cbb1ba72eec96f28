/**
 * Accuracy and size of every model that was measured.
 *
 * @module
 */

import { formatQuantity } from "../../../base/units.ts";
import { scatterChart } from "../../charts/scatter.ts";
import type { Report, ReportTable } from "../../document.ts";
import { cellsOf } from "../../text/words.ts";
import { folded, note, scrolling, section, stageLink, table } from "../parts.ts";
import { type Html, html, type HtmlValue } from "../template.ts";

type TableColumn = ReportTable["columns"][number];
type Row = ReportTable["rows"][number];

/** Charts with more points than this name only those on the front. */
const MOST_NAMES = 14;

/** Tables of more rows are folded, but for those on the front. */
const MOST_ROWS = 40;

/** A table for each kind of measurement, and a chart where it says what size costs. */
export function resultsSection({ tables }: Report): Html | undefined {
  if (tables.length === 0) return undefined;
  return section("results", "Results", tables.map(measurement));
}

function measurement(measured: ReportTable): HtmlValue {
  const { rows } = measured;
  const chosen = tradeOffOf(measured);
  const chart = chosen && tradeOffChart(chosen);
  if (rows.length <= MOST_ROWS) return [resultTable(measured, rows), chart];
  const best = rows.filter((row) => row.reference || chosen?.front.includes(row));
  return [
    best.length > 0 && resultTable(measured, best),
    chart,
    folded(`All ${rows.length} rows`, resultTable(measured, rows)),
  ];
}

function resultTable(measured: ReportTable, rows: readonly Row[]): Html {
  const { uses, columns } = measured;
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

/** Models of different sizes and qualities. */
interface TradeOff {
  readonly size: TableColumn;
  readonly quality: TableColumn;
  /** Those with both. */
  readonly rows: readonly Row[];
  /** Those than which none is both smaller and better, by size. */
  readonly front: readonly Row[];
}

/** What size costs; `undefined` where a table does not say it, or has too few rows. */
function tradeOffOf({ columns, rows }: ReportTable): TradeOff | undefined {
  const size = columns.filter(({ unit, better }) => unit === "bytes" && better === "lower").at(-1);
  const quality = columns.find(({ better }) => better === "higher") ??
    columns.find(({ unit, better }) => better === "lower" && unit !== "bytes" && unit !== "bits");
  if (size === undefined || quality === undefined) return undefined;
  const measured = rows.filter(({ values }) =>
    values[size.metric] !== undefined && values[quality.metric] !== undefined
  );
  if (measured.length < 3) return undefined;
  const sign = quality.better === "higher" ? 1 : -1;
  const sizeOf = ({ values }: Row) => values[size.metric]!;
  const qualityOf = ({ values }: Row) => sign * values[quality.metric]!;
  let best = -Infinity;
  const front = measured
    .toSorted((a, b) => sizeOf(a) - sizeOf(b) || qualityOf(b) - qualityOf(a))
    .filter((row) => {
      if (qualityOf(row) <= best) return false;
      best = qualityOf(row);
      return true;
    });
  return { size, quality, rows: measured, front };
}

function tradeOffChart({ size, quality, rows, front }: TradeOff): Html {
  const text = ({ unit }: TableColumn) => (value: number) => formatQuantity(value, unit);
  const title = `${quality.title} over ${size.title}`;
  const chart = scatterChart(
    title,
    {
      // The float model would else leave no room for all others.
      x: { title: size.title, text: text(size), logFrom: 4 },
      y: { title: quality.title, text: text(quality) },
    },
    rows.map((row) => ({
      x: row.values[size.metric]!,
      y: row.values[quality.metric]!,
      label: row.subject,
      series: row.reference ? 7 : front.includes(row) ? 0 : 1,
      named: rows.length <= MOST_NAMES || front.includes(row),
    })),
    front.map((row) => rows.indexOf(row)),
  );
  return html`<figure>${scrolling(title, chart)}<figcaption>${
    note("The line joins the models than which none is both smaller and better.")
  }</figcaption></figure>`;
}
