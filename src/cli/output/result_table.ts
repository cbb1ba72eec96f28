/**
 * The table that ends a run: one row per model that was measured, one column per metric that its stage shows.
 *
 * @module
 */

import { printable, type Style, textTable } from "../../base/terminal_text.ts";
import { formatQuantity } from "../../base/units.ts";
import type { StageOutcome } from "../../pipeline/execute.ts";
import { type Pipeline, type PipelineStage, sourceName } from "../../pipeline/pipeline.ts";
import type { MetricDefinition } from "../../registry/stage.ts";

/** A table of results as plain data. */
export interface ResultTable {
  /** The stage's name in the registry. */
  readonly uses: string;
  readonly columns: readonly { readonly title: string; readonly align: "left" | "right" }[];
  readonly rows: readonly (readonly string[])[];
}

/** A stage that was measured. */
interface Member {
  readonly stage: PipelineStage;
  readonly outcome: StageOutcome;
}

/** One table per kind of stage that shows metrics as columns. */
export function resultTables(pipeline: Pipeline, outcomes: readonly StageOutcome[]): ResultTable[] {
  const byId = new Map(outcomes.map((outcome) => [outcome.stage, outcome]));
  const groups = new Map<string, Member[]>();
  for (const stage of pipeline.stages) {
    const outcome = byId.get(stage.id);
    const { name, metrics = {} } = stage.stage.definition;
    if (outcome === undefined || Object.keys(outcome.metrics).length === 0) continue;
    if (!Object.values(metrics).some(({ column }) => column === true)) continue;
    groups.set(name, [...groups.get(name) ?? [], { stage, outcome }]);
  }
  return [...groups].map(([uses, members]) => table(uses, members));
}

function table(uses: string, members: readonly Member[]): ResultTable {
  const definitions = members[0]!.stage.stage.definition.metrics ?? {};
  const shown = Object.entries(definitions).filter(([name, { column }]) =>
    column === true && members.some(({ outcome }) => outcome.metrics[name] !== undefined)
  );
  const subjects = members.map(({ stage }) => portSubject(stage, "model") ?? firstSubject(stage));
  const rows = members.map(({ stage, outcome }, index) => {
    const subject = subjects[index]!;
    const unique = subjects.filter((each) => each === subject).length === 1;
    return [
      printable(unique ? subject : `${subject} (${stage.id})`),
      ...shown.map(([name, definition]) => cell(outcome.metrics[name], definition)),
    ];
  });
  rows.unshift(...referenceRows(members, shown, subjects));
  return {
    uses,
    columns: [
      { title: "model", align: "left" },
      ...shown.map(([, { title }]) => ({ title, align: "right" as const })),
    ],
    rows,
  };
}

/** A row for each model that others were compared with, unless it has a row of its own. */
function referenceRows(
  members: readonly Member[],
  shown: readonly (readonly [string, MetricDefinition])[],
  subjects: readonly string[],
): string[][] {
  const rows = new Map<string, string[]>();
  for (const { stage, outcome: { metrics } } of members) {
    const subject = portSubject(stage, "reference");
    if (subject === undefined || subjects.includes(subject)) continue;
    const values = shown.map(([, { reference }]) =>
      reference === undefined ? undefined : metrics[reference]
    );
    if (values.every((value) => value === undefined)) continue;
    const cells = values.map((value, index) => cell(value, shown[index]![1]));
    rows.set([subject, ...cells].join("\u0000"), [printable(`${subject} (float)`), ...cells]);
  }
  return [...rows.values()];
}

function cell(value: number | undefined, { unit }: MetricDefinition): string {
  return value === undefined ? "–" : formatQuantity(value, unit);
}

/** The name of what a port takes: a stage's id stands for its model. */
function portSubject(stage: PipelineStage, port: string): string | undefined {
  const source = stage.inputs.get(port);
  if (source === undefined) return undefined;
  return source.from === "stage" && source.output === "model" ? source.id : sourceName(source);
}

/** For a stage without a model: its first input, else itself. */
function firstSubject(stage: PipelineStage): string {
  const [port] = stage.inputs.keys();
  return (port === undefined ? undefined : portSubject(stage, port)) ?? stage.id;
}

/** The lines of a table on a terminal. */
export function tableLines(table: ResultTable, style: Style): string[] {
  return textTable(table.columns, table.rows, style);
}
