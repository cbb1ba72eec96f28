/**
 * Bounding a batch of boxes for the search: the work that is done in parallel.
 *
 * @module
 */

import type { BoxBatch } from "../bounds/batch.ts";
import { canCondense } from "../bounds/condensed/bounder.ts";
import { type InnerRows, Propagator } from "../bounds/propagate.ts";
import type { Semantics } from "../bounds/roundoff.ts";
import { rowsOf } from "../bounds/rows.ts";
import { type PairedNetwork, sizeOf } from "../network/network.ts";
import { CondensedExpander } from "./condensed.ts";
import { packBounds, type PackLayout, packLayout, unpackBounds } from "./pack.ts";

/** How boxes are bounded. */
export interface ExpandOptions {
  readonly semantics: Semantics;
  readonly rows: InnerRows;
}

/** Boxes to be bounded. */
export interface ExpandRequest {
  readonly batch: BoxBatch;
  /** What the box that each was cut from is known to keep, [boxes × packed length], if there is one. */
  readonly inherited: Float32Array<ArrayBuffer> | undefined;
  /** [boxes × 2·outputs], 1 where a row is wanted: row 2o bounds f′ − f from above, row 2o + 1 from below. */
  readonly wanted: Uint8Array;
  /**
   * [2·outputs]: the bound at which a row is done; without, rows get what one pass gives. Rows are refined where boxes are
   * bounded one by one.
   */
  readonly goals?: Float64Array | undefined;
  /** Rows further above their goal than so many times are better split than refined. */
  readonly reach?: number | undefined;
  /**
   * For a bracket: goals are so many times what is found. Points are looked at where bounds are attained, and goals rise.
   * Without, it is a proof, for which refining may take as long as several boxes.
   */
  readonly ratio?: number | undefined;
  /** For a bracket: whether boxes are cut into regions of both networks where there are few. */
  readonly regions?: boolean;
}

/** What is known of them then. */
export interface ExpandResult {
  /** [boxes × 2·outputs]: upper bounds of ±(f′ − f), infinite where none was asked for. */
  readonly bounds: Float64Array;
  /** The input to split next, −1 where all have no width. */
  readonly side: Int32Array;
  /** Bounds that parts inherit, [boxes × packed length]; see `pack.ts`. */
  readonly packed: Float32Array<ArrayBuffer>;
  /** Points that were looked at, middles of boxes among them, [points × inputs]. */
  readonly points: Float64Array;
  /** f′ − f there, [points × outputs]. */
  readonly differences: Float64Array;
  /** How many neurons of the last box are relaxed, where regions would be worth their time if these are few. */
  readonly relaxed?: number | undefined;
}

/** Bounds boxes of one network. */
export class Expander implements AsyncDisposable {
  readonly #propagator: Propagator;
  readonly #options: ExpandOptions;
  readonly #layout: PackLayout;
  readonly #condensed: CondensedExpander | undefined;

  constructor(network: PairedNetwork, options: ExpandOptions) {
    this.#propagator = new Propagator(network, { semantics: options.semantics });
    this.#options = options;
    this.#layout = packLayout(this.#propagator.network, this.#propagator.nonlinearInputs);
    if (canCondense(network)) {
      this.#condensed = new CondensedExpander(network, options, this.#layout);
    }
  }

  /** f′ − f at points, [points × outputs]. */
  async differences(points: Float64Array): Promise<Float64Array> {
    return await this.#propagator.differences(points);
  }

