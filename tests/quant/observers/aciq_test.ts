import assert from "node:assert/strict";
import {
  fakeQuantize,
  grid,
  parametersFromRange,
  tensorParameters,
} from "../../../src/quant/grid.ts";
import { histogramOf } from "../../../src/quant/histogram.ts";
import {
  gaussClip,
  laplaceClip,
  likelierDistribution,
} from "../../../src/quant/observers/clipping.ts";
import { meanSquareError, optimalGridClip } from "../../../src/quant/observers/grid_clipping.ts";
import { chooseRange, chooseRangeOf } from "../../../src/quant/observers/table.ts";
import { weightError } from "../../../src/quant/weights.ts";
import { laplaceSample, reluSample } from "../samples.ts";

function assertClose(actual: number, expected: number, tolerance: number): void {
  assert.ok(Math.abs(actual - expected) <= tolerance, `${actual} ≉ ${expected}`);
}

const WIDTHS = [1, 2, 3, 4, 5, 6, 7, 8];

Deno.test("the published clips are those that scipy finds", () => {
  const laplace = [1.862817, 2.830683, 3.897229, 5.02864, 6.204766, 7.413126, 8.64562, 9.89676];
  const gauss = [1.239905, 1.710635, 2.151593, 2.559136, 2.9362, 3.286914, 3.615114, 3.924034];
  WIDTHS.forEach((bits, index) => {
    assertClose(laplaceClip(2 ** bits), laplace[index]!, 1e-6);
    assertClose(gaussClip(2 ** bits), gauss[index]!, 3e-6);
  });
});

Deno.test("the published clips are minima of the published errors", () => {
  const laplace = (a: number, steps: number) => 2 * Math.exp(-a) + a * a / (3 * steps * steps);
  for (const bits of WIDTHS) {
    const clip = laplaceClip(2 ** bits);
    for (const other of [clip - 1e-3, clip + 1e-3]) {
      assert.ok(laplace(clip, 2 ** bits) < laplace(other, 2 ** bits));
    }
  }
});

Deno.test("meanSquareError is least at the known clips of grids with points at both ends", () => {
  const known = { laplace: [2.307, 3.618, 4.89], gauss: [1.4935, 2.051, 2.514] };
  for (const distribution of ["laplace", "gauss"] as const) {
    known[distribution].forEach((clip, index) => {
      const steps = 2 ** (index + 2) - 1;
      const error = (alpha: number) =>
        meanSquareError(
          distribution,
          Array.from({ length: steps + 1 }, (_, point) => (2 * point / steps - 1) * alpha),
          "both",
        );
      assert.ok(error(clip) < error(clip - 0.01) && error(clip) < error(clip + 0.01));
    });
  }
});

Deno.test("optimalGridClip is what numerical integration finds for grids with zero among their points", () => {
  const known: [Parameters<typeof optimalGridClip>[0], number, number][] = [
    ["laplace", 2, 2.57555],
    ["laplace", 3, 3.77395],
    ["laplace", 4, 4.96013],
    ["gauss", 2, 1.57258],
    ["gauss", 3, 2.10639],
    ["gauss", 4, 2.53957],
  ];
  for (const [distribution, bits, clip] of known) {
    assertClose(optimalGridClip(distribution, grid(bits), "both"), clip, 1e-4);
  }
});

Deno.test("optimalGridClip of one side is that of the same steps on both", () => {
  // Half of a symmetric grid from −q to q is a one-sided grid from 0 to q.
  const symmetric = grid(5, { symmetric: true, narrow: true });
  for (const distribution of ["laplace", "gauss"] as const) {
    assertClose(
      optimalGridClip(distribution, grid(4), "above"),
      optimalGridClip(distribution, symmetric, "both"),
      1e-5,
    );
    assertClose(
      optimalGridClip(distribution, grid(4), "above"),
      optimalGridClip(distribution, grid(4), "below"),
      1e-6,
    );
  }
});

Deno.test("optimalGridClip comes close to the published one with many steps", () => {
  for (const distribution of ["laplace", "gauss"] as const) {
    const published = (distribution === "laplace" ? laplaceClip : gaussClip)(256);
    assertClose(optimalGridClip(distribution, grid(8), "both") / published, 1, 2e-3);
  }
  assertClose(optimalGridClip("laplace", grid(16), "both"), laplaceClip(65_535), 1e-6);
});

Deno.test("likelierDistribution tells a Laplace from a normal distribution", () => {
  assert.equal(likelierDistribution(Math.SQRT2, 1), "laplace");
  assert.equal(likelierDistribution(Math.sqrt(Math.PI / 2), 1), "gauss");
});

Deno.test("aciq chooses what numpy and scipy compute, from values and from a histogram", () => {
  const known: [number, number, number][] = [
    [2, -2.82819677298492, 2.8273283062074723],
    [4, -5.023886260958323, 5.023017794180875],
  ];
  const values = laplaceSample();
  const histogram = histogramOf(values, 2048);
  const statistics = { min: -8.449878, max: 7.9686656, count: values.length, histogram };
  for (const [bits, min, max] of known) {
    const exact = chooseRangeOf(values, "aciq", {}, grid(bits));
    assertClose(exact.min, min, 1e-9);
    assertClose(exact.max, max, 1e-9);
    const binned = chooseRange(statistics, "aciq", {}, grid(bits));
    assertClose(binned.min, min, 5e-3);
    assertClose(binned.max, max, 5e-3);
  }
});

Deno.test("aciq takes the next width for values of one sign, from zero to the mean and α of those that are not zero", () => {
  const known: [number, number][] = [[2, 3.8595218499853936], [4, 5.553503464447921]];
  const values = reluSample();
  for (const [bits, expected] of known) {
    const { min, max } = chooseRangeOf(values, "aciq", {}, grid(bits));
    assert.equal(min, 0);
    assertClose(max, expected, 1e-9);
    const mirrored = chooseRangeOf(values.map((value) => -value), "aciq", {}, grid(bits));
    assert.equal(mirrored.max, 0);
    assertClose(mirrored.min, -max, 1e-12);
  }
});

Deno.test("aciq-grid makes less error than aciq on grids of few bits", () => {
  const values = laplaceSample(20_000);
  for (const bits of [2, 3]) {
    const error = (method: "aciq" | "aciq-grid") => {
      const target = grid(bits);
      const { min, max } = chooseRangeOf(values, method, {}, target);
      const chosen = tensorParameters(parametersFromRange(min, max, target), target);
      return weightError(values, fakeQuantize(values, [values.length], chosen)).meanSquare;
    };
    assert.ok(error("aciq-grid") < error("aciq"));
    const { min, max } = chooseRangeOf(values, "aciq-grid", {}, grid(bits));
    assertClose(max, optimalGridClip("laplace", grid(bits), "both"), 5e-3);
    assertClose(min, -max, 5e-3);
  }
});

Deno.test("both stay within the values", () => {
  const values = Float32Array.of(-1, -1, 1, 1, 1);
  for (const method of ["aciq", "aciq-grid"] as const) {
    const { min, max } = chooseRangeOf(values, method, {}, grid(8));
    assert.deepEqual([min, max], [-1, 1]);
  }
});
