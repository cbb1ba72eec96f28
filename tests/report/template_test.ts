import assert from "node:assert/strict";
import fc from "fast-check";
import { html } from "../../src/report/html/template.ts";

const NAMES: Record<string, string> = { amp: "&", lt: "<", gt: ">", quot: '"', "#39": "'" };

function unescaped(markup: string): string {
  return markup.replace(/&(amp|lt|gt|quot|#39);/g, (_, name: string) => NAMES[name]!);
}

Deno.test("any text stays text, in content and in attributes", () => {
  const texts = fc.oneof(
    fc.array(fc.integer({ min: 0, max: 0x2ff })).map((codes) => String.fromCharCode(...codes)),
    fc.array(fc.constantFrom("<", ">", '"', "'", "&", "</script>", "<!--", "]]>", "&lt;", "a"))
      .map((parts) => parts.join("")),
  );
  fc.assert(fc.property(texts, (text) => {
    const { markup } = html`<p title="${text}">${text}</p>`;
    const [, title, content] = /^<p title="([^"<>]*)">([^<>"']*)<\/p>$/.exec(markup)!;
    assert.equal(title, content);
    // deno-lint-ignore no-control-regex -- control characters are what it looks for
    const shown = text.replace(/[\u0000-\u0008\u000b-\u001f\u007f-\u009f]/g, "\ufffd");
    assert.equal(unescaped(content!), shown);
  }));
});

Deno.test("only what the template made is markup", () => {
  const bold = html`<b>${1}</b>`;
  assert.equal(html`${[bold, "<i>", false, undefined, [2]]}`.markup, "<b>1</b>&lt;i&gt;2");
  const forged = { markup: "<script>" } as unknown as string;
  assert.throws(() => html`${forged}`);
});
