/**
 * How the run ended: the head of the page, gates, failures and warnings.
 *
 * @module
 */

import { formatSeconds } from "../../../base/units.ts";
import type { Report } from "../../document.ts";
import { countsOf, outcomeOf } from "../../text/words.ts";
import { firstOf, note, section, stageLink } from "../parts.ts";
import { type Html, html, type HtmlValue } from "../template.ts";

/** The head of the page. */
export function header(report: Report): Html {
  const { run, stages } = report;
  const gates = stages.flatMap((stage) => stage.gates);
  const met = gates.filter((gate) => gate.met).length;
  const counts = countsOf(report).map(({ count, what }) => `${count} ${what}`).join(", ");
  const facts: (readonly [string, HtmlValue])[] = [
    ["Took", run.seconds === undefined ? "–" : formatSeconds(run.seconds)],
    ["Stages", html`${stages.length} <small>${counts}</small>`],
    [
      "Expectations",
      gates.length === 0
        ? "none"
        : html`<span class="${
          met === gates.length ? "good" : "bad"
        }">${met} of ${gates.length} met</span>`,
    ],
    ["Seed", run.seed],
  ];
  return html`<header><p class="eyebrow">Bitbound report</p>
<h1>${run.pipeline} <span class="badge ${run.status}">${outcomeOf(run.status)}</span></h1>
${run.description !== undefined && html`<p>${run.description}</p>`}
<p class="note">Run <code>${run.id}</code> of <code>${run.file}</code>, <time datetime="${run.started}">${
    run.started.slice(0, 16).replace("T", " ")
  } UTC</time></p>
<dl class="facts">${
    facts.map(([name, value]) =>
      html`
        <div>
          <dt>${name}</dt>
          <dd>${value}</dd>
        </div>
      `
    )
  }</dl></header>`;
}

/** More expectations than this are folded, those not met excepted. */
const SHOWN_GATES = 12;

/** What was expected, and what came of it; first what was not met. */
export function gatesSection({ stages }: Report): Html | undefined {
  const gates = stages.flatMap(({ id, gates }) => gates.map((gate) => ({ id, ...gate })));
  if (gates.length === 0) return undefined;
  const unmet = gates.filter(({ met }) => !met).length;
  const items = gates.toSorted((a, b) => Number(a.met) - Number(b.met)).map(
    ({ id, met, metric, condition, message }) =>
      html`<li><span class="${met ? "good" : "bad"}">${
        met ? "✓ met" : "✗ not met"
      }</span> <a href="${stageLink(id)}">${id}</a>: ${message}${
        met && html`
          <code>${metric} ${condition}</code>
        `
      }</li>`,
  );
  return section(
    "expectations",
    "Expectations",
    firstOf(
      items,
      Math.max(SHOWN_GATES, unmet),
      (count) => `${count} more that are met`,
      (items) => html`<ul class="plain">${items}</ul>`,
    ),
  );
}

/** What failed, what should be known, and what is not there to be shown. */
export function problemsSection({ stages, missing }: Report): Html | undefined {
  const failed = stages.filter(({ error }) => error !== undefined);
  const warned = stages.filter(({ warnings }) => warnings.length > 0);
  if (failed.length + warned.length + missing.length === 0) return undefined;
  return section(
    "problems",
    failed.length > 0 ? "Failures and warnings" : "Warnings",
    html`<ul class="problems">${
      failed.map(({ id, error }) =>
        html`<li class="bad"><strong>${id} failed</strong><pre>${error}</pre></li>`
      )
    }${
      warned.flatMap(({ id, warnings }) =>
        warnings.map((text) => html`<li><strong>${id}</strong>: ${text}</li>`)
      )
    }</ul>`,
    missing.length > 0 && note(
      "Deleted from the store since, and so left out below: ",
      missing.map((name, index) => html`${index > 0 && ", "}<code>${name}</code>`),
    ),
  );
}
