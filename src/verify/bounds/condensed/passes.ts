/**
 * Rows of condensed networks: bounds of neurons, carried back from relaxed neurons to relaxed neurons.
 *
 * @module
 */

import { down } from "../batch.ts";
import { LANES, LINES } from "../dense/kernels.ts";
import type { LayerForms } from "./layer.ts";
import type { CondensedMemory } from "./memory.ts";
import type { Symbols } from "./symbols.ts";

/** What is bounded: z, y, or e by the joint choice. */
export type CondensedView = "z" | "y" | "e";

/** Rows of one layer's forms, each with a sign that is not 0. */
export interface CondensedRows {
  readonly row: Int32Array;
  readonly sign: Float64Array;
  /** How many of them count. */
  count: number;
  /** Bounds from below of `sign` times the neuron. */
  readonly bound: Float64Array;
  /** [rows × inputs]: coefficients on free inputs, for rows of outputs. */
  readonly onInput: Float64Array;
}

/**
 * Rows to be filled in.
 *
 * @param inputs Of the network, for rows of outputs.
 */
export function newRows(most: number, inputs = 0): CondensedRows {
  return {
    row: new Int32Array(most),
    sign: new Float64Array(most),
    count: 0,
    bound: new Float64Array(most),
    onInput: new Float64Array(most * inputs),
  };
}

const BLOCK = 8 * LANES;

/** Carries rows of one box back. */
export class Passes {
  readonly #memory: CondensedMemory;
  readonly #symbols: Symbols;
  readonly #layers: readonly LayerForms[];
  #v = 0;
  #w = 0;
  #constant = 0;
  #pairs = 0;

  constructor(memory: CondensedMemory, symbols: Symbols, layers: readonly LayerForms[]) {
    this.#memory = memory;
    this.#symbols = symbols;
    this.#layers = layers;
  }

  /**
   * Begins a box.
   *
   * @param columns That forms have at most.
   */
  use(columns: number): void {
    const { workspace } = this.#memory;
    const { inputs, center, half } = this.#symbols;
    this.#v = workspace.take(BLOCK * columns);
    this.#w = workspace.take(BLOCK * columns);
    this.#constant = workspace.take(BLOCK);
    this.#pairs = workspace.take(16 * Math.max(inputs, 1));
    for (let input = 0, at = this.#pairs / 8; input < inputs; input++) {
      workspace.numbers[at++] = center[input]!;
      workspace.numbers[at++] = half[input]!;
    }
  }

  /**
   * Bounds rows of a layer; those in front of it are relaxed.
   *
   * @param scores For e of outputs: where sizes of coefficients on inputs are added to, [inputs]. What relaxations cost is
   *   then in the layers' gaps.
   */
  bound(
    target: LayerForms,
    view: CondensedView,
    rows: CondensedRows,
    scores?: Float64Array,
  ): void {
    const { numbers, kernels } = this.#memory.workspace;
    const { inputs } = this.#symbols;
    const v = this.#v / 8, constant = this.#constant / 8;
    if (scores !== undefined) this.#clearGaps(target.layer);
    for (let from = 0; from < rows.count; from += LANES) {
      const lanes = Math.min(LANES, rows.count - from);
      this.#start(target, view, rows, from, lanes);
      if (view === "e") this.#carryPairs(target.layer);
      else this.#carryValues(target.layer, view);
      if (inputs > 0) kernels.charge(this.#v, this.#pairs, 16, inputs, this.#constant);
      for (let lane = 0; lane < lanes; lane++) {
        const bound = down(numbers[constant + lane]!) - TINY;
        rows.bound[from + lane] = Math.abs(bound) < HUGE ? bound : -Infinity;
      }
      if (scores === undefined) continue;
      for (let input = 0, at = v; input < inputs; input++) {
        for (let lane = 0; lane < LANES; lane++, at++) {
          scores[input]! += Math.abs(numbers[at]!);
          if (lane < lanes) rows.onInput[(from + lane) * scores.length + input] = numbers[at]!;
        }
      }
    }
  }

  #clearGaps(target: number): void {
    const { numbers } = this.#memory.workspace;
    for (let layer = 0; layer < target; layer++) {
      const { gaps, relaxedCount } = this.#layers[layer]!;
      numbers.fill(0, gaps / 8, gaps / 8 + 2 * relaxedCount);
    }
  }

  /** Writes rows of forms side by side. */
  #start(
    target: LayerForms,
    view: CondensedView,
    { row, sign }: CondensedRows,
    from: number,
    lanes: number,
  ): void {
    const { numbers } = this.#memory.workspace;
    const { columns } = target;
    const noise = target.noise[view];
    const first = (view === "z" ? target.z : view === "y" ? target.g : target.a) / 8;
    const second = target.g / 8;
    const { base, inputs } = this.#symbols;
    for (let lane = 0; lane < LANES; lane++) {
      const s = lane < lanes ? sign[from + lane]! : 0;
      const index = lane < lanes ? row[from + lane]! : 0;
      const at = first + index * columns;
      for (let column = 0, to = this.#v / 8 + lane; column < columns; column++, to += LANES) {
        numbers[to] = s * numbers[at + column]!;
      }
      const constant = s * numbers[at + inputs]!;
      numbers[this.#constant / 8 + lane] = s === 0 ? 0 : constant - noise[index]!;
      if (view !== "e") continue;
      const other = second + index * columns;
      let to = this.#w / 8 + LANES * base + lane;
      for (let column = base; column < columns; column++, to += LANES) {
        numbers[to] = s * numbers[other + column]!;
      }
    }
  }

  #carryPairs(target: number): void {
    const { kernels } = this.#memory.workspace;
    const { base } = this.#symbols;
    for (let layer = target - 1; layer >= 0; layer--) {
      const { columns, relaxedCount: count, records, offsets, gaps, z, a, g } = this
        .#layers[layer]!;
      if (count === 0) continue;
      const v = this.#v + BLOCK * columns, w = this.#w + BLOCK * columns;
      kernels.joint(v, w, records, count, this.#constant, gaps);
      kernels.multiply(v, offsets, z, this.#v, count, columns, 1);
      kernels.multiply(w, offsets, a, this.#v, count, columns, 1);
      if (columns === base) continue;
      const to = this.#w + BLOCK * base;
      kernels.multiply(w, offsets, g + 8 * base, to, count, columns - base, 1);
    }
  }

  #carryValues(target: number, view: "z" | "y"): void {
    const { kernels } = this.#memory.workspace;
    for (let layer = target - 1; layer >= 0; layer--) {
      const { columns, relaxedCount: count, records, offsets, z, g } = this.#layers[layer]!;
      if (count === 0) continue;
      const v = this.#v + BLOCK * columns;
      kernels.relax(v, records + LINES[view], count, this.#constant);
      kernels.multiply(v, offsets, view === "z" ? z : g, this.#v, count, columns, 1);
    }
  }
}

/** Larger than any sum of underflows in a pass whose numbers stay below {@linkcode HUGE}. */
const TINY = 1e-200;
const HUGE = 1e60;
