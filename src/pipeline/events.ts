/**
 * What a run tells while it goes on: a stream of JSON objects, one a line in a file of events.
 *
 * Readers must skip types and fields that they do not know; `v` is raised when one changes its meaning.
 *
 * @module
 */

import { type Static, Type } from "../base/type.ts";

/** The version of the stream. */
export const EVENTS_VERSION = 1;

const id = Type.String({ description: "The stage's id in the pipeline" });
const seconds = Type.Number({ description: "Seconds since the start of the stage or run" });
const digest = Type.String({ pattern: "^[0-9a-f]{64}$", description: "SHA-256, in hexadecimal" });
const key = Type.String({ pattern: "^[0-9a-f]{64}$", description: "The stage's cache key" });

function event<T extends string, P extends Record<string, import("../base/type.ts").TSchema>>(
  type: T,
  description: string,
  properties: P,
) {
  return Type.Object({
    v: Type.Literal(EVENTS_VERSION, { description: "Version of the stream" }),
    type: Type.Literal(type),
    time: Type.String({ description: "When it happened, ISO 8601, UTC" }),
    run: Type.String({ description: "The run's id" }),
    ...properties,
  }, { description });
}

/** A mistake that the user can mend. */
export const ProblemSchema = Type.Object({
  message: Type.String(),
  hint: Type.Optional(Type.String({ description: "What mends it" })),
  place: Type.Optional(Type.Object({
    file: Type.String(),
    line: Type.Optional(Type.Integer({ description: "Counts from 1" })),
    column: Type.Optional(Type.Integer({ description: "Counts from 1" })),
    text: Type.Optional(Type.String({ description: "The text of the line" })),
    length: Type.Optional(Type.Integer({ description: "How many columns are meant" })),
  })),
});

/** A stage's output in the store. */
export const OutputSchema = Type.Object({
  kind: Type.String(),
  digest,
  size: Type.Integer({ description: "In bytes" }),
  path: Type.String({ description: "The file in the store" }),
});

/** How a gate came out. */
export const GateResultSchema = Type.Object({
  metric: Type.String(),
  condition: Type.String({ description: 'As the pipeline says it, such as "<= 0.01"' }),
  met: Type.Boolean(),
  value: Type.Optional(
    Type.Number({ description: "What was measured; absent if the stage did not measure it" }),
  ),
  by: Type.Optional(Type.Number({ description: "How far the value is outside, if not met" })),
  message: Type.String(),
});

/** Why a stage failed. */
export const FailureSchema = Type.Object({
  problems: Type.Array(ProblemSchema),
  defect: Type.Boolean({
    description: "Whether it is a fault of the stage's implementation, not of its input",
  }),
  stack: Type.Optional(Type.String({ description: "Where in the stage, for a defect" })),
});

/** A file that was copied out of the store. */
export const PublishedSchema = Type.Object({
  output: Type.String(),
  path: Type.String(),
  changed: Type.Boolean({ description: "Whether the file was not there yet with these bytes" }),
});

/** `run.start` */
export const RunStartSchema = event("run.start", "The run begins", {
  pipeline: Type.String(),
  file: Type.String(),
  seed: Type.Integer(),
  jobs: Type.Integer({ description: "How many stages may run at once" }),
  stages: Type.Array(Type.Object({
    id,
    uses: Type.String(),
    after: Type.Array(Type.String(), { description: "The stages whose outputs it takes" }),
  })),
});

/** `stage.plan` */
export const StagePlanSchema = event("stage.plan", "What is known of a stage before it starts", {
  stage: id,
  status: Type.Union([Type.Literal("hit"), Type.Literal("run"), Type.Literal("blocked")]),
  reason: Type.String(),
  key: Type.Optional(key),
  expected: Type.Optional(
    Type.Number({ description: "Seconds that it took last time, where known" }),
  ),
});

/** `stage.start` */
export const StageStartSchema = event("stage.start", "A stage begins to work", {
  stage: id,
  key,
  threads: Type.Integer(),
});

/** `stage.progress` */
export const StageProgressSchema = event("stage.progress", "A stage is under way", {
  stage: id,
  phase: Type.String(),
  done: Type.Number(),
  total: Type.Number(),
  unit: Type.String(),
  values: Type.Optional(Type.Record(Type.String(), Type.Number())),
});

/** `stage.warning` */
export const StageWarningSchema = event("stage.warning", "Something the user should know", {
  stage: Type.Optional(id),
  message: Type.String(),
});

/** `stage.end` */
export const StageEndSchema = event("stage.end", "A stage is over, or its result was there", {
  stage: id,
  uses: Type.String(),
  status: Type.Union([
    Type.Literal("hit"),
    Type.Literal("ran"),
    Type.Literal("failed"),
    Type.Literal("skipped"),
    Type.Literal("blocked"),
  ], {
    description:
      "skipped: not started because the run stopped; blocked: a stage it depends on did not succeed",
  }),
  seconds,
  key: Type.Optional(key),
  metrics: Type.Record(Type.String(), Type.Number()),
  outputs: Type.Record(Type.String(), OutputSchema),
  expects: Type.Array(GateResultSchema),
  warnings: Type.Array(Type.String()),
  published: Type.Array(PublishedSchema),
  error: Type.Optional(FailureSchema),
});

/** `stage.provenance` */
export const StageProvenanceSchema = event(
  "stage.provenance",
  "What a stage's exported files were made from is said beside them",
  {
    stage: id,
    output: Type.String(),
    path: Type.String(),
    changed: Type.Boolean({ description: "Whether the file was not there yet with these bytes" }),
  },
);

/** `run.end` */
export const RunEndSchema = event("run.end", "The run is over", {
  status: Type.Union([
    Type.Literal("done"),
    Type.Literal("failed"),
    Type.Literal("expectation-failed"),
    Type.Literal("interrupted"),
  ]),
  seconds,
});

/** Any event. */
export const RunEventSchema = Type.Union([
  RunStartSchema,
  StagePlanSchema,
  StageStartSchema,
  StageProgressSchema,
  StageWarningSchema,
  StageEndSchema,
  StageProvenanceSchema,
  RunEndSchema,
], { description: "One event of a run" });

export type RunStartEvent = Static<typeof RunStartSchema>;
export type StagePlanEvent = Static<typeof StagePlanSchema>;
export type StageStartEvent = Static<typeof StageStartSchema>;
export type StageProgressEvent = Static<typeof StageProgressSchema>;
export type StageWarningEvent = Static<typeof StageWarningSchema>;
export type StageEndEvent = Static<typeof StageEndSchema>;
export type RunEndEvent = Static<typeof RunEndSchema>;
/** Any event of a run. */
export type RunEvent = Static<typeof RunEventSchema>;

/** How a gate (`expect`) came out. */
export type GateResult = Static<typeof GateResultSchema>;
/** Why a stage failed. */
export type StageFailure = Static<typeof FailureSchema>;
/** A file that was copied out of the store. */
export type Published = Static<typeof PublishedSchema>;
/** A stage's output in the store. */
export type StageOutput = Static<typeof OutputSchema>;

/** An event without what every event has. */
export type EventBody = RunEvent extends infer E
  ? E extends RunEvent ? Omit<E, "v" | "time" | "run">
  : never
  : never;
