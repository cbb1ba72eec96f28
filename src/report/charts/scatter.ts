/**
 * Points over two axes, and lines through some of them.
 *
 * @module
 */

import { type Html, html } from "../html/template.ts";
import { placeLabels } from "./labels.ts";
import { axisTicks, pixels, seriesClass } from "./parts.ts";
import { fittingScale, type Scale } from "./scale.ts";

/** A point. */
export interface ScatterPoint {
  readonly x: number;
  readonly y: number;
  /** What it is. */
  readonly label: string;
  /** Index of its series, for the colour. */
  readonly series: number;
  /** Whether its label is written beside it, where there is room, and not only shown to who points at it. */
  readonly named: boolean;
  readonly small?: boolean;
}

/** An axis of a scatter chart. */
export interface ScatterAxis {
  readonly title: string;
  /** How its numbers are written. */
  readonly text: (value: number) => string;
  /** From which ratio of the greatest to the least value on the axis is logarithmic. */
  readonly logFrom?: number;
}

const WIDTH = 560;
const HEIGHT = 320;
const LEFT = 76;
const RIGHT = 90;
const TOP = 26;
const BOTTOM = 46;

/**
 * Draws points.
 *
 * @param line Indices of points to be joined, in order.
 */
export function scatterChart(
  title: string,
  axes: { readonly x: ScatterAxis; readonly y: ScatterAxis },
  points: readonly ScatterPoint[],
  line: readonly number[],
): Html {
  const x: Scale = fittingScale(points.map(({ x }) => x), LEFT, WIDTH - RIGHT, axes.x.logFrom);
  const y: Scale = fittingScale(points.map(({ y }) => y), HEIGHT - BOTTOM, TOP, axes.y.logFrom);
  const place = (point: ScatterPoint) => [pixels(x.at(point.x)), pixels(y.at(point.y))] as const;
  const labels = placeLabels(
    points.map((point) => {
      const [x, y] = place(point);
      return { x, y, text: point.named ? point.label : "" };
    }),
    { left: LEFT, top: TOP - 12, right: WIDTH, bottom: HEIGHT - BOTTOM },
  );
  const path = line.map((index) => place(points[index]!).join(",")).join(" ");
  return html`
    <svg class="chart" role="img" aria-label="${title}" width="${WIDTH}" height="${HEIGHT}"
      viewBox="0 0 ${WIDTH} ${HEIGHT}">
        <text class="axis-title" x="4" y="12">${axes.y.title}</text>
        <text class="axis-title" x="${WIDTH - RIGHT}" y="${HEIGHT - 4}" text-anchor="end">${axes.x
          .title}</text>
        ${axisTicks(y, (at, tick) =>
          html`
            <line class="rule" x1="${LEFT}" x2="${WIDTH - RIGHT}" y1="${at}" y2="${at}" />
            <text class="tick" x="${LEFT - 8}" y="${at + 4}" text-anchor="end">${axes.y.text(
              tick,
            )}</text>
          `)}
        ${axisTicks(x, (at, tick) =>
          html`
            <line class="rule" x1="${at}" x2="${at}" y1="${TOP}" y2="${HEIGHT - BOTTOM}" />
            <text class="tick" x="${at}" y="${HEIGHT - BOTTOM + 18}" text-anchor="middle">${axes.x
              .text(
                tick,
              )}</text>
          `)}
        ${line.length > 1 && html`
          <polyline class="front" points="${path}" />
        `}
        ${points.map((point, index) => {
          const [left, top] = place(point);
          const label = labels[index];
          return html`
            <circle class="${seriesClass(
              point.series,
            )}" cx="${left}" cy="${top}" r="${point.small === true ? 2.5 : 5}">
              <title>${point.label}: ${axes.x.text(point.x)}, ${axes.y.text(point.y)}</title>
            </circle>${label !== undefined &&
              html`<text class="label" x="${pixels(label.x)}" y="${
                pixels(label.y)
              }">${point.label}</text>`}
          `;
        })}
    </svg>
  `;
}
