/**
 * Making certificates: splitting boxes until the checker's own bounds prove what is to be claimed.
 *
 * @module
 */

import { setImmediate } from "node:timers";
import {
  type Certificate,
  type CertifiedBox,
  FORMAT,
  type SplitTree,
  VERSION,
} from "../../checker/certificate.ts";
import { type ModelFiles, pairModels } from "../../checker/check.ts";
import { type DifferenceBounds, Prover } from "../../checker/prover.ts";
import { Refusal } from "../../checker/refusal.ts";
import type { Semantics } from "../../checker/rounding.ts";
import { canonicalJson, type JsonValue } from "../../base/canonical_json.ts";
import { UserError } from "../../base/errors.ts";
import { digestOf } from "../../store/digest.ts";
import { type Box, center } from "../box.ts";
import type { NamedBox } from "../domain/input.ts";

/** What is to be certified on a box. */
export interface CertifyRequest extends NamedBox {
  /** Bounds of f′ − f to be reached, one an output; splitting stops there. */
  readonly target: DifferenceBounds;
  /** Parts that may be bounded. */
  readonly parts: number;
}

/** How work is done. */
export interface CertifyOptions {
  /**
   * Whether differences inside of the networks get bounds of their own: tighter, at about twice the time a part. Unless
   * told, where that pays on the box as a whole.
   */
  readonly differences?: boolean;
  /** Which arithmetic of the two models the claim speaks of; `real` unless told. */
  readonly semantics?: Semantics;
  /** Told which box it is at, the parts that are bounded, and how much of the next one is done, from 0 to 1. */
  readonly progress?: (box: number, parts: number, share: number) => void;
  readonly signal?: AbortSignal;
}

/** A certificate and how it compares with what was asked for. */
export interface Certified {
  readonly certificate: Certificate;
  /** For each box, whether the target is what is claimed. If not, the claim is weaker, and proven all the same. */
  readonly reached: readonly boolean[];
  /** Parts that were bounded on the way. */
  readonly parts: number;
}

/**
 * A certificate for two model files. It claims the targets where splitting reaches them, and what is proven elsewhere.
 *
 * @throws {UserError} If the checker does not support the models, or finds no finite bound: says what it lacks.
 */
export async function certify(
  models: ModelFiles,
  requests: readonly CertifyRequest[],
  options: CertifyOptions = {},
): Promise<Certified> {
  const { semantics = "real" } = options;
  const prover = proverOf(models, semantics);
  const boxes: CertifiedBox[] = [];
  const reached: boolean[] = [];
  let parts = 0;
  for (const [at, request] of requests.entries()) {
    options.signal?.throwIfAborted();
    // Lets signals and messages in.
    await new Promise((resolve) => setImmediate(resolve));
    const progress = (done: number, share: number) => options.progress?.(at, done, share);
    const splitter = new Splitter(prover, request, options, progress);
    await splitter.run();
    const made = splitter.certified();
    const { lower, upper } = made.difference;
    if (![...lower, ...upper].every(Number.isFinite)) {
      throw new UserError(`The checker finds no finite bound on box "${made.name}"`);
    }
    boxes.push(made);
    reached.push(splitter.isReached);
    parts += splitter.parts;
  }
  const certificate: Certificate = {
    format: FORMAT,
    version: VERSION,
    models: { original: digestOf(models.original), quantized: digestOf(models.quantized) },
    semantics,
    boxes,
  };
  return { certificate, reached, parts };
}

/**
 * About how many multiplications one part takes.
 *
 * @throws {UserError} If the checker does not support the models.
 */
export function workOfPart(models: ModelFiles, semantics: Semantics): number {
  return proverOf(models, semantics).work;
}

/** The bytes of a certificate: the same for the same certificate. */
export function encodeCertificate(certificate: Certificate): Uint8Array {
  return new TextEncoder().encode(canonicalJson(certificate as unknown as JsonValue) + "\n");
}

function proverOf(models: ModelFiles, semantics: Semantics): Prover {
  try {
    return new Prover(pairModels(models), semantics);
  } catch (error) {
    if (!(error instanceof Refusal)) throw error;
    throw new UserError({
      message: `No certificate can be made for these models: ${error.message}`,
      hint: "The bounds hold without one",
    }, { cause: error });
  }
}

interface Part {
  readonly box: Box;
  readonly bounds: DifferenceBounds;
  /** How far the bounds are beyond the target, relative to the width of the target. */
  readonly excess: number;
  /** Where to cut it. */
  readonly side: number;
  cut?: { readonly at: number; readonly low: Part; readonly high: Part };
}

/** By how much bounds of inner differences have to tighten the bound of a whole box. */
const WORTH = 3;

/** Milliseconds of work without a pause. */
const PAUSE = 100;

class Splitter {
  parts = 0;
  readonly #prover: Prover;
  readonly #request: CertifyRequest;
  readonly #options: CertifyOptions;
  readonly #progress: (parts: number, share: number) => void;
  readonly #root: Part;
  readonly #differences: boolean;
  /** Parts beyond the target, the furthest first. */
  readonly #open: Part[] = [];

