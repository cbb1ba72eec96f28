import assert from "node:assert/strict";
import { join } from "node:path";
import { makeStyle } from "../../src/base/terminal_text.ts";
import { problemLines } from "../../src/cli/output/problems.ts";

const plain = makeStyle(false);
const file = join(Deno.cwd(), "pipelines/digits.yaml");

Deno.test("a problem shows place, line, caret and hint", () => {
  const lines = problemLines(
    [{
      message: 'Unknown key "wieghts"',
      place: { file, line: 20, column: 7, text: "      wieghts: { bits: 8 }", length: 7 },
      hint: 'Did you mean "weights"?',
    }],
    plain,
    100,
  );
  assert.deepEqual(lines, [
    'error: Unknown key "wieghts"',
    "  at pipelines/digits.yaml:20:7",
    "  20 |       wieghts: { bits: 8 }",
    "     |       ^^^^^^^",
    '  → Did you mean "weights"?',
  ]);
});

Deno.test("a problem may have no place, or a place without a line", () => {
  assert.deepEqual(problemLines([{ message: "One\nTwo" }], plain, 80, "warning"), [
    "warning: One",
    "  Two",
  ]);
  assert.deepEqual(problemLines([{ message: "Empty", place: { file } }], plain, 80), [
    "error: Empty",
    "  at pipelines/digits.yaml",
  ]);
});

Deno.test("the caret stands under its column after tabs and in long lines", () => {
  const tabs = problemLines(
    [{ message: "m", place: { file, line: 1, column: 4, text: "a\t\tbad", length: 3 } }],
    plain,
    80,
  );
  assert.deepEqual(tabs.slice(2), ["  1 | a\t\tbad", "    |  \t\t^^^"]);

  const text = `${"x".repeat(500)}BAD${"y".repeat(500)}`;
  const [, , shown, caret] = problemLines(
    [{ message: "m", place: { file, line: 1, column: 501, text, length: 3 } }],
    plain,
    80,
  );
  assert.ok(shown!.length <= 80);
  assert.equal(shown!.slice(caret!.indexOf("^"), caret!.lastIndexOf("^") + 1), "BAD");
});

Deno.test("text from a file cannot steer the terminal", () => {
  const lines = problemLines(
    [{ message: "bad \x1b[2J", place: { file, line: 1, column: 1, text: "\x1b]0;title\x07" } }],
    plain,
    80,
  );
  // deno-lint-ignore no-control-regex -- it must not be there
  assert.doesNotMatch(lines.join("\n"), /[\x00-\x09\x0b-\x1f]/);
});
