/**
 * Bounding a batch of boxes for the search: the work that is done in parallel.
 *
 * @module
 */

import { openSession, type Session } from "../../engine/session.ts";
import { type Tensor, tensor } from "../../onnx/tensor.ts";
import { differenceGraph, shareGraph } from "../bounds/graphs/forward.ts";
import {
  type BoxBatch,
  groupRows,
  type InnerRows,
  type Propagated,
  Propagator,
  type SignedRow,
} from "../bounds/propagate.ts";
import type { Semantics } from "../bounds/roundoff.ts";
import { type PairedNetwork, sizeOf, type ValueNumber } from "../network/network.ts";
import { packBounds, type PackLayout, packLayout, unpackBounds } from "./pack.ts";

const SESSION = { threads: 1, optimization: "none" } as const;

/** How boxes are bounded. */
export interface ExpandOptions {
  readonly semantics: Semantics;
  readonly rows: InnerRows;
}

/** Boxes to be bounded. */
export interface ExpandRequest {
  readonly batch: BoxBatch;
  /** One a box, or none at all. */
  readonly inherited: readonly Float32Array[] | undefined;
  /** [boxes × 2·outputs], 1 where a row is wanted: row 2o bounds f′ − f from above, row 2o + 1 from below. */
  readonly wanted: Uint8Array;
}

/** What is known of them then. */
export interface ExpandResult {
  /** [boxes × 2·outputs]: upper bounds of ±(f′ − f), infinite where none was asked for. */
  readonly bounds: Float64Array;
  /** The input to split next, −1 where all have no width. */
  readonly side: Int32Array;
  readonly packed: readonly Float32Array[];
  /** f′ − f at the middle of each box, [boxes × outputs]. */
  readonly differences: Float64Array;
}

/** Bounds boxes of one network. */
export class Expander implements AsyncDisposable {
  readonly #propagator: Propagator;
  readonly #options: ExpandOptions;
  readonly #layout: PackLayout;
  #shares: Promise<Session> | undefined;
  #differences: Promise<Session> | undefined;

  constructor(network: PairedNetwork, options: ExpandOptions) {
    this.#propagator = new Propagator(network, { semantics: options.semantics });
    this.#options = options;
    this.#layout = packLayout(network, this.#propagator.nonlinearInputs);
  }

  /** f′ − f at points, [points × outputs]. */
  async differences(points: Float64Array): Promise<Float64Array> {
    const { network } = this.#propagator;
    this.#differences ??= openSession(differenceGraph(network), SESSION);
    const session = await this.#differences;
    const dims = [points.length / network.input.size, network.input.size];
    const { difference } = await session.run({ x: tensor("float64", dims, points) });
    return difference!.data as Float64Array;
  }

  /** Bounds a batch. */
  async expand({ batch, inherited, wanted }: ExpandRequest): Promise<ExpandResult> {
    const { network } = this.#propagator;
    const known = inherited && unpackBounds(this.#layout, inherited);
    const state = await this.#propagator.propagate(batch, this.#options.rows, known);
    const rowCount = 2 * sizeOf(network, network.output);
    const lists = Array.from({ length: batch.count }, (_, box) => {
      const rows: SignedRow[] = [];
      for (let row = 0; row < rowCount; row++) {
        // e = f − f′: a lower bound of e is an upper one of f′ − f.
        if (wanted[box * rowCount + row] === 1) {
          rows.push({ index: row >> 1, sign: row % 2 === 0 ? 1 : -1 });
        }
      }
      return rows;
    });
    const rows = groupRows(lists, 2);
    const shares = await this.#sharesOf(state);
    const found = await this.#propagator.boundRows(network.output, "joint", rows, state, shares);
    const bounds = new Float64Array(wanted.length).fill(Infinity);
    rows.sign.forEach((sign, at) => {
      if (sign === 0) return;
      const box = rows.group[at >> 1]!;
      bounds[box * rowCount + 2 * rows.index[at]! + (sign > 0 ? 0 : 1)] = -found.bounds[at]!;
    });
    const packs = packBounds(this.#layout, batch.count, state.bounds);
    const { length } = this.#layout;
    return {
      bounds,
      side: sidesOf(batch, found.scores!),
      packed: Array.from(
        { length: batch.count },
        (_, box) => packs.slice(box * length, (box + 1) * length),
      ),
      differences: await this.differences(middles(batch)),
    };
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#propagator[Symbol.asyncDispose]();
    await (await this.#shares)?.[Symbol.asyncDispose]();
    await (await this.#differences)?.[Symbol.asyncDispose]();
  }

  async #sharesOf(state: Propagated): Promise<Map<ValueNumber, Float64Array>> {
    const { network } = this.#propagator;
    this.#shares ??= openSession(shareGraph(network), SESSION);
    const session = await this.#shares;
    const { count, lower, upper } = state.batch;
    const feeds: Record<string, Tensor> = {
      half: tensor(
        "float64",
        [count, network.input.size, 1],
        upper.map((to, at) => (to - lower[at]!) / 2),
      ),
    };
    for (const { name } of session.inputs) {
      if (name === "half") continue;
      const value = Number(name.split(".")[0]);
      const dims = [count, 1, sizeOf(network, value)];
      feeds[name] = tensor("float64", dims, state.relaxations.get(value)!.aSlope);
    }
    const results = await session.run(feeds);
    return new Map(
      Object.entries(results).map(([name, { data }]) => [
        Number(name.split(".")[0]),
        data as Float64Array,
      ]),
    );
  }
}

/** The middle of every box. */
export function middles({ lower, upper }: BoxBatch): Float64Array {
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
