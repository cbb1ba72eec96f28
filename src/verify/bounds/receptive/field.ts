/**
 * The receptive field of some elements: which elements of earlier values they depend on, and how coefficients on the
 * former become those on the latter.
 *
 * @module
 */

import { type PairedNetwork, sizeOf, type ValueNumber } from "../../network/network.ts";
import { COMBINED } from "../dense/combine.ts";
import { LANES, RECORD } from "../dense/kernels.ts";
import type { Workspace } from "../dense/workspace.ts";
import { List } from "./list.ts";
import type { Layout, MovingTerm, Part, Parts, Term, WeightedTerm } from "./layout.ts";

/** Bytes of the coefficients of one element. */
export const BLOCK = 8 * LANES;

/** Numbers of a tile: the element that it begins at, rows, where those begin, products, where those begin. */
export const TILE = 5;

/** How coefficients go through one term. Addresses are bytes. */
export interface FieldTerm {
  readonly input: FieldValue;
  /** [tiles × {@linkcode TILE}], with the weights; none where elements move. */
  readonly tiles: Int32Array;
  readonly weights: Parts<number>;
  /** How many elements move. */
  readonly count: number;
  readonly sources: number;
  readonly targets: number;
  readonly factors: Parts<number>;
}

/** The elements of a value that belong to the field. */
export interface FieldValue {
  readonly value: ValueNumber;
  readonly elements: Int32Array;
  /** Where the coefficients on the value and on the difference stand. */
  v: number;
  w: number;
  /** What an affine step adds: pairs of offsets and noise, of the value and of the difference. */
  charges: { readonly value: number; readonly difference: number } | undefined;
  /** Relaxations of an elementwise step. */
  records: number | undefined;
  terms: readonly FieldTerm[];
  /** The elementwise step behind, where coefficients stay in its place; elsewhere they begin with zeros. */
  readonly behind: FieldValue | undefined;
}

/** A field that is laid out in a workspace. */
export interface Field {
  /** From the target to the input, without those that nothing depends on. */
  readonly values: readonly FieldValue[];
  /** The address of pairs of middles and half widths; `undefined` where the input takes no part. */
  readonly input: number | undefined;
  /** Where lists of the tiles begin: weights of rows, weights of products, elements of products. */
  readonly lists: number;
}

/** What is known of one box. */
export interface FieldFacts {
  /** Whether coefficients pass through an element of an elementwise step; the same array for the same step. */
  alive(value: ValueNumber): Uint8Array;
  /** [size × {@linkcode RECORD}] of an elementwise step. */
  records(value: ValueNumber): Float64Array;
  /** Pairs [2 × size] of an affine step; `undefined` where a relaxation has them. */
  charges(
    value: ValueNumber,
  ): { readonly value: Float64Array; readonly difference: Float64Array } | undefined;
  /** Pairs [2 × inputs] of middles and half widths. */
  readonly input: Float64Array;
}

/** Makes fields in one network. */
export class FieldBuilder {
  readonly #network: PairedNetwork;
  readonly #layout: Layout;
  readonly #workspace: Workspace;
  /** Elements that are reached, by value. */
  readonly #marks: readonly Uint8Array[];
  /** One more than the place of each element in the list of its value, 0 where it is in none. */
  #places: Int32Array[];
  readonly #lists = new List(Int32Array);
  readonly #factors = new List(Float64Array);

  constructor(network: PairedNetwork, layout: Layout, workspace: Workspace) {
    this.#network = network;
    this.#layout = layout;
    this.#workspace = workspace;
    const sizes = Array.from({ length: network.steps.length + 1 }, (_, at) => sizeOf(network, at));
    this.#marks = sizes.map((size) => new Uint8Array(size));
    this.#places = sizes.map((size) => new Int32Array(size));
  }

