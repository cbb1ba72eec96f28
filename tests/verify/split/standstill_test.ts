import assert from "node:assert/strict";
import { decodeState, encodeState } from "../../../src/verify/split/state.ts";
import { Standstill } from "../../../src/verify/split/standstill.ts";

Deno.test("a search stands still when sixteen times as many boxes did not get it on", () => {
  const standstill = new Standstill();
  standstill.note(10_000, 50, 0);
  assert.equal(standstill.is(10_000), false);
  // A hundredth better, or a hundredth less volume that is open.
  standstill.note(20_000, 49.4, 0);
  standstill.note(30_000, 49.4, 0.011);
  assert.deepEqual(standstill.mark, [30_000, 49.4, 0.011]);
  standstill.note(479_999, 49, 0.02);
  assert.equal(standstill.is(479_999), false);
  assert.equal(standstill.is(480_000), true);
  standstill.note(480_000, 48, 0.02);
  assert.equal(standstill.is(480_000), false);
});

Deno.test("a search that hardly gets on for five times as many boxes, and then ends well, goes on", () => {
  // ACAS Xu 4_2 on property 3, 8 bits a tensor, ratio 1.05: done after 294 663 boxes.
  const found = 0.1327;
  const standstill = new Standstill();
  standstill.note(9113, 0.1847 / (1.05 * found), 0.4217);
  standstill.note(46_000, 0.1847 / (1.05 * found), 0.4259);
  assert.equal(standstill.mark[0], 9113);
  assert.equal(standstill.is(46_000), false);
});

Deno.test("a search has some thousand boxes in any case, and what is settled in the end counts", () => {
  const standstill = new Standstill([1, 3, 0]);
  assert.deepEqual([standstill.is(30_000), standstill.is(40_000)], [false, true]);
  // A thousandth of the volume is a tenth of what is open.
  const late = new Standstill([100_000, 3, 0.99]);
  late.note(500_000, 3, 0.991);
  assert.equal(late.mark[0], 500_000);
});

Deno.test("how far a search was when it got on last is kept, also before it did", () => {
  const state = {
    rows: "values",
    regions: false,
    boxes: 1,
    splits: 0,
    settled: 0,
    elapsed: 0,
    shrink: [0, 0],
    closed: new Float64Array(2),
    witnesses: [undefined],
    open: [],
    next: 0,
  } as const;
  for (const mark of [[0, Infinity, 0], [7, 3.5, 0.25]] as const) {
    assert.deepEqual(decodeState(encodeState({ ...state, mark }))!.mark, mark);
  }
});
