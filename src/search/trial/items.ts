/**
 * The items that models are tried on, with the float network's outputs for them.
 *
 * @module
 */

import { UserError } from "../../base/errors.ts";
import type { Dataset } from "../../data/dataset.ts";
import { type FeedPlan, feedsOf, planFeeds } from "../../data/feeds.ts";
import { openSession, type Session } from "../../engine/session.ts";
import type { Model } from "../../onnx/model.ts";
import type { Tensor } from "../../onnx/tensor.ts";

/** A value and what messages call it. */
export interface Named<T> {
  readonly value: T;
  readonly origin: string;
}

/** What is read of a data set, and how. */
export interface ItemOptions {
  /** How many items are left out at the start; none unless told. */
  readonly skip?: number;
  /** How many items after those; all unless told. */
  readonly take?: number;
  /** Items a call. */
  readonly batch: number;
  /** Name of the output to measure; the first unless told. */
  readonly output?: string;
  readonly threads: number;
  /** Bytes that items and outputs in memory may take. */
  readonly memory: number;
}

/** One call of the network, and what the float network answers. */
export interface Call {
  readonly feeds: Readonly<Record<string, Tensor>>;
  /** How many items count; those after them fill a fixed batch up. */
  readonly size: number;
  /** Row by row, one an item. */
  readonly reference: Float32Array;
  /** Classes of the items, where the data set has labels. */
  readonly labels?: Int32Array;
}

/** Items that models can be tried on. */
export interface TrialItems {
  readonly length: number;
  /** Name of the output that is measured. */
  readonly output: string;
  /** Values of the output for one item. */
  readonly width: number;
  /** Whether the network takes a fixed number of items at a time. */
  readonly hasFixedBatch: boolean;
  /** All calls, from the first item. */
  calls(): AsyncIterable<Call>;
  /**
   * The outputs of a call, one row an item.
   *
   * @throws {UserError} If they are not float32, not divided into items, or not finite.
   */
  rows(results: Readonly<Record<string, Tensor>>, size: number): Float32Array;
}

/** Items in memory, as plain data: what another thread needs to have them. */
export interface HeldItems {
  readonly length: number;
  readonly output: string;
  readonly width: number;
  readonly fixedBatch: number | undefined;
  readonly origin: string;
  readonly calls: readonly Call[];
}

/** Items in memory as {@linkcode TrialItems}. */
export function openHeld({ calls, fixedBatch, origin, ...facts }: HeldItems): TrialItems {
  return {
    ...facts,
    hasFixedBatch: fixedBatch !== undefined,
    async *calls() {
      yield* calls;
    },
    rows: (results, size) => rowsOf(results, facts.output, origin, fixedBatch, size),
  };
}

/** Reads items again and again, and keeps what fits into memory. */
export class Items implements TrialItems, AsyncDisposable {
  readonly length: number;
  readonly output: string;
  readonly labeled: boolean;
  width = 0;
  /** Shape of the output for the items of the first call. */
  dims: readonly number[] = [];
  readonly #dataset: Dataset;
  readonly #plan: FeedPlan;
  readonly #session: Session;
  readonly #skip: number;
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
    { skip = 0, batch, memory }: ItemOptions,
  ) {
    this.#session = session;
    this.output = output;
    this.labeled = dataset.labeled;
    this.#plan = plan;
    this.#dataset = dataset;
    this.#origin = origin;
    this.length = length;
    this.#skip = skip;
    this.#batch = plan.fixedBatch ?? Math.min(batch, length);
    this.#room = memory;
  }

  /**
   * Opens the float network for the data.
   *
   * @throws {UserError} If there is no data, or it does not fit the model.
   */
  static async open(
    model: Named<Model>,
    data: Named<Dataset>,
    options: ItemOptions,
  ): Promise<Items> {
    const { skip = 0, take, output, threads } = options;
    const dataset = data.value;
    const length = Math.min(dataset.length - skip, take ?? Infinity);
    if (length === 0) throw new UserError(`The data set "${data.origin}" has no items`);
    const session = await openSession(model.value, { threads });
    try {
      const plan = planFeeds(dataset, session.inputs, { data: data.origin, model: model.origin });
      const names = session.outputs.map(({ name }) => name);
      if (output !== undefined && !names.includes(output)) {
        throw new UserError({
          message: `The model "${model.origin}" has no output "${output}"`,
          hint: `Its outputs are ${names.map((name) => `"${name}"`).join(", ")}`,
        });
      }
      const name = output ?? names[0]!;
      const items = new Items(session, name, plan, dataset, model.origin, length, options);
      for await (const _ of items.calls()) break;
      return items;
    } catch (error) {
      await session[Symbol.asyncDispose]();
      throw error;
    }
  }

  get hasFixedBatch(): boolean {
    return this.#plan.fixedBatch !== undefined;
  }

  async *calls(): AsyncGenerator<Call> {
    yield* this.#kept;
    for (let start = this.#kept.length * this.#batch; start < this.length; start += this.#batch) {
      const size = Math.min(this.#batch, this.length - start);
      const batch = await this.#dataset.batch(this.#skip + start, size);
      // A batch has as many items as a call takes at most, so that there is one call.
      for (const { feeds, size } of feedsOf(this.#plan, batch)) {
        const results = await this.#session.run(feeds, [this.output]);
        const reference = this.rows(results, size);
        const { labels } = batch;
        const call: Call = { feeds, size, reference, ...(labels && { labels }) };
        this.#keep(call, start / this.#batch);
        yield call;
      }
    }
  }

  rows(results: Readonly<Record<string, Tensor>>, size: number): Float32Array {
    const values = rowsOf(results, this.output, this.#origin, this.#plan.fixedBatch, size);
    this.width = values.length / size;
    if (this.dims.length === 0) this.dims = results[this.output]!.dims;
    return values;
  }

  /** All items as plain data, if they fit into memory. */
  async held(): Promise<HeldItems | undefined> {
    for await (const _ of this.calls()) if (this.#room < 0) return undefined;
    const { length, output, width } = this;
    const { fixedBatch } = this.#plan;
    return { length, output, width, fixedBatch, origin: this.#origin, calls: this.#kept };
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

function rowsOf(
  results: Readonly<Record<string, Tensor>>,
  output: string,
  origin: string,
  fixedBatch: number | undefined,
  size: number,
): Float32Array {
  const { type, dims, data } = results[output]!;
  const rows = fixedBatch ?? size;
  const name = `Output "${output}" of the model "${origin}"`;
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
  if (!values.every(Number.isFinite)) throw new UserError(`${name} is not finite`);
  return size === rows ? values : values.subarray(0, values.length / rows * size);
}
