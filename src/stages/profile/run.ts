/**
 * The work of the stage `profile`.
 *
 * @module
 */

import { UserError } from "../../base/errors.ts";
import { RUNTIME_VERSION } from "../../engine/identity.ts";
import { cloneModel, nameEverything } from "../../onnx/edit.ts";
import type { Model } from "../../onnx/model.ts";
import { placeQuantizers, type QuantizableLayer } from "../../quant/placement.ts";
import type { StageContext, StageRun } from "../../registry/stage.ts";
import { keyOf, type LatencyEntry } from "../../search/cost/latency.ts";
import { declaredShapes, type NodeWork, workOf } from "../../search/cost/work.ts";
import { atWidths, handOver, singleLayer, singleNode, type Widths } from "./layer_model.ts";
import { otherNodes } from "./others.ts";
import type { inputs, outputs, Parameters, parameters } from "./ports.ts";
import { layerTimes } from "./layer_times.ts";
import { TimedSessions } from "./timing.ts";

export const run: StageRun<typeof parameters, typeof inputs, typeof outputs> = async (
  parameters,
  { model: artifact },
  context,
) => {
  const model = cloneModel(await artifact.load());
  nameEverything(model.graph);
  refuseFixedBatch(model, artifact.origin);
  const { layers } = placeQuantizers(model);
  const names = layers.map(({ node }) => ({
    name: node.name,
    nodes: [node.name],
    elements: 1,
    entries: [],
  }));
  const works = workOf(model, { layers: names }).map(({ nodes: [node] }) => node!);
  const widths = widthsOf(parameters);
  const measured = await timeLayers(model, layers, works, widths, parameters, context);
  const us = (key: string) => measured.get(key)!.us;

  const rest: Record<string, number> = {};
  const metrics: Record<string, number> = {
    layers: new Set(works.map((work) => entryKey(work, widths[0]!))).size,
  };
  const scales = new Map<number, number>();
  for (const activations of [...parameters.activation_bits].sort((a, b) => a - b)) {
    const uniform = { weights: activations === 32 ? 32 : 8, activations };
    const others = await timeOthers(model, layers, uniform, parameters, context);
    const whole = await timeWhole(model, uniform, parameters, context);
    const sum = works.reduce((sum, work) => sum + us(entryKey(work, uniform)), 0);
    // A layer by itself also hands its input and output over, which can take longer than all that is no layer.
    rest[activations] = Math.max(0, whole - sum);
    scales.set(activations, sum > whole ? whole / sum : 1);
    metrics["layer_share"] = whole === 0 ? 1 : sum / whole;
    const name = activations === 8 ? "int8" : activations === 32 ? "float" : undefined;
    if (name === undefined) continue;
    metrics[`${name}_seconds`] = whole / 1e6;
    metrics[`${name}_predicted`] = (sum + others) / 1e6;
    const error = Math.abs((sum + others) / whole - 1);
    if (whole > 0) metrics["whole_error"] = Math.max(metrics["whole_error"] ?? 0, error);
  }
  const entries = Array.from(measured, ([key, entry]) => ({
    ...entry,
    us: us(key) * scales.get(entry.activation_bits)!,
  }));
  const { threads } = parameters;
  const device = `${Deno.build.arch} ${Deno.build.os}, onnxruntime-node ${RUNTIME_VERSION}, ` +
    `${threads} thread${threads === 1 ? "" : "s"}`;
  return { outputs: { latency: { version: 1, device, entries, rest } }, metrics };
};

/** Latencies are those of one item. */
function refuseFixedBatch({ graph }: Model, origin: string): void {
  for (const { name, dims } of graph.inputs) {
    if (graph.initializers.has(name) || typeof dims?.[0] !== "number" || dims[0] <= 1) continue;
    throw new UserError({
      message: `Input "${name}" of the model "${origin}" takes ${dims[0]} items at a time`,
      hint: 'Say batch: dynamic in the stage "prepare"',
    });
  }
}

/** All pairs to measure, with those that the rest is found by. */
function widthsOf({ bits, activation_bits }: Parameters): Widths[] {
  return activation_bits.flatMap((activations) =>
    [...new Set([...bits, activations === 32 ? 32 : 8])]
      .sort((a, b) => a - b)
      .map((weights) => ({ weights, activations }))
  );
}

function entryKey({ op, input, weight, output }: NodeWork, widths: Widths): string {
  const [weight_bits, activation_bits] = [widths.weights, widths.activations];
  return keyOf({ op, input, weight, output, weight_bits, activation_bits });
}

/** The times of each distinct layer, its widths in turns, by key. */
async function timeLayers(
  model: Model,
  layers: readonly QuantizableLayer[],
  works: readonly NodeWork[],
  widths: readonly Widths[],
  parameters: Parameters,
  { signal, progress }: StageContext,
): Promise<Map<string, LatencyEntry>> {
  const measured = new Map<string, LatencyEntry>();
  for (const [index, layer] of layers.entries()) {
    const { op, input, weight, output } = works[index]!;
    const wanted = widths.filter((pair) => !measured.has(entryKey(works[index]!, pair)));
    const single = singleLayer(model, layer, input, output);
    const times = await layerTimes(single, wanted, layer.first, parameters, signal);
    wanted.forEach((pair, at) =>
      measured.set(entryKey(works[index]!, pair), {
        op,
        input,
        weight,
        output,
        weight_bits: pair.weights,
        activation_bits: pair.activations,
        us: times[at]!,
      })
    );
    progress({ phase: "timing", done: index + 1, total: layers.length, unit: "layers" });
  }
  return measured;
}

/** What all operators without weights take, each distinct one timed by itself, in microseconds. */
async function timeOthers(
  model: Model,
  layers: readonly QuantizableLayer[],
  widths: Widths,
  parameters: Parameters,
  { signal }: StageContext,
): Promise<number> {
  const shapes = declaredShapes(model.graph);
  const nodes = otherNodes(model, layers, shapes, widths.activations === 32);
  let sum = 0;
  for (const alike of Map.groupBy(nodes, ({ key }) => key).values()) {
    const single = atWidths(singleNode(model, alike[0]!.node, shapes), widths, parameters, true);
    await using timed = new TimedSessions();
    await timed.open(single, parameters.threads);
    await timed.open(handOver(single), parameters.threads);
    const [all, call] = await timed.medians(parameters.runs, signal);
    sum += alike.length * Math.max(0, all! - call!);
  }
  return sum;
}

/** What the whole model takes for one item, in microseconds. */
async function timeWhole(
  model: Model,
  widths: Widths,
  parameters: Parameters,
  { signal }: StageContext,
): Promise<number> {
  await using timed = new TimedSessions();
  const shapes = declaredShapes(model.graph);
  await timed.open(atWidths(model, widths, parameters, false), parameters.threads, shapes);
  await timed.open(handOver(model, shapes), parameters.threads, shapes);
  const [whole, call] = await timed.medians(parameters.runs, signal);
  return Math.max(0, whole! - call!);
}
