/**
 * Bitbound from TypeScript: the same pipelines as in YAML, and stages of your own.
 *
 * ```ts
 * import { definePipeline, run } from "@bitbound/bitbound";
 *
 * const pipeline = await definePipeline({
 *   name: "small",
 *   inputs: {
 *     model: { onnx: "model.onnx" },
 *     test: { images: "photographs" },
 *   },
 *   stages: [
 *     { uses: "prepare" },
 *     { uses: "quantize", with: { weights: { bits: 4 }, activations: { mode: "none" } } },
 *     { uses: "evaluate", expect: { top1_drop: "<= 1%" } },
 *   ],
 * });
 * const { status } = await run(pipeline);
 * ```
 *
 * @module
 */

export { Type } from "@sinclair/typebox";

export { type Problem, type SourcePlace, UserError } from "./src/base/errors.ts";
export type { JsonValue } from "./src/base/canonical_json.ts";
export { Random } from "./src/base/random.ts";

export { definePipeline, type Run, run, type RunOptions } from "./src/pipeline/api.ts";
export { type LoadOptions, loadPipeline } from "./src/pipeline/load.ts";
export type { Pipeline } from "./src/pipeline/pipeline.ts";
export type { RunEvent } from "./src/pipeline/events.ts";
export { type PipelineDefinition, use } from "./src/pipeline/typed_spec.ts";

export type { Artifact, ArtifactKind, ArtifactValues } from "./src/registry/artifact.ts";
export {
  defineStage,
  type InputPort,
  type MetricDefinition,
  type OutputPort,
  type Progress,
  type StageContext,
  type StageDefinition,
} from "./src/registry/stage.ts";

export type { Batch, Dataset } from "./src/data/dataset.ts";
export type { Graph, Model, Node } from "./src/onnx/model.ts";
export { float32, int64s, type Tensor, tensor } from "./src/onnx/tensor.ts";
