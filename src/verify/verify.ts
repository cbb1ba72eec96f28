/**
 * Brackets of the largest difference of two networks on boxes, by any of the methods.
 *
 * @module
 */

import { type Box, contains, freeSides } from "./box.ts";
import type { RowView } from "./bounds/graphs/backward.ts";
import type { Propagated } from "./bounds/engine.ts";
import { hasFields } from "./bounds/receptive/engine.ts";
import { VIEW_WORK } from "./bounds/row_work.ts";
import type { RowProgress } from "./bounds/watch.ts";
import { Propagator } from "./bounds/propagate.ts";
import { canReselect } from "./bounds/graphs/reselect.ts";
import { allRows } from "./bounds/rows.ts";
import { down, up } from "./bounds/batch.ts";
import { type PairedNetwork, sizeOf } from "./network/network.ts";
import { Expander } from "./split/expand.ts";
import { ExpandThreads } from "./split/pool.ts";
import type { OmittedPass } from "./split/options.ts";
import { searchBox, type SearchOptions, type SearchResult } from "./split/search.ts";
import { type Ends, lookedAt, wholeBracket } from "./whole.ts";
import { PassMeter, type WholeProgress } from "./whole_progress.ts";
import { wholeWork } from "./work.ts";

/**
 * How a difference is bounded.
 *
 * - `interval`: each network's outputs by interval arithmetic, and their difference.
 * - `crown-separate`: each network's outputs by backward linear bounds, and their difference.
 * - `crown-merged`: backward linear bounds of the difference, each network relaxed for itself.
 * - `differential`: backward bounds of the difference, with relaxations of differences and the joint choice.
 */
export const METHODS = ["interval", "crown-separate", "crown-merged", "differential"] as const;

/** One of {@linkcode METHODS}. */
export type Method = typeof METHODS[number];

/** Domains with more inputs of some width than this are bounded whole: there are too many parts to search. */
export const MOST_SPLIT_INPUTS = 8;

/**
 * Steps on relaxations of rows of the output, for boxes that are bounded whole. The quick ones are for lines around
 * rounding and smooth functions: of the facets around Relu, one pass chooses about as well.
 */
const REFINEMENT = { quick: 3, careful: 20 };

/** More steps than the quick ones gain little for what they take where a layer is larger. */
const MOST_CAREFUL_SIZE = 1024;

/** Steps on the slopes of inner rows, where bounds are loose: more gain little. */
const RESELECT_STEPS = 3;

/** Bounds that are larger than what was seen by such a factor are loose, and worth more time. */
const LOOSE = 10;

/**
 * Multiplications that are worth it whatever they gain: a few seconds of kernels; and where a bound is within
 * {@linkcode HOPELESS} times what was seen.
 */
const WORTH = { always: 2e10, hopeful: 2e11 };

/** Bounds that are larger by such a factor are beyond what more steps could mend. */
const HOPELESS = 30;

/** What a product takes where slopes are chosen for rows behind convolutions, as whole maps are carried then. */
const MAP_WORK = 10;

/** How to verify. */
export interface VerifyOptions extends Omit<SearchOptions, "rows" | "batch" | "resume"> {
  readonly method: Method;
  /** Whether boxes of few inputs are split; only for method `differential`. */
  readonly split: boolean;
  /** Told about boxes that are bounded whole, many times a second. */
  readonly whole?: (progress: WholeProgress) => void;
  /** A network with other steps behind these, which {@linkcode Verifier.known} is to be good for. */
  readonly within?: PairedNetwork;
}

/** What a box was bounded whole with. */
export interface KnownBox {
  readonly box: Box;
  readonly state: Propagated;
}

/** Whether a box is divided into parts, and not bounded whole. */
export function isSplit(
  box: Box,
  { method, split }: { readonly method: string; readonly split: boolean },
): boolean {
  const free = freeSides(box);
  return method === "differential" && split && free > 0 && free <= MOST_SPLIT_INPUTS;
}

/** Verifies one pair of networks on one box after another. */
export class Verifier implements AsyncDisposable {
  readonly #network: PairedNetwork;
  readonly #options: VerifyOptions;
  readonly #propagator: Propagator;
  /** Whether rows of the output are worth many steps. */
  readonly #takesSteps: boolean;
  /** With slopes chosen for inner rows too. */
  readonly #careful: Propagator;
  /** With the relaxations that one pass chooses. */
  readonly #plain: Propagator;
  readonly #expander: Expander;
  /** Threads of its own, where none are given. */
  readonly #threads: ExpandThreads | undefined;
  readonly #meters: Partial<Record<WholeProgress["part"], PassMeter>> = {};
  #part: WholeProgress["part"] = "bounding";
  #share = 0;
  /** When passes that make a bound tighter end, in milliseconds. */
  #end = Infinity;
  #known: KnownBox | undefined;
  #work: number | undefined;

