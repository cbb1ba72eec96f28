/**
 * Rows bounded cell by cell: a box is cut where relaxed neurons change their sign.
 *
 * Where two networks are close, g = relu(z) − relu(z − e) is e where z is above 0 and 0 where it is below, with hardly
 * anything in between. A box across z = 0 is left with all of e as what its bound is off by, however small it is made by
 * splitting inputs; cut along z = 0, it is left with nothing. What is known of a cell then are bounds of z, which relax less,
 * and a half-space of inputs for each cut, which a bound is the least value in (as β-CROWN has it, Wang et al., 2021, here
 * with multipliers of a linear program in the inputs alone).
 *
 * @module
 */

import type { RowDescent } from "./descent.ts";
import type { HalfSpaces, SavedSpaces } from "./half_spaces.ts";
import type { ReducedRow } from "./reduced.ts";
import type { RelaxedNeurons } from "./relaxed.ts";

/** Cuts of one cell at most, with those that only tell two of its own apart. */
export const MOST_CUTS = 48;

/** Which part of what is missing a neuron's gap has to be for its bounds to be worth two rows. */
const WORTH = 0.1;

/** Which part of what is missing a gap has to be to be more than rounding. */
const LEAST = 1e-3;

/** Cells after which it is estimated how many there are. */
const TRIAL = 12;

/** A part of the box. */
interface Cell {
  readonly bounds: Float64Array;
  readonly spaces: SavedSpaces;
  readonly cuts: readonly Cut[];
  readonly bound: number;
}

/** Where a neuron's z is cut, or its y. */
interface Place {
  readonly neuron: number;
  readonly view: "z" | "y";
  readonly value: number;
}

/** sign·(z − value) ≥ 0, or the same of y. */
interface Cut extends Place {
  readonly sign: 1 | -1;
}

/** How hard to try. */
export interface CellOptions {
  /** It is given up where there seem to be more cells than this. */
  readonly cells: number;
  /** Frank–Wolfe steps in each. */
  readonly steps: number;
}

/** Bounds rows of one reduced network. */
export class CellSearch {
  readonly #count: number;
  readonly #neurons: RelaxedNeurons;
  readonly #spaces: HalfSpaces;
  readonly #descent: RowDescent;
  readonly #gaps: Float64Array;
  /** Where a row that was given up seems to be as low as its bound. */
  attained: Float64Array | undefined;

  constructor(count: number, neurons: RelaxedNeurons, spaces: HalfSpaces, descent: RowDescent) {
    this.#count = count;
    this.#neurons = neurons;
    this.#spaces = spaces;
    this.#descent = descent;
    this.#gaps = new Float64Array(count);
  }

  /**
   * A lower bound of a row on the whole box.
   *
   * @param known A bound that holds there.
   * @param enough Work ends when the bound is at least this, or will not be.
   */
  bound(row: ReducedRow, known: number, enough: number, options: CellOptions): number {
    const whole: Cell = {
      bounds: this.#neurons.bounds.slice(),
      spaces: this.#spaces.save(),
      cuts: [],
      bound: known,
    };
    const left = [whole];
    this.attained = undefined;
    let least = Infinity;
    // The share of the tree that is done, if all of it is as deep as what is done (Knuth, 1975).
    let done = 0;
    for (let cells = 0; left.length > 0; cells++) {
      const cell = left.pop()!;
      this.#enter(cell);
      const found = this.#descent.descend(row, this.#count, enough, options.steps);
      const bound = found > cell.bound ? found : cell.bound;
      if (bound < enough) {
        const isHopeless = cells >= TRIAL && cells > options.cells * done;
        const parts = isHopeless ? undefined : this.#cut(cell, bound, enough);
        if (parts === undefined) {
          // What is left keeps the bound that it has.
          if (!isHopeless) this.attained = this.#spaces.point.slice();
          for (const each of left) least = Math.min(least, each.bound);
          least = Math.min(least, bound);
          break;
        }
        left.push(...parts);
        done += (2 - parts.length) * 2 ** -(cell.cuts.length + 1);
      } else {
        least = Math.min(least, bound);
        done += 2 ** -cell.cuts.length;
      }
    }
    this.#enter(whole);
    return least;
  }

