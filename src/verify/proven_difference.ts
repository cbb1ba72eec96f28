/**
 * One number for how far two models can be apart: what sensitivity tables and searches for widths go by.
 *
 * @module
 */

import type { Model } from "../onnx/model.ts";
import type { NamedBox } from "./domain/input.ts";
import { pairModels } from "./network/pair.ts";
import { Verifier } from "./verify.ts";

/** How it is proven. */
export interface ProvenOptions {
  readonly threads?: number;
  readonly signal?: AbortSignal;
}

/** Where boxes of few inputs are split, proven over found at which that is enough. */
const RATIO = 1.5;
/** Boxes that are bounded at most for each box of the domain. */
const BOXES = 512;

/**
 * A bound on the difference of every output on all boxes, in exact arithmetic.
 *
 * @returns Infinity where there is no bound.
 * @throws {UserError} If the models cannot be verified.
 */
export async function provenDifference(
  reference: Model,
  model: Model,
  boxes: readonly NamedBox[],
  { threads = 1, signal }: ProvenOptions = {},
): Promise<number> {
  await using verifier = new Verifier(pairModels(reference, model), {
    method: "differential",
    split: true,
    ratio: RATIO,
    boxes: BOXES,
    threads,
    ...(signal && { signal }),
  });
  let most = 0;
  for (const { box } of boxes) {
    signal?.throwIfAborted();
    const { outputs } = await verifier.verify(box);
    // Written so that what is no number counts as no bound.
    for (const { proven } of outputs) {
      most = proven <= most ? most : proven >= most ? proven : Infinity;
    }
  }
  return most;
}
