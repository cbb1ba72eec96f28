/**
 * The work of the stage `search`.
 *
 * @module
 */

import type { JsonValue } from "../../base/canonical_json.ts";
import { type Problem, UserError } from "../../base/errors.ts";
import { globPattern } from "../../base/glob.ts";
import { didYouMean } from "../../base/suggest.ts";
import { formatNumber } from "../../base/units.ts";
import type { StageContext, StageRun } from "../../registry/stage.ts";
import type { Assignment } from "../../search/assignment.ts";
import { weightCount } from "../../search/cost/size.ts";
import { solveExactly } from "../../search/exact.ts";
import { Evaluator } from "../../search/evaluator.ts";
import { exactFront, type Front, pointOfLoss, pointWithin } from "../../search/front.ts";
import { type GeneticState, searchGenetically } from "../../search/genetic.ts";
import { solveGreedily } from "../../search/greedy.ts";
import { columnsOf, createProblem, type Genome, type SearchProblem } from "../../search/problem.ts";
import { type Solution, solutionOf } from "../../search/solution.ts";
import { checkTable, type SensitivityTable } from "../../search/table.ts";
import { costsOf } from "./costs.ts";
import type { inputs, outputs, Parameters, parameters } from "./ports.ts";

/** How many points of a front are written out. */
const SHOWN_POINTS = 200;

export const run: StageRun<typeof parameters, typeof inputs, typeof outputs> = async (
  parameters,
  inputs,
  context,
) => {
  const [table, model] = await Promise.all([inputs.sensitivity.load(), inputs.model.load()]);
  checkTable(table, inputs.sensitivity.origin);
  const fixed = fixedWidths(table, parameters.fixed);
  const choice = { ...(parameters.bits && { widths: parameters.bits }), fixed };
  const columns = columnsOf(table, choice);
  // Widths that are missing are found before their costs are.
  createProblem(table, { ...choice, costs: [] });
  const { costs, macs, activationBytes } = await costsOf(
    table,
    columns,
    model,
    inputs.latency,
    parameters,
  );
  const problem = createProblem(table, { ...choice, costs });
  const front = frontOf(problem, parameters, context);
  const solution = await solve(problem, parameters, context, front);
  report(solution, parameters, context);
  const names = { size: "weight_bytes", bits: "mean_bits", bops: "bops", latency: "latency" };
  const count = weightCount(table);
  const scaled = (name: string, value: number) =>
    name === "bits" ? value / count : name === "latency" ? value / 1e6 : value;
  return {
    outputs: {
      assignment: assignmentOf(table, problem, solution.genome),
      front: frontDocument(table, problem, solution, front, parameters, scaled),
    },
    metrics: {
      predicted_loss: solution.loss,
      ...Object.fromEntries(
        Object.entries(names).flatMap(([cost, metric]) => {
          const value = solution.costs[cost];
          return value === undefined ? [] : [[metric, scaled(cost, value)]];
        }),
      ),
      macs,
      activation_bytes: activationBytes,
      front_points: front?.cost.length ?? 0,
      exceeded: solution.violations.length,
    },
  };
};

/** The given widths of layers, by name. */
function fixedWidths(
  { layers }: SensitivityTable,
  fixed: Parameters["fixed"],
): Map<string, number> {
  const problems: Problem[] = [];
  const found = new Map<string, number>();
  fixed.forEach(({ match, bits }, index) => {
    const pattern = globPattern(match);
    const names = layers.filter(({ nodes }) => nodes.some((name) => pattern.test(name)));
    for (const { name } of names) found.set(name, bits);
    if (names.length > 0) return;
    const hint = didYouMean(match.replaceAll("*", ""), layers.map(({ name }) => name));
    problems.push({
      message: `fixed[${index}]: no layer of the sensitivity table has a name like "${match}"`,
      ...(hint && { hint }),
    });
  });
  if (problems.length > 0) throw new UserError(problems);
  return found;
}

/** The name of a cost in problems. */
function costName(minimize: Parameters["minimize"]): string {
  return minimize === "mean_bits" ? "bits" : minimize;
}

/** The whole front, unless it has too many points. */
function frontOf(
  problem: SearchProblem,
  { minimize, budget }: Parameters,
  { warn }: StageContext,
): Front | undefined {
  const cost = problem.costs.find(({ name }) => name === costName(minimize))!;
  try {
    return exactFront({ ...problem, costs: [{ ...cost, limit: Infinity }] });
  } catch (error) {
    if (!(error instanceof UserError) || budget.loss !== undefined) throw error;
    warn(`${error.message}: the front is left out`);
    return undefined;
  }
}

