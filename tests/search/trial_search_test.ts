import assert from "node:assert/strict";
import fc from "fast-check";
import { compassSearch } from "../../src/search/compass.ts";
import { Evaluator } from "../../src/search/evaluator.ts";
import { solveExactly } from "../../src/search/exact.ts";
import { exactFront } from "../../src/search/front.ts";
import {
  GENETIC_DEFAULTS,
  type GeneticState,
  searchGenetically,
} from "../../src/search/genetic.ts";
import { searchIslands } from "../../src/search/islands.ts";
import { kneeOf, limitedFront } from "../../src/search/limited_front.ts";
import { findThreshold } from "../../src/search/threshold.ts";
import { tiltProblem } from "../../src/search/tilt.ts";
import { bruteForce, randomProblem } from "./random_problem.ts";

Deno.test("the change of a cost is the difference of two measurements, pairs included", () => {
  const problem = randomProblem(3, { layers: 9, block: 3, pairs: true }, [0.5, 0.5]);
  const evaluator = new Evaluator(problem);
  fc.assert(
    fc.property(
      fc.uint8Array({ minLength: 9, maxLength: 9, max: 2 }),
      fc.nat({ max: 8 }),
      fc.nat({ max: 2 }),
      (genome, layer, choice) => {
        const loss = evaluator.measure(genome);
        const before = Array.from(evaluator.costs);
        const changes = before.map((_, cost) => evaluator.costChange(cost, genome, layer, choice));
        const lossChange = evaluator.lossChange(genome, layer, choice);
        genome[layer] = choice;
        near(evaluator.measure(genome) - loss, lossChange);
        changes.forEach((change, cost) => near(evaluator.costs[cost]! - before[cost]!, change));
      },
    ),
    { numRuns: 200, seed: 1 },
  );
});

Deno.test("a front within limits has the least loss of every step", () => {
  const problem = randomProblem(11, { layers: 7, block: 2, pairs: true }, [1, 0.3]);
  const front = limitedFront(problem, "cost0");
  assert.ok(front.cost.length > 10);
  const evaluator = new Evaluator(problem);
  for (let point = 0; point < front.cost.length; point++) {
    near(evaluator.measure(front.genome(point)), front.loss[point]!);
    assert.ok(evaluator.isFeasible);
    assert.equal(evaluator.costs[0], front.cost[point]);
    const [first, second] = problem.costs;
    const costs = [{ ...first!, limit: front.cost[point]! }, second!];
    near(bruteForce({ ...problem, costs }), front.loss[point]!);
  }
  const impossible = randomProblem(11, { layers: 7 }, [1, -0.1]);
  assert.equal(limitedFront(impossible, "cost0").cost.length, 0);
});

Deno.test("the knee is where the logarithm of the loss is farthest below the chord", () => {
  const front = (cost: number[], loss: number[]) => ({
    cost: Float64Array.from(cost),
    loss: Float64Array.from(loss),
    genome: () => new Uint8Array(),
  });
  assert.equal(kneeOf(front([0, 1, 2, 3, 4], [1, 0.1, 0.01, 0.008, 0.006])), 2);
  assert.equal(kneeOf(front([0, 9, 10], [1, 0.5, 0])), 1);
  assert.equal(kneeOf(front([5], [1])), 0);
});

Deno.test("islands in threads come to what one thread comes to", async () => {
  const problem = randomProblem(6, { layers: 20, block: 2, pairs: true }, [0.4, 0.5]);
  const options = { ...GENETIC_DEFAULTS, islands: 3, generations: 30, migration: 10, seed: 5 };
  let expected: GeneticState | undefined;
  searchGenetically(problem, options, (state) => expected = state());
  using threads = searchIslands(problem, options, 2);
  let state: GeneticState | undefined;
  for (const end of [10, 20, 30]) state = await threads.advance(state, end);
  assert.deepEqual(state, expected);
  assert.equal(threads.least(state!), searchGenetically(problem, options).solution.loss);
});

Deno.test("tilted losses: powers and slopes of single and of joint losses", () => {
  const problem = randomProblem(4, { layers: 6, block: 3 }, [0.4]);
  assert.equal(tiltProblem(problem, { power: 0, slope: 0 }), problem);
  const evaluator = new Evaluator(problem);
  const greatest = Math.max(...problem.loss);
  const tilted = new Evaluator(tiltProblem(problem, { power: Math.log(0.5), slope: 0 }));
  const genome = Uint8Array.of(0, 0, 2, 2, 2, 2);
  const all = Uint8Array.of(2, 2, 2, 2, 2, 2);
  const joint = evaluator.loss(genome) - evaluator.loss(all) + problem.loss[2]! + problem.loss[5]!;
  const root = (loss: number) => Math.sqrt(loss / greatest);
  near(
    tilted.loss(genome) - tilted.loss(all) + root(problem.loss[2]!) + root(problem.loss[5]!),
    root(joint),
  );
  // A slope alone leaves the widths of a single layer in their order, and moves bits towards the end.
  const steep = tiltProblem(problem, { power: 0, slope: 8 });
  const bits = (from: number, to: number) => (found: Uint8Array) =>
    found.slice(from, to).reduce((sum, choice) => sum + choice, 0);
  const [plain, late] = [problem, steep].map((each) => solveExactly(each).genome);
  assert.ok(bits(4, 6)(late!) >= bits(4, 6)(plain!));
  assert.ok(bits(0, 2)(late!) <= bits(0, 2)(plain!));
});

Deno.test("compass search measures each candidate once, and finds the least of a bowl", async () => {
  let calls = 0;
  const bowl = (x: number, y: number) => (x - 2) ** 2 + 3 * (y + 1) ** 2;
  const measured = await compassSearch<string>({
    start: [0, 0],
    steps: [1, 1],
    trials: 60,
    candidate: (point) => point.map((each) => Math.round(each * 4) / 4).join(),
    key: (text) => text,
    measure: (text) => {
      calls++;
      const [x, y] = text.split(",").map(Number);
      return Promise.resolve(bowl(x!, y!));
    },
  });
  assert.equal(calls, measured.length);
  assert.equal(Math.min(...measured.map(({ value }) => value)), 0);
  const few = await compassSearch<string>({
    start: [0, 0],
    steps: [1, 1],
    trials: 3,
    candidate: (point) => point.join(),
    key: (text) => text,
    measure: () => Promise.resolve(1),
  });
  assert.equal(few.length, 3);
});

Deno.test("a threshold is found in few trials, whatever the guess", async () => {
  const { points, cost } = (() => {
    const front = exactFront(randomProblem(2, { layers: 12 }, [1]));
    return { points: front.cost.length, cost: (point: number) => front.cost[point]! };
  })();
  for (const threshold of [0, 1, points >> 2, points - 1]) {
    for (const guess of [0, points >> 1, points - 1]) {
      let trials = 0;
      const found = await findThreshold({
        points,
        guess,
        trials: 60,
        cost,
        isEnough: (point) => {
          trials++;
          return Promise.resolve(point >= threshold);
        },
      });
      assert.equal(found, threshold);
      assert.ok(trials <= 24, `${trials} trials for ${points} points`);
    }
  }
  const never = { points, guess: 0, trials: 30, cost, isEnough: () => Promise.resolve(false) };
  assert.equal(await findThreshold(never), undefined);
});

function near(actual: number, expected: number): void {
  const allowed = 1e-9 * Math.max(1, Math.abs(expected));
  assert.ok(Math.abs(actual - expected) <= allowed, `${actual} ≠ ${expected}`);
}
