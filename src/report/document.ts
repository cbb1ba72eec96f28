/**
 * A report as data: what `report --format json` prints, and what the other formats are made from.
 *
 * Readers must skip fields that they do not know; `version` is raised when one changes its meaning.
 *
 * @module
 */

import { type Static, type TSchema, Type } from "../base/type.ts";

/** The version of the form. */
export const REPORT_VERSION = 1;

const digest = Type.String({ pattern: "^[0-9a-f]{64}$", description: "SHA-256, in hexadecimal" });
const stage = Type.String({ description: "The stage's id in the pipeline" });
const source = Type.String({ description: "An artifact as users write it, such as w4.model" });
const time = Type.String({ description: "ISO 8601, UTC" });
const bits = Type.Number({ description: "Bits of one value" });

const unit = Type.Union([
  Type.Literal("fraction"),
  Type.Literal("bytes"),
  Type.Literal("bits"),
  Type.Literal("seconds"),
  Type.Literal("count"),
  Type.Literal("decibel"),
  Type.Literal("bound"),
  Type.Literal("number"),
], {
  description: "What a number counts; a fraction is 0 … 1, a bound is rounded up where it is shown",
});

const better = Type.Optional(Type.Union([Type.Literal("higher"), Type.Literal("lower")]));

const ArtifactSchema = Type.Object({
  kind: Type.String(),
  digest,
  size: Type.Integer({ description: "In bytes" }),
});

const GateSchema = Type.Object({
  metric: Type.String(),
  condition: Type.String({ description: 'As the pipeline says it, such as "<= 0.01"' }),
  met: Type.Boolean(),
  value: Type.Optional(Type.Number({ description: "Absent if it was not measured" })),
  message: Type.String(),
});

const MetricSchema = Type.Object({
  name: Type.String(),
  title: Type.String(),
  description: Type.String(),
  unit,
  better,
  value: Type.Number(),
});

const StageSchema = Type.Object({
  id: stage,
  uses: Type.String({ description: "The stage's name in the registry" }),
  status: Type.Union([
    Type.Literal("pending"),
    Type.Literal("running"),
    Type.Literal("hit"),
    Type.Literal("ran"),
    Type.Literal("failed"),
    Type.Literal("skipped"),
    Type.Literal("blocked"),
  ], { description: "hit: its result was there; skipped, blocked: it did not run" }),
  reason: Type.String({ description: "Why it had to run, or did not" }),
  inputs: Type.Record(Type.String(), source, { description: "What it takes, by port" }),
  started: Type.Optional(time),
  seconds: Type.Optional(
    Type.Number({ description: "Of work, in this run or in the one that made the result" }),
  ),
  metrics: Type.Array(MetricSchema),
  outputs: Type.Record(Type.String(), ArtifactSchema),
  gates: Type.Array(GateSchema),
  warnings: Type.Array(Type.String()),
  published: Type.Array(Type.Object({
    output: Type.String(),
    path: Type.String(),
    changed: Type.Boolean({ description: "Whether the file was not there yet with these bytes" }),
  })),
  error: Type.Optional(Type.String()),
  key: Type.Optional(digest),
});

const TableSchema = Type.Object({
  uses: Type.String({ description: "The kind of stage that measured" }),
  columns: Type.Array(Type.Object({
    metric: Type.String(),
    title: Type.String(),
    description: Type.String(),
    unit,
    better,
  })),
  rows: Type.Array(Type.Object({
    subject: Type.String({ description: "What was measured" }),
    stage: Type.Optional(stage),
    reference: Type.Boolean({ description: "Whether others were compared with it" }),
    values: Type.Record(Type.String(), Type.Number(), { description: "By metric" }),
  })),
});

