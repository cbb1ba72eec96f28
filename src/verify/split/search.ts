/**
 * Branch and bound on the input: the largest difference of each output over a box, between what was found and what is
 * proven.
 *
 * The box whose bound is farthest above its goal is split first. Boxes are taken in rounds of a fixed size and their
 * results merged in a fixed order, so that the result does not depend on how many threads there are or how fast.
 *
 * @module
 */

import type { Box } from "../box.ts";
import { center } from "../box.ts";
import type { OutputBracket } from "../bracket.ts";
import type { BoxBatch } from "../bounds/batch.ts";
import { canCondense } from "../bounds/condensed/bounder.ts";
import { type PairedNetwork, sizeOf } from "../network/network.ts";
import { Expander, type ExpandRequest, type ExpandResult } from "./expand.ts";
import { Goals } from "./goals.ts";
import { Heap } from "./heap.ts";
import { expandPool, ExpandThreads } from "./pool.ts";
import type { SearchOptions, SearchProgress, SearchResult } from "./options.ts";
import { Shrinkage } from "./shrinkage.ts";
import { Standstill } from "./standstill.ts";
import { decodeState, encodeState, type Leaf } from "./state.ts";
import { Witnesses } from "./witnesses.ts";

export type { SearchOptions, SearchProgress, SearchResult } from "./options.ts";

/** Expansions of a round, of `batch` boxes each. Part of the result, so it does not follow the number of threads. */
const ROUND = 4;

/** Boxes that are worth a request of their own. */
const LEAST_SHARE = 8;

/** Where boxes are bounded one by one, parts of a round, and boxes of a part that are divided at most: small ones end together. */
const SMALL = { parts: 16, most: 8 };

/** Searches a box. */
export async function searchBox(
  network: PairedNetwork,
  domain: Box,
  options: SearchOptions = {},
): Promise<SearchResult> {
  const search = new Search(network, domain, options);
  return await search.run();
}

class Search {
  readonly #network: PairedNetwork;
  readonly #domain: Box;
  readonly #options: SearchOptions;
  readonly #rows: number;
  readonly #goals: Goals;
  #heap = new Heap<Leaf>();
  /** The largest bound of each row over boxes that are done. */
  #closed: Float64Array;
  #witnesses: Witnesses;
  /** Whether boxes are cut into regions; known by the whole domain. */
  #usesRegions = false;
  #shrinkage = new Shrinkage();
  #boxes = 0;
  #splits = 0;
  #settled = 0;
  #elapsed = 0;
  #standstill = new Standstill();

