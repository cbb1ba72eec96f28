import assert from "node:assert/strict";
import {
  complementaryError,
  normalDensity,
  normalProbability,
} from "../../src/quant/normal_distribution.ts";

function assertClose(actual: number, expected: number, relative = 1e-13): void {
  assert.ok(
    Math.abs(actual - expected) <= relative * Math.abs(expected),
    `${actual} ≉ ${expected}`,
  );
}

Deno.test("complementaryError is scipy.special.erfc", () => {
  const known: [number, number][] = [
    [0, 1],
    [0.1, 0.8875370839817152],
    [0.5, 0.4795001221869535],
    [1, 0.15729920705028516],
    [1.9, 0.007209570764742531],
    [2, 0.004677734981047266],
    [2.1, 0.0029794666563329845],
    [3, 2.2090496998585445e-05],
    [5, 1.5374597944280347e-12],
    [8, 1.1224297172982928e-29],
    [-1, 1.8427007929497148],
    [-3, 1.9999779095030015],
  ];
  for (const [x, value] of known) assertClose(complementaryError(x), value, 1e-12);
});

Deno.test("normalProbability and normalDensity are those of scipy.stats.norm", () => {
  const known: [number, number, number][] = [
    [-6, 9.865876450376946e-10, 6.075882849823286e-09],
    [-3, 0.0013498980316300933, 0.0044318484119380075],
    [-1, 0.15865525393145707, 0.24197072451914337],
    [0, 0.5, 0.3989422804014327],
    [0.5, 0.6914624612740131, 0.3520653267642995],
    [2, 0.9772498680518208, 0.05399096651318806],
  ];
  for (const [x, probability, density] of known) {
    assertClose(normalProbability(x), probability, 1e-12);
    assertClose(normalDensity(x), density);
  }
});
