/**
 * Bounds of many rows of one value by kernels that go back through receptive fields, and by ONNX Runtime elsewhere.
 *
 * A row of a neuron behind convolutions depends on a window of each map, and on the neurons in it that are not off. Graphs
 * carry whole maps back, in a pass over memory for every operator: where relaxations are most of the work, that takes
 * many times as long.
 *
 * @module
 */

import type { PairedNetwork, ValueNumber } from "../../network/network.ts";
import type { IntervalResults } from "../affine.ts";
import type { BoundEngine, EngineFacts, Propagated, RowRequest, RowResult } from "../engine.ts";
import { GraphEngine, type GraphEngineOptions } from "../graphs/engine.ts";
import type { AffinePairedStep } from "../graphs/interval.ts";
import { rowWork, VIEW_WORK } from "../row_work.ts";
import { Pauses } from "../watch.ts";
import { groupsOf, type RowGroup } from "./groups.ts";
import { hasLayout, layoutBytes } from "./layout.ts";
import { type FieldNetwork, FieldRows } from "./rows.ts";
import { FieldThread } from "./threads.ts";

/** Fewer rows are left to graphs: those of an output are few. */
const LEAST_ROWS = 64;

/** Bytes of weights from which on networks are. */
const MOST_BYTES = 2 ** 28;

/** Whether this engine is one for a network: one with convolutions, which have windows. */
export function hasFields(network: PairedNetwork): boolean {
  const convolves = network.steps.some((step) =>
    step.kind === "affine" && step.terms.some(({ map }) => map.original.kind === "convolution")
  );
  return convolves && hasLayout(network) && layoutBytes(network) <= MOST_BYTES;
}

/** Products of the rows of a value from which on other threads take part: beginning one takes a fraction of a second. */
const SHARED_WORK = 5e8;

/** Products between two looks at what other threads answered. */
const WORK_AT_ONCE = 1e8;

/** Products that another thread is asked for at a time: a share of what is left, and no more than takes a few seconds. */
const ASKED = { share: 1 / 4, most: 5e9 };

/** What a thread is asked for while it is busy with something else, since this one hears of answers only in pauses. */
const AHEAD = 2;

/** Bounds one network with convolutions. */
export class ReceptiveEngine implements BoundEngine {
  readonly boxes = Infinity;
  readonly #given: FieldNetwork;
  readonly #graphs: GraphEngine;
  readonly #pauses: Pauses;
  readonly #others: number;
  #rows: FieldRows | undefined;
  #threads: readonly FieldThread[] = [];

  constructor(network: PairedNetwork, facts: EngineFacts, options: GraphEngineOptions) {
    const { folded, unit } = facts;
    const offsets = new Map(
      network.steps.flatMap(({ kind }, at) =>
        kind === "affine" ? [[at + 1, facts.offsetsOf(at + 1)] as const] : []
      ),
    );
    this.#given = { network, folded, offsets, unit };
    this.#graphs = new GraphEngine(network, facts, options);
    this.#pauses = new Pauses(options.watch);
    this.#others = options.threads - 1;
  }

  interval(
    value: ValueNumber,
    step: AffinePairedStep,
    state: Propagated,
  ): Promise<IntervalResults> {
    return this.#graphs.interval(value, step, state);
  }

  magnitudes(): undefined {
    return undefined;
  }

  differences(points: Float64Array): Promise<Float64Array> {
    return this.#graphs.differences(points);
  }

  async rows(request: RowRequest): Promise<RowResult> {
    const { target, view, rows, state, scores } = request;
    const isLeft = scores || view === "merged" || rows.index.length < LEAST_ROWS ||
      this.#graphs.chooses(request);
    if (isLeft) return await this.#graphs.rows(request);
    const own = this.#rows ??= new FieldRows(this.#given);
    const groups = [...groupsOf(rows, own.places(target))];
    const total = groups.reduce((sum, group) => sum + group.rows.length, 0);
    const bounds = new Float64Array(rows.index.length);
    const wanted = { target, view, sign: rows.sign };
    let next = 0, done = 0;
    const rowProducts = rowWork(this.#given.network, target) * VIEW_WORK[view];
    let left = total * rowProducts;
    const take = (most: number): RowGroup[] => {
      const from = next;
      for (let work = 0; next < groups.length && work < most; next++) {
        const own = groups[next]!.rows.length * rowProducts;
        work += own;
        left -= own;
      }
      return groups.slice(from, next);
    };
    const note = (group: RowGroup, found: Float64Array) => {
      group.rows.forEach((row, at) => bounds[row] = found[at]!);
      done += group.rows.length;
    };
    const threads = left < SHARED_WORK ? [] : this.#start();
    for (const thread of threads) thread.know(state, target);
    const ask = async (thread: FieldThread) => {
      for (;;) {
        const share = ASKED.share * left / threads.length;
        const part = take(Math.max(Math.min(share, ASKED.most), WORK_AT_ONCE));
        if (part.length === 0) return;
        const found = await thread.ask(wanted, part);
        part.forEach((group, at) => note(group, found[at]!));
      }
    };
    const asked = Promise.all(
      threads.flatMap((thread) => Array.from({ length: AHEAD }, () => ask(thread))),
    );
    // Whoever waits hears of it below, unless this thread fails first.
    asked.catch(() => {});
    try {
      for (let part = take(WORK_AT_ONCE); part.length > 0; part = take(WORK_AT_ONCE)) {
        for (const group of part) {
          const found = new Float64Array(group.rows.length);
          for (const ready of own.bound(wanted, group, state, found)) {
            if (!this.#pauses.isDue) continue;
            await this.#pauses.take({ target, view, done: done + ready, total });
          }
          note(group, found);
        }
      }
      await asked;
    } finally {
      // Nothing is asked for any more.
      next = groups.length;
    }
    return { bounds, scores: undefined };
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const thread of this.#threads) thread[Symbol.dispose]();
    this.#threads = [];
    this.#rows = undefined;
    await this.#graphs[Symbol.asyncDispose]();
  }

  /** The other threads, begun when they are first needed. */
  #start(): readonly FieldThread[] {
    if (this.#threads.length === 0) {
      this.#threads = Array.from({ length: this.#others }, () => new FieldThread(this.#given));
    }
    return this.#threads;
  }
}
