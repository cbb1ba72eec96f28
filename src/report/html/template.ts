/**
 * HTML and SVG from templates that escape whatever is put into them.
 *
 * @module
 */

/** Markup that is safe to put into a page: only {@linkcode html} makes it. */
export class Html {
  readonly markup: string;

  private constructor(markup: string) {
    this.markup = markup;
  }

  static of(strings: TemplateStringsArray, values: readonly HtmlValue[]): Html {
    let markup = strings[0]!;
    values.forEach((value, index) => markup += markupOf(value) + strings[index + 1]!);
    return new Html(markup);
  }
}

/** What can stand in a template; lists are joined, and nothing stands for `undefined` and `false`. */
export type HtmlValue = string | number | Html | undefined | false | readonly HtmlValue[];

/**
 * Markup with values in it. Texts are escaped, for content as for attributes in quotes.
 *
 *     html`<p title="${name}">${name}</p>`
 */
export function html(strings: TemplateStringsArray, ...values: HtmlValue[]): Html {
  return Html.of(strings, values);
}

function markupOf(value: HtmlValue): string {
  if (value === undefined || value === false) return "";
  if (value instanceof Html) return value.markup;
  if (typeof value === "number") return String(value);
  if (typeof value === "string") return escapeText(value);
  return value.map(markupOf).join("");
}

const ESCAPES: Readonly<Record<string, string>> = {
  "&": "&amp;",
  "<": "&lt;",
  ">": "&gt;",
  '"': "&quot;",
  "'": "&#39;",
};

function escapeText(text: string): string {
  // deno-lint-ignore no-control-regex -- control characters have no meaning in HTML
  const visible = text.replace(/[\u0000-\u0008\u000b-\u001f\u007f-\u009f]/g, "\ufffd");
  return visible.replace(/[&<>"']/g, (character) => ESCAPES[character]!);
}
