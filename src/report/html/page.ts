/**
 * A report as one page of HTML that needs nothing else: no network, no scripts.
 *
 * @module
 */

import type { Report } from "../document.ts";
import { activationsSection } from "./sections/activations.ts";
import { flowSection } from "./sections/flow.ts";
import { layersSection } from "./sections/layers.ts";
import { guaranteeSection } from "./sections/guarantee.ts";
import { gatesSection, header, problemsSection } from "./sections/overview.ts";
import { reconstructionSection } from "./sections/reconstruction.ts";
import { reproduceSection } from "./sections/reproduce.ts";
import { resultsSection } from "./sections/results.ts";
import { searchSection } from "./sections/search.ts";
import { stagesSection } from "./sections/stages.ts";
import { STYLE } from "./style.ts";
import { html } from "./template.ts";

const SECTIONS = [
  gatesSection,
  problemsSection,
  resultsSection,
  guaranteeSection,
  flowSection,
  layersSection,
  activationsSection,
  reconstructionSection,
  searchSection,
  stagesSection,
  reproduceSection,
];

/** The page. */
export function pageOf(report: Report): string {
  const { pipeline, id } = report.run;
  const page = html`
    <!doctype html>
    <html lang="en">
      <head>
    <meta charset="utf-8">
    <meta name="viewport" content="width=device-width, initial-scale=1">
    <meta name="color-scheme" content="light dark">
    <meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'unsafe-inline'; img-src data:">
    <link rel="icon" href="data:,">
    <title>${pipeline} · ${id}</title>
    ${STYLE}
      </head>
      <body>
    <a class="skip" href="#main">Skip to the results</a>
    ${header(report)}
    <main id="main">
    ${SECTIONS.map((section) => section(report))}
    </main>
      </body>
    </html>
  `;
  return `${page.markup.trim()}\n`;
}
