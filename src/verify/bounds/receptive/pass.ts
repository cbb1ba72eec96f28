/**
 * Backward passes over one receptive field, for as many rows at a time as there are lanes.
 *
 * @module
 */

import { LANES, LINES } from "../dense/kernels.ts";
import type { Workspace } from "../dense/workspace.ts";
import { BLOCK, type Field, type FieldTerm, type FieldValue, TILE } from "./field.ts";
import type { Part, Parts } from "./layout.ts";

/** Computes rows. */
export class FieldPass {
  readonly #workspace: Workspace;
  readonly #field: Field;
  readonly #view: "z" | "y" | "joint";
  readonly #constant: number;
  /** The choice says what it costs, which nobody asks for here. */
  readonly #gaps: number;

  /** Takes some of the workspace, behind the field. */
  constructor(workspace: Workspace, field: Field, view: "z" | "y" | "joint") {
    this.#workspace = workspace;
    this.#field = field;
    this.#view = view;
    const longest = field.values.reduce((most, { elements }) => Math.max(most, elements.length), 0);
    this.#constant = workspace.take(BLOCK);
    this.#gaps = workspace.take(view === "joint" ? 16 * longest : 0);
  }

  /** Makes everything zero. */
  begin(): void {
    const { numbers } = this.#workspace;
    numbers.fill(0, this.#constant / 8, this.#constant / 8 + LANES);
    for (const { v, w, elements, behind } of this.#field.values) {
      if (behind !== undefined) continue;
      const count = LANES * elements.length;
      numbers.fill(0, v / 8, v / 8 + count);
      if (this.#view === "joint") numbers.fill(0, w / 8, w / 8 + count);
    }
  }

  /** Makes a lane the row of an element of the target. */
  start(place: number, lane: number, sign: number): void {
    const { v, w } = this.#field.values[0]!;
    const from = this.#view === "joint" ? w : v;
    this.#workspace.numbers[from / 8 + LANES * place + lane] = sign;
  }

  /** Carries coefficients back to the input. */
  run(): void {
    const { kernels } = this.#workspace;
    const { values, input } = this.#field;
    const isPair = this.#view === "joint";
    for (const each of values) {
      const { v, w, charges, records, elements } = each;
      const count = elements.length;
      if (charges !== undefined) {
        kernels.charge(v, charges.value, 16, count, this.#constant);
        if (isPair) kernels.charge(w, charges.difference, 16, count, this.#constant);
      }
      if (records !== undefined) {
        if (this.#view === "joint") {
          kernels.joint(v, w, records, count, this.#constant, this.#gaps);
        } else kernels.relax(v, records + LINES[this.#view], count, this.#constant);
      }
      for (const term of each.terms) this.#through(each, term);
    }
    if (input === undefined) return;
    const last = values.at(-1)!;
    kernels.charge(last.v, input, 16, last.elements.length, this.#constant);
  }

  /** What the pass found for a lane. */
  bound(lane: number): number {
    return this.#workspace.numbers[this.#constant / 8 + lane]!;
  }

  #through(made: FieldValue, term: FieldTerm): void {
    const { input } = term;
    const go = term.count > 0 ? this.#move : this.#combine;
    if (this.#view !== "joint") {
      go.call(this, term, this.#view === "z" ? "original" : "quantized", made.v, input.v);
      return;
    }
    go.call(this, term, "original", made.v, input.v);
    go.call(this, term, "difference", made.w, input.v);
    // Both networks see the same input: there is no difference.
    if (input.value !== 0) go.call(this, term, "quantized", made.w, input.w);
  }

  #move({ count, sources, targets, factors }: FieldTerm, part: Part, from: number, to: number) {
    const own = factors[part];
    if (own === undefined) return;
    this.#workspace.kernels.spread(count, from, sources, to, targets, own);
  }

  #combine({ tiles, weights }: FieldTerm, part: keyof Parts<number>, from: number, to: number) {
    const matrix = weights[part];
    if (matrix === undefined) return;
    const { kernels } = this.#workspace;
    const { lists } = this.#field;
    for (let at = 0; at < tiles.length; at += TILE) {
      const inner = tiles[at + 3]!;
      const products = lists + 4 * tiles[at + 4]!;
      kernels.combine(
        matrix,
        lists + 4 * tiles[at + 2]!,
        tiles[at + 1]!,
        products,
        products + 4 * inner,
        inner,
        from,
        to + BLOCK * tiles[at]!,
        BLOCK,
        LANES,
        1,
      );
    }
  }
}
