/**
 * What reconstruction gained, unit by unit.
 *
 * @module
 */

import { formatNumber, formatQuantity } from "../../../base/units.ts";
import { rowChart } from "../../charts/rows.ts";
import type { Report, ReportReconstruction } from "../../document.ts";
import { folded, legend, note, scrolling, section, table } from "../parts.ts";
import { type Html, html } from "../template.ts";

/** A chart and a table for each reconstruction. */
export function reconstructionSection({ reconstructions }: Report): Html | undefined {
  if (reconstructions.length === 0) return undefined;
  return section(
    "reconstruction",
    "Reconstruction",
    note(
      "Error of each unit's output against that of the float network, before its weights were rounded anew and after.",
    ),
    legend(["before", "after"]),
    reconstructions.map(one),
  );
}

function one({ stage, units, network }: ReportReconstruction): Html {
  const rows = units.map(({ name, loss_before: before, loss_after: after }) => [
    { value: before, series: 0, label: `${name} before: ${formatNumber(before)}` },
    { value: after, series: 1, label: `${name} after: ${formatNumber(after)}` },
  ]);
  return html`<h3><code>${stage}</code></h3>${
    scrolling(
      "Errors of units",
      rowChart("Errors of units", units.map(({ name }) => name), [
        { title: "squared error of the output", fromZero: false, joined: true, rows },
      ]),
    )
  }${
    network !== undefined &&
    note(
      `The last pass over the whole network took ${network.steps} steps: divergence ` +
        `${formatNumber(network.divergence_before)} before, ` +
        `${formatNumber(network.divergence_after)} after${network.kept ? "" : ", not kept"}.`,
    )
  }${
    folded(
      `${units.length} units`,
      table(
        "Units",
        [
          { title: "unit" },
          { title: "layers", align: "right" },
          { title: "before", align: "right" },
          { title: "after", align: "right" },
          { title: "left", align: "right", hint: "Error after over error before" },
          { title: "changed", align: "right", hint: "Weights that are not rounded to nearest" },
          { title: "steps", align: "right" },
          { title: "" },
        ],
        units.map((unit) => [
          unit.name,
          unit.layers.length,
          formatNumber(unit.loss_before),
          formatNumber(unit.loss_after),
          unit.loss_before === 0
            ? "–"
            : formatQuantity(unit.loss_after / unit.loss_before, "fraction"),
          formatQuantity(unit.changed, "fraction"),
          unit.steps,
          unit.kept ? "kept" : "as it was",
        ]),
      ),
    )
  }`;
}
