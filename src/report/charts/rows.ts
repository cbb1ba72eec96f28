/**
 * A chart with a row for each name, and dots for numbers.
 *
 * @module
 */

import { cutText, textWidth } from "../../base/terminal_text.ts";
import { type Html, html } from "../html/template.ts";
import { fittingScale, linearScale, type Scale, tickText } from "./scale.ts";
import { axisTicks, pixels, seriesClass } from "./parts.ts";

/** A dot. */
export interface RowDot {
  readonly value: number;
  /** Index of its series, for the colour. */
  readonly series: number;
  /** What it is, for who points at it. */
  readonly label: string;
}

/** A column of the chart with an axis of its own. */
export interface RowPanel {
  readonly title: string;
  /** From zero in equal steps; else as it fits. */
  readonly fromZero: boolean;
  /** The dots of each row. */
  readonly rows: readonly (readonly RowDot[])[];
  /** Whether the dots of a row are joined. */
  readonly joined: boolean;
}

const LONGEST_NAME = 24;
const ROW = 20;
const PANEL = 220;
const GAP = 44;
/** Between the dots of the first and of the last series in a row. */
const LANES = 10;
const TOP = 34;

/** Draws rows of dots. */
export function rowChart(
  title: string,
  names: readonly string[],
  panels: readonly RowPanel[],
): Html {
  const shown = names.map(shortName);
  const left = 18 + Math.ceil(6.6 * Math.max(4, ...shown.map(textWidth)));
  const width = left + panels.length * (PANEL + GAP);
  const height = TOP + names.length * ROW + 8;
  return html`
    <svg class="chart" role="img" aria-label="${title}" width="${width}" height="${height}"
      viewBox="0 0 ${width} ${height}">
    ${names.map((name, row) =>
      html`
        <g>
          <title>${name}</title>
          <text class="name" x="${left - 14}" y="${TOP + row * ROW + ROW / 2 +
            4}" text-anchor="end">${shown[row]!}</text>
          <line class="rule" x1="${left}" x2="${width - GAP}" y1="${TOP +
            (row + 1) * ROW}" y2="${TOP + (row + 1) * ROW}" />
        </g>
      `
    )}
    ${panels.map((panel, index) => panelOf(panel, left + index * (PANEL + GAP), names.length))}
    </svg>
  `;
}

function panelOf({ title, fromZero, rows, joined }: RowPanel, left: number, count: number): Html {
  const values = rows.flat().map(({ value }) => value);
  const scale: Scale = fromZero
    ? linearScale([0, ...values], left, left + PANEL)
    : fittingScale(values, left, left + PANEL);
  const middle = (row: number) => TOP + row * ROW + ROW / 2;
  const lanes = 1 + Math.max(0, ...rows.flat().map(({ series }) => series));
  return html`<text class="axis-title" x="${left}" y="12">${title}</text>
${
    axisTicks(scale, (at, tick) =>
      html`
        <line class="rule" x1="${at}" x2="${at}" y1="${TOP}" y2="${TOP + count * ROW}" />
        <text class="tick" x="${at}" y="${TOP - 6}" text-anchor="middle">${tickText(tick)}</text>
      `)
  }
${
    rows.map((dots, row) => [
      joined && dots.length > 1 && html`
        <line class="join" x1="${pixels(scale.at(dots[0]!.value))}" x2="${pixels(
          scale.at(dots.at(-1)!.value),
        )}" y1="${middle(row)}" y2="${middle(row)}" />
      `,
      dots.map(({ value, series, label }) =>
        html`
          <circle class="${seriesClass(series)}" cx="${pixels(scale.at(value))}" cy="${pixels(
            middle(row) + (joined ? 0 : laneOf(series, lanes)),
          )}" r="${joined ? 4.5 : 3.5}">
            <title>${label}</title>
          </circle>
        `
      ),
    ])
  }`;
}

/** How far below the middle of a row the dots of a series are, so that dots of equal value can be told apart. */
function laneOf(series: number, lanes: number): number {
  return lanes === 1 ? 0 : LANES * (series / (lanes - 1) - 0.5);
}

/** The end of a long name says more than its beginning. */
function shortName(name: string): string {
  if (textWidth(name) <= LONGEST_NAME) return name;
  return cutText(`…${name.slice(-(LONGEST_NAME - 1))}`, LONGEST_NAME);
}