/** A run, as its record tells it: no artifact has to be read for this part. */
export const RunSummarySchema = Type.Object({
  run: Type.Object({
    id: Type.String(),
    pipeline: Type.String(),
    description: Type.Optional(Type.String()),
    file: Type.String({ description: "As it was given" }),
    source: Type.Optional(Type.String({ description: "The text of the file" })),
    settings: Type.Array(Type.String(), { description: "Changes to the file, PATH=VALUE each" }),
    seed: Type.Integer(),
    versions: Type.Record(Type.String(), Type.String()),
    status: Type.Union([
      Type.Literal("running"),
      Type.Literal("done"),
      Type.Literal("failed"),
      Type.Literal("expectation-failed"),
      Type.Literal("interrupted"),
    ]),
    started: time,
    finished: Type.Optional(time),
    seconds: Type.Optional(Type.Number()),
  }),
  inputs: Type.Record(Type.String(), ArtifactSchema),
  stages: Type.Array(StageSchema, { description: "In the order of execution" }),
  tables: Type.Array(TableSchema),
});

const GridSchema = Type.Object({
  models: Type.Array(source, { description: "The models that have it" }),
  bits,
  min: Type.Number({ description: "The least value that it has" }),
  max: Type.Number({ description: "The greatest value that it has" }),
  scale: Type.Number({ description: "Distance of neighbouring values" }),
  clipped: Type.Optional(
    Type.Number({ description: "Share of calibration values outside, 0 … 1" }),
  ),
});

const HistogramSchema = Type.Object({
  start: Type.Number({ description: "Lower edge of the first bin" }),
  width: Type.Number({ description: "Of a bin" }),
  counts: Type.Array(Type.Number()),
});

const LayerSchema = Type.Object({
  name: Type.String({ description: "The node that computes with the weights" }),
  op: Type.String(),
  dims: Type.Array(Type.Integer(), { description: "Shape of the weights" }),
  elements: Type.Integer({ description: "How many weights there are" }),
  mapping: Type.Union([
    Type.Literal("uniform"),
    Type.Literal("codebook"),
    Type.Literal("float"),
  ]),
  bits,
  scales: Type.Optional(Type.Integer({ description: "How many scales the weights share" })),
  sqnr: Type.Optional(Type.Number({
    description: "Mean square of the float weights over that of their errors, in decibel",
  })),
});

const ModelSchema = Type.Object({
  name: source,
  digest,
  reference: Type.Optional(source),
  calibration: Type.Optional(source),
  layers: Type.Array(LayerSchema),
  activations: Type.Array(Type.Object({
    value: Type.String({ description: "The value of the float model that is quantized" }),
    bits,
    min: Type.Optional(Type.Number()),
    max: Type.Optional(Type.Number()),
    scale: Type.Optional(Type.Number({ description: "Absent where it is found at run time" })),
  })),
});

const CalibrationSchema = Type.Object({
  name: source,
  method: Type.String(),
  activations: Type.Array(Type.Object({
    value: Type.String(),
    min: Type.Number(),
    max: Type.Number(),
    count: Type.Number({ description: "How many values were seen" }),
    histogram: Type.Optional(HistogramSchema),
    grids: Type.Array(GridSchema),
  })),
});

const ReconstructionSchema = Type.Object({
  stage,
  units: Type.Array(Type.Object({
    name: Type.String(),
    layers: Type.Array(Type.String()),
    loss_before: Type.Number(),
    loss_after: Type.Number(),
    changed: Type.Number({ description: "Share of weights not rounded to nearest" }),
    steps: Type.Number(),
    kept: Type.Boolean(),
  })),
  network: Type.Optional(Type.Object({
    divergence_before: Type.Number(),
    divergence_after: Type.Number(),
    steps: Type.Number(),
    kept: Type.Boolean(),
  })),
});

const FrontSchema = Type.Object({
  stage,
  measure: Type.String({ description: "What a loss is" }),
  cost: Type.String({ description: "What is minimized beside it" }),
  chosen: Type.Object({ cost: Type.Number(), loss: Type.Number() }),
  points: Type.Array(Type.Object({ cost: Type.Number(), loss: Type.Number() })),
  trials: Type.Array(
    Type.Object({
      cost: Type.Number(),
      loss: Type.Number({ description: "As it was predicted" }),
      measured: Type.Record(Type.String(), Type.Number(), {
        description: "By metric; in that of `measure`, what the loss really is",
      }),
    }),
    { description: "Choices that were made into models and measured" },
  ),
  widths: Type.Array(Type.Object({ layer: Type.String(), bits }), {
    description: "Those that were chosen",
  }),
});

