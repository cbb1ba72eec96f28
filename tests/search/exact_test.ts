import assert from "node:assert/strict";
import fc from "fast-check";
import { UserError } from "../../src/base/errors.ts";
import { solveExactly } from "../../src/search/exact.ts";
import { exactFront, pointOfLoss, pointWithin } from "../../src/search/front.ts";
import { solveGreedily } from "../../src/search/greedy.ts";
import { Evaluator } from "../../src/search/evaluator.ts";
import type { SearchProblem } from "../../src/search/problem.ts";
import { bruteForce, randomProblem } from "./random_problem.ts";

const cases = fc.record({
  seed: fc.integer({ min: 0, max: 1e6 }),
  layers: fc.integer({ min: 1, max: 8 }),
  block: fc.integer({ min: 0, max: 4 }),
  fractions: fc.array(fc.double({ min: 0, max: 1.1, noNaN: true }), { minLength: 1, maxLength: 3 }),
  pairs: fc.boolean(),
});

Deno.test("exact finds what trying everything finds, with blocks, pairs and several limits", () => {
  fc.assert(
    fc.property(cases, ({ seed, layers, block, fractions, pairs }) => {
      const problem = randomProblem(seed, { layers, block, pairs }, fractions);
      const expected = bruteForce(problem);
      const found = solveExactly(problem);
      assert.equal(found.violations.length === 0, expected !== Infinity);
      if (expected !== Infinity) close(found.loss, expected);
    }),
    { numRuns: 250, seed: 1 },
  );
});

Deno.test("exact finds what trying everything finds for ten layers", () => {
  for (const seed of [1, 2, 3]) {
    const problem = randomProblem(seed, { layers: 10, block: seed === 1 ? 0 : 3 }, [0.3, 0.4]);
    close(solveExactly(problem).loss, bruteForce(problem));
  }
});

Deno.test("the front has the least loss for every budget", () => {
  const problem = randomProblem(7, { layers: 7, block: 2 }, [1]);
  const front = exactFront(problem);
  const evaluator = new Evaluator(problem);
  const [cost] = problem.costs;
  for (let point = 0; point < front.cost.length; point++) {
    close(evaluator.measure(front.genome(point)), front.loss[point]!);
    assert.equal(evaluator.costs[0], front.cost[point]);
    assert.equal(pointWithin(front, front.cost[point]!), point);
    assert.equal(pointOfLoss(front, front.loss[point]!), point);
  }
  const [least, most] = [front.cost[0]!, front.cost.at(-1)!];
  assert.equal(pointWithin(front, least - 1), -1);
  assert.equal(pointOfLoss(front, front.loss.at(-1)! * 0.99), -1);
  for (let step = 0; step < 20; step++) {
    const limit = Math.floor(least + (most - least) * step / 20);
    const limited: SearchProblem = { ...problem, costs: [{ ...cost!, limit }] };
    close(front.loss[pointWithin(front, limit)]!, bruteForce(limited));
  }
});

Deno.test("greedy is never better than exact, and mostly near it", () => {
  const ratios: number[] = [];
  for (let seed = 0; seed < 20; seed++) {
    const problem = randomProblem(seed, { layers: 40, block: seed % 4 }, [0.05 * (1 + seed % 10)]);
    const greedy = solveGreedily(problem);
    const exact = solveExactly(problem);
    assert.deepEqual([greedy.violations, exact.violations], [[], []]);
    assert.ok(exact.loss <= greedy.loss * (1 + 1e-9));
    ratios.push(greedy.loss / exact.loss);
  }
  const median = ratios.sort((a, b) => a - b)[10]!;
  assert.ok(median < 1.1, `${median}`);
});

Deno.test("limits that cannot be kept: the closest, which limit, and by how much", () => {
  const problem = randomProblem(3, { layers: 12, block: 2 }, [-0.01, 0.5]);
  for (const { genome, violations, costs } of [solveExactly(problem), solveGreedily(problem)]) {
    assert.deepEqual([...genome], new Array(12).fill(0));
    assert.equal(violations.length, 1);
    assert.equal(violations[0]!.cost, "cost0");
    assert.equal(violations[0]!.value, costs["cost0"]);
    assert.equal(violations[0]!.limit, problem.costs[0]!.limit);
  }
});

Deno.test("layers of given widths keep them", () => {
  const problem = randomProblem(5, { layers: 9 }, [0.3]);
  const allowed = problem.allowed.map((choices, layer) => layer === 4 ? Uint8Array.of(2) : choices);
  const { genome, loss } = solveExactly({ ...problem, allowed });
  assert.equal(genome[4], 2);
  assert.ok(loss >= solveExactly(problem).loss);
});

Deno.test("a block with too many combinations is refused with a way out", () => {
  const problem = randomProblem(5, { layers: 12, block: 12 }, [0.3]);
  assert.throws(() => solveExactly(problem), (error) => {
    assert.ok(error instanceof UserError);
    assert.match(error.message, /block of 12 layers, with "layer0", has 531441 combinations/);
    assert.match(error.problems[0]!.hint!, /genetic/);
    return true;
  });
});

function close(actual: number, expected: number): void {
  assert.ok(Math.abs(actual - expected) <= 1e-9 * Math.abs(expected), `${actual} ≠ ${expected}`);
}
