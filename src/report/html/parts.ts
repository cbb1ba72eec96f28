/**
 * Building blocks of a report's page.
 *
 * @module
 */

import { seriesClass } from "../charts/parts.ts";
import { type Html, html, type HtmlValue } from "./template.ts";

/** A section of the page with its own heading; nothing, if there is nothing in it. */
export function section(id: string, title: string, ...content: readonly HtmlValue[]): Html {
  return html`
    <section id="${id}"
      aria-labelledby="${id}-title"><h2 id="${id}-title">${title}</h2>
    ${content}
    </section>
  `;
}

/** Something wide that scrolls by itself, by keyboard too. */
export function scrolling(label: string, content: HtmlValue): Html {
  return html`<div class="scroll" role="region" tabindex="0" aria-label="${label}">${content}</div>`;
}

/** Something to be opened. */
export function folded(title: HtmlValue, ...content: readonly HtmlValue[]): Html {
  return html`<details><summary>${title}</summary>${content}</details>`;
}

/**
 * The first of some things, and the others folded.
 *
 * @param title What is said of the others.
 * @param around What things of a sort stand in.
 */
export function firstOf(
  things: readonly Html[],
  limit: number,
  title: (count: number) => HtmlValue,
  around: (things: readonly Html[]) => Html = (things) => html`${things}`,
): HtmlValue {
  // A few more are shown rather than folded.
  const shown = things.length <= limit * 1.25 ? things.length : limit;
  return [
    around(things.slice(0, shown)),
    shown < things.length && folded(title(things.length - shown), around(things.slice(shown))),
  ];
}

/** A column of a table. */
export interface Column {
  readonly title: string;
  readonly align?: "left" | "right";
  readonly hint?: string;
}

/** A table; the first cell of a row is its heading. */
export function table(
  label: string,
  columns: readonly Column[],
  rows: readonly (readonly HtmlValue[])[],
): Html {
  const sides = columns.map(({ align }) => align === "right" ? "number" : "text");
  return scrolling(
    label,
    html`
      <table>
        <thead>
          <tr>${columns.map(({ title, hint }, index) =>
            html`
              <th scope="col" class="${sides[index]!}" ${hint !== undefined && html`
                title="${hint}"
              `}>${title}</th>
            `
          )}</tr>
        </thead>
        <tbody>${rows.map(([head, ...cells]) =>
          html`
            <tr><th scope="row">${head}</th>${cells.map((cell, index) =>
              html`<td class="${sides[index + 1]!}">${cell}</td>`
            )}</tr>
          `
        )}</tbody>
      </table>
    `,
  );
}

/** A number with a bar as long as its share of the largest. */
export function bar(text: string, share: number): Html {
  const percent = Math.round(1000 * Math.min(1, Math.max(0, share))) / 10;
  return html`<span class="bar" style="--share:${percent}%">${text}</span>`;
}

/** What the colours of a chart mean. */
export function legend(names: readonly string[]): Html {
  return html`<ul class="legend">${
    names.map((name, index) =>
      html`<li><span class="swatch ${seriesClass(index)}"></span>${name}</li>`
    )
  }</ul>`;
}

/** The beginning of a digest. */
export function shortDigest(digest: string): Html {
  return html`<code title="${digest}">${digest.slice(0, 12)}</code>`;
}

/** The name of a stage's place in the page. It is inside what is folded, so that browsers unfold it. */
export function stageAnchor(id: string): string {
  return `stage-${encodeURIComponent(id)}`;
}

/** A link to a stage's place in the page. */
export function stageLink(id: string): string {
  return `#${encodeURIComponent(stageAnchor(id))}`;
}

/** What is said under a heading. */
export function note(...content: readonly HtmlValue[]): Html {
  return html`<p class="note">${content}</p>`;
}
