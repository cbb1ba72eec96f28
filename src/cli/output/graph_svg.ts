/**
 * A pipeline's graph as a picture: an SVG file that needs nothing else, for light and dark pages.
 *
 * @module
 */

import { layoutGraph, type Point } from "../../base/graph_layout.ts";
import { cutText } from "../../base/terminal_text.ts";
import type { PipelineGraph } from "../../pipeline/graph.ts";
import { titleOf } from "./graph_text.ts";

const WIDTH = 168;
const HEIGHT = 44;
const MARGIN = 12;
/** As many letters as a box has room for. */
const TITLE_LETTERS = 20;
const NOTE_LETTERS = 26;

const STYLE = `
svg { color-scheme: light dark; font: 13px system-ui, sans-serif }
.box { fill: #ffffff; stroke: #8a94a6 } .input { fill: #eef3fb; stroke: #5b7fb8 }
.title { fill: #1b2330; font-weight: 600 } .note { fill: #5a6475; font-size: 11px }
.way { fill: none; stroke: #8a94a6; stroke-width: 1.4 } .head { fill: #8a94a6 }
@media (prefers-color-scheme: dark) {
  .box { fill: #1e2530; stroke: #6b7687 } .input { fill: #1b2a42; stroke: #5b7fb8 }
  .title { fill: #eef1f6 } .note { fill: #a3adbd }
}
`.trim();

/** The text of the SVG file. */
export function graphSvg({ name, nodes, edges }: PipelineGraph): string {
  const ways = new Map(edges.map(({ from, to }) => [JSON.stringify([from, to]), { from, to }]));
  const layout = layoutGraph(
    nodes.map(({ id }) => ({ id, width: WIDTH, height: HEIGHT })),
    [...ways.values()],
    { columnGap: 24, rowGap: 34 },
  );
  const width = Math.ceil(layout.width) + 2 * MARGIN;
  const height = Math.ceil(layout.height) + 2 * MARGIN;
  const lines = [
    `<svg xmlns="http://www.w3.org/2000/svg" width="${width}" height="${height}" ` +
    `viewBox="${-MARGIN} ${-MARGIN} ${width} ${height}" role="img" aria-label="${escape(name)}">`,
    `<title>${escape(name)}</title>`,
    `<style>${STYLE}</style>`,
    `<defs><marker id="head" viewBox="0 0 8 8" refX="7" refY="4" markerWidth="7" markerHeight="7" ` +
    `orient="auto"><path class="head" d="M0 0L8 4L0 8Z"/></marker></defs>`,
    ...layout.edges.map(({ points }) =>
      `<path class="way" d="${curve(points)}" marker-end="url(#head)"/>`
    ),
  ];
  for (const [index, { x, y }] of layout.nodes.entries()) {
    const { what, type } = nodes[index]!;
    const title = titleOf(nodes[index]!);
    lines.push(
      `<g transform="translate(${round(x)} ${round(y)})"><title>${
        escape(`${title}: ${what}`)
      }</title>`,
      `<rect class="box ${type}" width="${WIDTH}" height="${HEIGHT}" rx="${
        type === "input" ? 22 : 6
      }"/>`,
      `<text class="title" x="${WIDTH / 2}" y="19" text-anchor="middle">${
        escape(cutText(title, TITLE_LETTERS))
      }</text>`,
      `<text class="note" x="${WIDTH / 2}" y="35" text-anchor="middle">${
        escape(cutText(what, NOTE_LETTERS))
      }</text></g>`,
    );
  }
  return `${[...lines, "</svg>"].join("\n")}\n`;
}

/** Straight down through every point, with smooth bends. */
function curve([first, ...rest]: readonly Point[]): string {
  let from = first!;
  let path = `M${round(from.x)} ${round(from.y)}`;
  for (const to of rest) {
    const middle = round((from.y + to.y) / 2);
    path += `C${round(from.x)} ${middle} ${round(to.x)} ${middle} ${round(to.x)} ${round(to.y)}`;
    from = to;
  }
  return path;
}

function round(value: number): number {
  return Math.round(value * 100) / 100;
}

function escape(text: string): string {
  // deno-lint-ignore no-control-regex -- XML has no way to write control characters
  return text.replace(/[\u0000-\u0008\u000b\u000c\u000e-\u001f]/g, "")
    .replaceAll("&", "&amp;").replaceAll("<", "&lt;").replaceAll(">", "&gt;")
    .replaceAll('"', "&quot;");
}
