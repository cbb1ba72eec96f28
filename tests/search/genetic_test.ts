import assert from "node:assert/strict";
import { solveExactly } from "../../src/search/exact.ts";
import {
  GENETIC_DEFAULTS,
  type GeneticState,
  searchGenetically,
} from "../../src/search/genetic.ts";
import { randomProblem } from "./random_problem.ts";

Deno.test("genetic reaches 99.5 % of the optimum, mean of five seeds", () => {
  for (const [seed, layers, block] of [[1, 20, 2], [2, 26, 0], [3, 53, 3]] as const) {
    for (const budget of [0.05, 0.3, 0.7]) {
      const problem = randomProblem(seed, { layers, block }, [budget]);
      const best = solveExactly(problem).loss;
      let sum = 0;
      for (let seed = 0; seed < 5; seed++) {
        const { solution } = searchGenetically(problem, { ...GENETIC_DEFAULTS, seed });
        assert.deepEqual(solution.violations, []);
        sum += best / solution.loss;
      }
      assert.ok(sum / 5 >= 0.995, `${sum / 5} of the optimum: ${layers} layers, ${budget}`);
    }
  }
});

Deno.test("genetic keeps several limits", () => {
  const problem = randomProblem(4, { layers: 30, block: 3 }, [0.3, 0.25]);
  const { solution } = searchGenetically(problem);
  assert.deepEqual(solution.violations, []);
  const best = solveExactly(problem);
  assert.deepEqual(best.violations, []);
  assert.ok(solution.loss <= best.loss / 0.995, `${solution.loss} against ${best.loss}`);
});

Deno.test("without repair, what is over a limit is made again", () => {
  const problem = randomProblem(6, { layers: 20, block: 2 }, [0.4]);
  const best = solveExactly(problem).loss;
  const options = { ...GENETIC_DEFAULTS, infeasible: "reject" } as const;
  const { solution, evaluated } = searchGenetically(problem, options);
  assert.deepEqual(solution.violations, []);
  assert.ok(solution.loss >= best * (1 - 1e-9) && solution.loss < best * 1.3);
  assert.equal(evaluated, 50 * 100);
});

Deno.test("the same seed gives the same search; another goes another way", () => {
  const problem = randomProblem(8, { layers: 40, block: 3 }, [0.2]);
  const run = (seed: number) =>
    searchGenetically(problem, {
      ...GENETIC_DEFAULTS,
      infeasible: "reject",
      generations: 20,
      seed,
    });
  assert.deepEqual(run(1), run(1));
  assert.notDeepEqual(run(1).history, run(2).history);
});

Deno.test("an interrupted search goes on to the same end", () => {
  const problem = randomProblem(9, { layers: 30, block: 2 }, [0.2]);
  const options = { ...GENETIC_DEFAULTS, generations: 30, islands: 3, migration: 7, seed: 5 };
  const whole: GeneticState[] = [];
  const uninterrupted = searchGenetically(problem, options, (state) => whole.push(state()));
  for (const at of [1, 7, 14, 29]) {
    const saved: GeneticState = JSON.parse(JSON.stringify(whole[at - 1]));
    const states: GeneticState[] = [];
    const resumed = searchGenetically(problem, options, (state) => states.push(state()), saved);
    assert.deepEqual(resumed.solution, uninterrupted.solution);
    assert.deepEqual(states, whole.slice(at));
  }
});

Deno.test("limits that cannot be kept leave the closest genome", () => {
  const problem = randomProblem(3, { layers: 12, block: 2 }, [-0.01]);
  for (const infeasible of ["repair", "reject"] as const) {
    const { solution } = searchGenetically(problem, {
      ...GENETIC_DEFAULTS,
      infeasible,
      generations: 3,
    });
    assert.deepEqual([...solution.genome], new Array(12).fill(0));
    assert.equal(solution.violations[0]!.cost, "cost0");
  }
});
