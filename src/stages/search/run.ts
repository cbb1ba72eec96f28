/**
 * The work of the stage `search`.
 *
 * @module
 */

import { type Problem, UserError } from "../../base/errors.ts";
import { formatNumber } from "../../base/units.ts";
import type { InputArtifacts, StageContext, StageRun } from "../../registry/stage.ts";
import type { Front } from "../../search/front.ts";
import {
  createProblem,
  type ProblemOptions,
  type SearchProblem,
  subjectsOf,
} from "../../search/problem.ts";
import type { Solution } from "../../search/solution.ts";
import { checkTable, type SensitivityTable } from "../../search/table.ts";
import { type Costs, costsOf } from "./costs.ts";
import { asJson, assignmentOf, frontDocument, widthsPage } from "./documents.ts";
import { fixedWidths } from "./fixed.ts";
import { goalOf } from "./goals.ts";
import { drawFront } from "./picture.ts";
import type { inputs, outputs, Parameters, parameters } from "./ports.ts";
import { frontOf, solve } from "./solve.ts";
import { cheapestByTrials, chooseByTrials, type TriedSolution } from "./tried.ts";
import { Trials } from "./trials.ts";

export const run: StageRun<typeof parameters, typeof inputs, typeof outputs> = async (
  parameters,
  artifacts,
  context,
) => {
  const [table, model] = await Promise.all([artifacts.sensitivity.load(), artifacts.model.load()]);
  checkTable(table, artifacts.sensitivity.origin);
  const options = optionsOf(table, parameters);
  const subjects = subjectsOf(table, parameters.targets);
  const bare = createProblem(table, { ...options, costs: [] });
  const known = await costsOf(table, subjects, bare, model, artifacts.latency, parameters);
  const problem: SearchProblem = { ...bare, costs: known.costs };
  const front = frontOf(problem, parameters, context);
  const { solution, tried, losses } = await choose(
    table,
    problem,
    front,
    artifacts,
    parameters,
    context,
  );
  report(solution, parameters, context);
  const scaled = scaleOf(known);
  const findings = { table, subjects, problem, solution, front, tried, scaled };
  const document = frontDocument(findings, parameters);
  return {
    outputs: {
      assignment: assignmentOf(subjects, problem, solution.genome),
      front: asJson(document),
      picture: drawFront(document),
      widths: widthsPage(findings),
    },
    metrics: {
      predicted_loss: solution.loss,
      ...costMetrics(solution, scaled),
      macs: known.macs,
      front_points: front?.cost.length ?? 0,
      ...(tried.length > 0 && { trials: tried.length }),
      ...Object.fromEntries(
        Object.entries(losses).map(([name, loss]) => [`measured_${name}`, loss]),
      ),
      ...gained({ tried, losses }),
      exceeded: solution.violations.length,
    },
  };
};

function optionsOf(table: SensitivityTable, parameters: Parameters): ProblemOptions {
  const { bits, fixed, activations, targets } = parameters;
  const layers = table.layers.map(({ name, nodes }) => ({ name, names: nodes }));
  const values = (table.activations ?? []).map(({ name, values }) => ({ name, names: values }));
  return {
    targets,
    ...(bits && { widths: bits }),
    fixed: fixedWidths(layers, fixed, "fixed", "layer"),
    activations: {
      ...(activations.bits && { widths: activations.bits }),
      fixed: fixedWidths(values, activations.fixed, "activations.fixed", "activation"),
    },
  };
}

/** The choice by the table, or by trials. */
async function choose(
  table: SensitivityTable,
  problem: SearchProblem,
  front: Front | undefined,
  artifacts: InputArtifacts<typeof inputs>,
  parameters: Parameters,
  context: StageContext,
): Promise<TriedSolution> {
  const { trials: wanted } = parameters;
  const goal = goalOf(parameters.budget);
  const seeks = goal !== undefined && goal.name !== "loss";
  if (!seeks) {
    const solution = await solve(problem, parameters, context, front);
    // Limits that cannot be kept leave nothing to choose from.
    if (wanted === undefined || solution.violations.length > 0) {
      return { solution, tried: [], losses: {} };
    }
  }
  const subjects = subjectsOf(table, parameters.targets);
  await using trials = await Trials.open(
    wanted!,
    problem,
    subjects,
    artifacts,
    parameters,
    context,
  );
  return seeks
    ? await cheapestByTrials(problem, front, table, trials, parameters)
    : await chooseByTrials(problem, trials, parameters, context.seed);
}

/** How much less the choice loses than what the table alone would have chosen, which was tried first. */
function gained({ tried, losses }: Pick<TriedSolution, "tried" | "losses">) {
  const name = "kl" in losses ? "kl" : "mse";
  const first = tried[0]?.losses[name];
  if (first === undefined || first === 0) return {};
  return { gained: 1 - losses[name]! / first };
}

const METRICS = {
  size: "weight_bytes",
  bits: "mean_bits",
  activation_bits: "mean_activation_bits",
  bops: "bops",
  activation_memory: "activation_bytes",
  latency: "latency",
} as const;

function costMetrics(
  { costs }: Solution,
  scaled: (name: string, value: number) => number,
): Record<string, number> {
  return Object.fromEntries(
    Object.entries(METRICS).flatMap(([cost, metric]) => {
      const value = costs[cost];
      return value === undefined ? [] : [[metric, scaled(cost, value)]];
    }),
  );
}

function scaleOf({ weights, activations }: Costs): (name: string, value: number) => number {
  const units: Readonly<Record<string, number>> = {
    bits: weights,
    activation_bits: activations,
    latency: 1e6,
  };
  return (name, value) => value / (units[name] ?? 1);
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
  activation_bits: "bits of all activations",
  bops: "bit operations",
  latency: "microseconds",
  activation_memory: "bytes of activations",
  loss: "the loss",
  kl: "the measured divergence",
  mse: "the measured error",
  top1_drop: "the measured drop",
  bound: "the proven bound",
};
