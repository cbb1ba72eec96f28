/**
 * Bounds of networks of few inputs, box by box, by condensed forms.
 *
 * On a small part of a domain most neurons are stable, so that what is relaxed is a small network of its own. Forms of
 * neurons in it are made once a box, layer by layer; every row then goes from relaxed neurons to relaxed neurons only.
 *
 * @module
 */

import type { PairedNetwork } from "../../network/network.ts";
import { affineFacts } from "../affine.ts";
import { close, emptyBounds, type ValueBounds } from "../batch.ts";
import { filledUp, isChain } from "../dense/chain.ts";
import { RECORD } from "../dense/kernels.ts";
import { newRelaxation, RELAXATION_FIELDS, relaxRelu } from "../relu.ts";
import { gamma, type Semantics } from "../roundoff.ts";
import { Composer } from "./compose.ts";
import { enclose } from "./enclose.ts";
import { type LayerForms, newForms, newSizes } from "./layer.ts";
import { CondensedMemory } from "./memory.ts";
import { type CondensedRows, type CondensedView, newRows, Passes } from "./passes.ts";
import { Symbols } from "./symbols.ts";

/** What is known of one box, until the next one takes its place. */
export interface CondensedBox {
  readonly symbols: Symbols;
  /** Layers that are relaxed. */
  readonly layers: readonly LayerForms[];
  /** Forms of the outputs. */
  readonly output: LayerForms;
  /** Of neurons, by layer. */
  readonly bounds: readonly ValueBounds[];
  /** Where forms stand. */
  readonly numbers: Float64Array;
}

/** One for all networks of a thread. */
let shared: CondensedMemory | undefined;

/** How much wider than those of z bounds of y are left as they are. */
const CLOSE = 1.002;

/** Whether a network can be condensed: matrices and Relu by turns. */
export function canCondense(network: PairedNetwork): boolean {
  return isChain(network) && network.steps.length % 2 === 1 &&
    network.steps.every(({ kind }, at) => kind === (at % 2 === 0 ? "affine" : "relu"));
}

/** Bounds boxes of one network. */
export class CondensedBounder {
  /** What forms, rows and relaxations are charged for roundings, as a multiple of magnitudes. */
  readonly unit: number;
  readonly #network: PairedNetwork;
  readonly #memory: CondensedMemory;
  /** The number of columns that forms can have. */
  readonly #columns: number;
  readonly #symbols: Symbols;
  readonly #composer: Composer;
  readonly #forms: readonly LayerForms[];
  readonly #passes: Passes;
  readonly #rows: CondensedRows;
  /** Of the relaxed neurons of a layer. */
  readonly #bounds: ValueBounds;
  readonly #relaxation: ReturnType<typeof newRelaxation>;
  readonly #fields: readonly Float64Array[];
  readonly #folded: Parameters<typeof relaxRelu>[3] & object;

  /** @throws {TypeError} If the network cannot be condensed. */
  constructor(network: PairedNetwork, semantics: Semantics) {
    if (!canCondense(network)) throw new TypeError("Network is not a chain of matrices and Relu");
    this.#network = network;
    this.#memory = shared ??= new CondensedMemory();
    const steps = network.steps.filter((step) => step.kind === "affine");
    const sizes = steps.map(({ size }) => size);
    const neurons = sizes.reduce((sum, size) => sum + filledUp(size), 0);
    this.#columns = filledUp(network.input.size + 1) + neurons;
    // Sums over all inputs and neurons, times four for second-order terms.
    this.unit = 4 * gamma(this.#columns + 8 * network.steps.length + 128, 2 ** -53);
    this.#symbols = new Symbols(network.input.size, this.#columns, this.unit);
    const facts = steps.map((step) => affineFacts(step, semantics));
    this.#composer = new Composer(this.#memory, this.#symbols, sizes, facts, this.unit);
    this.#forms = sizes.map((size, layer) =>
      newForms(layer, size, semantics === "real" ? undefined : neurons)
    );
    this.#passes = new Passes(this.#memory, this.#symbols, this.#forms);
    const most = Math.max(...sizes);
    this.#rows = newRows(2 * most);
    this.#bounds = emptyBounds(most);
    this.#relaxation = newRelaxation(most);
    this.#fields = RELAXATION_FIELDS.map((field) => this.#relaxation[field]);
    this.#folded = { ...newSizes(most), noise: newSizes(most) };
  }

