/**
 * Bounding boxes of the search by condensed forms.
 *
 * @module
 */

import { down } from "../bounds/batch.ts";
import { CondensedBounder, type CondensedBox } from "../bounds/condensed/bounder.ts";
import { reducedOf, reducedRow, relaxedCount } from "../bounds/condensed/reduced.ts";
import { type CondensedRows, newRows } from "../bounds/condensed/passes.ts";
import { type RefineOptions, RowRefiner } from "../bounds/condensed/refine.ts";
import { layersOf } from "../bounds/dense/chain.ts";
import { addShares } from "../bounds/condensed/shares.ts";
import { type PairedNetwork, sizeOf } from "../network/network.ts";
import type { ExpandOptions, ExpandRequest } from "./expand.ts";
import { type RegionGoals, RegionRefiner, type RegionRow } from "./regions.ts";
import { boundViews, packBox, type PackLayout, waysOf } from "./pack.ts";

/**
 * More steps than these gain little. Bounds of neurons take most of the time: they pay where a bound is to be reached once
 * and for all, not where boxes that are almost done are about to be divided once more.
 */
const REFINEMENT = {
  thorough: { steps: 10, inner: 4, cells: 64, cellSteps: 4 },
  quick: { steps: 6, inner: 0, cells: 64, cellSteps: 4 },
};

/** With more relaxed neurons splitting helps more than steps, which take as long as the square of their number. */
const MOST_REFINED = 32;

/** With more relaxed neurons a box has more cells than two halves of it have together. */
const MOST_CUT = 14;

/** Which part of the weights their differences are at most. */
const CLOSE = 2e-3;

/** Where what is found of a batch goes; see `ExpandResult`. */
export interface BoxResults {
  readonly bounds: Float64Array;
  readonly packed: Float32Array;
  /** How much a split of each input would help, [boxes × inputs]. */
  readonly scores: Float64Array;
  /** For a bracket: where the worst bound of each box is attained, [boxes × inputs]. */
  readonly corners: Float64Array | undefined;
  /** Further points that differ more than what was found before. */
  readonly points: Float64Array[];
}

/** Bounds boxes of one network, one after another. */
export class CondensedExpander {
  readonly #bounder: CondensedBounder;
  readonly #differences: boolean;
  readonly #layout: PackLayout;
  readonly #inputs: number;
  /** Of the box at hand. */
  readonly #numbers: Float64Array;
  readonly #views: ReturnType<typeof boundViews>;
  readonly #ways: Float64Array;
  #relaxed = 0;
  /** Where networks are close: elsewhere regions overlap by more than they are wide. */
  readonly #regions: RegionRefiner | undefined;
  readonly #rows: CondensedRows;
  /** How much a split of each free input would help. */
  readonly #scores: Float64Array;

