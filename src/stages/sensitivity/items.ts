/**
 * The items that losses are measured on, with the float network's outputs for them.
 *
 * @module
 */

import { UserError } from "../../base/errors.ts";
import type { Dataset } from "../../data/dataset.ts";
import { type FeedPlan, feedsOf, planFeeds } from "../../data/feeds.ts";
import { openSession, type Session } from "../../engine/session.ts";
import type { Model } from "../../onnx/model.ts";
import type { Tensor } from "../../onnx/tensor.ts";
import type { Artifact } from "../../registry/artifact.ts";
import type { StageContext } from "../../registry/stage.ts";
import type { Parameters } from "./ports.ts";

/** One call of the network, and what the float network answers. */
export interface Call {
  readonly feeds: Readonly<Record<string, Tensor>>;
  /** How many items count; those after them fill a fixed batch up. */
  readonly size: number;
  /** Row by row, one an item. */
  readonly reference: Float32Array;
}

/** Reads items again and again, and keeps what fits into memory. */
export class Items {
  readonly length: number;
  readonly output: string;
  /** Values of the output for one item. */
  width = 0;
  /** Shape of the output for the items of the first call. */
  dims: readonly number[] = [];
  readonly #dataset: Dataset;
  readonly #plan: FeedPlan;
  readonly #session: Session;
  readonly #batch: number;
  readonly #origin: string;
  readonly #kept: Call[] = [];
  #room: number;

  private constructor(
    session: Session,
    output: string,
    plan: FeedPlan,
    dataset: Dataset,
    origin: string,
    length: number,
    { batch, memory }: { batch: number; memory: number },
  ) {
    this.#session = session;
    this.output = output;
    this.#plan = plan;
    this.#dataset = dataset;
    this.#origin = origin;
    this.length = length;
    this.#batch = plan.fixedBatch ?? Math.min(batch, length);
    this.#room = memory;
  }

  /**
   * Opens the float network for the data.
   *
   * @throws {UserError} If there is no data, or it does not fit the model.
   */
  static async open(
    model: Model,
    origin: string,
    calibration: Artifact<"dataset"> | undefined,
    { method, take, batch, output }: Parameters,
    { threads, memory }: Pick<StageContext, "threads" | "memory">,
  ): Promise<Items> {
    if (calibration === undefined) {
      throw new UserError({
        message: `Method ${method} measures losses on data, and there is none`,
        hint: "Give a data set under inputs:, or say method: sqnr",
      });
    }
    const dataset = await calibration.load();
    const length = Math.min(dataset.length, take ?? Infinity);
    if (length === 0) throw new UserError(`The data set "${calibration.origin}" has no items`);
    const session = await openSession(model, { threads });
    try {
      const origins = { data: calibration.origin, model: origin };
      const plan = planFeeds(dataset, session.inputs, origins);
      const names = session.outputs.map(({ name }) => name);
      if (output !== undefined && !names.includes(output)) {
        throw new UserError({
          message: `The model "${origin}" has no output "${output}"`,
          hint: `Its outputs are ${names.map((name) => `"${name}"`).join(", ")}`,
        });
      }
      const options = { batch, memory: memory / 2 };
      const items = new Items(
        session,
        output ?? names[0]!,
        plan,
        dataset,
        origin,
        length,
        options,
      );
      for await (const _ of items.calls()) break;
      return items;
    } catch (error) {
      await session[Symbol.asyncDispose]();
      throw error;
    }
  }

  /** Whether the network takes a fixed number of items at a time. */
  get hasFixedBatch(): boolean {
    return this.#plan.fixedBatch !== undefined;
  }

  /** All calls, from the first item. */
  async *calls(): AsyncGenerator<Call> {
    yield* this.#kept;
    for (let start = this.#kept.length * this.#batch; start < this.length; start += this.#batch) {
      const batch = await this.#dataset.batch(start, Math.min(this.#batch, this.length - start));
      for (const { feeds, size } of feedsOf(this.#plan, batch)) {
        const results = await this.#session.run(feeds, [this.output]);
        const reference = this.rows(results, size);
        const call: Call = { feeds, size, reference };
        this.#keep(call, start / this.#batch);
        yield call;
      }
    }
  }

  /**
   * The outputs of a call, one row an item.
   *
   * @throws {UserError} If they are not float32, not divided into items, or not finite.
   */
  rows(results: Readonly<Record<string, Tensor>>, size: number): Float32Array {
    const { type, dims, data } = results[this.output]!;
    const rows = this.#plan.fixedBatch ?? size;
    const name = `Output "${this.output}" of the model "${this.#origin}"`;
    if (type !== "float32") throw new UserError(`${name} is ${type}, expected float32`);
    if (dims[0] !== rows) {
      throw new UserError({
        message: `${name} has shape [${
          dims.join(", ")
        }] for ${rows} items: its first dimension is not the batch`,
        hint: "Name another output: output: NAME, or measure with batch: 1",
      });
    }
    const values = data as Float32Array;
    this.width = values.length / rows;
    if (this.dims.length === 0) this.dims = dims;
    if (!values.every(Number.isFinite)) throw new UserError(`${name} is not finite`);
    return size === rows ? values : values.subarray(0, this.width * size);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#session[Symbol.asyncDispose]();
  }

  #keep(call: Call, index: number): void {
    if (index !== this.#kept.length) return;
    let bytes = call.reference.byteLength;
    for (const { data } of Object.values(call.feeds)) bytes += (data as Float32Array).byteLength;
    this.#room -= bytes;
    if (this.#room >= 0) this.#kept.push(call);
  }
}
