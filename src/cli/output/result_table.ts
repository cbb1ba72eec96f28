/**
 * The table that ends a run: one row per model that was measured, one column per metric that its stage shows.
 *
 * @module
 */

import { printable, type Style, textTable } from "../../base/terminal_text.ts";
import { formatQuantity } from "../../base/units.ts";
import type { StageOutcome } from "../../pipeline/execute.ts";
import {
  type Pipeline,
  type PipelineStage,
  type Source,
  sourceName,
} from "../../pipeline/pipeline.ts";
import type { MetricDefinition } from "../../registry/stage.ts";

/** A table of results as plain data. */
export interface ResultTable {
  /** The stage's name in the registry. */
  readonly uses: string;
  readonly columns: readonly { readonly title: string; readonly align: "left" | "right" }[];
  readonly rows: readonly (readonly string[])[];
}

/** One table per kind of stage that shows metrics as columns. */
export function resultTables(pipeline: Pipeline, outcomes: readonly StageOutcome[]): ResultTable[] {
  const byId = new Map(outcomes.map((outcome) => [outcome.stage, outcome]));
  const groups = new Map<string, { stage: PipelineStage; outcome: StageOutcome }[]>();
  for (const stage of pipeline.stages) {
    const outcome = byId.get(stage.id);
    const { name, metrics = {} } = stage.stage.definition;
    if (outcome === undefined || Object.keys(outcome.metrics).length === 0) continue;
    if (!Object.values(metrics).some(({ column }) => column === true)) continue;
    groups.set(name, [...groups.get(name) ?? [], { stage, outcome }]);
  }
  return [...groups].map(([uses, members]) => table(uses, members));
}

function table(
  uses: string,
  members: readonly { readonly stage: PipelineStage; readonly outcome: StageOutcome }[],
): ResultTable {
  const definitions = members[0]!.stage.stage.definition.metrics ?? {};
  const shown = Object.entries(definitions).filter(([name, { column }]) =>
    column === true && members.some(({ outcome }) => outcome.metrics[name] !== undefined)
  );
  const subjects = members.map(({ stage }) => subjectOf(stage));
  const rows = members.map(({ stage, outcome }, index) => {
    const subject = subjects[index]!;
    const unique = subjects.filter((each) => each === subject).length === 1;
    return [
      printable(unique ? subject : `${subject} (${stage.id})`),
      ...shown.map(([name, definition]) => cell(outcome.metrics[name], definition)),
    ];
  });
  return {
    uses,
    columns: [
      { title: "model", align: "left" },
      ...shown.map(([, { title }]) => ({ title, align: "right" as const })),
    ],
    rows,
  };
}

function cell(value: number | undefined, { unit }: MetricDefinition): string {
  return value === undefined ? "–" : formatQuantity(value, unit);
}

/** What a stage is about: the model it takes, else its first input, else itself. */
function subjectOf(stage: PipelineStage): string {
  const source: Source | undefined = stage.inputs.get("model") ?? [...stage.inputs.values()][0];
  if (source === undefined) return stage.id;
  return source.from === "stage" && source.output === "model" ? source.id : sourceName(source);
}

/** The lines of a table on a terminal. */
export function tableLines(table: ResultTable, style: Style): string[] {
  return textTable(table.columns, table.rows, style);
}
