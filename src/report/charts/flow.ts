/**
 * The stages of a pipeline and what flows between them.
 *
 * @module
 */

import { layoutGraph, type Point } from "../../base/graph_layout.ts";
import { cutText } from "../../base/terminal_text.ts";
import { type Html, html } from "../html/template.ts";
import { pixels } from "./parts.ts";

/** A box. */
export interface FlowBox {
  readonly id: string;
  readonly title: string;
  readonly note: string;
  /** A class for its colour. */
  readonly status: string;
  /** Where it leads, in the page. */
  readonly link?: string;
}

/** An arrow. */
export interface FlowArrow {
  readonly from: string;
  readonly to: string;
}

const WIDTH = 176;
const HEIGHT = 46;
const MARGIN = 4;

/** Draws boxes and arrows from top to bottom. */
export function flowChart(
  title: string,
  boxes: readonly FlowBox[],
  arrows: readonly FlowArrow[],
): Html {
  const layout = layoutGraph(
    boxes.map(({ id }) => ({ id, width: WIDTH, height: HEIGHT })),
    arrows,
    { columnGap: 20, rowGap: 30 },
  );
  const width = Math.ceil(layout.width) + 2 * MARGIN;
  const height = Math.ceil(layout.height) + 2 * MARGIN;
  return html`
    <svg class="chart flow" role="group" aria-label="${title}" width="${width}"
      height="${height}"
      viewBox="${-MARGIN} ${-MARGIN} ${width} ${height}">
    <defs><marker id="arrow" viewBox="0 0 8 8" refX="7" refY="4" markerWidth="7" markerHeight="7" orient="auto"><path class="head" d="M0 0L8 4L0 8Z"/></marker></defs>
    ${layout.edges.map(({ points }) =>
      html`
        <path class="arrow" d="${curve(points)}" marker-end="url(#arrow)" />
      `
    )}
    ${layout.nodes.map(({ x, y }, index) => {
      const { title, note, status, link } = boxes[index]!;
      const box = html`
        <g class="box ${status}" transform="translate(${pixels(x)} ${pixels(y)})">
          <title>${title}: ${note}</title>
          <rect width="${WIDTH}" height="${HEIGHT}" rx="7" />
          <rect class="mark" width="5" height="${HEIGHT - 14}" x="7" y="7" rx="2.5" />
          <text class="title" x="22" y="20">${cutText(title, 19)}</text>
          <text class="note" x="22" y="36">${cutText(note, 24)}</text>
        </g>
      `;
      return link === undefined ? box : html`<a href="${link}">${box}</a>`;
    })}
    </svg>
  `;
}

/** Straight down through every point, with smooth bends. */
function curve(points: readonly Point[]): string {
  const [first, ...rest] = points;
  let path = `M${pixels(first!.x)} ${pixels(first!.y)}`;
  let from = first!;
  for (const to of rest) {
    const middle = pixels((from.y + to.y) / 2);
    path += `C${pixels(from.x)} ${middle} ${pixels(to.x)} ${middle} ${pixels(to.x)} ${
      pixels(to.y)
    }`;
    from = to;
  }
  return path;
}
