/**
 * What layers lose at each width, and what a search chose.
 *
 * @module
 */

import { formatNumber, formatQuantity, type Unit } from "../../../base/units.ts";
import { scatterChart, type ScatterPoint } from "../../charts/scatter.ts";
import type { Report, ReportFront, ReportSensitivity } from "../../document.ts";
import { bar, folded, note, scrolling, section, table } from "../parts.ts";
import { type Html, html } from "../template.ts";

/** Sensitivities and fronts. */
export function searchSection({ sensitivities, fronts }: Report): Html | undefined {
  if (sensitivities.length + fronts.length === 0) return undefined;
  return section("search", "Mixed precision", fronts.map(front), sensitivities.map(sensitivity));
}

const COSTS: Readonly<Record<string, readonly [title: string, unit: Unit]>> = {
  size: ["weights", "bytes"],
  mean_bits: ["mean bits", "bits"],
  latency: ["latency", "seconds"],
  bops: ["bit operations", "count"],
  activation_memory: ["activation memory", "bytes"],
};

function front(found: ReportFront): Html {
  const { stage, measure, cost, chosen, points, trials, widths } = found;
  const [title, unit] = COSTS[cost] ?? [cost, "number" as const];
  const mostBits = Math.max(1, ...widths.map(({ bits }) => bits));
  const chart = scatterChart(
    "Loss over cost",
    {
      x: { title, text: (value) => formatQuantity(value, unit) },
      y: { title: `loss (${measure})`, text: formatNumber },
    },
    pointsOf(found),
    points.map((_, index) => index),
  );
  return html`<h3><code>${stage}</code>: least loss at every cost</h3>
<figure>${points.length > 0 && scrolling("Loss over cost", chart)}<figcaption>${
    note(
      `Chosen: ${formatQuantity(chosen.cost, unit)}, predicted loss ${
        formatNumber(chosen.loss)
      }. The line is what the table of losses predicts.`,
      trials.length > 0 && " Dots of the third colour are models that were measured.",
    )
  }</figcaption></figure>${
    folded(
      "Widths that were chosen",
      table(
        "Widths that were chosen",
        [{ title: "layer" }, { title: "bits" }],
        widths.map(({ layer, bits }) => [layer, bar(String(bits), bits / mostBits)]),
      ),
    )
  }${
    trials.length > 0 && folded(`Models that were measured: ${trials.length}`, trialTable(found))
  }`;
}

/** The points of the front, in order, then models that were measured, then what was chosen. */
function pointsOf({ measure, chosen, points, trials }: ReportFront): ScatterPoint[] {
  return [
    ...points.map(({ cost, loss }) => ({
      x: cost,
      y: loss,
      label: "On the front",
      series: 0,
      named: false,
      small: points.length > 40,
    })),
    ...trials.flatMap(({ cost, measured }) => {
      const loss = measured[measure];
      return loss === undefined
        ? []
        : [{ x: cost, y: loss, label: "Measured", series: 2, named: false }];
    }),
    { x: chosen.cost, y: chosen.loss, label: "chosen", series: 1, named: true },
  ];
}

function trialTable({ cost, trials }: ReportFront): Html {
  const [title, unit] = COSTS[cost] ?? [cost, "number" as const];
  const metrics = [...new Set(trials.flatMap(({ measured }) => Object.keys(measured)))];
  return table(
    "Models that were measured",
    [title, "predicted loss", ...metrics.map((name) => `measured ${name}`)]
      .map((title) => ({ title, align: "right" })),
    trials.map(({ cost, loss, measured }) => [
      formatQuantity(cost, unit),
      formatNumber(loss),
      ...metrics.map((name) => measured[name] === undefined ? "–" : formatNumber(measured[name])),
    ]),
  );
}

function sensitivity(measured: ReportSensitivity): Html {
  const { stage, measure, widths, layers, activation_widths, activations } = measured;
  const heat = heatOf([...layers, ...activations].flatMap(({ losses }) => losses));
  const columns = (widths: readonly number[]) =>
    widths.map((width) => ({ title: `${width} bits`, align: "right" as const }));
  return html`<h3><code>${stage}</code>: loss of each layer alone at each width</h3>${
    layers.length > 0 && table(
      "Loss of each layer at each width",
      [{ title: `layer (${measure})` }, { title: "weights", align: "right" }, ...columns(widths)],
      layers.map(({ name, elements, losses }) => [
        name,
        formatNumber(elements),
        ...losses.map(heat),
      ]),
    )
  }${
    activations.length > 0 && table(
      "Loss of each activation at each width",
      [{ title: `activation (${measure})` }, ...columns(activation_widths)],
      activations.map(({ name, losses }) => [name, ...losses.map(heat)]),
    )
  }`;
}

/** A loss on a ground that is the stronger the greater its logarithm is among all of them. */
function heatOf(all: readonly number[]): (loss: number) => Html {
  const logarithms = all.filter((loss) => loss > 0).map(Math.log);
  const [low, high] = [Math.min(...logarithms), Math.max(...logarithms)];
  return (loss) => {
    const share = loss > 0 && high > low ? (Math.log(loss) - low) / (high - low) : 0;
    const text = Math.abs(loss) < 1e-3 && loss !== 0 ? loss.toExponential(2) : formatNumber(loss);
    return html`<span class="heat" style="--heat:${Math.round(100 * share)}%">${text}</span>`;
  };
}
