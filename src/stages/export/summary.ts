/**
 * What there is to say about an exported model.
 *
 * @module
 */

import type { Deployment, SessionOption } from "../../engine/deployment.ts";
import { RUNTIME_VERSION } from "../../engine/identity.ts";
import { withConstantsAsInitializers } from "../../onnx/constants.ts";
import type { Dimension, Model, ValueInfo } from "../../onnx/model.ts";
import { elementCount } from "../../onnx/tensor.ts";
import type { Evaluation } from "../../quant/evaluation.ts";
import type { QuantizationParameters } from "../../quant/grid.ts";
import { readQuantization } from "../../quant/qdq.ts";
import { weightSize } from "../../quant/weight_size.ts";
import { digestOf } from "../../store/digest.ts";

/** An input or output. */
export interface TensorSummary {
  readonly name: string;
  readonly type: string;
  /** A text is a dynamic dimension, `null` an unknown one. */
  readonly shape: readonly (number | string | null)[] | null;
}

/** The weights of one node. */
export interface LayerSummary {
  readonly node: string;
  readonly operator: string;
  /** How many weights. */
  readonly weights: number;
  readonly bits: number;
  /** `tensor`, `channel`, `group of 32`, `codebook`; `float` where the weights are not quantized. */
  readonly granularity: string;
}

/** All of it, as the JSON file has it. */
export interface ExportSummary {
  readonly version: 1;
  readonly file: { readonly name: string; readonly bytes: number; readonly sha256: string };
  readonly onnx: { readonly opset: number; readonly ir: number };
  readonly inputs: readonly TensorSummary[];
  readonly outputs: readonly TensorSummary[];
  readonly weights: { readonly count: number; readonly bits: number; readonly bytes: number };
  readonly layers: readonly LayerSummary[];
  /** How many quantizers of activations have each width. */
  readonly activations: Readonly<Record<string, number>>;
  readonly evaluation?: Pick<Evaluation, "metrics" | "classes" | "execution">;
  readonly runtime: {
    /** What the model was checked with. */
    readonly checked: string;
    readonly runs_by_default: boolean;
    /** Options without which it does not run: any one of them will do. */
    readonly required: readonly SessionOption[];
    /** Options worth setting. */
    readonly advised: readonly SessionOption[];
    readonly default_difference: number;
    readonly integer_nodes: number;
  };
}

/** What a summary is made from. */
export interface SummarySource {
  readonly file: string;
  readonly bytes: Uint8Array;
  readonly model: Model;
  readonly evaluation: Evaluation | undefined;
  readonly deployment: Deployment;
}

/** Describes an exported model. */
export function summarize(source: SummarySource): ExportSummary {
  const { model, evaluation, deployment } = source;
  const { graph } = model;
  const { count, bits, bytes } = weightSize(model);
  return {
    version: 1,
    file: { name: source.file, bytes: source.bytes.length, sha256: digestOf(source.bytes) },
    onnx: { opset: model.opsets.get("") ?? 0, ir: model.irVersion },
    inputs: graph.inputs.filter(({ name }) => !graph.initializers.has(name)).map(describe),
    outputs: graph.outputs.map(describe),
    weights: { count, bits, bytes },
    ...quantizationOf(model),
    ...(evaluation && {
      evaluation: {
        metrics: evaluation.metrics,
        ...(evaluation.classes && { classes: evaluation.classes }),
        execution: evaluation.execution,
      },
    }),
    runtime: {
      checked: `onnxruntime-node ${RUNTIME_VERSION}`,
      runs_by_default: deployment.failure === undefined,
      required: deployment.remedies,
      advised: deployment.advice,
      default_difference: deployment.difference,
      integer_nodes: deployment.integerNodes,
    },
  };
}

function describe({ name, type, dims }: ValueInfo): TensorSummary {
  const shape = dims?.map((dim: Dimension) => dim ?? null) ?? null;
  return { name, type: type ?? "unknown", shape };
}

function quantizationOf(given: Model): Pick<ExportSummary, "layers" | "activations"> {
  const model = withConstantsAsInitializers(given);
  const { weights, codebooks, floatWeights, activations } = readQuantization(model);
  const layers = new Map<unknown, LayerSummary>();
  const add = (
    { node, dims }: { node: Model["graph"]["nodes"][number]; dims: readonly number[] },
    bits: number,
    granularity: string,
  ) => {
    const weights = elementCount(dims);
    layers.set(node, { node: node.name, operator: node.opType, weights, bits, granularity });
  };
  for (const weight of weights) add(weight, weight.bits, granularityOf(weight.parameters));
  for (const codebook of codebooks) add(codebook, codebook.bits, "codebook");
  for (const float of floatWeights) {
    const { type } = model.graph.initializers.get(float.constant)!;
    add(float, type === "float16" ? 16 : type === "float64" ? 64 : 32, "float");
  }
  const widths: Record<string, number> = {};
  for (const { bits } of activations) widths[bits] = (widths[bits] ?? 0) + 1;
  return {
    layers: model.graph.nodes.flatMap((node) => layers.get(node) ?? []),
    activations: widths,
  };
}

function granularityOf({ axis, blockSize }: QuantizationParameters): string {
  if (axis === undefined) return "tensor";
  return blockSize === undefined ? "channel" : `group of ${blockSize}`;
}