  /** Bounds a batch. */
  async expand(request: ExpandRequest): Promise<ExpandResult> {
    if (this.#condensed !== undefined) return await this.#condense(this.#condensed, request);
    const { batch: { count }, wanted } = request;
    const outputs = sizeOf(this.#propagator.network, this.#propagator.network.output);
    const result: ExpandResult = {
      bounds: new Float64Array(wanted.length),
      side: new Int32Array(count),
      packed: new Float32Array(count * this.#layout.length),
      points: middles(request.batch),
      differences: new Float64Array(count * outputs),
    };
    const most = this.#propagator.boxes;
    for (let from = 0; from < count; from += most) {
      const to = Math.min(from + most, count);
      const part = await this.#expandPart(cut(request, this.#layout.length, from, to));
      result.bounds.set(part.bounds, 2 * outputs * from);
      result.side.set(part.side, from);
      result.packed.set(part.packed, this.#layout.length * from);
      result.differences.set(part.differences, outputs * from);
    }
    return result;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#propagator[Symbol.asyncDispose]();
  }

  async #condense(condensed: CondensedExpander, request: ExpandRequest): Promise<ExpandResult> {
    const { batch, wanted } = request;
    const bounds = new Float64Array(wanted.length).fill(Infinity);
    const packed = new Float32Array(batch.count * this.#layout.length);
    const scores = new Float64Array(batch.lower.length);
    const inner = middles(batch);
    const corners = request.ratio === undefined ? undefined : new Float64Array(inner.length);
    const others: Float64Array[] = [];
    condensed.expand(request, { bounds, packed, scores, corners, points: others });
    const points = Float64Array.from(
      [inner, corners ?? [], ...others].flatMap((each) => [...each]),
    );
    const differences = await this.differences(points);
    return {
      bounds,
      side: sidesOf(batch, scores),
      packed,
      points,
      differences,
      relaxed: condensed.relaxed,
    };
  }

  async #expandPart(
    { batch, inherited, wanted }: ExpandRequest,
  ): Promise<ExpandResult> {
    const { network } = this.#propagator;
    const known = inherited && unpackBounds(this.#layout, batch.count, inherited);
    const state = await this.#propagator.propagate(batch, this.#options.rows, known);
    const outputs = sizeOf(network, network.output);
    const rows = rowsOf(batch.count, outputs, wanted);
    const { output } = network;
    const found = await this.#propagator.boundRows(output, "joint", rows, state, true);
    const points = middles(batch);
    const bounds = new Float64Array(wanted.length).fill(Infinity);
    for (let at = 0; at < rows.sign.length; at++) {
      const sign = rows.sign[at]!;
      if (sign === 0) continue;
      const box = rows.group[Math.floor(at / rows.width)]!;
      // e = f − f′: a lower bound of e is an upper one of f′ − f.
      bounds[2 * (box * outputs + rows.index[at]!) + (sign > 0 ? 0 : 1)] = -found.bounds[at]!;
    }
    return {
      bounds,
      side: sidesOf(batch, found.scores!),
      packed: packBounds(this.#layout, batch.count, state.bounds),
      points,
      differences: await this.differences(points),
    };
  }
}

/** Some boxes of a request. */
function cut(request: ExpandRequest, packed: number, from: number, to: number): ExpandRequest {
  const { batch: { count, lower, upper }, inherited, wanted } = request;
  if (from === 0 && to === count) return request;
  const inputs = lower.length / count;
  const rows = wanted.length / count;
  return {
    batch: {
      count: to - from,
      lower: lower.slice(inputs * from, inputs * to),
      upper: upper.slice(inputs * from, inputs * to),
    },
    inherited: inherited?.subarray(packed * from, packed * to),
    wanted: wanted.subarray(rows * from, rows * to),
  };
}

/** The middle of every box. */
function middles({ lower, upper }: BoxBatch): Float64Array {
  return lower.map((from, at) => {
    const to = upper[at]!;
    return Math.min(Math.max(from + (to - from) / 2, from), to);
  });
}

/** The input with the highest score of those that can be split. */
function sidesOf({ count, lower, upper }: BoxBatch, scores: Float64Array): Int32Array {
  const inputs = lower.length / count;
  return Int32Array.from({ length: count }, (_, box) => {
    let best = -1, most = -1;
    for (let input = 0; input < inputs; input++) {
      const at = box * inputs + input;
      const middle = lower[at]! + (upper[at]! - lower[at]!) / 2;
      const canSplit = middle > lower[at]! && middle < upper[at]!;
      if (canSplit && scores[at]! > most) {
        most = scores[at]!;
        best = input;
      }
    }
    return best;
  });
}
