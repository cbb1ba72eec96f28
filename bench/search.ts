/**
 * How fast widths are searched: genomes a second, exact fronts, genetic searches.
 *
 *     deno run bench/search.ts
 *
 * @module
 */

import { Random } from "../src/base/random.ts";
import { Evaluator } from "../src/search/evaluator.ts";
import { solveExactly } from "../src/search/exact.ts";
import { exactFront, pointWithin } from "../src/search/front.ts";
import { searchGenetically } from "../src/search/genetic.ts";
import { randomProblem } from "../tests/search/random_problem.ts";

const LAYERS = 50;

function time<T>(name: string, work: () => T, runs = 5): T {
  const times: number[] = [];
  let result!: T;
  for (let run = 0; run < runs; run++) {
    const start = performance.now();
    result = work();
    times.push(performance.now() - start);
  }
  const median = times.sort((a, b) => a - b)[runs >> 1]!;
  console.log(`${name.padEnd(60)} ${median.toFixed(1).padStart(8)} ms`);
  return result;
}

for (const block of [0, 3]) {
  const what = block === 0 ? "no blocks" : `blocks of ${block}`;
  const problem = randomProblem(1, { layers: LAYERS, block }, [0.3]);
  const evaluator = new Evaluator(problem);
  const count = 300_000;
  const random = Random.from(1, "bench");
  const genomes = Uint8Array.from({ length: 1000 * LAYERS }, () => random.integer(3));
  time(`${count} genomes of ${LAYERS} layers, loss and size, ${what}`, () => {
    let sum = 0;
    for (let index = 0; index < count; index++) {
      sum += evaluator.measure(genomes, index % 1000 * LAYERS) + evaluator.costs[0]!;
    }
    return sum;
  });
  const open = { ...problem, costs: [{ ...problem.costs[0]!, limit: Infinity }] };
  const front = time(`exact front and 1000 budgets, ${LAYERS} layers, ${what}`, () => {
    const front = exactFront(open);
    const [least, most] = [front.cost[0]!, front.cost.at(-1)!];
    for (let budget = 0; budget < 1000; budget++) {
      front.genome(pointWithin(front, least + (most - least) * budget / 999));
    }
    return front;
  });
  console.log(`  ${front.cost.length} points`);
  time(
    `exact with two limits, ${LAYERS} layers, ${what}`,
    () => solveExactly(randomProblem(1, { layers: LAYERS, block }, [0.3, 0.3])),
    3,
  );
  time(`genetic, 50 × 100, ${LAYERS} layers, ${what}`, () => searchGenetically(problem), 3);
}
