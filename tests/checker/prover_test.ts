import assert from "node:assert/strict";
import fc from "fast-check";
import { Random } from "../../src/base/random.ts";
import type { Model } from "../../src/onnx/model.ts";
import { pairModels } from "../../src/checker/check.ts";
import { chooseSlopes, intercept, type Region } from "../../src/checker/planes.ts";
import { Prover } from "../../src/checker/prover.ts";
import { ExecutedPair } from "../../src/verify/attack/executed.ts";
import { Propagator } from "../../src/verify/bounds/propagate.ts";
import { allRows } from "../../src/verify/bounds/rows.ts";
import { box } from "../../src/verify/box.ts";
import { evaluate } from "../../src/verify/network/evaluate.ts";
import { sizeOf } from "../../src/verify/network/network.ts";
import { pairModels as pairForEvaluation } from "../../src/verify/network/pair.ts";
import {
  assorted,
  convolutional,
  curved,
  dense,
  files,
  pooled,
  roundedActivations,
  roundedTwice,
  stored,
} from "./networks.ts";

const ROUNDED = "rounded activations";
const CURVED = "Sigmoid and Tanh";

const CASES: Record<string, [Model, Model]> = {
  "dense layers": dense(1, 3, [9, 9, 9], 0.05),
  "dense layers, far apart": dense(2, 3, [7, 7], 1.5),
  "convolutions, a residual, normalization, pools": convolutional(0.05),
  "weights of 8 bits": stored(8),
  "weights of 4 bits": stored(4),
  [ROUNDED]: roundedActivations(),
  [`${ROUNDED}, twice`]: roundedTwice(),
  "operators that move values, functions of Relus": assorted(0.05),
  "max pools": pooled(0.05),
  [CURVED]: curved(0.05),
  [`${CURVED}, far apart`]: curved(1.5),
};

/** Float64 evaluation of small networks is off by less than this. */
const EVALUATION = 1e-12;

for (const [name, models] of Object.entries(CASES)) {
  Deno.test(`no point is beyond the bounds: ${name}`, () => {
    const prover = new Prover(pairModels(files(models)));
    const network = pairForEvaluation(...models);
    const random = Random.from(2, "points");
    for (
      const [radius, differences] of [[1, false], [1, true], [0.1, false], [0.01, true]] as const
    ) {
      const middle = Float64Array.from({ length: prover.inputs }, () => random.normal());
      const lower = middle.map((value) => value - radius * random.uniform());
      const upper = middle.map((value) => value + radius * random.uniform());
      const found = prover.prove(lower, upper, { differences });
      let closest = Infinity;
      for (let trial = 0; trial < 200; trial++) {
        const x = lower.map((from, at) => {
          const share = trial < 100 ? Math.round(random.uniform()) : random.uniform();
          return Math.min(from + share * (upper[at]! - from), upper[at]!);
        });
        evaluate(network, x).difference.forEach((value, output) => {
          assert.ok(
            value >= found.lower[output]! - EVALUATION,
            `${value} < ${found.lower[output]}`,
          );
          assert.ok(
            value <= found.upper[output]! + EVALUATION,
            `${value} > ${found.upper[output]}`,
          );
          closest = Math.min(closest, found.upper[output]! - value);
        });
      }
      // Bounds that nothing ever comes near would be sound too. Random points of many inputs are near no corner.
      // Roundings of different neurons are taken to conspire, which no point does.
      if (radius === 0.01 && prover.inputs === 3 && !name.startsWith(ROUNDED)) {
        // What slopes of curves are between is some percent of what they do.
        const near = name.startsWith(CURVED) ? 0.25 : 0.05;
        assert.ok(closest < near * (found.upper[0]! - found.lower[0]!) + 1e-9);
      }
    }
  });

  Deno.test(`a point has the bounds that it is executed to: ${name}`, () => {
    const prover = new Prover(pairModels(files(models)));
    const x = Float64Array.from({ length: prover.inputs }, (_, at) => Math.sin(at + 1));
    const { lower, upper } = prover.prove(x, x, { differences: false });
    evaluate(pairForEvaluation(...models), x).difference.forEach((value, output) => {
      assert.ok(lower[output]! <= value && value <= upper[output]!);
      assert.ok(upper[output]! - lower[output]! < 1e-10);
    });
  });
}

