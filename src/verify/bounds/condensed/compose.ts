/**
 * Forms of a layer, from those of the layer in front.
 *
 * @module
 */

import { type AffineFacts, affineNoise } from "../affine.ts";
import type { ValueBounds } from "../batch.ts";
import { filledUp, type Part } from "../dense/chain.ts";
import { COMBINED } from "../dense/combine.ts";
import { LANES } from "../dense/kernels.ts";
import { type LayerForms, type Matrices, newSizes, type Sizes } from "./layer.ts";
import type { CondensedMemory } from "./memory.ts";
import type { Symbols } from "./symbols.ts";

const BLOCK = 8 * LANES;

/** Makes the forms of one network's layers. */
export class Composer {
  readonly #memory: CondensedMemory;
  readonly #symbols: Symbols;
  readonly #facts: readonly AffineFacts[];
  readonly #unit: number;
  /** By layer and neuron: what sums of magnitudes are, the noise of the layer itself, and what it is given. */
  readonly #magnitudes: readonly Sizes[];
  readonly #own: readonly Sizes[];
  readonly #carried: readonly Sizes[];

  /**
   * @param sizes Of layers.
   * @param facts By layer.
   * @param unit What roundings are charged, as a multiple of magnitudes.
   */
  constructor(
    memory: CondensedMemory,
    symbols: Symbols,
    sizes: readonly number[],
    facts: readonly AffineFacts[],
    unit: number,
  ) {
    this.#memory = memory;
    this.#symbols = symbols;
    this.#facts = facts;
    this.#unit = unit;
    [this.#magnitudes, this.#own, this.#carried] = [0, 1, 2].map(() => sizes.map(newSizes)) as [
      Sizes[],
      Sizes[],
      Sizes[],
    ];
  }

  /** Makes forms of the first layer's live neurons. */
  first(forms: LayerForms): void {
    const { workspace, layers } = this.#memory;
    const { weights, columns: inputs } = layers[0]!;
    const { base, free, inputs: count, fixed, fixedCount, lower, upper } = this.#symbols;
    this.#take(forms, forms.count, base);
    const { numbers } = workspace;
    const fill = (to: number, matrix: Float64Array | undefined) => {
      numbers.fill(0, to / 8, to / 8 + forms.count * base);
      if (matrix === undefined) return;
      for (let row = 0, at = to / 8; row < forms.count; row++, at += base) {
        const from = forms.live[row]! * inputs;
        for (let index = 0; index < count; index++) {
          numbers[at + index] = matrix[from + free[index]!]!;
        }
        let sum = 0;
        for (let index = 0; index < fixedCount; index++) {
          sum += matrix[from + fixed[index]!]! * lower[fixed[index]!]!;
        }
        numbers[at + count] = sum;
      }
    };
    fill(forms.z, weights.original);
    fill(forms.a, weights.difference);
    fill(forms.g, weights.quantized);
    if (forms.noisy !== undefined) forms.noisy.columns = 0;
    const { mark } = workspace;
    const blocks = this.#givenBlocks(inputs);
    const { numbers: given } = workspace;
    given.fill(0, blocks / 8, blocks / 8 + 2 * LANES * inputs);
    for (let input = 0; input < inputs; input++) {
      const most = Math.max(-lower[input]!, upper[input]!, 0);
      const to = blocks / 8 + LANES * input;
      given[to] = given[to + LANES * inputs] = most;
    }
    this.#carry(0, blocks, inputs, undefined);
    workspace.release(mark);
    this.#finish(forms);
  }

  /**
   * Makes forms of live neurons behind a layer that was relaxed.
   *
   * @param bounds Of the neurons in front.
   */
  next(before: LayerForms, { zUpper, yUpper, eLower, eUpper }: ValueBounds, forms: LayerForms) {
    const { workspace } = this.#memory;
    const { layer } = forms;
    this.#compose(before, before, before.relaxed, before.relaxedCount, forms, forms);
    if (forms.noisy !== undefined && before.noisy !== undefined) {
      const { passed, passedCount, own, noisy: { columns, sizes } } = before;
      this.#compose(before, before.noisy, passed, passedCount, forms, forms.noisy);
      for (const view of ["z", "y", "e"] as const) {
        const to = forms.noisy.sizes[view];
        to.set(sizes[view].subarray(0, columns));
        to.fill(0, columns, forms.noisy.columns);
        for (let at = 0; at < passedCount; at++) to[columns + at] = own[view][passed[at]!]!;
      }
    }
    const { mark } = workspace;
    const blocks = this.#givenBlocks(before.count);
    const { numbers } = workspace;
    const { live, relaxed, relaxedCount, passed, passedCount, rest } = before;
    numbers.fill(0, blocks / 8, blocks / 8 + 2 * LANES * before.count);
    for (let at = 0; at < relaxedCount + passedCount; at++) {
      const row = at < relaxedCount ? relaxed[at]! : passed[at - relaxedCount]!;
      const neuron = live[row]!;
      const to = blocks / 8 + LANES * row, other = to + LANES * before.count;
      numbers[to] = Math.max(zUpper[neuron]!, 0);
      numbers[other] = Math.max(yUpper[neuron]!, 0);
      numbers[other + 2] = Math.max(-eLower[neuron]!, eUpper[neuron]!, 0);
      if (at < relaxedCount) continue;
      numbers[to + 1] = rest.z[row]!;
      numbers[other + 1] = rest.y[row]!;
      numbers[other + 3] = rest.e[row]!;
    }
    this.#carry(layer, blocks, before.count, live);
    workspace.release(mark);
    this.#finish(forms);
  }

