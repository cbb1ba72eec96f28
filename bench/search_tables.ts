/**
 * How near the genetic and the greedy search come to the optimum on sensitivity tables of real networks: ten budgets each, mean
 * of five seeds.
 *
 *     deno run --allow-read bench/search_tables.ts TABLE…
 *
 * @module
 */

import { weightBytes } from "../src/search/cost/size.ts";
import { solveExactly } from "../src/search/exact.ts";
import { GENETIC_DEFAULTS, searchGenetically } from "../src/search/genetic.ts";
import { solveGreedily } from "../src/search/greedy.ts";
import { createProblem } from "../src/search/problem.ts";
import type { SensitivityTable } from "../src/search/table.ts";

const BUDGETS = 10;
const SEEDS = 5;

for (const path of Deno.args) {
  const table: SensitivityTable = JSON.parse(await Deno.readTextFile(path));
  const values = weightBytes(table.layers, table.widths);
  const ends = [0, table.widths.length - 1].map((column) =>
    table.layers.reduce((sum, _, row) => sum + values[row * table.widths.length + column]!, 0)
  );
  const [least, most] = ends as [number, number];
  const shares: { genetic: number; rejecting: number; greedy: number }[] = [];
  for (let index = 1; index <= BUDGETS; index++) {
    const limit = Math.floor(least + (most - least) * index / (BUDGETS + 1));
    const problem = createProblem(table, {
      costs: [{ name: "size", values, constant: 0, limit }],
    });
    const best = solveExactly(problem).loss;
    const mean = (infeasible: "repair" | "reject") =>
      Array.from(
        { length: SEEDS },
        (_, seed) =>
          best /
          searchGenetically(problem, { ...GENETIC_DEFAULTS, infeasible, seed }).solution.loss,
      )
        .reduce((sum, share) => sum + share, 0) / SEEDS;
    shares.push({
      genetic: mean("repair"),
      rejecting: mean("reject"),
      greedy: best / solveGreedily(problem).loss,
    });
  }
  const text = (key: "genetic" | "rejecting" | "greedy") => {
    const all = shares.map((share) => share[key]);
    const average = all.reduce((sum, share) => sum + share, 0) / all.length;
    return `${(100 * Math.min(...all)).toFixed(2)} % at worst, ${
      (100 * average).toFixed(2)
    } % on average`;
  };
  console.log(`${table.layers.length} layers, ${table.blocks.length} blocks, ${table.method}`);
  console.log(`  genetic            ${text("genetic")}`);
  console.log(`  genetic, rejecting ${text("rejecting")}`);
  console.log(`  greedy             ${text("greedy")}`);
}
