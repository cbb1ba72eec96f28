import assert from "node:assert/strict";
import fc from "fast-check";
import { csvOf, markdownOf, tableOf } from "../../src/stages/compare/table.ts";

const EVALUATIONS = new Map<string, Record<string, number>>([
  ["w-test@bits=8,method=mse", { bits: 8, weight_bytes: 800, top1: 0.99 }],
  ["w-test@bits=4,method=mse", { bits: 4, weight_bytes: 400, top1: 0.97 }],
  ["w-test@bits=4,method=a%7Cb", { bits: 4, weight_bytes: 400, top1: 0.96 }],
  ["other", { bits: 2, weight_bytes: 500 }],
]);

Deno.test("models stand side by side, with their axes; those that none beats are marked", () => {
  const table = tableOf(EVALUATIONS, ["bits", "top1", "kl"], ["weight_bytes", "top1"]);
  assert.deepEqual(table.axes, ["bits", "method"]);
  assert.deepEqual(table.metrics, ["bits", "top1"], "nothing measured kl");
  assert.deepEqual(table.rows, [
    {
      model: "w-test@bits=8,method=mse",
      axes: { bits: "8", method: "mse" },
      values: { bits: 8, top1: 0.99 },
      front: true,
    },
    {
      model: "w-test@bits=4,method=mse",
      axes: { bits: "4", method: "mse" },
      values: { bits: 4, top1: 0.97 },
      front: true,
    },
    {
      model: "w-test@bits=4,method=a%7Cb",
      axes: { bits: "4", method: "a|b" },
      values: { bits: 4, top1: 0.96 },
      front: false,
    },
    { model: "other", axes: {}, values: { bits: 2 }, front: false },
  ]);
  assert.equal(
    csvOf(table).split("\r\n")[3],
    "w-test@bits=4,method=a%7Cb,4,a|b,4,0.96,false".replace(
      "w-test@bits=4,method=a%7Cb",
      '"w-test@bits=4,method=a%7Cb"',
    ),
  );
  assert.match(markdownOf(table), /\| 4 \| mse \| 4 \| 97\.00 % \| ★ \|/);
  assert.match(markdownOf(table), /\| 4 \| a\\\|b \|/);
});

Deno.test("the front is what sorting finds", () => {
  const model = fc.record({ weight_bytes: fc.nat(5), top1: fc.nat(5).map((n) => n / 5) });
  fc.assert(fc.property(fc.array(model, { minLength: 1, maxLength: 8 }), (models) => {
    const evaluations = new Map(models.map((each, index) => [`m${index}`, each]));
    const { rows } = tableOf(evaluations, ["top1"], ["weight_bytes", "top1"]);
    // By size, and the best first among equals: on the front is what is better than all before, or equal to the last.
    const sorted = models.map((each, index) => ({ ...each, index }))
      .sort((a, b) => a.weight_bytes - b.weight_bytes || b.top1 - a.top1);
    const front = new Set<number>();
    let last: { weight_bytes: number; top1: number } | undefined;
    for (const each of sorted) {
      const isEqual = each.weight_bytes === last?.weight_bytes && each.top1 === last.top1;
      if (!isEqual && each.top1 <= (last?.top1 ?? -1)) continue;
      front.add(each.index);
      last = each;
    }
    assert.deepEqual(rows.flatMap((row, index) => row.front ? [index] : []), [...front].sort());
  }));
});