const SensitivitySchema = Type.Object({
  stage,
  measure: Type.String({ description: "What a loss is" }),
  widths: Type.Array(Type.Number()),
  layers: Type.Array(Type.Object({
    name: Type.String(),
    elements: Type.Integer(),
    losses: Type.Array(Type.Number(), { description: "In the order of the widths" }),
  })),
  activation_widths: Type.Array(Type.Number()),
  activations: Type.Array(Type.Object({
    name: Type.String({ description: "The first of the activations that share a scale" }),
    losses: Type.Array(Type.Number(), { description: "In the order of their widths" }),
  })),
});

const VerificationSchema = Type.Object({
  stage,
  model: Type.Optional(source),
  reference: Type.Optional(source),
  method: Type.String(),
  semantics: Type.String({ description: "Which arithmetic the bounds speak of" }),
  domains: Type.Array(Type.Object({
    name: Type.String({ description: "A box of inputs" }),
    boxes: Type.Number({ description: "Boxes that were bounded" }),
    settled: Type.Number({ description: "Share of the volume on which the goal was reached" }),
    outputs: Type.Array(
      Type.Object({
        found: Type.Number({ description: "The largest difference that was found" }),
        proven: Type.Optional(
          Type.Number({ description: "What no difference is larger than; absent without a bound" }),
        ),
      }),
      { description: "One for each element of the models' output" },
    ),
    kept: Type.Optional(
      Type.Boolean({
        description: "Whether no input of the box has another class in either model",
      }),
    ),
  })),
  certificate: Type.Optional(Type.Object({
    claims: Type.Optional(
      Type.Number({ description: "What it allows at most; absent if there is no certificate" }),
    ),
    parts: Type.Optional(Type.Number({ description: "Parts that it bounds" })),
    none: Type.Optional(Type.String({ description: "Why there is none" })),
  })),
  decomposition: Type.Optional(
    Type.Object({
      domain: Type.String(),
      total: Type.Number({ description: "The bound of the box as a whole" }),
      weights: Type.Number(),
      rounding: Type.Number(),
      saturation: Type.Number(),
      arithmetic: Type.Number(),
    }, { description: "What the largest bound consists of" }),
  ),
});

/** What is read from a run's artifacts. */
export const RunDetailsSchema = Type.Object({
  models: Type.Array(ModelSchema),
  calibrations: Type.Array(CalibrationSchema),
  reconstructions: Type.Array(ReconstructionSchema),
  sensitivities: Type.Array(SensitivitySchema),
  fronts: Type.Array(FrontSchema),
  verifications: Type.Array(VerificationSchema),
  manifests: Type.Record(Type.String(), Type.Unknown(), {
    description: "What the key of each stage was made from, by stage",
  }),
  missing: Type.Array(Type.String(), {
    description: "What the report would show, had it not been deleted from the store",
  }),
});

/** A whole report. */
export const ReportSchema = Type.Object({
  version: Type.Literal(REPORT_VERSION),
  ...RunSummarySchema.properties,
  ...RunDetailsSchema.properties,
}, { title: "Report", description: "What came out of a run" });

type Frozen<T extends TSchema> = Readonly<Static<T>>;

export type RunSummary = Frozen<typeof RunSummarySchema>;
export type RunDetails = Frozen<typeof RunDetailsSchema>;
export type Report = Frozen<typeof ReportSchema>;
export type ReportStage = Frozen<typeof StageSchema>;
export type ReportTable = Frozen<typeof TableSchema>;
export type ReportMetric = Frozen<typeof MetricSchema>;
export type ReportModel = Frozen<typeof ModelSchema>;
export type ReportLayer = Frozen<typeof LayerSchema>;
export type ReportCalibration = Frozen<typeof CalibrationSchema>;
export type ReportHistogram = Frozen<typeof HistogramSchema>;
export type ReportGrid = Frozen<typeof GridSchema>;
export type ReportReconstruction = Frozen<typeof ReconstructionSchema>;
export type ReportFront = Frozen<typeof FrontSchema>;
export type ReportVerification = Frozen<typeof VerificationSchema>;
export type ReportSensitivity = Frozen<typeof SensitivitySchema>;
