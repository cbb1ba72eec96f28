/**
 * Rows bounded region by region: a box is cut along z = 0 of relaxed neurons, layer by layer, until both networks are linear.
 *
 * In front of the first layer z is a function of the input alone. Where the box is cut so that a layer has signs, z of the next
 * one is, too, and so on. The difference is not: between z = 0 and z = e, g is neither 0 nor e. But it is t·e for some t
 * between 0 and 1, and with all z as they are an output's e is a sum of products of different neurons' t. It is
 * linear in each, so it is nowhere larger than where every t is 0 or 1. A region therefore says of each neuron not only
 * which sign z has but what g is taken for: e where z ≥ min(e, 0), and 0 where z ≤ max(e, 0), by bounds of e as it is in
 * both networks. Regions overlap by that little, and on each an output is linear in the input. What is more than
 * enough there is either attained nearby or due to a region that there would not be without the overlap.
 *
 * @module
 */

import { down, up } from "../batch.ts";
import { HalfSpaces, type SavedSpaces } from "./half_spaces.ts";
import type { Reduced, ReducedRow } from "./reduced.ts";
import { type RegionFacts, RegionForms } from "./region_forms.ts";

/** A part of the box. */
interface Region extends RegionFacts {
  readonly spaces: SavedSpaces;
  /** [inputs × 2]: a box around it. */
  readonly hull: Float64Array;
}

/** A neuron whose sign is open at a region, and where its z is least and greatest there. */
interface Open {
  readonly neuron: number;
  readonly least: End;
  readonly greatest: End;
}

interface End {
  readonly value: number;
  readonly point: Float64Array;
}

/** A region on which rows are not bounded by what is enough. */
export interface LooseRegion {
  /** [inputs × 2]: a box around it. */
  readonly hull: Float64Array;
  /** Numbers of rows, and how they are bounded there. */
  readonly rows: readonly { readonly row: number; readonly bound: number }[];
}

/** What regions say of rows. */
export interface RegionBounds {
  /** By row: a lower bound on all regions but those that are loose. */
  readonly least: Float64Array;
  readonly loose: readonly LooseRegion[];
  /** How many there were, with those that were cut. */
  readonly regions: number;
}

/** Regions after which it is estimated how many there are. */
const TRIAL = 48;

/** Bounds rows of one reduced network. */
export class RegionSearch {
  readonly #reduced: Reduced;
  readonly #forms: RegionForms;
  readonly #spaces: HalfSpaces;
  readonly #onInput: Float64Array;
  #rows: readonly ReducedRow[] = [];
  #enough: readonly number[] = [];
  #least: Float64Array = new Float64Array(0);
  #loose: LooseRegion[] = [];
  #look: (point: Float64Array) => void = () => {};
  #regions = 0;
  #most = 0;
  /** The share of the tree that is done, if all of it is as deep as what is done (Knuth, 1975). */
  #done = 0;

  constructor(reduced: Reduced) {
    this.#reduced = reduced;
    this.#forms = new RegionForms(reduced);
    this.#spaces = new HalfSpaces(reduced, reduced.count);
    this.#onInput = new Float64Array(reduced.inputs);
  }