  /** The field of elements of a target, which is at the end of the workspace. */
  build(target: ValueNumber, elements: Int32Array, facts: FieldFacts, isPair: boolean): Field {
    const own = this.#places.slice();
    const values = this.#collect(target, elements, facts);
    this.#lists.clear();
    this.#factors.clear();
    const numbered = new Map(values.map((each) => [each.value, each]));
    const terms = values.map((each) => this.#terms(each, numbered));
    for (const { value, elements } of values) {
      const places = this.#places[value]!;
      for (let at = 0; at < elements.length; at++) places[elements[at]!] = 0;
    }
    this.#places = own;
    const workspace = this.#workspace;
    const lists = workspace.take(4 * this.#lists.length);
    workspace.integers.set(this.#lists.items, lists / 4);
    const factors = workspace.take(8 * this.#factors.length);
    workspace.numbers.set(this.#factors.items, factors / 8);
    values.forEach((each, at) => {
      this.#place(each, facts, isPair, each.value === target);
      each.terms = terms[at]!.map((term) => ({
        ...term,
        sources: lists + 4 * term.sources,
        targets: lists + 4 * term.targets,
        factors: mapped(term.factors, (at) => factors + 8 * at),
      }));
    });
    const last = values.at(-1)!;
    const input = last.value === 0 ? this.#pairs(facts.input, last.elements) : undefined;
    return { values, input, lists };
  }

  /** Elements of all values that others depend on, in the order in which coefficients reach them. */
  #collect(target: ValueNumber, elements: Int32Array, facts: FieldFacts): FieldValue[] {
    const values: FieldValue[] = [];
    /** Values that have coefficients in the place of the elementwise step behind them. */
    const shared = new Map<ValueNumber, FieldValue>();
    for (let value = target; value >= 0; value--) {
      const step = value === 0 ? undefined : this.#network.steps[value - 1]!;
      const behind = shared.get(value);
      const isElementwise = step !== undefined && step.kind !== "affine";
      const list = value === target
        ? elements
        : behind?.elements ?? this.#list(value, isElementwise ? facts.alive(value) : undefined);
      if (list.length === 0) continue;
      if (behind !== undefined) this.#places[value] = this.#places[behind.value]!;
      else for (let at = 0; at < list.length; at++) this.#places[value]![list[at]!] = at + 1;
      const made: FieldValue = {
        value,
        elements: list,
        v: 0,
        w: 0,
        charges: undefined,
        records: undefined,
        terms: [],
        behind,
      };
      values.push(made);
      if (step === undefined) break;
      if (step.kind === "affine") {
        for (const term of this.#layout.terms[value]!) this.#mark(term, list);
      } else if (this.#layout.readers[step.input] === 1) shared.set(step.input, made);
      else for (let at = 0; at < list.length; at++) this.#marks[step.input]![list[at]!] = 1;
    }
    return values;
  }

  /** Marked elements, those of one place side by side; marks are gone then. */
  #list(value: ValueNumber, alive: Uint8Array | undefined): Int32Array {
    const marks = this.#marks[value]!;
    const places = this.#layout.places[value]!;
    const list = new Int32Array(marks.length);
    let count = 0;
    for (let place = 0; place < places; place++) {
      for (let at = place; at < marks.length; at += places) {
        if (marks[at] === 0) continue;
        marks[at] = 0;
        if (alive === undefined || alive[at] !== 0) list[count++] = at;
      }
    }
    return list.slice(0, count);
  }

  #mark(term: Term, list: Int32Array): void {
    const marks = this.#marks[term.input]!;
    if (term.kind === "moving") {
      const { sources } = term;
      for (let at = 0; at < list.length; at++) {
        const source = sources === undefined ? list[at]! : sources[list[at]!]!;
        if (source >= 0) marks[source] = 1;
      }
      return;
    }
    const { places, made, channels, begins, readers } = term.windows;
    const isMade = new Uint8Array(made);
    for (let at = 0; at < list.length; at++) isMade[list[at]! % made] = 1;
    for (let place = 0; place < places; place++) {
      let isReached = false;
      for (let at = begins[place]!; at < begins[place + 1]!; at++) {
        if (isMade[readers[at]!] !== 0) isReached = true;
      }
      if (!isReached) continue;
      for (let channel = 0; channel < channels; channel++) marks[channel * places + place] = 1;
    }
  }

  #terms(
    { value, elements }: FieldValue,
    values: ReadonlyMap<ValueNumber, FieldValue>,
  ): FieldTerm[] {
    if (value === 0) return [];
    const step = this.#network.steps[value - 1]!;
    if (step.kind !== "affine") {
      const input = values.get(step.input)!;
      if (input.behind !== undefined) return [];
      const factors = { original: "ones", quantized: "ones", difference: undefined } as const;
      return [
        this.#moving({ kind: "moving", input: 0, sources: undefined, factors }, elements, input),
      ];
    }
    return this.#layout.terms[value]!.flatMap((term) => {
      const input = values.get(term.input);
      if (input === undefined) return [];
      return [
        term.kind === "moving"
          ? this.#moving(term, elements, input)
          : this.#weighted(term, value, input),
      ];
    });
  }

  #moving({ sources, factors }: MovingTerm, elements: Int32Array, input: FieldValue): FieldTerm {
    const places = this.#places[input.value]!;
    const [from, to] = [[] as number[], [] as number[]];
    for (let at = 0; at < elements.length; at++) {
      const source = sources === undefined ? elements[at]! : sources[elements[at]!]!;
      const place = source < 0 ? 0 : places[source]!;
      if (place === 0) continue;
      from.push(at);
      to.push(place - 1);
    }
    const lists = this.#lists;
    const begin = lists.length;
    for (const at of from) lists.push(BLOCK * at);
    for (const at of to) lists.push(BLOCK * at);
    return {
      input,
      tiles: new Int32Array(0),
      weights: NONE,
      count: from.length,
      sources: begin,
      targets: begin + from.length,
      factors: mapped(factors, (each) => {
        const start = this.#factors.length;
        for (const at of from) this.#factors.push(each === "ones" ? 1 : each[elements[at]!]!);
        return start;
      }),
    };
  }

