import assert from "node:assert/strict";
import { grid } from "../../../src/quant/grid.ts";
import { moveAverage } from "../../../src/quant/observers/moving_average.ts";
import { chooseRange } from "../../../src/quant/observers/table.ts";

Deno.test("moveAverage begins with the first batch and moves by the momentum", () => {
  const first = moveAverage(undefined, { min: -1, max: 4 }, 0.25);
  assert.deepEqual(first, { min: -1, max: 4 });
  const second = moveAverage(first, { min: -3, max: 8 }, 0.25);
  assert.deepEqual(second, { min: -1.5, max: 5 });
});

Deno.test("moving-average chooses the averages, widened to hold zero", () => {
  const statistics = { min: -2, max: 9, count: 10, average: { min: 0.5, max: 7 } };
  assert.deepEqual(chooseRange(statistics, "moving-average", {}, grid(8)), { min: 0, max: 7 });
});

Deno.test("chooseRange says what statistics lack", () => {
  const statistics = { min: -2, max: 9, count: 10 };
  assert.throws(() => chooseRange(statistics, "moving-average", {}, grid(8)), {
    name: "TypeError",
    message: "The statistics have no moving averages",
  });
  assert.throws(() => chooseRange(statistics, "entropy", {}, grid(8)), {
    message: "The statistics have no histogram",
  });
});

Deno.test("minmax chooses the extremes, widened to hold zero", () => {
  assert.deepEqual(chooseRange({ min: -2, max: 9, count: 2 }, "minmax", {}, grid(4)), {
    min: -2,
    max: 9,
  });
  assert.deepEqual(chooseRange({ min: 3, max: 3, count: 2 }, "mse", {}, grid(4)), {
    min: 0,
    max: 3,
  });
});
