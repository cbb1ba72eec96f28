/**
 * A data set as calls of a model, as often as it is needed.
 *
 * @module
 */

import type { Dataset } from "../../data/dataset.ts";
import { type FeedPlan, feedsOf } from "../../data/feeds.ts";
import type { CalibrationFeed } from "../../quant/calibration.ts";

/** How a data set is divided into calls. */
export interface FeedOptions {
  readonly plan: FeedPlan;
  /** Items a call, unless the model has a fixed batch. */
  readonly batch: number;
  /** Items in all. */
  readonly items: number;
  /** What messages call the data set. */
  readonly origin: string;
  /** Bytes of preprocessed data that may be kept for the next time. */
  readonly memory: number;
}

/** Reads a data set again and again, from its first item, and keeps what it may. */
export class RepeatedFeeds {
  readonly #dataset: Dataset;
  readonly #options: FeedOptions;
  readonly #kept: CalibrationFeed[] = [];
  #room: number;

  constructor(dataset: Dataset, options: FeedOptions) {
    this.#dataset = dataset;
    this.#options = options;
    this.#room = options.memory;
  }

  /** All calls, from the first. */
  async *read(): AsyncGenerator<CalibrationFeed> {
    const { plan, items, batch, origin } = this.#options;
    yield* this.#kept;
    const size = plan.fixedBatch ?? batch;
    for (let start = this.#kept.length * size; start < items; start += size) {
      const data = await this.#dataset.batch(start, Math.min(size, items - start));
      // There is one: a fixed batch of the model is the size that was read.
      for (const { feeds, size } of feedsOf(plan, data)) {
        const name = size === 1
          ? `item ${start} of the data set "${origin}", ${this.#dataset.nameOf(start)}`
          : `items ${start} to ${start + size - 1} of the data set "${origin}"`;
        const feed = { feeds, rows: plan.fixedBatch ?? size, size, name };
        this.#keep(feed, start / (plan.fixedBatch ?? batch));
        yield feed;
      }
    }
  }

  #keep(feed: CalibrationFeed, index: number): void {
    if (index !== this.#kept.length) return;
    let bytes = 0;
    for (const { data } of Object.values(feed.feeds)) bytes += (data as Float32Array).byteLength;
    if (bytes > this.#room) {
      this.#room = 0;
      return;
    }
    this.#room -= bytes;
    this.#kept.push(feed);
  }
}