  /**
   * Bounds the neurons of one box.
   *
   * @param known Bounds that hold there, by layer; they are narrowed in place.
   * @param isKnown Whether they say anything.
   * @param differences Whether differences get rows of their own.
   */
  bound(
    lower: Float64Array,
    upper: Float64Array,
    known: readonly ValueBounds[],
    isKnown: boolean,
    differences: boolean,
  ): CondensedBox {
    const memory = this.#memory;
    memory.use(this.#network);
    const symbols = this.#symbols;
    symbols.use(lower, upper);
    this.#passes.use(this.#columns);
    for (let layer = 0; layer < known.length; layer++) {
      const forms = this.#forms[layer]!, bounds = known[layer]!;
      findLive(forms, bounds, isKnown);
      this.#compose(forms, known);
      enclose(memory, forms, symbols, bounds, isKnown);
      if (layer > 0) {
        this.#narrow(forms, "z", bounds, false);
        if (differences) {
          this.#narrow(forms, "e", bounds, false);
          close(bounds);
        }
        this.#narrow(forms, "y", bounds, differences);
        close(bounds);
      }
      this.#relax(forms, bounds);
    }
    const output = this.#forms[known.length]!;
    findLive(output, undefined, false);
    this.#compose(output, known);
    const { numbers } = memory.workspace;
    return { symbols, layers: this.#forms.slice(0, -1), output, bounds: known, numbers };
  }

  /**
   * Bounds rows of the outputs' e = f − f′ on the box that was bounded last.
   *
   * @param scores See {@linkcode Passes.bound}.
   */
  boundOutputs(rows: CondensedRows, scores: Float64Array): void {
    this.#passes.bound(this.#forms.at(-1)!, "e", rows, scores);
  }

  #compose(forms: LayerForms, known: readonly ValueBounds[]): void {
    const { layer } = forms;
    if (layer === 0) this.#composer.first(forms);
    else this.#composer.next(this.#forms[layer - 1]!, known[layer - 1]!, forms);
  }

  /** Narrows the bounds of neurons that are unstable by rows of their own. */
  #narrow(
    forms: LayerForms,
    view: CondensedView,
    bounds: ValueBounds,
    isKnownByDifference: boolean,
  ): void {
    const { zLower, zUpper, yLower, yUpper } = bounds;
    const { live } = forms;
    const rows = this.#rows;
    const [lower, upper] = [bounds[`${view}Lower`], bounds[`${view}Upper`]];
    rows.count = 0;
    for (let row = 0; row < forms.count; row++) {
      const neuron = live[row]!;
      let isWanted = lower[neuron]! < 0 && upper[neuron]! > 0;
      if (view === "e") {
        // The difference of two rectified values is exact where both are on the same side.
        isWanted = (zLower[neuron]! < 0 || yLower[neuron]! < 0) &&
          (zUpper[neuron]! > 0 || yUpper[neuron]! > 0);
      } else if (isKnownByDifference && isWanted) {
        // z − e says enough where both networks are close.
        isWanted = yUpper[neuron]! - yLower[neuron]! > CLOSE * (zUpper[neuron]! - zLower[neuron]!);
      }
      if (!isWanted) continue;
      rows.row[rows.count] = row;
      rows.sign[rows.count++] = 1;
      rows.row[rows.count] = row;
      rows.sign[rows.count++] = -1;
    }
    this.#passes.bound(forms, view, rows);
    for (let at = 0; at < rows.count; at += 2) {
      const neuron = live[rows.row[at]!]!;
      lower[neuron] = Math.max(lower[neuron]!, rows.bound[at]!);
      upper[neuron] = Math.min(upper[neuron]!, -rows.bound[at + 1]!);
    }
  }

  /** Relaxes a layer. */
  #relax(forms: LayerForms, bounds: ValueBounds): void {
    const { live, columns, noise, relaxed, passed } = forms;
    const { zLower, zUpper, yLower, yUpper, eLower, eUpper } = bounds;
    let count = 0, others = 0;
    for (let row = 0; row < forms.count; row++) {
      const neuron = live[row]!;
      if (zUpper[neuron]! <= 0 && yUpper[neuron]! <= 0) continue;
      if (zLower[neuron]! >= 0 && yLower[neuron]! >= 0) passed[others++] = row;
      else relaxed[count++] = row;
    }
    forms.relaxedCount = count;
    forms.passedCount = others;
    const { workspace } = this.#memory;
    forms.offsets = workspace.take(4 * count);
    forms.records = workspace.take(8 * RECORD * count);
    forms.gaps = workspace.take(16 * count);
    const { numbers, integers } = workspace;
    const own = this.#bounds, { z, y, e, noise: slack } = this.#folded;
    for (let at = 0; at < count; at++) {
      const row = relaxed[at]!, neuron = live[row]!;
      integers[forms.offsets / 4 + at] = 8 * columns * row;
      this.#symbols.set(columns + at, bounds, neuron);
      own.zLower[at] = zLower[neuron]!;
      own.zUpper[at] = zUpper[neuron]!;
      own.yLower[at] = yLower[neuron]!;
      own.yUpper[at] = yUpper[neuron]!;
      own.eLower[at] = eLower[neuron]!;
      own.eUpper[at] = eUpper[neuron]!;
      const constant = row * columns + this.#symbols.inputs;
      z[at] = numbers[forms.z / 8 + constant]!;
      y[at] = numbers[forms.g / 8 + constant]!;
      e[at] = numbers[forms.a / 8 + constant]!;
      slack.z[at] = noise.z[row]!;
      slack.y[at] = noise.y[row]!;
      slack.e[at] = noise.e[row]!;
    }
    this.#symbols.clear(columns + count, columns + filledUp(count));
    const length = own.zLower.length;
    // Facets take a tenth longer, and save no splits.
    relaxRelu(own, length, this.unit, this.#folded, this.#relaxation, count, "simple");
    for (let field = 0; field < RECORD; field++) {
      const from = this.#fields[field]!;
      for (let at = 0, to = forms.records / 8 + field; at < count; at++, to += RECORD) {
        numbers[to] = from[at]!;
      }
    }
  }
}

/** Finds the neurons that are not known to be off in both networks. */
function findLive(forms: LayerForms, bounds: ValueBounds | undefined, isKnown: boolean): void {
  const { live } = forms;
  let count = 0;
  for (let at = 0; at < live.length; at++) {
    // What is not a number must not be taken for nothing.
    const isOff = bounds !== undefined && isKnown && bounds.zUpper[at]! <= 0 &&
      bounds.yUpper[at]! <= 0;
    if (!isOff) live[count++] = at;
  }
  forms.count = count;
}