for (const [name, models] of Object.entries(CASES)) {
  Deno.test(`float32: what ONNX Runtime computes is within the bounds: ${name}`, async () => {
    const prover = new Prover(pairModels(files(models)), "float32");
    const pairs: ExecutedPair[] = [];
    for (const optimization of ["none", "all"] as const) {
      pairs.push(await ExecutedPair.open(...models, { optimization }));
    }
    const random = Random.from(3, "points");
    for (let trial = 0; trial < 20; trial++) {
      const x = Float64Array.from(
        { length: prover.inputs },
        () => Math.fround(random.normal() * 10 ** (trial % 4 - 1)),
      );
      const { lower, upper } = prover.prove(x, x, { differences: false });
      for (const pair of pairs) {
        (await pair.difference(x)).forEach((value, output) => {
          assert.ok(lower[output]! <= value && value <= upper[output]!, `${value}`);
        });
      }
    }
    for (const pair of pairs) await pair[Symbol.asyncDispose]();
  });

  Deno.test(`bounds are about as tight as those of one pass of the search: ${name}`, async () => {
    const semantics = "float32";
    await using propagator = new Propagator(pairForEvaluation(...models), { semantics });
    const { output } = propagator.network;
    const prover = new Prover(pairModels(files(models)), semantics);
    for (const radius of [0, 0.003, 0.1]) {
      const x = Float64Array.from({ length: prover.inputs }, (_, at) => Math.sin(at + 1));
      const whole = box(x.map((value) => value - radius), x.map((value) => value + radius));
      const state = await propagator.propagate({ count: 1, ...whole }, "differences");
      const rows = allRows(1, sizeOf(propagator.network, output));
      const [joint, merged] = [
        await propagator.boundRows(output, "joint", rows, state),
        await propagator.boundRows(output, "merged", rows, state),
      ];
      const { lower, upper } = prover.prove(whole.lower, whole.upper, { differences: true });
      const proven = -joint.bounds.reduce(
        (least, bound, row) => Math.min(least, Math.max(bound, merged.bounds[row]!)),
        0,
      );
      const checked = Math.max(...upper, ...lower.map((value) => -value));
      // The search charges float32 a little differently.
      assert.ok(checked <= 1.15 * proven + 1e-5, `${checked} against ${proven}`);
    }
  });
}

const coordinate = fc.oneof(
  fc.double({ noNaN: true, min: -4, max: 4 }),
  fc.constantFrom(0, 1, -1, 1e-9, -1e-9, 1e6),
);

/** Consistent bounds around a point (z, e). */
const regions = fc.tuple(
  coordinate,
  coordinate,
  fc.array(fc.nat(1000), { minLength: 6, maxLength: 6 }),
)
  .map(([z, e, gaps]) => {
    const [a, b, c, d, f, g] = gaps.map((gap) => gap / 250);
    const y = z - e;
    const region: Region = {
      zLower: z - a!,
      zUpper: z + b!,
      yLower: y - c!,
      yUpper: y + d!,
      eLower: e - f!,
      eUpper: e + g!,
    };
    return { region, z, e };
  });

Deno.test("any slopes give a plane on the right side of every point of the region", () => {
  const slope = fc.double({ noNaN: true, min: -3, max: 3 });
  const shares = fc.array(fc.double({ noNaN: true, min: 0, max: 1 }), {
    minLength: 2,
    maxLength: 2,
  });
  fc.assert(
    fc.property(regions, slope, slope, shares, fc.boolean(), ({ region }, p, q, [s, t], chosen) => {
      const z = region.zLower + s! * (region.zUpper - region.zLower);
      const e = region.eLower + t! * (region.eUpper - region.eLower);
      const y = z - e;
      if (y < region.yLower || y > region.yUpper) return;
      const g = Math.max(z, 0) - Math.max(y, 0);
      for (const sign of [1, -1] as const) {
        const slopes = chosen ? chooseSlopes(region, sign) : { p, q };
        const c = intercept(region, slopes.p, slopes.q, sign);
        const slack = 1e-13 * (1 + Math.abs(z) + Math.abs(e));
        assert.ok(sign * g <= slopes.p * z + slopes.q * e + c + slack);
      }
    }),
    { numRuns: 3000 },
  );
});

Deno.test("planes touch the function: lowered by a little they are wrong", () => {
  let touched = 0;
  const random = Random.from(4, "regions");
  for (let trial = 0; trial < 100; trial++) {
    const [z, e] = [random.normal(), 0.2 * random.normal()];
    const region = {
      zLower: z - 1,
      zUpper: z + 1,
      yLower: z - e - 1,
      yUpper: z - e + 1,
      eLower: e - 0.1,
      eUpper: e + 0.1,
    };
    const { p, q } = chooseSlopes(region, 1);
    const c = intercept(region, p, q, 1) - 1e-3;
    for (let i = 0; i <= 60 && touched <= trial; i++) {
      for (let j = 0; j <= 20; j++) {
        const [a, b] = [region.zLower + i / 30, region.eLower + j / 100];
        const y = a - b;
        if (y < region.yLower || y > region.yUpper) continue;
        if (Math.max(a, 0) - Math.max(y, 0) > p * a + q * b + c) {
          touched = trial + 1;
          break;
        }
      }
    }
    assert.equal(touched, trial + 1, JSON.stringify({ region, p, q }));
  }
});