  constructor(network: PairedNetwork, options: VerifyOptions) {
    const { semantics = "real", threads = 1, within } = options;
    this.#network = network;
    this.#options = options;
    const watch = {
      check: () => this.#check(),
      ...(options.whole && { progress: (rows: RowProgress) => this.#report(rows) }),
    };
    const shared = { semantics, threads, watch, ...(within && { within }) };
    this.#plain = new Propagator(network, shared);
    const isDifferential = options.method === "differential";
    const refine = isDifferential && !canReselect(this.#plain.network) ? REFINEMENT.quick : 0;
    this.#propagator = refine === 0 ? this.#plain : new Propagator(network, { ...shared, refine });
    this.#takesSteps = network.steps.every(({ size }) => size <= MOST_CAREFUL_SIZE);
    this.#careful = new Propagator(network, {
      ...shared,
      refine: this.#takesSteps ? REFINEMENT.careful : refine,
      reselect: RESELECT_STEPS,
    });
    this.#expander = new Expander(network, { semantics, rows: "values" });
    this.#threads = threads > 1 && options.pool === undefined
      ? new ExpandThreads(threads)
      : undefined;
  }

  /**
   * The bracket of one box.
   *
   * @param points Inputs worth looking at, such as those of an attack; those outside of the box are left out.
   * @param resume A search of this box that was interrupted, as the option `save` was given it.
   */
  async verify(
    box: Box,
    points: readonly Float64Array[] = [],
    resume?: Uint8Array,
  ): Promise<SearchResult> {
    this.#known = undefined;
    if (isSplit(box, this.#options)) {
      return await searchBox(this.#network, box, {
        ...this.#options,
        pool: this.#options.pool ?? this.#threads,
        points: points.filter((point) => contains(box, point)),
        ...(resume && { resume }),
      });
    }
    return await this.#whole(box, points);
  }

  /** What the last box was bounded with, if it was bounded whole with rows for differences. */
  get known(): KnownBox | undefined {
    return this.#known;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#propagator[Symbol.asyncDispose]();
    await this.#careful[Symbol.asyncDispose]();
    await this.#plain[Symbol.asyncDispose]();
    await this.#expander[Symbol.asyncDispose]();
    await this.#threads?.[Symbol.asyncDispose]();
  }

  async #whole(box: Box, points: readonly Float64Array[]): Promise<SearchResult> {
    const { method, time = Infinity } = this.#options;
    const end = performance.now() + time;
    const inner = method === "interval"
      ? "none"
      : method === "differential"
      ? "differences"
      : "values";
    this.#begin("bounding");
    const state = await this.#propagator.propagate({ count: 1, ...box }, inner);
    if (inner === "differences") this.#known = { box, state };
    const seen = lookedAt(box, points);
    const flat = new Float64Array(seen.length * box.lower.length);
    seen.forEach((point, at) => flat.set(point, at * box.lower.length));
    const differences = await this.#expander.differences(flat);
    if (method !== "differential") {
      return wholeBracket(await this.#simple(state), seen, differences, this.#options);
    }
    const { ends, omitted } = await this.#differential(state, largest(differences), end);
    const result = wholeBracket(ends, seen, differences, this.#options);
    return omitted.length === 0 ? result : { ...result, omitted };
  }

  async #simple(state: Propagated): Promise<Ends[]> {
    const { method } = this.#options;
    if (method === "crown-merged") return negated(await this.#rows("merged", state));
    const known = state.bounds.get(this.#propagator.network.output)!;
    const [z, y] = method === "crown-separate"
      ? [await this.#rows("z", state), await this.#rows("y", state)]
      : [
        { lower: known.zLower, upper: known.zUpper },
        { lower: known.yLower, upper: known.yUpper },
      ];
    return Array.from(z.lower, (_, at) => ({
      lower: down(y.lower[at]! - z.upper[at]!),
      upper: up(y.upper[at]! - z.lower[at]!),
    }));
  }

  async #differential(
    state: Propagated,
    found: number,
    end: number,
  ): Promise<{ ends: Ends[]; omitted: OmittedPass[] }> {
    const merged = await this.#rows("merged", state);
    // The joint choice looks at the middle of the box; elsewhere, that of the merged network can be the better one.
    let joint = narrower(merged, await this.#rows("joint", state));
    const { ratio = 1, target = 0 } = this.#options;
    const hasSlopes = canReselect(this.#careful.network);
    const omitted: OmittedPass[] = [];
    const tighten = async (pass: OmittedPass, make: () => Promise<RowEnds>) => {
      const made = await this.#until(end, make);
      if (made === undefined) omitted.push(pass);
      else joint = narrower(joint, made);
    };
    const isLoose = size(joint) > Math.max(LOOSE * found, ratio * found, target);
    const isHopeless = size(joint) > HOPELESS * found;
    // Steps on rows of the output alone take little.
    const pays = hasSlopes ? this.#pays("careful", isHopeless) : this.#takesSteps;
    if (isLoose && pays) {
      await tighten("slopes", async () => {
        this.#begin("choosing slopes");
        const careful = hasSlopes ? await this.#narrowed(state) : state;
        return await this.#rows("joint", careful, this.#careful);
      });
    }
    // Outputs that hardly differ gain nothing, and need not.
    const least = NEGLIGIBLE * size(joint);
    const gains = joint.lower.every((lower, at) => {
      const own = width(lower, joint.upper[at]!);
      return own <= Math.max(GAIN * width(merged.lower[at]!, merged.upper[at]!), least);
    });
    // Networks that are far apart: there, tighter bounds of neurons can make looser ones behind them.
    if (!gains && this.#pays("plain", isHopeless)) {
      await tighten("merged", async () => {
        this.#begin("comparing with the merged network");
        const plain = await this.#plain.propagate(state.batch, "values");
        return await this.#rows("merged", plain, this.#plain);
      });
    }
    return { ends: negated(joint), omitted };
  }

  /** Whether a pass is worth what it takes: by the network and by how loose the bound is, not by the clock. */
  #pays(pass: "careful" | "plain", isHopeless: boolean): boolean {
    this.#work ??= wholeWork(this.#network);
    const share = pass === "plain" ? VALUES_SHARE : hasFields(this.#careful.network) ? MAP_WORK : 1;
    return share * this.#work <= (isHopeless ? WORTH.always : WORTH.hopeful);
  }

  /** What is made until a moment comes; `undefined` if it comes before. */
  async #until<T>(end: number, make: () => Promise<T>): Promise<T | undefined> {
    if (performance.now() >= end) return undefined;
    this.#end = end;
    try {
      return await make();
    } catch (error) {
      if (!(error instanceof TimeOver)) throw error;
      return undefined;
    } finally {
      this.#end = Infinity;
    }
  }

  #check(): void {
    this.#options.signal?.throwIfAborted();
    if (performance.now() >= this.#end) throw new TimeOver();
  }

  #begin(part: WholeProgress["part"]): void {
    this.#part = part;
    this.#share = 0;
    this.#options.whole?.({ part, share: 0 });
  }

  #report(rows: RowProgress): void {
    const part = this.#part;
    const { network, targets } = this.#propagator;
    const isPair = part !== "comparing with the merged network" &&
      this.#options.method === "differential";
    const meter = this.#meters[part] ??= new PassMeter(network, targets, isPair);
    this.#share = Math.max(this.#share, meter.share(rows));
    this.#options.whole!({ part, share: this.#share });
  }

  /** Bounds of all values with slopes that are chosen for each row. */
  async #narrowed({ batch, bounds }: Propagated): Promise<Propagated> {
    const known = [...this.#careful.nonlinearInputs].map((value) =>
      [value, bounds.get(value)!] as const
    );
    return await this.#careful.propagate(batch, "differences", new Map(known));
  }

  async #rows(view: RowView, state: Propagated, propagator = this.#propagator): Promise<RowEnds> {
    const { network } = propagator;
    const { output } = network;
    const size = sizeOf(network, output);
    const rows = allRows(1, size);
    const { bounds } = await propagator.boundRows(output, view, rows, state);
    const lower = new Float64Array(size);
    const upper = new Float64Array(size);
    rows.sign.forEach((sign, at) => {
      if (sign > 0) lower[rows.index[at]!] = bounds[at]!;
      if (sign < 0) upper[rows.index[at]!] = -bounds[at]!;
    });
    return { lower, upper };
  }
}

