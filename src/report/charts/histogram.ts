/**
 * How often values occur, with the grids that they are rounded to.
 *
 * @module
 */

import type { ReportGrid, ReportHistogram } from "../document.ts";
import { type Html, html } from "../html/template.ts";
import { pixels, seriesClass } from "./parts.ts";
import { linearScale, tickText } from "./scale.ts";

const WIDTH = 320;
const PLOT = 90;
const GRID = 12;
const AXIS = 18;
const EDGE = 8;
/** Grids of more values are drawn as a line. */
const MOST_TICKS = 32;

/**
 * Draws a histogram, its heights in logarithms, above each grid.
 *
 * @param range The least and greatest value that was seen.
 */
export function histogramChart(
  title: string,
  range: readonly [min: number, max: number],
  histogram: ReportHistogram | undefined,
  grids: readonly ReportGrid[],
): Html {
  const ends = [...range, ...grids.flatMap(({ min, max }) => [min, max])];
  const scale = linearScale([...ends, 0], EDGE, WIDTH - EDGE, 4);
  const top = histogram === undefined ? 4 : PLOT;
  const height = top + grids.length * GRID + AXIS + 6;
  const zero = pixels(scale.at(0));
  return html`<svg class="chart" role="img" aria-label="${title}" viewBox="0 0 ${WIDTH} ${height}">
<line class="rule" x1="${zero}" x2="${zero}" y1="0" y2="${top + grids.length * GRID}"/>
${
    histogram !== undefined && html`
      <path class="area" d="${outline(histogram, scale.at)}" />
    `
  }
<line class="axis" x1="${EDGE}" x2="${WIDTH - EDGE}" y1="${top}" y2="${top}"/>
${grids.map((grid, index) => gridOf(grid, index, top + (index + 0.5) * GRID + 2, scale.at))}
${
    scale.ticks.map((tick) =>
      html`<text class="tick" x="${pixels(scale.at(tick))}" y="${
        height - 4
      }" text-anchor="middle">${tickText(tick)}</text>`
    )
  }
</svg>`;
}

function outline({ start, width, counts }: ReportHistogram, at: (value: number) => number): string {
  const highest = Math.log1p(Math.max(...counts));
  const parts = [`M${pixels(at(start))} ${PLOT}`];
  counts.forEach((count, bin) => {
    const y = pixels(PLOT - (PLOT - 6) * Math.log1p(count) / (highest || 1));
    parts.push(`V${y}H${pixels(at(start + (bin + 1) * width))}`);
  });
  return `${parts.join("")}V${PLOT}Z`;
}

function gridOf(
  { bits, min, max, scale, models }: ReportGrid,
  index: number,
  y: number,
  at: (value: number) => number,
): Html {
  const [left, right] = [pixels(at(min)), pixels(at(max))];
  const steps = Math.round((max - min) / scale);
  const marks = steps <= MOST_TICKS
    ? Array.from({ length: steps + 1 }, (_, step) => pixels(at(min + step * scale)))
    : [left, right];
  return html`
    <g class="${seriesClass(index)}">
      <title>${models.join(", ")}: ${bits} bits</title>
      <line class="grid" x1="${left}" x2="${right}" y1="${y}" y2="${y}" />
      <path class="grid" d="${marks.map((mark) => `M${mark} ${y - 3.5}v7`).join("")}" />
    </g>
  `;
}
