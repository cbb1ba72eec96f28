/**
 * Differences of two networks and their gradients on batches of points.
 *
 * @module
 */

import { gradientGraph, gradientName } from "../../engine/autodiff/gradient.ts";
import { openSession, type Session } from "../../engine/session.ts";
import { inferShapes } from "../../engine/shapes.ts";
import { float32 } from "../../onnx/tensor.ts";
import { type PairedNetwork, sizeOf } from "../network/network.ts";
import { differenceGraph } from "./forward_graph.ts";

/** Differences and gradients of a batch. */
export interface DifferenceGradient {
  /** f′ − f, [points × outputs]. */
  readonly difference: Float32Array;
  /** The gradient of each point's weighted differences, [points × inputs]. */
  readonly gradient: Float32Array;
}

/** Computes them for batches of one size. */
export class DifferenceGradients implements AsyncDisposable {
  /** How many points a batch has. */
  readonly points: number;
  readonly #inputs: number;
  readonly #outputs: number;
  readonly #session: Session;

  private constructor(network: PairedNetwork, points: number, session: Session) {
    this.points = points;
    this.#inputs = network.input.size;
    this.#outputs = sizeOf(network, network.output);
    this.#session = session;
  }

  static async open(
    network: PairedNetwork,
    points: number,
    threads: number,
  ): Promise<DifferenceGradients> {
    const model = differenceGraph(network, points);
    const types = await inferShapes(model);
    const graph = gradientGraph(model, { loss: "objective", withRespectTo: ["points"], types });
    return new DifferenceGradients(
      network,
      points,
      await openSession({ ...model, graph }, { threads }),
    );
  }

  /**
   * @param points [points × inputs].
   * @param weights What the differences count, [points × outputs].
   * @param withGradient Whether the gradient is wanted; else it is empty.
   */
  async compute(
    points: Float32Array,
    weights: Float32Array,
    withGradient = true,
  ): Promise<DifferenceGradient> {
    const gradient = gradientName("points");
    const results = await this.#session.run({
      points: float32([this.points, this.#inputs], points),
      weights: float32([this.points, this.#outputs], weights),
    }, withGradient ? ["difference", gradient] : ["difference"]);
    return {
      difference: results.difference!.data as Float32Array,
      gradient: withGradient ? results[gradient]!.data as Float32Array : new Float32Array(),
    };
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#session[Symbol.asyncDispose]();
  }
}