  constructor(
    prover: Prover,
    request: CertifyRequest,
    options: CertifyOptions,
    progress: (parts: number, share: number) => void,
  ) {
    this.#progress = progress;
    this.#prover = prover;
    this.#request = request;
    this.#options = options;
    this.#differences = options.differences ?? this.#pays();
    this.#root = this.#bound(request.box);
  }

  /** Whether bounds of inner differences are worth their time; without splitting they always are. */
  #pays(): boolean {
    if (this.#request.parts < 3) return true;
    const { lower, upper } = this.#request.box;
    const worst = (differences: boolean) => {
      this.parts++;
      const options = { differences, progress: this.#partProgress };
      return this.#excessOf(this.#prover.prove(lower, upper, options)).excess;
    };
    return WORTH * (1 + worst(true)) < 1 + worst(false);
  }

  readonly #partProgress = (share: number) => this.#progress(this.parts, share);

  get isReached(): boolean {
    return this.#open.length === 0;
  }

  async run(): Promise<void> {
    let paused = performance.now();
    while (this.#open.length > 0 && this.parts + 2 <= this.#request.parts) {
      if (performance.now() - paused > PAUSE) {
        // Lets signals and messages in.
        await new Promise((resolve) => setImmediate(resolve));
        paused = performance.now();
        this.#progress(this.parts, 0);
      }
      this.#options.signal?.throwIfAborted();
      const part = this.#takeWorst();
      if (part.side < 0) {
        // A point has no halves: what is proven there is what can be claimed.
        this.#open.push(part);
        return;
      }
      const at = center(part.box)[part.side]!;
      const [low, high] = [part.box.upper.slice(), part.box.lower.slice()];
      low[part.side] = at;
      high[part.side] = at;
      part.cut = {
        at,
        low: this.#bound({ lower: part.box.lower, upper: low }),
        high: this.#bound({ lower: high, upper: part.box.upper }),
      };
    }
  }

  certified(): CertifiedBox {
    const { name, box, target } = this.#request;
    const tree: (SplitTree[number])[] = [];
    const lower = target.lower.slice();
    const upper = target.upper.slice();
    const kind = this.#differences ? 1 : 0;
    const waiting = [this.#root];
    for (let part = waiting.pop(); part !== undefined; part = waiting.pop()) {
      if (part.cut === undefined) {
        tree.push(kind);
        part.bounds.lower.forEach((value, at) => lower[at] = Math.min(lower[at]!, value));
        part.bounds.upper.forEach((value, at) => upper[at] = Math.max(upper[at]!, value));
      } else {
        tree.push([part.side, part.cut.at]);
        waiting.push(part.cut.high, part.cut.low);
      }
    }
    return {
      name,
      lower: [...box.lower],
      upper: [...box.upper],
      difference: { lower: [...lower], upper: [...upper] },
      tree,
    };
  }

  #bound(box: Box): Part {
    const options = {
      differences: this.#differences,
      scores: true,
      progress: this.#partProgress,
    };
    const bounds = this.#prover.prove(box.lower, box.upper, options);
    this.parts++;
    const { excess, worst } = this.#excessOf(bounds);
    const side = worst < 0 ? -1 : this.#sideOf(box, worst);
    const part: Part = { box, bounds, excess, side };
    if (excess > 0) this.#insert(part);
    return part;
  }

  /** How far bounds are beyond the target, relative to its width, and the row that is furthest. */
  #excessOf(bounds: DifferenceBounds): { excess: number; worst: number } {
    const { target } = this.#request;
    let [excess, worst] = [0, -1];
    bounds.lower.forEach((lower, output) => {
      const [from, to] = [target.lower[output]!, target.upper[output]!];
      const width = Math.max(Math.abs(from), Math.abs(to), Number.MIN_VALUE);
      const beyond = [(from - lower) / width, (bounds.upper[output]! - to) / width];
      beyond.forEach((each, direction) => {
        if (each > excess) [excess, worst] = [each, 2 * output + 1 - direction];
      });
    });
    return { excess, worst };
  }

  /** The input whose cut helps most, of those that can be cut; −1 where there is none. */
  #sideOf({ lower, upper }: Box, row: number): number {
    const { scores, inputs } = this.#prover;
    let [side, most] = [-1, -1];
    for (let at = 0; at < inputs; at++) {
      const middle = lower[at]! + (upper[at]! - lower[at]!) / 2;
      const score = scores[row * inputs + at]!;
      if (lower[at]! < middle && middle < upper[at]! && score > most) [side, most] = [at, score];
    }
    return side;
  }

  /** Keeps the list a heap by excess. */
  #insert(part: Part): void {
    const heap = this.#open;
    let at = heap.push(part) - 1;
    while (at > 0) {
      const above = (at - 1) >> 1;
      if (heap[above]!.excess >= part.excess) break;
      heap[at] = heap[above]!;
      at = above;
    }
    heap[at] = part;
  }

  #takeWorst(): Part {
    const heap = this.#open;
    const worst = heap[0]!;
    const last = heap.pop()!;
    if (heap.length === 0) return worst;
    let at = 0;
    for (;;) {
      let below = 2 * at + 1;
      if (below >= heap.length) break;
      if (below + 1 < heap.length && heap[below + 1]!.excess > heap[below]!.excess) below++;
      if (heap[below]!.excess <= last.excess) break;
      heap[at] = heap[below]!;
      at = below;
    }
    heap[at] = last;
    return worst;
  }
}
