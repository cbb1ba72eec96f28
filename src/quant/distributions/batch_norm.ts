/**
 * What batch normalization knows of a network's activations: mean and deviation of each channel of its output over the
 * training data, which are its β and |γ|.
 *
 * Folding removes the nodes. Their knowledge then stays with the model as a metadata entry, under the name of the value
 * that now bears what the batch normalization gave out.
 *
 * @module
 */

import { UserError } from "../../base/errors.ts";
import { getInt } from "../../onnx/attributes.ts";
import { constantValue } from "../../onnx/edit.ts";
import type { Graph, Model, Node } from "../../onnx/model.ts";

/** Mean and deviation of each channel of a value. */
export interface ChannelStatistics {
  readonly mean: Float64Array;
  /** Not negative. */
  readonly deviation: Float64Array;
}

/** Statistics by value name. */
export type BatchNormStatistics = ReadonlyMap<string, ChannelStatistics>;

const KEY = "bitbound.batch_norm";

/** The statistics of the output of a node; `undefined` if it is no batch normalization at inference. */
export function statisticsOfNode(graph: Graph, node: Node): ChannelStatistics | undefined {
  if (node.opType !== "BatchNormalization" || node.domain !== "") return undefined;
  if (getInt(node, "training_mode", 0) !== 0) return undefined;
  const [gamma, beta] = node.inputs.slice(1, 3).map((name) => constantValue(graph, name));
  if (gamma?.type !== "float32" || beta?.type !== "float32") return undefined;
  return {
    mean: Float64Array.from(beta.data as Float32Array),
    deviation: Float64Array.from(gamma.data as Float32Array, Math.abs),
  };
}

/**
 * The statistics that a model has: those of its batch normalizations, and those that were folded.
 *
 * @throws {UserError} If the metadata entry cannot be read.
 */
export function batchNormStatistics(model: Model): Map<string, ChannelStatistics> {
  const found = foldedStatistics(model);
  for (const node of model.graph.nodes) {
    const statistics = statisticsOfNode(model.graph, node);
    if (statistics !== undefined) found.set(node.outputs[0]!, statistics);
  }
  return found;
}

/** The statistics in a model's metadata. */
export function foldedStatistics({ metadata }: Model): Map<string, ChannelStatistics> {
  const text = metadata.get(KEY);
  if (text === undefined) return new Map();
  try {
    const entries = Object.entries(
      JSON.parse(text) as Record<string, { mean: number[]; deviation: number[] }>,
    );
    return new Map(entries.map(([name, { mean, deviation }]) => {
      if (mean.length !== deviation.length) throw new SyntaxError(`"${name}" has two lengths`);
      return [name, {
        mean: Float64Array.from(mean),
        deviation: Float64Array.from(deviation),
      }];
    }));
  } catch (error) {
    throw new UserError({
      message: `The metadata entry "${KEY}" of the model cannot be read: ${
        (error as Error).message
      }`,
      hint: "Prepare the original model again, or remove the entry",
    }, { cause: error });
  }
}

/** Puts statistics into a model's metadata in place of those that are there; none removes the entry. */
export function setFoldedStatistics({ metadata }: Model, statistics: BatchNormStatistics): void {
  if (statistics.size === 0) {
    metadata.delete(KEY);
    return;
  }
  // Single precision is what they came from: more digits would say nothing.
  const digits = (values: Float64Array) =>
    Array.from(values, (value) => Number(value.toPrecision(8)));
  const entries = Array.from(statistics, ([name, { mean, deviation }]) => [
    name,
    { mean: digits(mean), deviation: digits(deviation) },
  ]);
  metadata.set(KEY, JSON.stringify(Object.fromEntries(entries)));
}

/** What helps where statistics are missing, as the hint of a message. */
export const WITHOUT_STATISTICS =
  "The model has no batch normalization, or one that was folded before it came here. If you can, begin with the model " +
  'in which it is not folded (exported for training, or before the stage or tool that folds): the stage "prepare" ' +
  "keeps what it knows";
