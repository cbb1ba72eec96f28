/**
 * Every stage with all that is known of it, and how to make the run again.
 *
 * @module
 */

import { formatBytes, formatQuantity, formatSeconds } from "../../../base/units.ts";
import type { Report, ReportStage } from "../../document.ts";
import { stageOutcome } from "../../text/words.ts";
import { firstOf, folded, note, section, shortDigest, stageAnchor, table } from "../parts.ts";
import { type Html, html } from "../template.ts";

/** More stages are folded together. */
const SHOWN = 40;

/** A folded part for each stage. */
export function stagesSection({ stages, manifests }: Report): Html {
  return section(
    "stages",
    "Stages",
    note("The key of a stage is the SHA-256 of its manifest: all that the result depends on."),
    firstOf(
      stages.map((stage) => stagePart(stage, manifests[stage.id])),
      SHOWN,
      (count) => `${count} more stages`,
    ),
  );
}

function stagePart(stage: ReportStage, manifest: unknown): Html {
  const { id, uses, status, reason, seconds, key, inputs, outputs, metrics, published } = stage;
  const facts = [
    status === "hit" || status === "ran" ? undefined : reason,
    seconds === undefined
      ? undefined
      : `${formatSeconds(seconds)}${status === "hit" ? " when it was made" : ""}`,
    status === "ran" ? reason : undefined,
  ].filter((fact) => fact !== undefined);
  return html`<div class="stage">${
    folded(
      html`<strong>${id}</strong> ${
        id === uses ? undefined : html`<span class="note">${uses}</span>`
      } <span class="badge ${status}">${stageOutcome(status)}</span>`,
      html`<p class="note" id="${stageAnchor(id)}">${facts.join(" · ")}${
        key !== undefined && html`${facts.length > 0 && " · "}key ${shortDigest(key)}`
      }</p>`,
      metrics.length > 0 && table(
        `Metrics of ${id}`,
        [{ title: "metric" }, { title: "value", align: "right" }, { title: "" }],
        metrics.map(({ name, unit, value, description }) => [
          html`<code>${name}</code>`,
          formatQuantity(value, unit),
          html`<span class="note">${description}</span>`,
        ]),
      ),
      table(
        `Artifacts of ${id}`,
        [{ title: "" }, { title: "artifact" }, { title: "kind" }, {
          title: "size",
          align: "right",
        }, { title: "digest" }],
        [
          ...Object.entries(inputs).map(([port, source]) => [
            `takes ${port}`,
            html`<code>${source}</code>`,
            "",
            "",
            "",
          ]),
          ...Object.entries(outputs).map(([port, { kind, size, digest }]) => [
            "makes",
            html`<code>${id}.${port}</code>`,
            kind,
            formatBytes(size),
            shortDigest(digest),
          ]),
        ],
      ),
      published.length > 0 &&
        html`<p>Copied: ${
          published.map(({ path }) =>
            html`
              <code>${path}</code>
            `
          )
        }</p>`,
      manifest !== undefined &&
        folded("Key manifest", html`<pre>${JSON.stringify(manifest, null, 2)}</pre>`),
    )
  }</div>`;
}
