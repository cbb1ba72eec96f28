import assert from "node:assert/strict";
import { Random } from "../../../src/base/random.ts";
import type { Model } from "../../../src/onnx/model.ts";
import { ExecutedPair } from "../../../src/verify/attack/executed.ts";
import { box } from "../../../src/verify/box.ts";
import { evaluate } from "../../../src/verify/network/evaluate.ts";
import { pairModels } from "../../../src/verify/network/pair.ts";
import { Verifier } from "../../../src/verify/verify.ts";
import { zonotopeBounds } from "../../../src/verify/zonotope/propagate.ts";
import {
  assorted,
  convolutional,
  dense,
  pairOf,
  pooled,
  roundedActivations,
  stored,
} from "../../checker/networks.ts";

const CASES: Record<string, [Model, Model]> = {
  "dense layers": dense(1, 3, [9, 9, 9], 0.05),
  "dense layers, far apart": dense(2, 3, [7, 7], 1.5),
  "convolutions, a residual, normalization, pools": convolutional(0.05),
  "weights of 4 bits": stored(4),
  "rounded activations": roundedActivations(),
  "operators that move values, functions of Relus": assorted(0.05),
  "max pools": pooled(0.05),
};

for (const [name, models] of Object.entries(CASES)) {
  Deno.test(`no point is beyond the bounds of zonotopes: ${name}`, async () => {
    const network = pairModels(...models);
    await using pair = await ExecutedPair.open(...models);
    const random = Random.from(2, "points");
    for (const radius of [1, 0.1, 0.01, 0]) {
      const middle = Float64Array.from(
        { length: network.input.size },
        () => Math.fround(random.normal()),
      );
      const whole = box(
        middle.map((value) => value - radius * random.uniform()),
        middle.map((value) => value + radius * random.uniform()),
      );
      const exact = zonotopeBounds(network, whole, "real");
      const rounded = zonotopeBounds(network, whole, "float32");
      for (let trial = 0; trial < 100; trial++) {
        const x = whole.lower.map((from, at) => {
          const share = trial < 50 ? Math.round(random.uniform()) : random.uniform();
          return Math.min(from + share * (whole.upper[at]! - from), whole.upper[at]!);
        });
        evaluate(network, x).difference.forEach((value, output) => {
          const { lower, upper } = exact[output]!;
          assert.ok(lower - 1e-12 <= value && value <= upper + 1e-12, `${lower} ${value} ${upper}`);
        });
      }
      (await pair.difference(middle)).forEach((value, output) => {
        const { lower, upper } = rounded[output]!;
        assert.ok(lower <= value && value <= upper, `${lower} ${value} ${upper}`);
      });
      if (radius === 0) {
        for (const { lower, upper } of exact) assert.ok(upper - lower < 1e-9);
      }
    }
  });
}

Deno.test("zonotopes are tighter than intervals, and looser than backward bounds by less than ten times", async () => {
  const network = pairModels(...dense(1, 3, [9, 9, 9], 0.05));
  const whole = box([-0.1, -0.1, 0.2], [0.1, 0, 0.3]);
  const boundOf = async (method: "interval" | "differential") => {
    await using verifier = new Verifier(network, { method, split: false });
    const { outputs } = await verifier.verify(whole);
    return Math.max(...outputs.map(({ proven }) => proven));
  };
  const ends = zonotopeBounds(network, whole, "real");
  const bound = Math.max(...ends.map(({ lower, upper }) => Math.max(upper, -lower)));
  assert.ok(bound < await boundOf("interval") && bound < 10 * await boundOf("differential"));
});

Deno.test("a step without a form is named", () => {
  const models = pairOf(
    5,
    [1, 3],
    0.1,
    (b, x, weights) => b.op("Sigmoid", [b.op("MatMul", [x, weights([3, 2])])]),
  );
  assert.throws(
    () => zonotopeBounds(pairModels(...models), box([0, 0, 0], [1, 1, 1]), "real"),
    /\(sigmoid\) has no form for method zonotope/,
  );
});
