/**
 * The two models themselves, run on many points at once.
 *
 * @module
 */

import { openSession, type Session } from "../../src/engine/session.ts";
import { cloneModel } from "../../src/onnx/edit.ts";
import type { Model } from "../../src/onnx/model.ts";
import { float32 } from "../../src/onnx/tensor.ts";
import type { Points, Threshold } from "./points.ts";

/** Both models in ONNX Runtime, without optimizations and with all of them. */
export class BatchedPair implements AsyncDisposable {
  readonly #plain: readonly Session[];
  readonly #optimized: readonly Session[];
  /** The quantized model, with all values of thresholds as outputs. */
  readonly #inner: Session;
  readonly #dims: readonly number[];
  readonly #size: number;
  readonly thresholds: readonly Threshold[];

  private constructor(
    sessions: readonly [plain: Session[], optimized: Session[], inner: Session],
    dims: readonly number[],
    thresholds: readonly Threshold[],
  ) {
    [this.#plain, this.#optimized, this.#inner] = sessions;
    this.#dims = dims;
    this.#size = dims.reduce((product, dim) => product * dim, 1);
    this.thresholds = thresholds;
  }

  static async open(original: Model, quantized: Model): Promise<BatchedPair> {
    const models = [batched(original), batched(quantized)];
    const open = (optimization: "none" | "all") =>
      Promise.all(models.map((model) => openSession(model, { optimization })));
    const thresholds = thresholdsOf(quantized);
    const inner = exposed(models[1]!, thresholds);
    const [info] = dataInputs(original);
    return new BatchedPair(
      [await open("none"), await open("all"), await openSession(inner, { optimization: "none" })],
      (info!.dims ?? []).slice(1).map(Number),
      thresholds,
    );
  }

  /** f′ − f as executed without optimizations and with all of them, [points × outputs]. */
  async differences(points: Points): Promise<Float64Array[]> {
    const results = [];
    for (const sessions of [this.#plain, this.#optimized]) {
      const [first, second] = [
        await this.#output(sessions[0]!, points),
        await this.#output(sessions[1]!, points),
      ];
      results.push(Float64Array.from(second, (value, at) => value - first[at]!));
    }
    return results;
  }

  /** What the quantized model's Relu or quantizer reads. */
  async values(points: Points, { value }: Threshold): Promise<Float32Array> {
    const results = await this.#inner.run(this.#feed(this.#inner, points), [value]);
    return results[value]!.data as Float32Array;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const session of [...this.#plain, ...this.#optimized, this.#inner]) {
      await session[Symbol.asyncDispose]();
    }
  }

  async #output(session: Session, points: Points): Promise<Float32Array> {
    const results = await session.run(this.#feed(session, points));
    return results[session.outputs[0]!.name]!.data as Float32Array;
  }

  #feed(session: Session, points: Points) {
    const dims = [points.length / this.#size, ...this.#dims];
    return { [session.inputs[0]!.name]: float32(dims, points) };
  }
}

function dataInputs({ graph }: Model) {
  return graph.inputs.filter(({ name }) => !graph.initializers.has(name));
}

/** The model for any number of items: these networks keep the first axis to themselves. */
function batched(model: Model): Model {
  const copy = cloneModel(model);
  const free = dataInputs(copy).map(({ name }) => name);
  const open = (info: Model["graph"]["inputs"][number]) => ({
    ...info,
    dims: info.dims && ["items", ...info.dims.slice(1)],
  });
  const graph = {
    ...copy.graph,
    inputs: copy.graph.inputs.map((info) => free.includes(info.name) ? open(info) : info),
    outputs: copy.graph.outputs.map(open),
    values: new Map(),
  };
  return { ...copy, graph };
}

function exposed(model: Model, thresholds: readonly Threshold[]): Model {
  const outputs = [...new Set(thresholds.map(({ value }) => value))].map((name) => ({
    name,
    type: "float32" as const,
    dims: undefined,
  }));
  return { ...model, graph: { ...model.graph, outputs: [...model.graph.outputs, ...outputs] } };
}

function thresholdsOf({ graph }: Model): Threshold[] {
  const found: Threshold[] = [];
  for (const { opType, inputs } of graph.nodes) {
    if (opType === "Relu") found.push({ value: inputs[0]!, step: 0 });
    if (opType !== "QuantizeLinear") continue;
    found.push({ value: inputs[0]!, step: graph.initializers.get(inputs[1]!)!.data[0] as number });
  }
  return found;
}