  constructor(network: PairedNetwork, domain: Box, options: SearchOptions) {
    this.#network = network;
    this.#domain = domain;
    this.#options = options;
    this.#goals = new Goals(options);
    this.#rows = 2 * sizeOf(network, network.output);
    this.#closed = new Float64Array(this.#rows).fill(-Infinity);
    const none = new Array<undefined>(this.#rows / 2).fill(undefined);
    this.#witnesses = new Witnesses(domain, none);
  }

  async run(): Promise<SearchResult> {
    const { semantics = "real", threads = 1, batch = 256, pool: given } = this.#options;
    let began = performance.now();
    await using values = new Expander(this.#network, { semantics, rows: "values" });
    await using differences = new Expander(this.#network, { semantics, rows: "differences" });
    let rows = this.#restore();
    if (rows === undefined) {
      const { points = [] } = this.#options;
      await this.#witnesses.look(points, (points) => values.differences(points));
      const root = this.#request([this.#domain], undefined, undefined);
      const chosen = await this.#choose(root, { values, differences });
      rows = chosen.rows;
      const { relaxed = Infinity } = chosen.first;
      this.#usesRegions = this.#options.ratio !== undefined && relaxed <= MOST_RELAXED;
      this.#merge(root, chosen.first, undefined, [1]);
    } else began -= this.#elapsed;
    const local = rows === "values" ? values : differences;
    await using own = given === undefined && threads > 1 ? new ExpandThreads(threads) : undefined;
    const pool = expandPool(this.#network, { semantics, rows }, given ?? own, local);
    const isOneByOne = canCondense(this.#network);
    while (this.#heap.size > 0 && !this.#isOver(began)) {
      const parents = this.#take(batch * ROUND / 2);
      if (parents.length === 0) continue;
      const requests: ExpandRequest[] = [];
      const groups: Leaf[][] = [];
      const share = isOneByOne
        ? Math.min(Math.ceil(parents.length / SMALL.parts), SMALL.most)
        : Math.max(Math.ceil(parents.length / ROUND), LEAST_SHARE);
      for (let from = 0; from < parents.length; from += share) {
        const part = parents.slice(from, from + share);
        groups.push(part);
        requests.push(this.#split(part));
      }
      const before = this.#witnesses.list;
      const results = await pool.expand(requests);
      results.forEach((result, at) => {
        const volumes = groups[at]!.flatMap(({ volume }) => [volume / 2, volume / 2]);
        this.#merge(requests[at]!, result, groups[at]!, volumes);
      });
      this.#splits += parents.length;
      if (this.#options.ratio !== undefined) {
        await this.#witnesses.climb(before, (points) => local.differences(points));
      }
      this.#options.progress?.(this.#progress());
      this.#elapsed = performance.now() - began;
      this.#standstill.note(this.#boxes, this.#heap.worst ?? 0, this.#settled);
      await this.#options.save?.(() => this.#state(rows));
    }
    return this.#result();
  }

  /** Goes on where an interrupted search was; gives its rows. */
  #restore(): "values" | "differences" | undefined {
    const state = this.#options.resume && decodeState(this.#options.resume);
    if (state === undefined) return undefined;
    this.#heap = new Heap(state.open, state.next);
    this.#closed = state.closed;
    this.#witnesses = new Witnesses(this.#domain, state.witnesses);
    this.#shrinkage = new Shrinkage(state.shrink);
    this.#standstill = new Standstill(state.mark);
    this.#usesRegions = state.regions;
    this.#boxes = state.boxes;
    this.#splits = state.splits;
    this.#settled = state.settled;
    this.#elapsed = state.elapsed;
    return state.rows;
  }

  #state(rows: "values" | "differences"): Uint8Array<ArrayBuffer> {
    return encodeState({
      rows,
      regions: this.#usesRegions,
      boxes: this.#boxes,
      splits: this.#splits,
      settled: this.#settled,
      elapsed: this.#elapsed,
      shrink: this.#shrinkage.state,
      mark: this.#standstill.mark,
      closed: this.#closed,
      witnesses: this.#witnesses.list,
      open: this.#heap.entries(),
      next: this.#heap.next,
    });
  }

  /** Estimate of the boxes that are left. */
  #left(): number {
    return this.#shrinkage.left(
      Iterator.from(this.#heap).map(({ bounds }) => this.#excess(bounds)),
    );
  }

  /**
   * Whether rows of differences are worth their time: they take twice as long as those of values alone, and pay where
   * the two networks are close, as half-precision copies are.
   */
  async #choose(
    root: ExpandRequest,
    expanders: Record<"values" | "differences", Expander>,
  ): Promise<{ rows: "values" | "differences"; first: ExpandResult }> {
    const given = this.#options.rows;
    if (given !== undefined) return { rows: given, first: await expanders[given].expand(root) };
    const [plain, close] = [
      await expanders.values.expand(root),
      await expanders.differences.expand(root),
    ];
    const pays = this.#excess(close.bounds) < this.#excess(plain.bounds) / WORTH;
    return pays ? { rows: "differences", first: close } : { rows: "values", first: plain };
  }

  /** How far the worst row is above its goal; 0 when all are done. */
  #excess(bounds: Float64Array): number {
    return this.#goals.excess(bounds, this.#witnesses);
  }

  /** Takes boxes out to be split; closes those that are done by now. */
  #take(count: number): Leaf[] {
    const taken: Leaf[] = [];
    while (taken.length < count) {
      const leaf = this.#heap.pop();
      if (leaf === undefined) break;
      if (leaf.side < 0 || this.#excess(leaf.bounds) === 0) this.#close(leaf);
      else taken.push(leaf);
    }
    return taken;
  }

  #close({ bounds, volume }: Leaf): void {
    bounds.forEach((bound, row) => this.#closed[row] = Math.max(this.#closed[row]!, bound));
    this.#settled += volume;
  }

  #split(parents: readonly Leaf[]): ExpandRequest {
    const boxes = parents.flatMap(({ lower, upper, side }) => {
      const middle = center({ lower, upper })[side]!;
      const [low, high] = [upper.slice(), lower.slice()];
      low[side] = middle;
      high[side] = middle;
      return [{ lower, upper: low }, { lower: high, upper }];
    });
    const length = parents[0]!.packed.length;
    const inherited = new Float32Array(2 * parents.length * length);
    parents.forEach(({ packed }, at) => {
      inherited.set(packed, 2 * at * length);
      inherited.set(packed, (2 * at + 1) * length);
    });
    return this.#request(boxes, inherited, parents);
  }