  #enter({ bounds, spaces }: Cell): void {
    this.#neurons.restore(bounds);
    this.#spaces.restore(spaces);
  }

  /** Cuts a cell in two where the neuron whose relaxation costs most changes its sign; `undefined` if none can be cut. */
  #cut(cell: Cell, bound: number, enough: number): Cell[] | undefined {
    const { bounds } = this.#neurons;
    const gaps = this.#gaps;
    this.#descent.gaps(gaps);
    const place = this.#placeOfGap(gaps) ?? this.#placeBefore(gaps, enough - bound);
    if (place === undefined || cell.cuts.length === MOST_CUTS) return undefined;
    const worth: number[] = [];
    for (let each = 0; each < this.#count; each++) {
      const isOpen = bounds[6 * each]! < 0 && bounds[6 * each + 1]! > 0;
      if (each !== place.neuron && isOpen && gaps[each]! > WORTH * (enough - bound)) {
        worth.push(each);
      }
    }
    const parts: Cell[] = [];
    for (const sign of [1, -1] as const) {
      if (sign < 0) this.#enter(cell);
      const cuts = [...cell.cuts, { ...place, sign }];
      if (!this.#narrow(cuts, worth)) continue;
      parts.push({
        bounds: this.#neurons.bounds.slice(),
        spaces: this.#spaces.save(),
        cuts,
        bound,
      });
    }
    return parts;
  }

  /** Where the neuron is cut whose relaxation costs most. */
  #placeOfGap(gaps: Float64Array): Place | undefined {
    let place: Place | undefined;
    for (let neuron = 0, most = 0; neuron < gaps.length; neuron++) {
      if (!(gaps[neuron]! > most)) continue;
      const found = this.#placeOf(neuron);
      if (found !== undefined) place = found, most = gaps[neuron]!;
    }
    return place;
  }

  /**
   * A neuron that was cut has a gap where its half-space is loose: what is relaxed in front of it is cut then, the neuron that
   * is the most open.
   */
  #placeBefore(gaps: Float64Array, missing: number): Place | undefined {
    const { bounds } = this.#neurons;
    let place: Place | undefined;
    let last = gaps.length - 1;
    while (last >= 0 && !(gaps[last]! > LEAST * missing)) last--;
    for (let neuron = 0, most = 0; neuron < last; neuron++) {
      const open = Math.min(-bounds[6 * neuron]!, bounds[6 * neuron + 1]!);
      if (!(open > most)) continue;
      const found = this.#placeOf(neuron);
      if (found !== undefined) place = found, most = open;
    }
    return place;
  }

  /**
   * Where a neuron is cut, if it can be. Where z is between 0 and e, g is too; that part goes where the row counts it for as
   * much anyway, as long as there are others. By itself, it is cut where z and y change their signs.
   */
  #placeOf(neuron: number): Place | undefined {
    const { bounds } = this.#neurons;
    const [zl, zu, yl, yu, el, eu] = bounds.subarray(6 * neuron, 6 * neuron + 6) as unknown as [
      number,
      number,
      number,
      number,
      number,
      number,
    ];
    const low = Math.min(el, 0), high = Math.max(eu, 0);
    const isOn = this.#descent.onDifference(neuron) * (el + eu) < 0;
    for (const value of [isOn ? low : high, isOn ? high : low, 0]) {
      if (zl < value && value < zu) return { neuron, view: "z", value };
    }
    return yl < 0 && yu > 0 ? { neuron, view: "y", value: 0 } : undefined;
  }

  /** Makes the last of the cuts, and narrows bounds of neurons; gives whether anything is left. */
  #narrow(cuts: readonly Cut[], neurons: readonly number[]): boolean {
    const { bounds } = this.#neurons;
    const last = cuts.at(-1)!;
    this.#descent.cut(last.neuron, last.view, last.sign, last.value, cuts.length - 1);
    const start = 6 * last.neuron + (last.view === "z" ? 0 : 2);
    bounds[start + (last.sign > 0 ? 0 : 1)] = last.value;
    if (!this.#neurons.close(last.neuron)) return false;
    this.#neurons.relax(last.neuron);
    for (const neuron of neurons) {
      const lower = this.#descent.boundNeuron(neuron, "z", 1, 0);
      const upper = -this.#descent.boundNeuron(neuron, "z", -1, 0);
      const at = 6 * neuron;
      if (lower > bounds[at]!) bounds[at] = lower;
      if (upper < bounds[at + 1]!) bounds[at + 1] = upper;
      if (!this.#neurons.close(neuron)) return false;
      this.#neurons.relax(neuron);
    }
    // Cuts of neurons behind are sharper now.
    cuts.forEach(({ neuron, view, sign, value }, at) => {
      if (neuron > last.neuron) this.#descent.cut(neuron, view, sign, value, at);
    });
    return true;
  }
}
