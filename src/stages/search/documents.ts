/**
 * What the stage `search` writes down.
 *
 * @module
 */

import type { JsonValue } from "../../base/canonical_json.ts";
import { formatNumber } from "../../base/units.ts";
import type { Assignment } from "../../search/assignment.ts";
import { Evaluator } from "../../search/evaluator.ts";
import { type Front, pointWithin } from "../../search/front.ts";
import type { Genome, SearchProblem, Subjects } from "../../search/problem.ts";
import type { Solution } from "../../search/solution.ts";
import type { SensitivityTable } from "../../search/table.ts";
import type { Parameters } from "./ports.ts";
import { costName, objectiveOf } from "./solve.ts";
import type { Tried } from "./tried.ts";

/** How many points of a front are written out, unless the front itself is what is wanted. */
const SHOWN_POINTS = 200;

/** Everything that was found. */
export interface Findings {
  readonly table: SensitivityTable;
  readonly subjects: Subjects;
  readonly problem: SearchProblem;
  readonly solution: Solution;
  readonly front: Front | undefined;
  readonly tried: readonly Tried[];
  /** A cost in the unit that metrics have. */
  scaled(name: string, value: number): number;
}

/** The front as data. */
export interface FrontDocument {
  readonly version: 1;
  readonly method: Parameters["method"];
  readonly measure: string;
  /** What costs are of. */
  readonly cost: NonNullable<Parameters["minimize"]>;
  /** Layers, then activations: what `bits` are of. */
  readonly layers: readonly string[];
  readonly chosen: FrontPoint & {
    readonly exceeded: readonly {
      readonly cost: string;
      readonly value: number;
      readonly limit: number;
    }[];
  };
  readonly points: readonly FrontPoint[];
  readonly trials: readonly (FrontPoint & {
    readonly measured: Readonly<Record<string, number>>;
    readonly power: number;
    readonly slope: number;
  })[];
}

/** A choice: its predicted loss, its cost, and its widths. */
export interface FrontPoint {
  readonly bits: readonly number[];
  readonly loss: number;
  readonly cost: number;
}

/** The chosen widths, by name of each node and of each value. */
export function assignmentOf(
  { layers, activations }: Subjects,
  { widths }: SearchProblem,
  genome: Genome,
): Assignment {
  const width = (row: number) => widths[genome[row]!]!;
  return {
    version: 1,
    layers: Object.fromEntries(
      layers.flatMap(({ nodes }, row) => nodes.map((node) => [node, { weights: width(row) }])),
    ),
    ...(activations.length > 0 && {
      activations: Object.fromEntries(
        activations.map(({ name }, index) => [name, { bits: width(layers.length + index) }]),
      ),
    }),
  };
}

/** The front with the chosen point and what was tried. */
export function frontDocument(
  { table, problem, solution, front, tried, scaled }: Findings,
  parameters: Parameters,
): FrontDocument {
  const cost = objectiveOf(parameters);
  const name = costName(cost);
  const evaluator = new Evaluator(problem);
  const index = problem.costs.findIndex((cost) => cost.name === name);
  const point = (genome: Genome): FrontPoint => ({
    loss: evaluator.measure(genome),
    cost: scaled(name, evaluator.costs[index]!),
    bits: Array.from(genome, (choice) => problem.widths[choice]!),
  });
  const shown = front === undefined
    ? []
    : parameters.method === "pareto"
    ? Array.from(front.cost.keys())
    : shownPoints(front, solution.costs[name]!);
  return {
    version: 1,
    method: parameters.method,
    measure: table.measure,
    cost,
    layers: problem.layers,
    chosen: {
      ...point(solution.genome),
      exceeded: solution.violations.map(({ cost, value, limit }) => ({ cost, value, limit })),
    },
    points: shown.map((each) => point(front!.genome(each))),
    trials: tried.map(({ genome, losses, tilt }) => ({
      ...point(genome),
      measured: losses,
      ...tilt,
    })),
  };
}

/** A document as any JSON value. */
export function asJson(document: FrontDocument): JsonValue {
  return document as unknown as JsonValue;
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

/** What each layer gets, loses and costs, as a Markdown table. */
export function widthsPage(
  { subjects, problem, solution: { genome }, table }: Findings,
): Uint8Array {
  const { layers, activations } = subjects;
  const rows = [
    `| layer | weights | bits | bytes | loss (${table.measure}) |`,
    "| --- | ---: | ---: | ---: | ---: |",
  ];
  const escape = (name: string) => name.replaceAll("|", "\\|");
  layers.forEach(({ name, elements, entries }, row) => {
    const bits = problem.widths[genome[row]!]!;
    const { bytes, loss } = entries.find((entry) => entry.bits === bits)!;
    rows.push(`| ${escape(name)} | ${elements} | ${bits} | ${bytes} | ${formatNumber(loss)} |`);
  });
  const parts = layers.length > 0 ? [rows.join("\n")] : [];
  if (activations.length > 0) {
    const lines = [`| activation | bits | loss (${table.measure}) |`, "| --- | ---: | ---: |"];
    activations.forEach(({ name, entries }, index) => {
      const bits = problem.widths[genome[layers.length + index]!]!;
      const { loss } = entries.find((entry) => entry.bits === bits)!;
      lines.push(`| ${escape(name)} | ${bits} | ${formatNumber(loss)} |`);
    });
    parts.push(lines.join("\n"));
  }
  return new TextEncoder().encode(`# Widths\n\n${parts.join("\n\n")}\n`);
}
