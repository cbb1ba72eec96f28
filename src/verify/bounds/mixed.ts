/**
 * Bounds computed by kernels where there is little to do, and by ONNX Runtime where there is much.
 *
 * Beginning a graph takes about as long as the kernels take for some million products; behind that, products of large
 * matrices are twice as fast in ONNX Runtime.
 *
 * @module
 */

import { inputsOf, type PairedNetwork, sizeOf, type ValueNumber } from "../network/network.ts";
import type { IntervalResults, Magnitudes } from "./affine.ts";
import { DenseEngine } from "./dense/engine.ts";
import type { BoundEngine, EngineFacts, Propagated, RowRequest, RowResult } from "./engine.ts";
import { GraphEngine, type GraphEngineOptions } from "./graphs/engine.ts";
import type { AffinePairedStep } from "./graphs/interval.ts";

/** Products for one box from which on rows are left to ONNX Runtime. */
const MOST_PRODUCTS = 2 ** 23;

/** Weights of a layer from which on its intervals are. */
const MOST_WEIGHTS = 2 ** 15;

/** Bounds one network whose layers follow one another. */
export class MixedEngine implements BoundEngine {
  readonly #network: PairedNetwork;
  readonly #kernels: DenseEngine;
  readonly #graphs: GraphEngine;
  /** What a row of each value takes on its way to the input, in weights. */
  readonly #weights: readonly number[];

  constructor(network: PairedNetwork, facts: EngineFacts, options: GraphEngineOptions) {
    this.#network = network;
    this.#kernels = new DenseEngine(network, facts);
    this.#graphs = new GraphEngine(network, facts, options);
    const weights = [0];
    for (let value = 1; value <= network.steps.length; value++) {
      weights.push(weights[value - 1]! + weightsOf(network, value));
    }
    this.#weights = weights;
  }

  get boxes(): number {
    return this.#kernels.boxes;
  }

  interval(
    value: ValueNumber,
    step: AffinePairedStep,
    state: Propagated,
  ): Promise<IntervalResults> | IntervalResults {
    return weightsOf(this.#network, value) > MOST_WEIGHTS
      ? this.#graphs.interval(value, step, state)
      : this.#kernels.interval(value, step, state);
  }

  magnitudes(value: ValueNumber, state: Propagated): Magnitudes {
    return this.#kernels.magnitudes(value, state);
  }

  rows(request: RowRequest): Promise<RowResult> | RowResult {
    const { target, view, rows, state } = request;
    // The rows' own layer is where they begin.
    const weights = this.#weights[target - 1]! * (view === "joint" || view === "merged" ? 2 : 1);
    const products = rows.index.length * weights / state.batch.count;
    return this.#graphs.chooses(request) || products > MOST_PRODUCTS
      ? this.#graphs.rows(request)
      : this.#kernels.rows(request);
  }

  differences(points: Float64Array): Float64Array {
    return this.#kernels.differences(points);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#graphs[Symbol.asyncDispose]();
  }
}

function weightsOf(network: PairedNetwork, value: ValueNumber): number {
  const step = network.steps[value - 1]!;
  return step.kind === "affine" ? step.size * sizeOf(network, inputsOf(step)[0]!) : 0;
}
