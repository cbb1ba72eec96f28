/**
 * The tables that end a run: one row per model that was measured, one column per metric that its stage shows.
 *
 * @module
 */

import type { MetricDefinition } from "../registry/stage.ts";
import type { RunStage } from "../store/store.ts";
import type { ReportTable } from "./document.ts";
import type { MetricDefinitions } from "./summary.ts";

type Row = ReportTable["rows"][number];
type Column = readonly [name: string, definition: MetricDefinition];

/** One table per kind of stage that shows metrics as columns. */
export function tablesOf(
  stages: readonly RunStage[],
  definitionsOf: (uses: string) => MetricDefinitions,
): ReportTable[] {
  const groups = new Map<string, RunStage[]>();
  for (const stage of stages) {
    if (Object.keys(stage.metrics ?? {}).length === 0) continue;
    groups.set(stage.uses, [...groups.get(stage.uses) ?? [], stage]);
  }
  return [...groups].flatMap(([uses, members]) => {
    const columns = Object.entries(definitionsOf(uses)).filter(([name, { column }]) =>
      column === true && members.some(({ metrics }) => metrics?.[name] !== undefined)
    );
    return columns.length === 0 ? [] : [tableOf(uses, columns, members)];
  });
}

function tableOf(
  uses: string,
  columns: readonly Column[],
  members: readonly RunStage[],
): ReportTable {
  const subjects = members.map((stage) => subjectOf(stage, "model") ?? firstSubject(stage));
  return {
    uses,
    columns: columns.map(([metric, { title, description, unit, better }]) => ({
      metric,
      title,
      description,
      unit,
      ...(better !== undefined && { better }),
    })),
    rows: [
      ...referenceRows(members, columns, subjects),
      ...members.map((stage, index): Row => {
        const subject = subjects[index]!;
        const isUnique = subjects.indexOf(subject) === subjects.lastIndexOf(subject);
        return {
          subject: isUnique ? subject : `${subject} (${stage.id})`,
          stage: stage.id,
          reference: false,
          values: valuesOf(columns, (name) => stage.metrics?.[name]),
        };
      }),
    ],
  };
}

/** A row for each model that others were compared with, unless it has a row of its own. */
function referenceRows(
  members: readonly RunStage[],
  columns: readonly Column[],
  subjects: readonly string[],
): Row[] {
  const rows = new Map<string, Row>();
  for (const stage of members) {
    const subject = subjectOf(stage, "reference");
    if (subject === undefined || subjects.includes(subject)) continue;
    const values = valuesOf(
      columns,
      (_name, { reference }) => reference === undefined ? undefined : stage.metrics?.[reference],
    );
    if (Object.keys(values).length === 0) continue;
    rows.set(JSON.stringify([subject, values]), {
      subject: `${subject} (float)`,
      reference: true,
      values,
    });
  }
  return [...rows.values()];
}

function valuesOf(
  columns: readonly Column[],
  valueOf: (name: string, definition: MetricDefinition) => number | undefined,
): Record<string, number> {
  return Object.fromEntries(
    columns.map(([name, definition]) => [name, valueOf(name, definition)] as const)
      .filter((entry): entry is [string, number] => entry[1] !== undefined),
  );
}

/** What a port takes: a stage's id stands for its model. */
function subjectOf({ inputs }: RunStage, port: string): string | undefined {
  const source = inputs[port];
  return source?.startsWith("inputs.") ? source : source?.replace(/\.model$/, "");
}

/** For a stage without a model: its first input, else itself. */
function firstSubject(stage: RunStage): string {
  const [port] = Object.keys(stage.inputs);
  return (port === undefined ? undefined : subjectOf(stage, port)) ?? stage.id;
}