  constructor(network: PairedNetwork, { semantics, rows }: ExpandOptions, layout: PackLayout) {
    this.#bounder = new CondensedBounder(network, semantics);
    this.#differences = rows === "differences";
    this.#layout = layout;
    this.#inputs = network.input.size;
    this.#numbers = new Float64Array(layout.length);
    this.#views = boundViews(layout, this.#numbers);
    this.#ways = waysOf(layout);
    this.#regions = areClose(network)
      ? new RegionRefiner(network, this.#bounder, layout, this.#differences)
      : undefined;
    this.#rows = newRows(2 * sizeOf(network, network.output), this.#inputs);
    this.#scores = new Float64Array(this.#inputs);
  }

  /** How many neurons of the box that was bounded last are relaxed; `undefined` where there are no regions. */
  get relaxed(): number | undefined {
    return this.#regions === undefined ? undefined : this.#relaxed;
  }

  /** Bounds all boxes of a request. */
  expand(request: ExpandRequest, results: BoxResults): void {
    const { batch: { count, lower, upper }, inherited } = request;
    const inputs = this.#inputs, { length } = this.#layout;
    for (let box = 0; box < count; box++) {
      if (inherited) this.#numbers.set(inherited.subarray(box * length, (box + 1) * length));
      const bounded = this.#bounder.bound(
        lower.subarray(box * inputs, (box + 1) * inputs),
        upper.subarray(box * inputs, (box + 1) * inputs),
        this.#views,
        inherited !== undefined,
        this.#differences,
      );
      this.#relaxed = relaxedCount(bounded);
      this.#boundOutputs(request, box, bounded, results);
      packBox(this.#numbers, this.#ways, results.packed, box * length);
    }
  }

  #boundOutputs(
    { batch: { count }, wanted, goals, reach = 1, ratio, regions }: ExpandRequest,
    box: number,
    bounded: CondensedBox,
    { bounds, scores, corners, points }: BoxResults,
  ): void {
    const size = wanted.length / count;
    const start = box * size;
    const rows = this.#rows, own = this.#scores;
    rows.count = 0;
    for (let row = 0; row < size; row++) {
      if (wanted[start + row] === 0) continue;
      // e = f − f′: a lower bound of e is an upper one of f′ − f.
      rows.row[rows.count] = row >> 1;
      rows.sign[rows.count++] = row % 2 === 0 ? 1 : -1;
    }
    const { free, half, inputs } = bounded.symbols;
    own.fill(0);
    this.#bounder.boundOutputs(rows, own);
    for (let input = 0; input < inputs; input++) own[input]! *= half[input]! / 2;
    addShares(bounded, own);
    for (let input = 0; input < inputs; input++) {
      scores[box * this.#inputs + free[input]!] = own[input]!;
    }
    const refiner = regions && ratio !== undefined ? this.#regions : undefined;
    if (goals !== undefined) {
      if (corners !== undefined) this.#corner(bounded, goals, corners, box * this.#inputs);
      const { thorough, quick } = REFINEMENT;
      const aims = ratio === undefined ? thorough : quick;
      // Regions say more than cells.
      const options = refiner === undefined ? aims : { ...aims, cells: 0 };
      const attained = this.#refine(bounded, goals, reach, options);
      if (corners !== undefined && attained !== undefined) {
        for (let input = 0; input < inputs; input++) {
          const at = free[input]!;
          const { lower, upper } = bounded.symbols;
          corners[box * this.#inputs + at] = Math.min(
            Math.max(attained[input]!, lower[at]!),
            upper[at]!,
          );
        }
      }
    }
    if (goals !== undefined && ratio !== undefined && refiner !== undefined) {
      this.#cut(refiner, bounded, { goals, ratio, points });
    }
    for (let at = 0; at < rows.count; at++) {
      bounds[start + 2 * rows.row[at]! + (rows.sign[at]! > 0 ? 0 : 1)] = -rows.bound[at]!;
    }
  }

  /** Bounds rows that are above their goals region by region. What was known of the box is gone then. */
  #cut(refiner: RegionRefiner, bounded: CondensedBox, aims: RegionGoals): void {
    const { row, sign, bound, count } = this.#rows;
    const open: number[] = [];
    for (let at = 0; at < count; at++) {
      const goal = aims.goals[2 * row[at]! + (sign[at]! > 0 ? 0 : 1)]!;
      if (bound[at]! < -goal) open.push(at);
    }
    if (open.length === 0) return;
    const rows = open.map((at): RegionRow => ({
      output: row[at]!,
      sign: sign[at]!,
      known: bound[at]!,
    }));
    const found = refiner.refine(bounded, this.#numbers, rows, aims);
    open.forEach((at, index) => {
      const better = found?.[index] ?? -Infinity;
      if (better > bound[at]! && better < Infinity) bound[at] = better;
    });
  }

  /** Where the bound that is farthest above its goal is attained. */
  #corner(
    { symbols: { free, inputs, lower, upper } }: CondensedBox,
    goals: Float64Array,
    corners: Float64Array,
    to: number,
  ): void {
    const { row, sign, bound, count, onInput } = this.#rows;
    let worst = 0, most = -Infinity;
    for (let at = 0; at < count; at++) {
      const goal = goals[2 * row[at]! + (sign[at]! > 0 ? 0 : 1)]!;
      const excess = -bound[at]! / Math.max(goal, 1e-300);
      if (excess > most) worst = at, most = excess;
    }
    corners.set(lower, to);
    for (let input = 0; input < inputs; input++) {
      if (onInput[worst * this.#inputs + input]! < 0) {
        corners[to + free[input]!] = upper[free[input]!]!;
      }
    }
  }

  /**
   * Looks closer at rows that are not far from what is enough.
   *
   * @returns Where one of those that do not get there seems to be attained, [free inputs].
   */
  #refine(
    bounded: CondensedBox,
    goals: Float64Array,
    reach: number,
    options: RefineOptions,
  ): Float64Array | undefined {
    const count = relaxedCount(bounded);
    if (count === 0 || count > MOST_REFINED) return undefined;
    if (count > MOST_CUT) options = { ...options, cells: 0 };
    const { row, sign, bound: found, count: rows } = this.#rows;
    let refiner: RowRefiner | undefined;
    let attained: Float64Array | undefined;
    for (let at = 0; at < rows; at++) {
      const goal = goals[2 * row[at]! + (sign[at]! > 0 ? 0 : 1)]!;
      if (!(found[at]! < -goal) || found[at]! < -reach * goal) continue;
      refiner ??= new RowRefiner(reducedOf(bounded, this.#bounder.unit), options);
      const reduced = reducedRow(bounded, count, row[at]!, sign[at]!);
      // More than rounding the result takes.
      const enough = -goal + 2 ** -50 * goal + 2e-200;
      const bound = down(refiner.refine(reduced, enough)) - 1e-200;
      if (bound > found[at]! && bound < Infinity) found[at] = bound;
      attained ??= refiner.attained;
    }
    return attained;
  }
}

/** Whether weights differ by so little as those of a half-precision copy do. */
function areClose(network: PairedNetwork): boolean {
  return layersOf(network).every((layer) => {
    if (layer?.weights.difference === undefined) return true;
    return size(layer.weights.difference) < CLOSE * size(layer.weights.original!);
  });
}

/** The Euclidean norm; more numbers than a function can be called with. */
function size(weights: Float64Array): number {
  let sum = 0;
  for (let at = 0; at < weights.length; at++) sum += weights[at]! ** 2;
  return Math.sqrt(sum);
}
