/**
 * How strongly the loss curves in the weights of each layer.
 *
 * @module
 */

import { Random } from "../../base/random.ts";
import { Emitter } from "../../engine/autodiff/emitter.ts";
import { gradientGraph, gradientName } from "../../engine/autodiff/gradient.ts";
import { openSession } from "../../engine/session.ts";
import { inferShapes } from "../../engine/shapes.ts";
import { cloneModel } from "../../onnx/edit.ts";
import type { Model } from "../../onnx/model.ts";
import { float32, type Tensor } from "../../onnx/tensor.ts";
import type { StageContext } from "../../registry/stage.ts";
import type { Call, Items } from "../../search/trial/items.ts";
import type { LayeredModel } from "../../search/trial/layers.ts";
import type { Comparison } from "../../search/trial/loss.ts";

/** The step of finite differences, as a share of the root mean square of the weights of the median layer. */
const STEP = 0.01;

/**
 * The mean of the diagonal of the loss's Hessian over the weights of each layer (HAWQ-V2, Dong et al. 2020).
 *
 * The loss is the distance from the float network's own outputs, so its gradient at the float weights is zero and its
 * Hessian is that of Gauss and Newton. Hutchinson's estimate vᵀHv with signs v at random uses
 * Hv ≈ (∇L(w + εv) − ∇L(w − εv)) / 2ε; all layers move at once, which leaves each layer's expectation as it is.
 *
 * @returns One number a layer.
 * @throws {UserError} If an operator of the network has no gradient.
 */
export async function meanCurvatures(
  { model, layers }: LayeredModel,
  items: Items,
  comparison: Comparison,
  probes: number,
  { seed, threads, signal, progress }: StageContext,
): Promise<number[]> {
  const names = layers.map(({ first }) => first.weight);
  const scales = layers.map(({ weights: { data } }) =>
    Math.sqrt(data.reduce((sum, weight) => sum + weight * weight, 0) / data.length)
  ).sort((a, b) => a - b);
  const step = STEP * (scales[scales.length >> 1]! || 1);
  const random = Random.from(seed, "sensitivity/hawq");
  const traces = new Float64Array(layers.length);
  const sessions = new Sessions(model, names, items, comparison, threads);
  await using _ = sessions;
  for (let probe = 0; probe < probes; probe++) {
    const signs = layers.map(({ weights: { data } }) => signsOf(random, data.length));
    for (const direction of [1, -1]) {
      const moved = Object.fromEntries(
        layers.map(({ weights: { dims, data } }, index) => {
          const values = new Float32Array(data.length);
          const own = signs[index]!;
          for (let i = 0; i < values.length; i++) values[i] = data[i]! + direction * step * own[i]!;
          return [names[index]!, float32(dims, values)];
        }),
      );
      for await (const call of items.calls()) {
        signal.throwIfAborted();
        const results = await sessions.gradients(call, moved);
        names.forEach((name, index) => {
          const gradient = results[gradientName(name)]!.data as Float32Array;
          const own = signs[index]!;
          let sum = 0;
          for (let i = 0; i < gradient.length; i++) sum += gradient[i]! * own[i]!;
          traces[index]! += direction * sum / (2 * step * items.length * probes);
        });
      }
    }
    progress({ phase: "curvature", done: probe + 1, total: probes, unit: "probes" });
  }
  // Gauss and Newton's Hessian has no negative curvature; what is left of it is the estimate's noise.
  return layers.map(({ weights }, index) => Math.max(0, traces[index]! / weights.data.length));
}

function signsOf(random: Random, length: number): Int8Array {
  const signs = new Int8Array(length);
  let bits = 0;
  for (let i = 0; i < length; i++) {
    if (i % 32 === 0) bits = random.bits();
    signs[i] = (bits & 1) === 1 ? 1 : -1;
    bits >>>= 1;
  }
  return signs;
}

const TARGET = "bitbound.target";

