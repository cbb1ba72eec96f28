/**
 * Bits and errors of every layer's weights.
 *
 * @module
 */

import { formatNumber } from "../../../base/units.ts";
import { SERIES_COUNT } from "../../charts/parts.ts";
import { rowChart, type RowPanel } from "../../charts/rows.ts";
import type { Report, ReportLayer, ReportModel } from "../../document.ts";
import { bar, firstOf, folded, legend, note, scrolling, section, table } from "../parts.ts";
import { type Html, html } from "../template.ts";

/** The tables of more models are folded together. */
const SHOWN_TABLES = 8;

/** Charts of all models' layers, and a table for each model. */
export function layersSection({ models }: Report): Html | undefined {
  const withLayers = models.filter(({ layers }) => layers.length > 0);
  if (withLayers.length === 0) return undefined;
  const shown = withLayers.slice(0, SERIES_COUNT);
  return section(
    "layers",
    "Layers",
    note(
      "Weight SQNR: mean square of a layer's float weights over that of their rounding errors. " +
        "6 dB more is one bit more.",
    ),
    withLayers.length > shown.length &&
      note(`The chart shows ${shown.length} of ${withLayers.length} models; the tables have all.`),
    legend(shown.map(({ name }) => name)),
    scrolling("Bits and errors of layers", chart(shown)),
    firstOf(
      withLayers.map((model) =>
        folded(html`<code>${model.name}</code>: ${model.layers.length} layers`, layerTable(model))
      ),
      SHOWN_TABLES,
      (count) => `${count} more models`,
    ),
  );
}

function chart(models: readonly ReportModel[]): Html {
  const names = [...new Set(models.flatMap(({ layers }) => layers.map(({ name }) => name)))];
  const panel = (
    title: string,
    fromZero: boolean,
    text: (value: number) => string,
    valueOf: (layer: ReportLayer) => number | undefined,
  ): RowPanel => ({
    title,
    fromZero,
    joined: false,
    rows: names.map((name) =>
      models.flatMap((model, series) => {
        const layer = model.layers.find((each) => each.name === name);
        const value = layer && valueOf(layer);
        return value === undefined
          ? []
          : [{ value, series, label: `${model.name}, ${name}: ${text(value)}` }];
      })
    ),
  });
  const panels = [
    panel("bits of a weight", true, (value) => `${value} bits`, ({ bits }) => bits),
    panel("weight SQNR, dB", true, (value) => `${value.toFixed(1)} dB`, ({ sqnr }) => sqnr),
  ].filter(({ rows }) => rows.some((dots) => dots.length > 0));
  return rowChart("Bits and errors of layers", names, panels);
}

function layerTable({ layers, reference }: ReportModel): Html {
  const mostBits = Math.max(...layers.map(({ bits }) => bits));
  const mostRatio = Math.max(1, ...layers.map(({ sqnr }) => sqnr ?? 0));
  return html`${reference !== undefined && note(html`Errors against <code>${reference}</code>.`)}${
    table(
      "Layers",
      [
        { title: "layer" },
        { title: "operator" },
        { title: "shape" },
        { title: "weights", align: "right" },
        { title: "scales", align: "right" },
        { title: "bits" },
        { title: "SQNR" },
      ],
      layers.map(({ name, op, dims, elements, scales, mapping, bits, sqnr }) => [
        name,
        op,
        dims.join(" × "),
        formatNumber(elements),
        scales ?? (mapping === "codebook" ? "codebook" : "–"),
        bar(String(bits), bits / mostBits),
        sqnr === undefined ? "–" : bar(`${sqnr.toFixed(1)} dB`, sqnr / mostRatio),
      ]),
    )
  }`;
}