/** Views of the two networks' values among all. */
const VALUES_SHARE = (VIEW_WORK.z + VIEW_WORK.y) / (VIEW_WORK.z + VIEW_WORK.joint + VIEW_WORK.y);

/** That a pass has to end. */
class TimeOver extends Error {}

/** Bounds of e = f − f′ by output. */
interface RowEnds {
  readonly lower: Float64Array;
  readonly upper: Float64Array;
}

/** How much of the merged network's bound the joint choice leaves where the networks are close. */
const GAIN = 0.7;

/** Which part of the largest difference counts for nothing. */
const NEGLIGIBLE = 2 ** -10;

const largest = (numbers: Float64Array) =>
  numbers.reduce((most, each) => Math.max(most, Math.abs(each)), 0);

function narrower(a: RowEnds, b: RowEnds): RowEnds {
  return {
    lower: a.lower.map((each, at) => Math.max(each, b.lower[at]!)),
    upper: a.upper.map((each, at) => Math.min(each, b.upper[at]!)),
  };
}

/** Bounds of f′ − f. */
function negated({ lower, upper }: RowEnds): Ends[] {
  return Array.from(lower, (each, at) => ({ lower: -upper[at]!, upper: -each }));
}

/** The largest size of any difference. */
function size({ lower, upper }: RowEnds): number {
  return lower.reduce((most, each, at) => Math.max(most, width(each, upper[at]!)), 0);
}

/** The largest size of a number between two bounds. */
function width(lower: number, upper: number): number {
  return Math.max(-lower, upper);
}