  /**
   * Lower bounds of rows on the whole box, but for loose regions.
   *
   * @param enough By row: regions are loose where the bound is less than this.
   * @param most How many regions there may be.
   * @param look Called with points where less than enough may be attained; may lower what is enough.
   * @returns `undefined` where there seem to be more regions.
   */
  bound(
    rows: readonly ReducedRow[],
    enough: readonly number[],
    most: number,
    look: (point: Float64Array) => void,
  ): RegionBounds | undefined {
    this.#look = look;
    const { count, inputs, bounds, center, half } = this.#reduced;
    this.#rows = rows;
    this.#enough = enough;
    this.#least = new Float64Array(rows.length).fill(Infinity);
    this.#loose = [];
    this.#regions = this.#done = 0;
    this.#most = most;
    const hull = new Float64Array(2 * inputs);
    for (let input = 0; input < inputs; input++) {
      hull[2 * input] = down(center[input]! - half[input]!);
      hull[2 * input + 1] = up(center[input]! + half[input]!);
    }
    const isDone = this.#visit(0, 0, {
      bounds,
      signs: new Int8Array(count).fill(-1),
      low: new Float64Array(count),
      high: new Float64Array(count),
      spaces: this.#spaces.save(),
      hull,
    });
    if (!isDone) return undefined;
    return { least: this.#least, loose: this.#loose, regions: this.#regions };
  }

  /** Looks at a region whose layers in front have signs; gives whether there is time for more. */
  #visit(layer: number, depth: number, given: Region): boolean {
    const { starts } = this.#reduced;
    if (this.#isTooMuch()) return false;
    this.#regions++;
    const region = { ...given, bounds: given.bounds.slice(), hull: given.hull.slice() };
    const { bounds, signs, low, high, hull } = region;
    this.#spaces.restore(region.spaces);
    for (let neuron = 0; neuron < starts[layer]!; neuron++) {
      const at = 6 * neuron;
      if (signs[neuron] === 1) bounds[at] = Math.max(bounds[at]!, low[neuron]!);
      else bounds[at + 1] = Math.min(bounds[at + 1]!, high[neuron]!);
    }
    const isLast = layer === starts.length - 1;
    if (!isLast) this.#forms.compose(layer, region);
    const isLeft = this.#surround(hull) &&
      this.#forms.enclose(starts[isLast ? layer : layer + 1]!, bounds, hull);
    if (!isLeft || isLast) {
      this.#done += 2 ** -depth;
      if (isLeft) this.#finish(region);
      return true;
    }
    const own = { ...region, signs: signs.slice(), low: low.slice(), high: high.slice() };
    const open: Open[] = [];
    for (let neuron = starts[layer]!; neuron < starts[layer + 1]!; neuron++) {
      const at = 6 * neuron;
      own.low[neuron] = Math.min(bounds[at + 4]!, 0);
      own.high[neuron] = Math.max(bounds[at + 5]!, 0);
      open.push({
        neuron,
        least: { value: bounds[at]!, point: NOWHERE },
        greatest: { value: bounds[at + 1]!, point: NOWHERE },
      });
    }
    return this.#cut(layer, depth, own, open);
  }

  /** Cuts a region along neurons of a layer that have no sign yet. */
  #cut(layer: number, depth: number, region: Region, given: readonly Open[]): boolean {
    const { signs, low, high } = region;
    this.#spaces.restore(region.spaces);
    const open: Open[] = [];
    for (const each of given) {
      const { neuron } = each;
      let { least, greatest } = each;
      const isOpen = () => least.value < high[neuron]! && greatest.value > low[neuron]!;
      if (isOpen() && !this.#isIn(region, least.point)) least = this.#end(neuron, 1, least.value);
      if (isOpen() && !this.#isIn(region, greatest.point)) {
        greatest = this.#end(neuron, -1, greatest.value);
      }
      if (least.value >= high[neuron]!) signs[neuron] = 1;
      else if (greatest.value <= low[neuron]!) signs[neuron] = 0;
      else open.push({ neuron, least, greatest });
    }
    const first = open.shift();
    if (first === undefined) return this.#visit(layer + 1, depth, region);
    const { neuron } = first;
    for (const sign of [1, 0] as const) {
      this.#spaces.restore(region.spaces);
      this.#halve(neuron, sign, sign === 1 ? low[neuron]! : high[neuron]!);
      const part = { ...region, signs: signs.slice(), spaces: this.#spaces.save() };
      part.signs[neuron] = sign;
      if (!this.#cut(layer, depth + 1, part, open)) return false;
    }
    return true;
  }

  /** Adds the half-space in which z ≥ value is possible where the sign is 1, and z ≤ value where it is 0. */
  #halve(neuron: number, sign: 0 | 1, value: number): void {
    const { inputs, unit } = this.#reduced;
    const { numbers, noise } = this.#forms.z;
    const way = sign === 1 ? -1 : 1, from = neuron * (inputs + 1);
    for (let input = 0; input < inputs; input++) {
      this.#onInput[input] = way * numbers[from + input]!;
    }
    const constant = way * (numbers[from + inputs]! - value) - noise[neuron]! -
      unit * Math.abs(value);
    this.#spaces.set(this.#spaces.count, this.#onInput, constant);
  }

  /** Where z of a neuron is least, or greatest, on the half-spaces at hand. */
  #end(neuron: number, sign: 1 | -1, known: number): End {
    const { inputs } = this.#reduced;
    const { numbers, noise } = this.#forms.z;
    const from = neuron * (inputs + 1);
    for (let input = 0; input < inputs; input++) {
      this.#onInput[input] = sign * numbers[from + input]!;
    }
    const constant = sign * numbers[from + inputs]! - noise[neuron]!;
    const bound = down(this.#spaces.least(this.#onInput, constant)) - TINY;
    const value = sign > 0 ? Math.max(bound, known) : Math.min(-bound, known);
    return { value, point: this.#spaces.point.slice() };
  }

  /** Whether a point that was in a region in front is in this one as well: in the last of its half-spaces. */
  #isIn({ spaces: { spaces } }: Region, point: Float64Array): boolean {
    if (point.length === 0) return false;
    const from = spaces.length - point.length - 1;
    if (from < 0) return true;
    let value = spaces[from + point.length]!;
    for (let input = 0; input < point.length; input++) {
      value += spaces[from + input]! * point[input]!;
    }
    return value >= 0;
  }

  /** Narrows a box around a region; gives whether there is anything left of it. */
  #surround(hull: Float64Array): boolean {
    const { inputs, unit, center, half } = this.#reduced;
    if (this.#spaces.count === 0) return true;
    const onInput = this.#onInput.fill(0);
    for (let input = 0; input < inputs; input++) {
      const slack = unit * (Math.abs(center[input]!) + half[input]!) + TINY;
      onInput[input] = 1;
      const least = this.#spaces.least(onInput, 0) - slack;
      onInput[input] = -1;
      const most = -this.#spaces.least(onInput, 0) + slack;
      onInput[input] = 0;
      hull[2 * input] = Math.max(hull[2 * input]!, least);
      hull[2 * input + 1] = Math.min(hull[2 * input + 1]!, most);
      if (hull[2 * input]! > hull[2 * input + 1]!) return false;
    }
    return true;
  }

  /** Bounds rows on a region where all neurons have signs. */
  #finish(region: Region): void {
    const isKnown = this.#forms.isKnown(region.signs, region.hull);
    const rows: { row: number; bound: number }[] = [];
    for (let at = 0; at < this.#rows.length; at++) {
      let bound = -Infinity;
      if (isKnown) {
        const constant = this.#forms.row(this.#rows[at]!, region, this.#onInput);
        bound = down(this.#spaces.least(this.#onInput, constant)) - TINY;
        if (bound < this.#enough[at]!) this.#look(this.#spaces.point);
      }
      if (bound < this.#enough[at]!) rows.push({ row: at, bound });
      else this.#least[at] = Math.min(this.#least[at]!, bound);
    }
    if (rows.length > 0) this.#loose.push({ hull: region.hull, rows });
  }

  #isTooMuch(): boolean {
    const regions = this.#regions;
    return regions >= this.#most || regions >= TRIAL && regions > this.#most * this.#done;
  }
}

/** Less than what underflows can add up to. */
const TINY = 1e-200;

/** Where an end is not known to be attained. */
const NOWHERE = new Float64Array(0);