  #weighted({ windows, weights }: WeightedTerm, value: ValueNumber, input: FieldValue): FieldTerm {
    const { channels, outputs, groups, places, made, begins, taps, readers } = windows;
    const [inGroup, outGroup] = [channels / groups, outputs / groups];
    const pitch = 8 * (inGroup + 1);
    const own = this.#places[value]!;
    const lists = this.#lists;
    const tiles: number[] = [];
    const { elements } = input;
    const products: number[] = [];
    for (let at = 0; at < elements.length;) {
      const place = elements[at]! % places;
      const group = Math.floor(Math.floor(elements[at]! / places) / inGroup);
      const first = at;
      const rows = lists.length;
      for (; at < elements.length && elements[at]! % places === place; at++) {
        const channel = Math.floor(elements[at]! / places);
        if (Math.floor(channel / inGroup) !== group) break;
        lists.push(8 * (channel - group * inGroup));
      }
      while ((lists.length - rows) % COMBINED !== 0) lists.push(8 * inGroup);
      const count = lists.length - rows;
      products.length = 0;
      const begin = lists.length;
      for (let tap = begins[place]!; tap < begins[place + 1]!; tap++) {
        const reader = readers[tap]!;
        for (let output = group * outGroup; output < (group + 1) * outGroup; output++) {
          const source = own[output * made + reader]!;
          if (source === 0) continue;
          lists.push(pitch * (taps[tap]! * outputs + output));
          products.push(BLOCK * (source - 1));
        }
      }
      if (products.length > 0) tiles.push(first, count, rows, products.length, begin);
      for (const source of products) lists.push(source);
    }
    return {
      input,
      tiles: Int32Array.from(tiles),
      weights,
      count: 0,
      sources: 0,
      targets: 0,
      factors: NONE,
    };
  }

  /** Gives a value its place in the workspace. */
  #place(each: FieldValue, facts: FieldFacts, isPair: boolean, isTarget: boolean): void {
    const { value, elements } = each;
    const workspace = this.#workspace;
    // Rows that fill tiles up are added to, by nothing.
    const bytes = BLOCK * (elements.length + COMBINED - 1);
    each.v = each.behind?.v ?? workspace.take(bytes);
    each.w = each.behind?.w ?? (isPair ? workspace.take(bytes) : 0);
    if (value === 0) return;
    if (this.#network.steps[value - 1]!.kind === "affine") {
      const charges = isTarget ? undefined : facts.charges(value);
      each.charges = charges && {
        value: this.#pairs(charges.value, elements),
        difference: isPair ? this.#pairs(charges.difference, elements) : 0,
      };
      return;
    }
    each.records = workspace.take(8 * RECORD * elements.length);
    const records = facts.records(value);
    const { numbers } = workspace;
    let to = each.records / 8;
    for (let at = 0; at < elements.length; at++) {
      let from = RECORD * elements[at]!;
      for (const end = from + RECORD; from < end;) numbers[to++] = records[from++]!;
    }
  }

  #pairs(pairs: Float64Array, elements: Int32Array): number {
    const address = this.#workspace.take(16 * elements.length);
    const { numbers } = this.#workspace;
    let to = address / 8;
    for (let at = 0; at < elements.length; at++) {
      numbers[to++] = pairs[2 * elements[at]!]!;
      numbers[to++] = pairs[2 * elements[at]! + 1]!;
    }
    return address;
  }
}

const NONE = { original: undefined, quantized: undefined, difference: undefined };

function mapped<A, B>(parts: Parts<A>, make: (part: A) => B): Parts<B> {
  const of = (part: Part) => {
    const given = parts[part];
    return given === undefined ? undefined : make(given);
  };
  return {
    original: of("original"),
    quantized: of("quantized"),
    difference: of("difference"),
  };
}
