import assert from "node:assert/strict";
import { makeStyle } from "../../src/base/terminal_text.ts";
import { summarizeRun } from "../../src/report/summary.ts";
import { markdownOf } from "../../src/report/text/markdown.ts";
import { terminalLines } from "../../src/report/text/terminal.ts";
import type { RunRecord } from "../../src/store/store.ts";
import { digest, record, stage, twoWidths } from "./records.ts";

function linesOf(given: RunRecord, repeat = true): string[] {
  return terminalLines(summarizeRun(given), {
    style: makeStyle(false),
    fileOf: (digest) => `store/${digest.slice(0, 4)}`,
    shownPath: (path) => path,
    repeat,
  });
}

Deno.test("a table has a row for each model and for what they are compared with", () => {
  const { tables } = summarizeRun(record(twoWidths()));
  assert.equal(tables.length, 1);
  const [{ columns, rows }] = tables as [typeof tables[number]];
  assert.deepEqual(columns.map(({ metric }) => metric), ["bits", "top1", "top1_drop"]);
  assert.deepEqual(rows, [
    { subject: "prepare (float)", reference: true, values: { bits: 32, top1: 0.99 } },
    {
      subject: "w8",
      stage: "w8-test",
      reference: false,
      values: { bits: 8, top1: 0.98, top1_drop: 0.99 - 0.98 },
    },
    {
      subject: "w4",
      stage: "w4-test",
      reference: false,
      values: { bits: 4, top1: 0.9, top1_drop: 0.99 - 0.9 },
    },
  ]);
});

Deno.test("models that were measured twice are told apart by the stage", () => {
  const of = (id: string) =>
    stage(id, "evaluate", { inputs: { model: "w4.model" }, metrics: { top1: 0.9 } });
  const { tables } = summarizeRun(record([of("a"), of("b")]));
  assert.deepEqual(tables[0]!.rows.map(({ subject }) => subject), ["w4 (a)", "w4 (b)"]);
});

Deno.test("metrics of a plugin's stage are shown as it declared them", () => {
  const own = { title: "hue", description: "Its colour", unit: "fraction", column: true } as const;
  const { tables, stages } = summarizeRun(
    record([stage("a", "paint", { metrics: { hue: 0.25, other: 3 } })], {
      metrics: { paint: { hue: own } },
    }),
  );
  assert.deepEqual(tables[0]!.columns.map(({ title, unit }) => [title, unit]), [[
    "hue",
    "fraction",
  ]]);
  assert.deepEqual(stages[0]!.metrics.map(({ title, unit, value }) => [title, unit, value]), [
    ["hue", "fraction", 0.25],
    ["other", "number", 3],
  ]);
});

Deno.test("the terminal shows the table, gates, artifacts and the end", () => {
  const stages = twoWidths();
  stages[1] = {
    ...stages[1]!,
    outputs: { model: { kind: "quantized-model", digest: digest("a"), size: 2048 } },
  };
  const lines = linesOf(record(stages, { status: "expectation-failed" }));
  assert.deepEqual(lines, [
    "",
    "model            bits    top-1  top-1 drop",
    "prepare (float)    32  99.00 %           –",
    "w8                  8  98.00 %      1.00 %",
    "w4                  4  90.00 %      9.00 %",
    "",
    "✗ w4-test: top1_drop is 0.09, expected <= 0.01: 0.08 too high",
    "",
    "artifact  kind                size  file",
    "w8.model  quantized-model  2.05 kB  store/aaaa",
    "",
    "Done, but not as expected in 7.50 s: 5 stages, 4 ran, 1 cached (run 20260131-120000-abcdef)",
  ]);
});

Deno.test("failures and warnings are repeated where nobody saw them, and cannot steer the terminal", () => {
  const failed = record([
    stage("a\u001b[2J", "evaluate", { warnings: ["odd\u0007"], status: "hit" }),
    stage("b", "evaluate", { status: "failed", error: "Index out of range" }),
    stage("c", "evaluate", { status: "blocked" }),
  ], { status: "failed" });
  const text = linesOf(failed).join("\n");
  assert.match(text, /^! a␛\[2J: odd␇$/m);
  assert.match(text, /^✗ b failed: Index out of range$/m);
  assert.match(text, /^Failed in 7\.50 s: 3 stages, 1 cached, 1 failed, 1 not started /m);
  assert.doesNotMatch(linesOf(failed, false).join("\n"), /odd|Index/);
});

Deno.test("Markdown says the same, and shows names as they are", () => {
  const stages = twoWidths();
  stages[3] = { ...stages[3]!, warnings: ["<script>alert(1)</script> | `x`"] };
  const text = markdownOf(summarizeRun(record(stages, { pipeline: "a|b_c", status: "failed" })));
  assert.match(text, /^### a\\\|b\\_c: Failed$/m);
  assert.match(text, /^5 stages in 7\.50 s \(4 ran, 1 cached\), run `20260131-120000-abcdef`$/m);
  assert.match(
    text,
    /^\| model \| bits \| top-1 \| top-1 drop \|\n\| --- \| ---: \| ---: \| ---: \|$/m,
  );
  assert.match(text, /^\| w4 \| 4 \| 90\.00 % \| 9\.00 % \|$/m);
  assert.match(text, /^- ❌ w4-test: top1\\_drop is 0\.09/m);
  assert.match(text, /^- ⚠️ w4: \\<script\\>alert\(1\)\\<\/script\\> \\\| \\`x\\`$/m);
});

Deno.test("Markdown is cut at the end of a line", () => {
  const summary = summarizeRun(record(twoWidths()));
  const whole = markdownOf(summary);
  for (const limit of [0, 1, 40, 100, 300]) {
    const text = markdownOf(summary, limit);
    assert.ok(new TextEncoder().encode(text).length <= limit && whole.startsWith(text));
    assert.ok(text === "" || text.endsWith("\n"));
  }
});