  #request(
    boxes: readonly Box[],
    inherited: Float32Array<ArrayBuffer> | undefined,
    parents: readonly Leaf[] | undefined,
  ): ExpandRequest {
    const { size } = this.#network.input;
    const batch: BoxBatch = {
      count: boxes.length,
      lower: new Float64Array(boxes.length * size),
      upper: new Float64Array(boxes.length * size),
    };
    const wanted = new Uint8Array(boxes.length * this.#rows);
    const goals = Float64Array.from(
      { length: this.#rows },
      (_, row) => this.#goals.of(row, this.#witnesses),
    );
    boxes.forEach(({ lower, upper }, box) => {
      batch.lower.set(lower, box * size);
      batch.upper.set(upper, box * size);
      const known = parents?.[box >> 1]?.bounds;
      for (let row = 0; row < this.#rows; row++) {
        wanted[box * this.#rows + row] = known === undefined || known[row]! > goals[row]! ? 1 : 0;
      }
    });
    const { ratio } = this.#options;
    const regions = this.#usesRegions && this.#boxes >= PATIENCE;
    return { batch, inherited, wanted, goals, reach: this.#goals.reach, ratio, regions };
  }

  #merge(
    { batch }: ExpandRequest,
    result: ExpandResult,
    parents: readonly Leaf[] | undefined,
    volumes: readonly number[],
  ): void {
    const { size } = this.#network.input;
    this.#boxes += batch.count;
    this.#witnesses.see(result.points, result.differences);
    const length = result.packed.length / batch.count;
    for (let box = 0; box < batch.count; box++) {
      const bounds = result.bounds.slice(box * this.#rows, (box + 1) * this.#rows);
      const known = parents?.[box >> 1]?.bounds;
      if (known !== undefined) {
        bounds.forEach((bound, row) => bounds[row] = Math.min(bound, known[row]!));
      }
      const leaf: Leaf = {
        lower: batch.lower.slice(box * size, (box + 1) * size),
        upper: batch.upper.slice(box * size, (box + 1) * size),
        bounds,
        side: result.side[box]!,
        packed: result.packed.subarray(box * length, (box + 1) * length),
        volume: volumes[box]!,
      };
      const excess = this.#excess(bounds);
      const before = known === undefined ? 0 : this.#excess(known);
      this.#shrinkage.note(before, excess);
      if (excess === 0) this.#close(leaf);
      // A copy, so that what is done with does not stay for its neighbours.
      else this.#heap.push({ ...leaf, packed: leaf.packed.slice() }, excess);
    }
  }

  #isOver(began: number): boolean {
    const { boxes = Infinity, time = Infinity, signal } = this.#options;
    signal?.throwIfAborted();
    return this.#boxes >= boxes || performance.now() - began >= time || this.#standsStill;
  }

  /** Who says how long a search may take wants it to go on. */
  get #standsStill(): boolean {
    const { boxes, time } = this.#options;
    return boxes === undefined && time === undefined && this.#standstill.is(this.#boxes);
  }

  #proven(): Float64Array {
    const proven = this.#closed.slice();
    for (const { bounds } of this.#heap) {
      bounds.forEach((bound, row) => proven[row] = Math.max(proven[row]!, bound));
    }
    return proven;
  }

  #progress(): SearchProgress {
    const found = this.#witnesses.list.map((_, output) => this.#witnesses.found(output));
    return {
      boxes: this.#boxes,
      open: this.#heap.size,
      settled: this.#settled,
      left: this.#left(),
      found: Math.max(...found),
      proven: Math.max(...this.#proven()),
    };
  }

  #result(): SearchResult {
    const proven = this.#proven();
    const outputs = this.#witnesses.list.map((witness, at): OutputBracket => {
      const [upper, lower] = [proven[2 * at]!, -proven[2 * at + 1]!];
      return {
        found: Math.abs(witness?.difference ?? 0),
        proven: Math.max(upper, -lower, 0),
        lower,
        upper,
        witness,
      };
    });
    return {
      outputs,
      boxes: this.#boxes,
      splits: this.#splits,
      open: this.#heap.size,
      settled: this.#settled,
      left: this.#left(),
      isComplete: this.#heap.size === 0,
      ...(this.#heap.size > 0 && this.#standsStill && { standsStill: this.#standstill.mark[0] }),
    };
  }
}

/**
 * With more relaxed neurons on the whole domain, parts of it are mostly far enough below the goal for splits to settle them
 * sooner than all regions are looked at.
 */
const MOST_RELAXED = 72;

/** Boxes after which what is left is cut into regions: that takes longer than a few splits where those help. */
const PATIENCE = 1000;

/** By how much rows of differences have to tighten the bound of the whole domain. */
const WORTH = 3;
