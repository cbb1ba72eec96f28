import assert from "node:assert/strict";
import { Random } from "../../src/base/random.ts";
import type { Report } from "../../src/report/document.ts";
import { resultsSection } from "../../src/report/html/sections/results.ts";
import { summarizeRun } from "../../src/report/summary.ts";
import { record, stage } from "./records.ts";

const DETAILS = {
  version: 1 as const,
  models: [],
  calibrations: [],
  reconstructions: [],
  sensitivities: [],
  fronts: [],
  verifications: [],
  manifests: {},
  missing: [],
};

/** A run that measured models of random size and accuracy. */
function measured(count: number): Report {
  const random = Random.from(7, "results");
  const stages = Array.from({ length: count }, (_, index) =>
    stage(`t${index}`, "evaluate", {
      inputs: { model: `m${index}.model` },
      // Few values, so that there are models of equal size and of equal accuracy.
      metrics: {
        weight_bytes: 1000 + Math.floor(random.uniform() * 40),
        top1: Math.floor(random.uniform() * 50) / 50,
      },
    }));
  return { ...DETAILS, ...summarizeRun(record(stages)) };
}

function subjectsOf(markup: string): string[] {
  return [...markup.matchAll(/<th scope="row">\s*<a[^>]*>([^<]*)<\/a>/g)].map(([, name]) =>
    name!.trim()
  );
}

Deno.test("of many models, those than which none is both smaller and better come first", () => {
  const report = measured(60);
  const rows = report.tables[0]!.rows;
  const best = rows.filter(({ values: a }) =>
    rows.every(({ values: b }) =>
      b.weight_bytes! > a.weight_bytes! || b.top1! < a.top1! ||
      b.weight_bytes === a.weight_bytes && b.top1 === a.top1
    )
  );
  // Of several that are equal in both, one is shown.
  const expected = new Set(best.map(({ values }) => JSON.stringify(values)));
  const [first, folded] = resultsSection(report)!.markup.split("<details>") as [string, string];
  const shown = subjectsOf(first);
  assert.equal(shown.length, expected.size);
  for (const name of shown) {
    assert.ok(best.some(({ subject }) => subject === name), `${name} is not on the front`);
  }
  assert.match(folded, /^\s*<summary>\s*All 60 rows/);
  assert.equal(subjectsOf(folded).length, 60);
});

Deno.test("few models are all in one table, and two need no chart", () => {
  const three = resultsSection(measured(3))!.markup;
  assert.equal(subjectsOf(three).length, 3);
  assert.match(three, /<svg/);
  assert.doesNotMatch(three, /<details>/);
  assert.doesNotMatch(resultsSection(measured(2))!.markup, /<svg/);
  assert.equal(resultsSection(measured(0)), undefined);
});