  /**
   * Room for what a layer is given: a block for every neuron in front, with the largest h and what its form is off by, and
   * behind them one each with the largest h′ and what its form is off by, the largest h − h′ and what its form is off by.
   */
  #givenBlocks(count: number): number {
    return this.#memory.workspace.take(2 * BLOCK * Math.max(count, 1));
  }

  /** What a layer is given reaches each of its neurons, by magnitudes of weights; with that, its noise. */
  #carry(layer: number, blocks: number, count: number, neurons: Int32Array | undefined): void {
    const { workspace, placed, layers } = this.#memory;
    const { rows: size } = layers[layer]!;
    const length = filledUp(size);
    const offsets = workspace.take(4 * Math.max(count, 1));
    const made = workspace.take(3 * BLOCK * length);
    const { numbers, integers, kernels } = workspace;
    for (let at = 0; at < count; at++) {
      integers[offsets / 4 + at] = 8 * length * (neurons === undefined ? at : neurons[at]!);
    }
    const { original, quantized, difference } = placed[layer]!.magnitudes;
    const [ofZ, ofY, ofE] = [made, made + BLOCK * length, made + 2 * BLOCK * length];
    const multiply = (block: number, matrix: number | undefined, to: number) => {
      if (matrix === undefined || count === 0) {
        numbers.fill(0, to / 8, to / 8 + LANES * length);
      } else kernels.multiply(block, offsets, matrix, to, count, length, 0);
    };
    multiply(blocks, original, ofZ);
    multiply(blocks + BLOCK * count, quantized, ofY);
    multiply(blocks, difference, ofE);
    const magnitudes = this.#magnitudes[layer]!, carried = this.#carried[layer]!;
    for (let at = 0; at < size; at++) {
      const z = ofZ / 8 + LANES * at, y = ofY / 8 + LANES * at, e = ofE / 8 + LANES * at;
      magnitudes.z[at] = numbers[z]!;
      magnitudes.y[at] = numbers[y]!;
      magnitudes.e[at] = numbers[y + 2]! + numbers[e]!;
      carried.z[at] = numbers[z + 1]!;
      carried.y[at] = numbers[y + 1]!;
      carried.e[at] = numbers[y + 3]! + numbers[e + 1]!;
    }
    affineNoise(magnitudes, size, this.#facts[layer]!, this.#unit, this.#own[layer]!);
  }

  /** Adds offsets, and says what the forms are off by. */
  #finish(forms: LayerForms): void {
    const { numbers } = this.#memory.workspace;
    const symbols = this.#symbols;
    const { layer, live, count, columns, noise, own, rest, noisy } = forms;
    const { offsets } = this.#facts[layer]!;
    const made = this.#own[layer]!, carried = this.#carried[layer]!;
    const unit = this.#unit;
    const ofA = symbols.a, ofB = symbols.b, ofG = symbols.g;
    let zFrom = forms.z / 8, aFrom = forms.a / 8, gFrom = forms.g / 8;
    for (let row = 0; row < count; row++) {
      const neuron = live[row]!;
      numbers[zFrom + symbols.inputs]! += offsets.z[neuron]!;
      numbers[aFrom + symbols.inputs]! += offsets.e[neuron]!;
      numbers[gFrom + symbols.inputs]! += offsets.y[neuron]!;
      let z = 0, y = 0, e = 0;
      for (let column = 0; column < columns; column++) {
        const a = ofA[column]!, g = Math.abs(numbers[gFrom + column]!);
        z += Math.abs(numbers[zFrom + column]!) * a;
        e += Math.abs(numbers[aFrom + column]!) * a + g * ofG[column]!;
        y += g * ofB[column]!;
      }
      let zNoise = 0, yNoise = 0, eNoise = 0;
      if (noisy !== undefined) {
        const { sizes } = noisy;
        for (let column = 0, at = row * noisy.columns; column < noisy.columns; column++, at++) {
          const size = sizes.z[column]!, g = Math.abs(numbers[noisy.g / 8 + at]!);
          zNoise += Math.abs(numbers[noisy.z / 8 + at]!) * size;
          yNoise += g * sizes.y[column]!;
          eNoise += g * sizes.e[column]! + Math.abs(numbers[noisy.a / 8 + at]!) * size;
        }
        own.z[row] = made.z[neuron]!;
        own.y[row] = made.y[neuron]!;
        own.e[row] = made.e[neuron]!;
        rest.z[row] = carried.z[neuron]! + unit * (z + zNoise);
        rest.y[row] = carried.y[neuron]! + unit * (y + yNoise);
        rest.e[row] = carried.e[neuron]! + unit * (e + eNoise);
      }
      noise.z[row] = carried.z[neuron]! + unit * (z + zNoise) + zNoise + made.z[neuron]!;
      noise.y[row] = carried.y[neuron]! + unit * (y + yNoise) + yNoise + made.y[neuron]!;
      noise.e[row] = carried.e[neuron]! + unit * (e + eNoise) + eNoise + made.e[neuron]!;
      zFrom += columns;
      aFrom += columns;
      gFrom += columns;
    }
  }

  /**
   * Rows behind a layer: those of neurons that are passed on, combined by weights, and new columns of weights for others.
   *
   * @param given The rows in front.
   * @param fresh Rows in front that get columns.
   * @param forms Whose live neurons get rows.
   */
  #compose(
    { live: neurons, passed, passedCount }: LayerForms,
    given: Matrices,
    fresh: Int32Array,
    freshCount: number,
    { layer, live, count }: LayerForms,
    made: Matrices,
  ): void {
    const { workspace, layers, placed } = this.#memory;
    const { weights, columns: inputs } = layers[layer]!;
    const columns = given.columns + filledUp(freshCount);
    const filled = filledRows(count);
    this.#take(made, count, columns);
    const rows = workspace.take(4 * filled);
    const places = workspace.take(4 * passedCount);
    const sources = workspace.take(4 * passedCount);
    const { numbers, integers, kernels } = workspace;
    for (let row = 0; row < filled; row++) {
      integers[rows / 4 + row] = 8 * inputs * live[Math.min(row, count - 1)]!;
    }
    for (let at = 0; at < passedCount; at++) {
      integers[places / 4 + at] = 8 * neurons[passed[at]!]!;
      integers[sources / 4 + at] = 8 * given.columns * passed[at]!;
    }
    const isAny = count > 0 && passedCount > 0 && given.columns > 0;
    const { original, quantized, difference } = placed[layer]!.weights;
    const combine = (matrix: number, from: number, to: number, isAdded: 0 | 1) =>
      kernels.combine(
        matrix,
        rows,
        filled,
        places,
        sources,
        passedCount,
        from,
        to,
        8 * columns,
        given.columns,
        isAdded,
      );
    if (isAny) {
      combine(original!, given.z, made.z, 0);
      combine(quantized!, given.a, made.a, 0);
      combine(quantized!, given.g, made.g, 0);
      if (difference !== undefined) combine(difference, given.z, made.a, 1);
    }
    const start = isAny ? given.columns : 0;
    const fill = (to: number, part: Part) => {
      const matrix = weights[part];
      for (let row = 0, at = to / 8; row < count; row++, at += columns) {
        const from = live[row]! * inputs;
        for (let column = start; column < columns; column++) numbers[at + column] = 0;
        if (matrix === undefined) continue;
        for (let index = 0, to = at + given.columns; index < freshCount; index++) {
          numbers[to + index] = matrix[from + neurons[fresh[index]!]!]!;
        }
      }
    };
    fill(made.z, "original");
    fill(made.a, "difference");
    fill(made.g, "quantized");
  }

  #take(made: Matrices, count: number, columns: number): void {
    const { workspace } = this.#memory;
    const bytes = 8 * filledRows(count) * columns;
    made.z = workspace.take(bytes);
    made.a = workspace.take(bytes);
    made.g = workspace.take(bytes);
    made.columns = columns;
  }
}

function filledRows(rows: number): number {
  return Math.ceil(rows / COMBINED) * COMBINED;
}