async function solve(
  problem: SearchProblem,
  { method, budget, genetic }: Parameters,
  context: StageContext,
  front: Front | undefined,
): Promise<Solution> {
  if (budget.loss !== undefined) {
    const point = pointOfLoss(front!, budget.loss);
    const chosen = front!.genome(point < 0 ? front!.loss.length - 1 : point);
    const solution = solutionOf(new Evaluator(problem), chosen);
    if (point >= 0) return solution;
    return {
      ...solution,
      violations: [{ cost: "loss", value: solution.loss, limit: budget.loss }],
    };
  }
  if (method === "exact") return solveExactly(problem);
  if (method === "greedy") return solveGreedily(problem);
  return await solveGenetically(problem, genetic, context);
}

const CHECKPOINT = "generation";
/** Generations between checkpoints. */
const PERIOD = 10;

async function solveGenetically(
  problem: SearchProblem,
  options: Parameters["genetic"],
  { seed, signal, checkpoints, progress }: StageContext,
): Promise<Solution> {
  const { generations } = options;
  const saved = await checkpoints.load(CHECKPOINT);
  let state: GeneticState | undefined = saved && JSON.parse(new TextDecoder().decode(saved));
  for (;;) {
    signal.throwIfAborted();
    const end = Math.min(generations, (state?.generation ?? 0) + PERIOD);
    const { solution } = searchGenetically(
      problem,
      { ...options, seed, generations: end },
      (current, least) => {
        const now = current();
        if (now.generation === end) state = now;
        progress({
          phase: "searching",
          done: now.generation,
          total: generations,
          unit: "generations",
          ...(Number.isFinite(least) && { values: { loss: least } }),
        });
      },
      state,
    );
    if (end === generations) return solution;
    await checkpoints.save(CHECKPOINT, new TextEncoder().encode(JSON.stringify(state)));
  }
}

/** Says which limits are not kept. */
function report(
  { violations }: Solution,
  { unreachable }: Parameters,
  { warn }: StageContext,
): void {
  if (violations.length === 0) return;
  const problems = violations.map(({ cost, value, limit }): Problem => ({
    message: `The limit of ${LABELS[cost] ?? cost} cannot be kept: the closest choice has ` +
      `${formatNumber(value)}, ${formatNumber(value - limit)} over the limit of ${
        formatNumber(limit)
      }`,
    hint:
      'Allow more, let more widths be chosen from (bits of the stage "sensitivity"), or say unreachable: keep',
  }));
  if (unreachable === "fail") throw new UserError(problems);
  for (const { message } of problems) warn(message);
}

const LABELS: Readonly<Record<string, string>> = {
  size: "bytes",
  bits: "bits of all weights",
  bops: "bit operations",
  latency: "microseconds",
  activation_memory: "bytes of activations",
  loss: "the loss",
};

function assignmentOf(
  { layers }: SensitivityTable,
  { widths }: SearchProblem,
  genome: Genome,
): Assignment {
  return {
    version: 1,
    layers: Object.fromEntries(
      layers.flatMap(({ nodes }, layer) =>
        nodes.map((node) => [node, { weights: widths[genome[layer]!]! }])
      ),
    ),
  };
}

function frontDocument(
  table: SensitivityTable,
  problem: SearchProblem,
  solution: Solution,
  front: Front | undefined,
  { minimize, method }: Parameters,
  scaled: (name: string, value: number) => number,
): JsonValue {
  const name = costName(minimize);
  const evaluator = new Evaluator(problem);
  const bitsOf = (genome: Genome) => Array.from(genome, (choice) => problem.widths[choice]!);
  return {
    version: 1,
    method,
    measure: table.measure,
    cost: minimize,
    layers: problem.layers,
    chosen: {
      bits: bitsOf(solution.genome),
      loss: solution.loss,
      cost: scaled(name, solution.costs[name]!),
      exceeded: solution.violations.map(({ cost, value, limit }) => ({ cost, value, limit })),
    },
    points: front === undefined ? [] : shownPoints(front, solution.costs[name]!).map((point) => {
      const genome = front.genome(point);
      return {
        cost: scaled(name, front.cost[point]!),
        loss: evaluator.loss(genome),
        bits: bitsOf(genome),
      };
    }),
  };
}

/** All points, or some that are spread evenly, with the one next to the choice. */
function shownPoints(front: Front, chosen: number): number[] {
  const { length } = front.cost;
  const shown = Math.min(length, SHOWN_POINTS);
  const points = Array.from(
    { length: shown },
    (_, index) => shown === 1 ? 0 : Math.round(index * (length - 1) / (shown - 1)),
  );
  const near = Math.max(0, pointWithin(front, chosen));
  return [...new Set([...points, near])].sort((a, b) => a - b);
}
