/**
 * Outputs of a model for batches of a data set, as rows of numbers.
 *
 * @module
 */

import { UserError } from "../../base/errors.ts";
import type { Batch, Dataset } from "../../data/dataset.ts";
import { type FeedPlan, feedsOf, planFeeds } from "../../data/feeds.ts";
import { openSession, type Session } from "../../engine/session.ts";
import type { ExecutionOptions } from "../../engine/session.ts";
import { fromFloat16 } from "../../onnx/float16.ts";
import type { Tensor } from "../../onnx/tensor.ts";
import type { Reals } from "../../quant/metrics/mod.ts";
import type { Artifact } from "../../registry/artifact.ts";

type ModelArtifact = Artifact<"model" | "quantized-model">;

/** A model opened for a data set. */
export class ModelOutputs implements AsyncDisposable {
  readonly session: Session;
  /** The output that is measured. */
  readonly output: string;
  readonly #plan: FeedPlan;
  readonly #dataset: Dataset;
  readonly #origin: string;

  private constructor(
    session: Session,
    output: string,
    plan: FeedPlan,
    dataset: Dataset,
    origin: string,
  ) {
    this.session = session;
    this.output = output;
    this.#plan = plan;
    this.#dataset = dataset;
    this.#origin = origin;
  }

  /**
   * @param output Name of the output to measure; the first unless told.
   * @param beside Whose output is measured beside it: the one of the same name, else the one in the same place.
   * @throws {UserError} If the model does not load, the data does not fit, or there is no such output.
   */
  static async open(
    model: ModelArtifact,
    test: Artifact<"dataset">,
    dataset: Dataset,
    output: string | undefined,
    options: ExecutionOptions,
    beside?: Session,
  ): Promise<ModelOutputs> {
    const session = await openSession(model.path, options);
    try {
      const origins = { data: test.origin, model: model.origin };
      const plan = planFeeds(dataset, session.inputs, origins);
      const name = chooseOutput(session, output, model.origin, beside);
      return new ModelOutputs(session, name, plan, dataset, model.origin);
    } catch (error) {
      await session[Symbol.asyncDispose]();
      throw error;
    }
  }

  /**
   * The outputs of a batch, one row an item.
   *
   * @throws {UserError} If the model fails, or gives NaN: names the first such item.
   */
  async of(batch: Batch): Promise<Reals> {
    const parts: Reals[] = [];
    for (const { feeds, size } of feedsOf(this.#plan, batch)) {
      const results = await this.session.run(feeds, [this.output]);
      const rows = this.#plan.fixedBatch ?? size;
      parts.push(this.#rows(results[this.output]!, rows, size));
    }
    const values = parts.length === 1 ? parts[0]! : concatenate(parts);
    this.#refuseNaN(values, batch);
    return values;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.session[Symbol.asyncDispose]();
  }

  #rows(tensor: Tensor, rows: number, size: number): Reals {
    const values = this.#reals(tensor);
    if (tensor.dims[0] !== rows) {
      throw new UserError({
        message: `Output "${this.output}" of the model "${this.#origin}" has shape ` +
          `[${tensor.dims.join(", ")}] for ${rows} items: its first dimension is not the batch`,
        hint: "Name another output: output: NAME, or evaluate with batch: 1",
      });
    }
    return size === rows ? values : values.subarray(0, values.length / rows * size);
  }

  #reals({ type, data }: Tensor): Reals {
    if (type === "float32" || type === "float64") return data as Reals;
    if (type === "float16") return fromFloat16(data as Uint16Array);
    throw new UserError({
      message:
        `Output "${this.output}" of the model "${this.#origin}" is ${type}, which has no metrics`,
      hint: "Name an output of a float type: output: NAME",
    });
  }

  #refuseNaN(values: Reals, { start, size }: Batch): void {
    for (let index = 0; index < values.length; index++) {
      const value = values[index]!;
      if (value === value) continue;
      const item = start + Math.floor(index / (values.length / size));
      throw new UserError({
        message: `The model "${this.#origin}" gives NaN for item ${item} of the data, ` +
          this.#dataset.nameOf(item),
        hint: "Look for weights or scales that are not finite, and for data far out of its range",
      });
    }
  }
}

function chooseOutput(
  session: Session,
  wanted: string | undefined,
  origin: string,
  beside: Session | undefined,
): string {
  const names = session.outputs.map(({ name }) => name);
  if (wanted === undefined) return names[0]!;
  if (names.includes(wanted)) return wanted;
  const place = beside?.outputs.findIndex(({ name }) => name === wanted) ?? -1;
  if (place >= 0 && place < names.length) return names[place]!;
  throw new UserError({
    message: `The model "${origin}" has no output "${wanted}"`,
    hint: `Its outputs are ${names.map((name) => `"${name}"`).join(", ")}`,
  });
}

function concatenate(parts: readonly Reals[]): Reals {
  const length = parts.reduce((sum, part) => sum + part.length, 0);
  const whole = parts[0] instanceof Float64Array
    ? new Float64Array(length)
    : new Float32Array(length);
  let at = 0;
  for (const part of parts) {
    whole.set(part, at);
    at += part.length;
  }
  return whole;
}
