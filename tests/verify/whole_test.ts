import assert from "node:assert/strict";
import { Random } from "../../src/base/random.ts";
import { box } from "../../src/verify/box.ts";
import { evaluate } from "../../src/verify/network/evaluate.ts";
import { pairModels } from "../../src/verify/network/pair.ts";
import { type Method, Verifier } from "../../src/verify/verify.ts";
import { zonotopeBracket } from "../../src/verify/zonotope/bracket.ts";
import { dense } from "../checker/networks.ts";
import { boxes, chain } from "./chains.ts";

const NETWORK = pairModels(...dense(1, 3, [9, 9], 0.2));
const DOMAIN = box([-0.1, -0.1, 0.2], [0.1, 0, 0.3]);
const INSIDE = Float64Array.of(0.1, -0.1, 0.3);
/** Where the networks differ much more than in the domain. */
const OUTSIDE = Float64Array.of(50, -50, 50);

type Bracket = (points: Float64Array[], target?: number) => Promise<Outcome>;
type Outcome = Awaited<ReturnType<Verifier["verify"]>>;

function by(method: Method, split: boolean): Bracket {
  return async (points, target) => {
    await using verifier = new Verifier(NETWORK, {
      method,
      split,
      ratio: 1.05,
      ...(target !== undefined && { target }),
    });
    return await verifier.verify(DOMAIN, points);
  };
}

const BRACKETS: Record<string, Bracket> = {
  "split": by("differential", true),
  "whole": by("differential", false),
  "crown-merged": by("crown-merged", false),
  "zonotope": (points, target) =>
    Promise.resolve(zonotopeBracket(NETWORK, DOMAIN, points, {
      semantics: "real",
      ratio: 1.05,
      ...(target !== undefined && { target }),
    })),
};

for (const [name, bracket] of Object.entries(BRACKETS)) {
  Deno.test(`points outside of the box are not looked at: ${name}`, async () => {
    const far = Math.max(...evaluate(NETWORK, OUTSIDE).difference.map(Math.abs));
    const without = await bracket([INSIDE]);
    assert.ok(far > 10 * Math.max(...without.outputs.map(({ proven }) => proven)));
    assert.deepEqual(await bracket([OUTSIDE, INSIDE]), without);
  });

  Deno.test(`points of the box are looked at: ${name}`, async () => {
    const { outputs } = await bracket([INSIDE]);
    evaluate(NETWORK, INSIDE).difference.forEach((value, at) => {
      assert.ok(outputs[at]!.found >= Math.abs(value) - 1e-12);
    });
  });

  Deno.test(`a bound that is enough is done: ${name}`, async () => {
    const { outputs } = await bracket([], 0);
    const enough = Math.max(...outputs.map(({ proven }) => proven)) * 1.01;
    const { isComplete, left } = await bracket([], enough);
    assert.deepEqual([isComplete, left], [true, 0]);
  });
}

Deno.test("a layer of very many weights is bounded", async () => {
  const network = chain(1, [1200, 400, 3], 1e-4);
  const { lower, upper } = boxes(Random.from(1, "many weights"), 1, 1200, 1e-4);
  await using verifier = new Verifier(network, { method: "differential", split: true });
  const { outputs } = await verifier.verify({ lower, upper });
  assert.ok(outputs.every(({ found, proven }) => found > 0 && proven < 2 * found));
});
