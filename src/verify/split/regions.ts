/**
 * Boxes bounded region by region, and again where regions are loose.
 *
 * @module
 */

import type { CondensedBounder, CondensedBox } from "../bounds/condensed/bounder.ts";
import { reducedOf, reducedRow, relaxedCount } from "../bounds/condensed/reduced.ts";
import { type LooseRegion, RegionSearch } from "../bounds/condensed/regions.ts";
import { evaluate } from "../network/evaluate.ts";
import type { PairedNetwork } from "../network/network.ts";
import { boundViews, type PackLayout } from "./pack.ts";

/** With more relaxed neurons there are too many regions. */
const MOST_RELAXED = 48;

/** Regions of one box at most, and of it with the boxes around loose regions. */
const MOST = { each: 1500, all: 3000 };

/** Boxes around loose regions of boxes around loose regions, and so on, at most. */
const DEEPEST = 4;

/** Which part of a box a box around a region has to be at most. */
const SMALLER = 0.25;

/** A row of the output: sign·e of one is wanted to be at least `enough`. */
export interface RegionRow {
  readonly output: number;
  readonly sign: number;
  /** A bound that holds on the whole box. */
  readonly known: number;
}

/** What is to be reached. */
export interface RegionGoals {
  /** [2·outputs]: bounds at which rows are done; they rise with what is found. */
  readonly goals: Float64Array;
  /** Goals are so many times what is found. */
  readonly ratio: number;
  /** Points where larger differences were found, whole inputs. */
  readonly points: Float64Array[];
}

/** Bounds rows of boxes of one network. */
export class RegionRefiner {
  readonly #network: PairedNetwork;
  readonly #bounder: CondensedBounder;
  readonly #layout: PackLayout;
  readonly #differences: boolean;
  #left = 0;

  constructor(
    network: PairedNetwork,
    bounder: CondensedBounder,
    layout: PackLayout,
    differences: boolean,
  ) {
    this.#network = network;
    this.#bounder = bounder;
    this.#layout = layout;
    this.#differences = differences;
  }

  /**
   * Bounds of rows from below, on the box that was bounded last.
   *
   * @param numbers Bounds of its neurons, as they are laid out to be packed.
   * @returns `undefined` where there seem to be too many regions. What was known of the box is gone then.
   */
  refine(
    box: CondensedBox,
    numbers: Float64Array,
    rows: readonly RegionRow[],
    goals: RegionGoals,
  ): readonly number[] | undefined {
    if (relaxedCount(box) > MOST_RELAXED) return undefined;
    this.#left = MOST.all;
    return this.#refine(box, numbers, rows, goals, 0);
  }

  #refine(
    box: CondensedBox,
    numbers: Float64Array,
    rows: readonly RegionRow[],
    goals: RegionGoals,
    depth: number,
  ): readonly number[] | undefined {
    const { symbols } = box;
    const free = symbols.free.slice(0, symbols.inputs);
    const lower = symbols.lower.slice(), upper = symbols.upper.slice();
    const count = relaxedCount(box);
    const enough: number[] = [];
    const set = () => rows.forEach((row, at) => enough[at] = enoughOf(row, goals.goals));
    set();
    const look = (point: Float64Array) => {
      const input = lower.slice();
      point.forEach((value, at) => {
        const to = free[at]!;
        input[to] = Math.min(Math.max(value, lower[to]!), upper[to]!);
      });
      if (this.#look(input, goals)) set();
    };
    const search = new RegionSearch(reducedOf(box, this.#bounder.unit));
    const found = search.bound(
      rows.map(({ output, sign }) => reducedRow(box, count, output, sign)),
      enough,
      Math.min(this.#left, MOST.each),
      look,
    );
    this.#left -= found?.regions ?? MOST.each / 8;
    if (found === undefined) return undefined;
    const bounds = [...found.least];
    const excess = ({ rows }: LooseRegion) =>
      Math.max(...rows.map(({ row, bound }) => bound / enough[row]!));
    // Where one does not get there, others need not be looked at: the worst first.
    const worst = found.loose.toSorted((a, b) => excess(b) - excess(a));
    for (const { hull, rows: loose } of worst) {
      const open: number[] = [], known: number[] = [];
      for (const { row, bound } of loose) {
        const best = Math.max(bound, rows[row]!.known);
        // A row that will not get there on another region need not here.
        if (bounds[row]! < enough[row]!) bounds[row] = Math.min(bounds[row]!, best);
        else if (best < enough[row]!) open.push(row), known.push(best);
        else bounds[row] = Math.min(bounds[row]!, best);
      }
      if (open.length === 0) continue;
      const low = lower.slice(), high = upper.slice();
      let share = 1;
      free.forEach((to, at) => {
        low[to] = Math.max(low[to]!, hull[2 * at]!);
        high[to] = Math.min(high[to]!, hull[2 * at + 1]!);
        share *= (high[to]! - low[to]!) / (upper[to]! - lower[to]!);
      });
      const own = open.map((row, at): RegionRow => ({ ...rows[row]!, known: known[at]! }));
      const better = share < SMALLER && depth < DEEPEST && this.#left > 0
        ? this.#again(low, high, numbers, own, goals, depth)
        : undefined;
      set();
      open.forEach((row, at) => {
        bounds[row] = Math.min(bounds[row]!, Math.max(better?.[at] ?? -Infinity, known[at]!));
      });
    }
    return bounds;
  }

  /** Bounds rows on a box around a loose region. */
  #again(
    lower: Float64Array,
    upper: Float64Array,
    numbers: Float64Array,
    rows: readonly RegionRow[],
    goals: RegionGoals,
    depth: number,
  ): readonly number[] | undefined {
    const own = numbers.slice();
    const views = boundViews(this.#layout, own);
    const box = this.#bounder.bound(lower, upper, views, true, this.#differences);
    return this.#refine(box, own, rows, goals, depth + 1);
  }

  /** Looks at a point; gives whether goals are higher now. */
  #look(input: Float64Array, { goals, ratio, points }: RegionGoals): boolean {
    let isHigher = false;
    evaluate(this.#network, input).difference.forEach((difference, output) => {
      const goal = ratio * Math.abs(difference);
      for (const row of [2 * output, 2 * output + 1]) {
        if (goal > goals[row]!) goals[row] = goal, isHigher = true;
      }
    });
    if (isHigher) points.push(input);
    return isHigher;
  }
}

/** Row 2o of goals bounds f′ − f from above, row 2o + 1 from below; e is f − f′. More than rounding the result takes. */
function enoughOf({ output, sign }: RegionRow, goals: Float64Array): number {
  const goal = goals[2 * output + (sign > 0 ? 0 : 1)]!;
  return -goal + 2 ** -50 * goal + 2e-200;
}
