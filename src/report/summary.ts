/**
 * What the record of a run tells, without reading an artifact.
 *
 * @module
 */

import type { MetricDefinition } from "../registry/stage.ts";
import { builtInStages } from "../stages/mod.ts";
import type { RunRecord, RunStage } from "../store/store.ts";
import type { ReportStage, RunSummary } from "./document.ts";
import { tablesOf } from "./tables.ts";

/** Metrics of a kind of stage, by name. */
export type MetricDefinitions = Readonly<Record<string, MetricDefinition>>;

const BUILT_IN = new Map(builtInStages.map(({ name, metrics }) => [name, metrics ?? {}]));

/** The metrics of a kind of stage, of a plugin that a run used, too. */
export function metricsOf(uses: string, { metrics }: RunRecord): MetricDefinitions {
  return BUILT_IN.get(uses) ?? metrics[uses] ?? {};
}

/** Summarizes a run. */
export function summarizeRun(record: RunRecord): RunSummary {
  const definitionsOf = (uses: string) => metricsOf(uses, record);
  const { id, pipeline, description, file, source, settings, seed, versions } = record;
  const { status, started, finished } = record;
  return {
    run: {
      id,
      pipeline,
      ...(description !== undefined && { description }),
      file,
      ...(source !== undefined && { source }),
      settings: [...settings],
      seed,
      versions: { ...versions },
      status,
      started,
      ...(finished !== undefined && {
        finished,
        seconds: (Date.parse(finished) - Date.parse(started)) / 1000,
      }),
    },
    inputs: Object.fromEntries(
      Object.entries(record.inputs).map(([name, { kind, digest, size }]) => [
        name,
        { kind, digest, size },
      ]),
    ),
    stages: record.stages.map((stage) => stageOf(stage, definitionsOf(stage.uses))),
    tables: tablesOf(record.stages, definitionsOf),
  };
}

function stageOf(stage: RunStage, definitions: MetricDefinitions): ReportStage {
  const { id, uses, status, reason, inputs, started, seconds, key, error } = stage;
  return {
    id,
    uses,
    status,
    reason,
    inputs: { ...inputs },
    ...(started !== undefined && { started }),
    ...(seconds !== undefined && { seconds }),
    metrics: Object.entries(stage.metrics ?? {}).map(([name, value]) => {
      const { title = name, description = "", unit = "number", better } = definitions[name] ?? {};
      return { name, title, description, unit, ...(better !== undefined && { better }), value };
    }),
    outputs: { ...stage.outputs },
    gates: (stage.expects ?? []).map(({ metric, condition, met, value, message }) => ({
      metric,
      condition,
      met,
      ...(value !== undefined && { value }),
      message,
    })),
    warnings: [...stage.warnings ?? []],
    published: (stage.published ?? []).map((each) => ({ ...each })),
    ...(error !== undefined && { error }),
    ...(key !== undefined && { key }),
  };
}

/** The ids of the stages that a stage takes something from. */
export function stagesBefore({ inputs }: Pick<ReportStage, "inputs">): string[] {
  const ids = Object.values(inputs).map(stageOfSource);
  return [...new Set(ids)].filter((id) => id !== undefined);
}

/** The stage that made an artifact; `undefined` for an input of the pipeline. */
export function stageOfSource(source: string): string | undefined {
  // Names of outputs have no dot.
  const id = source.slice(0, source.lastIndexOf("."));
  return id === "inputs" ? undefined : id;
}
