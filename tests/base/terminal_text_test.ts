import assert from "node:assert/strict";
import fc from "fast-check";
import {
  cutText,
  makeStyle,
  padText,
  printable,
  textTable,
  textWidth,
  wrapText,
} from "../../src/base/terminal_text.ts";

Deno.test("width counts columns, not characters", () => {
  assert.equal(textWidth("abc"), 3);
  assert.equal(textWidth("量化"), 4);
  assert.equal(textWidth("e\u0301"), 1);
  assert.equal(textWidth("🚀"), 2);
  assert.equal(textWidth(makeStyle(true).red("abc")), 3);
});

Deno.test("cutting and padding give exactly the width", () => {
  fc.assert(
    fc.property(fc.string({ unit: "grapheme", maxLength: 20 }), fc.nat(20), (text, width) => {
      const cut = cutText(text, width);
      assert.ok(textWidth(cut) <= width);
      if (textWidth(text) <= width) assert.equal(cut, text);
      assert.equal(textWidth(padText(cut, width)), width);
      assert.equal(textWidth(padText(cut, width, "right")), width);
    }),
  );
});

Deno.test("control characters cannot reach the terminal", () => {
  assert.equal(printable("a\x1b[31mb\x07\x9b"), "a␛[31mb␇�");
  assert.equal(printable("tab\tstays, é too"), "tab\tstays, é too");
});

Deno.test("a table aligns its columns", () => {
  const lines = textTable(
    [{ title: "model" }, { title: "size", align: "right" }],
    [["w8", "120 kB"], ["a longer name", "9 B"]],
  );
  assert.deepEqual(lines, [
    "model            size",
    "w8             120 kB",
    "a longer name     9 B",
  ]);
});

Deno.test("wrapping keeps every word and the width", () => {
  fc.assert(
    fc.property(fc.lorem({ maxCount: 30 }), fc.integer({ min: 1, max: 40 }), (text, width) => {
      const lines = wrapText(text, width);
      assert.equal(lines.join(" "), text.split(/\s+/).filter(Boolean).join(" "));
      for (const line of lines) assert.ok(line.length <= width || !line.includes(" "));
    }),
  );
});
