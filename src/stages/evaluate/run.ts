/**
 * The work of the stage `evaluate`.
 *
 * @module
 */

import { UserError } from "../../base/errors.ts";
import type { Dataset } from "../../data/dataset.ts";
import { productsSaturate } from "../../engine/cpu.ts";
import { executedOperators, isIntegerOperator } from "../../engine/fusion.ts";
import type { Session } from "../../engine/session.ts";
import type { Model } from "../../onnx/model.ts";
import { bitsPerElement, elementCount } from "../../onnx/tensor.ts";
import type { Evaluation } from "../../quant/evaluation.ts";
import { productsCanSaturate } from "../../quant/saturation.ts";
import type { Artifact } from "../../registry/artifact.ts";
import type { StageContext, StageRun } from "../../registry/stage.ts";
import { Measurement } from "./measure.ts";
import { ModelOutputs } from "./outputs.ts";
import type { inputs, outputs, parameters } from "./ports.ts";
import { scoresOf } from "../../quant/metrics/scores.ts";
import { modelSizes } from "./sizes.ts";

/** Bytes of data that a batch has unless the user says how many items. */
const BATCH_BYTES = 4 * 2 ** 20;
const LARGEST_BATCH = 256;

export const run: StageRun<typeof parameters, typeof inputs, typeof outputs> = async (
  parameters,
  { model: artifact, reference, test },
  context,
) => {
  const [model, dataset] = await Promise.all([artifact.load(), test.load()]);
  const items = Math.min(dataset.length, parameters.take ?? Infinity);
  if (items === 0) throw new UserError(`The data set "${test.origin}" has no items`);
  const { arithmetic, output } = parameters;
  const { threads } = context;
  await using own = await ModelOutputs.open(artifact, test, dataset, output, {
    arithmetic,
    threads,
  });
  // A float model that is measured itself needs no second run to be compared with.
  const isItself = reference?.digest === artifact.digest;
  await using other = reference === undefined || isItself
    ? undefined
    : await ModelOutputs.open(reference, test, dataset, own.output, { threads }, own.session);

  const measurement = new Measurement(parameters, {
    dataset,
    hasReference: reference !== undefined,
    scores: parameters.scores === "auto" ? scoresOf(model.graph, own.output) : parameters.scores,
    model: artifact.origin,
    data: test.origin,
  });
  const size = parameters.batch ?? batchSize(dataset, model);
  for (let start = 0; start < items; start += size) {
    context.signal.throwIfAborted();
    const batch = await dataset.batch(start, Math.min(size, items - start));
    const values = await own.of(batch);
    measurement.add(batch, values, isItself ? values : await other?.of(batch));
    const { top1 } = measurement.result();
    context.progress({
      phase: "running",
      done: start + batch.size,
      total: items,
      unit: "items",
      ...(top1 === undefined ? {} : { values: { "top-1": top1 } }),
    });
  }

  const sizes = await modelSizes(artifact, model);
  const metrics: Record<string, number> = {
    items,
    bits: sizes.bits,
    file_bytes: sizes.file,
    weight_bytes: sizes.weights,
    ...measurement.result(),
  };
  if (reference !== undefined) {
    const float = isItself ? sizes : await modelSizes(reference, await reference.load());
    metrics.float_bits = float.bits;
    metrics.float_bytes = float.file;
    metrics.float_weight_bytes = float.weights;
  }
  for (const note of own.session.notes) context.warn(note);
  const execution: Record<string, string | number | boolean> = { ...own.session.execution };
  if (arithmetic !== "simulated") {
    const nodes = await integerNodes(artifact, own.session);
    metrics.integer_nodes = nodes;
    Object.assign(execution, await integerFacts(arithmetic, nodes, model, context));
  }
  const classes = measurement.classes();
  const evaluation: Evaluation = {
    version: 1,
    subject: {
      model: artifact.digest,
      ...(reference && { reference: reference.digest }),
      data: test.digest,
    },
    metrics,
    ...(classes && { classes }),
    execution,
  };
  return { outputs: { evaluation }, metrics };
};

function batchSize({ inputs }: Dataset, { graph }: Model): number {
  // Scales found at run time are those of the whole batch, so more items would change each other's results.
  if (graph.nodes.some(({ opType }) => opType === "DynamicQuantizeLinear")) return 1;
  const bits = inputs.reduce(
    (sum, { type, dims }) => sum + elementCount(dims) * (bitsPerElement(type) ?? 0),
    0,
  );
  return Math.max(1, Math.min(LARGEST_BATCH, Math.floor(BATCH_BYTES * 8 / bits)));
}

async function integerNodes(
  { path }: Artifact<"model" | "quantized-model">,
  { options }: Session,
): Promise<number> {
  let nodes = 0;
  for (const [operator, count] of await executedOperators(path, options)) {
    if (isIntegerOperator(operator)) nodes += count;
  }
  return nodes;
}

/** What integer arithmetic was really like, with a warning where it was not what one would expect. */
async function integerFacts(
  arithmetic: "integer" | "integer-exact",
  nodes: number,
  model: Model,
  context: StageContext,
): Promise<Record<string, boolean>> {
  if (nodes === 0) {
    context.warn(
      "No node ran in integer kernels: ONNX Runtime has none for these bit widths, or fused nothing",
    );
    return {};
  }
  const saturates = arithmetic === "integer" && productsCanSaturate(model) &&
    await productsSaturate();
  if (saturates) {
    context.warn(
      "Products of 8-bit integers saturate on this processor, which can cost accuracy: quantize with " +
        "reduce_range: true, or deploy with session.x64quantprecision=1, as arithmetic: integer-exact does",
    );
  }
  return { products_saturate: saturates };
}