/** Sessions that compute gradients, one for each batch size that occurs. */
class Sessions implements AsyncDisposable {
  readonly #model: Model;
  readonly #names: readonly string[];
  readonly #items: Items;
  readonly #comparison: Comparison;
  readonly #threads: number;
  readonly #open = new Map<string, Awaited<ReturnType<typeof openSession>>>();

  constructor(
    model: Model,
    names: readonly string[],
    items: Items,
    comparison: Comparison,
    threads: number,
  ) {
    this.#model = model;
    this.#names = names;
    this.#items = items;
    this.#comparison = comparison;
    this.#threads = threads;
  }

  /** The gradients by the weights of the loss summed over the items of a call. */
  async gradients(
    { feeds, size, reference }: Call,
    weights: Readonly<Record<string, Tensor>>,
  ): Promise<Record<string, Tensor>> {
    const dims = Object.fromEntries(Object.entries(feeds).map(([name, { dims }]) => [name, dims]));
    const key = JSON.stringify(dims);
    let session = this.#open.get(key);
    const rows = Object.values(feeds)[0]!.dims[0]!;
    if (session === undefined) {
      session = await openSession(await this.#build(dims, rows), { threads: this.#threads });
      this.#open.set(key, session);
    }
    const { width } = this.#items;
    const target = new Float32Array(rows * width);
    target.set(reference);
    const counted = new Float32Array(rows).fill(1, 0, size);
    return await session.run({
      ...feeds,
      ...weights,
      [TARGET]: float32([rows, width], target),
      [`${TARGET}.counted`]: float32([rows, 1], counted),
    }, this.#names.map(gradientName));
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const session of this.#open.values()) await session[Symbol.asyncDispose]();
  }

  async #build(dims: Record<string, readonly number[]>, rows: number): Promise<Model> {
    const { width, output } = this.#items;
    const model = cloneModel(this.#model);
    const { graph } = model;
    graph.values.clear();
    for (const input of graph.inputs) {
      const own = dims[input.name];
      if (own !== undefined) input.dims = [...own];
    }
    for (const name of this.#names) {
      const { dims } = graph.initializers.get(name)!;
      graph.initializers.delete(name);
      graph.inputs = graph.inputs.filter((input) => input.name !== name);
      graph.inputs.push({ name, type: "float32", dims: [...dims] });
    }
    graph.inputs.push({ name: TARGET, type: "float32", dims: [rows, width] });
    graph.inputs.push({ name: `${TARGET}.counted`, type: "float32", dims: [rows, 1] });
    const loss = appendLoss(new Emitter(graph, "loss"), output, rows, width, this.#comparison);
    graph.outputs = [{ name: loss, type: "float32", dims: [] }];
    const types = await inferShapes(model);
    return { ...model, graph: gradientGraph(model, { loss, withRespectTo: this.#names, types }) };
  }
}

/** Σ over the items that count of the distance of outputs from targets. */
function appendLoss(
  emit: Emitter,
  output: string,
  rows: number,
  width: number,
  { measure, scores }: Comparison,
): string {
  const values = emit.reshape(output, [rows, width]);
  const counted = `${TARGET}.counted`;
  if (measure === "mse") {
    const difference = emit.sub(values, TARGET);
    const squares = emit.mul(emit.mul(difference, difference), counted);
    const sum = emit.reduceSum(squares, [0, 1], false);
    return emit.mul(sum, emit.scalar(1 / width, "float32"));
  }
  const logarithm = (x: string) =>
    scores === "logits"
      ? emit.op("LogSoftmax", [x], { axis: 1 })
      : emit.op("Log", [emit.op("Max", [x, emit.scalar(1e-12, "float32")])]);
  const wanted = logarithm(TARGET);
  // Entropies of the targets are constant: they do not change a gradient.
  const products = emit.mul(emit.mul(emit.exp(wanted), logarithm(values)), counted);
  return emit.neg(emit.reduceSum(products, [0, 1], false));
}
