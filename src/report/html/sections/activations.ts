/**
 * What values activations take, with the grids that they are rounded to.
 *
 * @module
 */

import { formatNumber } from "../../../base/units.ts";
import { histogramChart } from "../../charts/histogram.ts";
import { SERIES_COUNT, seriesClass } from "../../charts/parts.ts";
import type { Report, ReportCalibration, ReportGrid } from "../../document.ts";
import { firstOf, note, section } from "../parts.ts";
import { type Html, html } from "../template.ts";

/** How many charts are there at once; the others have to be opened. */
const SHOWN = 6;

/** A chart for each activation of each calibration. */
export function activationsSection({ calibrations }: Report): Html | undefined {
  if (calibrations.length === 0) return undefined;
  return section(
    "activations",
    "Activations",
    note(
      "How often calibration saw each value, on a logarithmic scale, above the grids of the models: " +
        "from the least to the greatest value that quantized activations take.",
    ),
    calibrations.map((calibration) => {
      const { name, method, activations } = calibration;
      return html`<h3><code>${name}</code> <small>${method}</small></h3>${
        firstOf(
          activations.map(activationFigure),
          SHOWN,
          (count) => `${count} more activations`,
          (figures) => html`<div class="gallery">${figures}</div>`,
        )
      }`;
    }),
  );
}

function activationFigure(
  { value, min, max, histogram, grids }: ReportCalibration["activations"][number],
): Html {
  const shown = grids.slice(0, SERIES_COUNT);
  return html`<figure>${
    histogramChart(`Values of ${value}`, [min, max], histogram, shown)
  }<figcaption><strong>${value}</strong> <span class="note">seen ${formatNumber(min)} … ${
    formatNumber(max)
  }</span>${shown.map(gridText)}${
    grids.length > shown.length &&
    html`<span class="grid-text note">and ${grids.length - shown.length} more grids</span>`
  }</figcaption></figure>`;
}

function gridText({ models, bits, min, max, clipped }: ReportGrid, index: number): Html {
  const [first] = models;
  const names = models.length === 1 ? first! : `${first} and ${models.length - 1} more`;
  return html`
    <span
      class="grid-text"><span class="swatch ${seriesClass(
        index,
      )}"></span>${bits} bits, ${formatNumber(min)} … ${formatNumber(max)}${clipped !== undefined &&
        `, ${percentText(clipped)} clipped`} <span class="note" title="${models.join(
          ", ",
        )}">${names}</span></span>
  `;
}

function percentText(share: number): string {
  return share === 0 ? "nothing" : `${Number((100 * share).toPrecision(2))} %`;
}
