/**
 * The front and the chosen widths as a picture.
 *
 * @module
 */

import { formatNumber } from "../../base/units.ts";
import type { FrontDocument } from "./documents.ts";

const WIDTH = 760;
const LEFT = 84;
const RIGHT = 24;
const FRONT = { top: 56, height: 260 };
const BARS = { top: 408, height: 130 };
const TICKS = 4;

/** Titles of costs. */
const COSTS: Readonly<Record<FrontDocument["cost"], string>> = {
  size: "bytes of weights",
  mean_bits: "mean bits of a weight",
  mean_activation_bits: "mean bits of an activation",
  bops: "bit operations",
  latency: "seconds",
};

/** Draws a front with the choice and what was tried above the widths of all layers. */
export function drawFront(document: FrontDocument): Uint8Array {
  const bottom = BARS.top + BARS.height + 44;
  const svg =
    `<svg xmlns="http://www.w3.org/2000/svg" width="${WIDTH}" height="${bottom}" viewBox="0 0 ${WIDTH} ${bottom}" role="img">
  <title>Loss against ${COSTS[document.cost]}, and the chosen widths</title>
  <style>
    text { font: 13px ui-sans-serif, system-ui, sans-serif; fill: #8b98a9 }
    .head { fill: #ffffff; font-weight: 600 } .line { fill: none; stroke: #d7dde5; stroke-width: 1.5 }
    .axis { stroke: #3a4350 } .chosen { fill: #7ee2a0 } .bar { fill: #6aa9ff }
    .trial { fill: none; stroke: #ffb86b; stroke-width: 1.5 } .end { text-anchor: end } .middle { text-anchor: middle }
  </style>
  <rect width="100%" height="100%" rx="10" fill="#171b22"/>
${[...drawCurve(document), ...drawBars(document)].join("\n")}
</svg>
`;
  return new TextEncoder().encode(svg);
}

function drawCurve({ points, chosen, trials, cost, measure }: FrontDocument): string[] {
  const all = [...points, chosen, ...trials];
  // Zero has no logarithm: it is drawn at the least loss that is none.
  const floor = all.reduce((least, { loss }) => loss > 0 ? Math.min(least, loss) : least, Infinity);
  const height = (loss: number) => Math.log10(Math.max(loss, Number.isFinite(floor) ? floor : 1));
  const x = scale(all.map(({ cost }) => cost), LEFT, WIDTH - RIGHT);
  const y = scale(all.map(({ loss }) => height(loss)), FRONT.top + FRONT.height, FRONT.top);
  const place = (point: { cost: number; loss: number }) =>
    `${x.at(point.cost).toFixed(1)},${y.at(height(point.loss)).toFixed(1)}`;
  const base = FRONT.top + FRONT.height;
  const lines = [
    `  <text class="head" x="${LEFT}" y="32">Predicted loss (${escape(measure)}) against ${
      COSTS[cost]
    }</text>`,
    `  <path class="axis" d="M${LEFT},${FRONT.top} V${base} H${WIDTH - RIGHT}" fill="none"/>`,
  ];
  for (let tick = 0; tick <= TICKS; tick++) {
    const value = x.least + (x.most - x.least) * tick / TICKS;
    lines.push(
      `  <text class="middle" x="${x.at(value).toFixed(1)}" y="${base + 20}">${
        formatNumber(Number(value.toPrecision(3)))
      }</text>`,
    );
    const level = y.least + (y.most - y.least) * tick / TICKS;
    lines.push(
      `  <text class="end" x="${LEFT - 8}" y="${(y.at(level) + 4).toFixed(1)}">${
        (10 ** level).toExponential(1)
      }</text>`,
    );
  }
  if (points.length > 0) {
    lines.push(`  <polyline class="line" points="${points.map(place).join(" ")}"/>`);
  }
  for (const each of trials) {
    const [cx, cy] = place(each).split(",");
    const measured = Object.entries(each.measured).map(([name, value]) =>
      `${name} ${formatNumber(value)}`
    );
    lines.push(
      `  <circle class="trial" cx="${cx}" cy="${cy}" r="4"><title>${
        escape(measured.join(", "))
      }</title></circle>`,
    );
  }
  const [cx, cy] = place(chosen).split(",");
  lines.push(
    `  <circle class="chosen" cx="${cx}" cy="${cy}" r="5"><title>chosen</title></circle>`,
  );
  return lines;
}

function drawBars({ layers, chosen: { bits } }: FrontDocument): string[] {
  const widest = Math.max(...bits, 1);
  const step = (WIDTH - LEFT - RIGHT) / layers.length;
  const base = BARS.top + BARS.height;
  const lines = [
    `  <text class="head" x="${LEFT}" y="${BARS.top - 24}">Bits of each layer</text>`,
    `  <path class="axis" d="M${LEFT},${base} H${WIDTH - RIGHT}" fill="none"/>`,
  ];
  layers.forEach((name, index) => {
    const tall = BARS.height * bits[index]! / widest;
    const left = LEFT + index * step;
    lines.push(
      `  <rect class="bar" x="${(left + step * 0.1).toFixed(1)}" y="${
        (base - tall).toFixed(1)
      }" width="${(step * 0.8).toFixed(1)}" height="${tall.toFixed(1)}"><title>${escape(name)}: ${
        bits[index]
      } bits</title></rect>`,
    );
    if (step >= 12) {
      lines.push(
        `  <text class="middle" x="${(left + step / 2).toFixed(1)}" y="${base + 18}">${
          bits[index]
        }</text>`,
      );
    }
  });
  return lines;
}

/** A straight line from values to places; values that are all alike are in the middle. */
function scale(values: readonly number[], from: number, to: number) {
  const least = Math.min(...values);
  const most = Math.max(...values);
  const at = (value: number) =>
    most === least ? (from + to) / 2 : from + (to - from) * (value - least) / (most - least);
  return { least, most, at };
}

function escape(text: string): string {
  return text.replaceAll("&", "&amp;").replaceAll("<", "&lt;").replaceAll(">", "&gt;");
}
