/**
 * What is left of two networks on one box: relaxed neurons as functions of the input and of each other, in one table.
 *
 * @module
 */

import type { CondensedBox } from "./bounder.ts";

/**
 * Relaxed neurons in the order of their layers: with a = relu(z), b = relu(z − e) and g = a − b,
 *
 *     zᵢ = Pᵢ·x + Σⱼ Mᵢⱼ·aⱼ + cᵢ,  eᵢ = Qᵢ·x + Σⱼ (Nᵢⱼ·aⱼ + Kᵢⱼ·gⱼ) + dᵢ,
 *
 * up to noise.
 */
export interface Reduced {
  readonly count: number;
  /** Where each layer begins, and the end of the last. */
  readonly starts: readonly number[];
  readonly inputs: number;
  /** What sums over all neurons and inputs are charged for their roundings, as a multiple of magnitudes. */
  readonly unit: number;
  /** [inputs] each: the box, wider by what roundings at the input cost. */
  readonly center: Float64Array;
  readonly half: Float64Array;
  /** [count × 6]: lower and upper bounds of z, y and e. */
  readonly bounds: Float64Array;
  /** [count × 2 × inputs]: P and Q. */
  readonly onInput: Float64Array;
  /** [count × count × 3]: M, N and K. */
  readonly onNeurons: Float64Array;
  /** [count × 4]: c and the noise of z, d and the noise of e. */
  readonly constants: Float64Array;
}

/** sign·e of an output, or less: Σⱼ (vⱼ·aⱼ + wⱼ·gⱼ) + p·x + constant. */
export interface ReducedRow {
  /** [count × 2]. */
  readonly onNeurons: Float64Array;
  readonly onInput: Float64Array;
  readonly constant: number;
  /** By how much the constant is less for noise. */
  readonly noise: number;
}

/** How many neurons of a box are relaxed. */
export function relaxedCount({ layers }: CondensedBox): number {
  return layers.reduce((sum, { relaxedCount }) => sum + relaxedCount, 0);
}

/** The table of a box. */
export function reducedOf(box: CondensedBox, unit: number): Reduced {
  const { symbols: { center, half, inputs }, layers, numbers } = box;
  const count = relaxedCount(box);
  const starts = [0];
  for (const { relaxedCount } of layers) starts.push(starts.at(-1)! + relaxedCount);
  const reduced: Reduced = {
    count,
    starts,
    inputs,
    unit,
    center: center.slice(0, inputs),
    half: half.slice(0, inputs),
    bounds: new Float64Array(6 * count),
    onInput: new Float64Array(2 * inputs * count),
    onNeurons: new Float64Array(3 * count * count),
    constants: new Float64Array(4 * count),
  };
  let index = 0;
  for (const [at, forms] of layers.entries()) {
    const { live, relaxed, relaxedCount, columns, noise } = forms;
    const { zLower, zUpper, yLower, yUpper, eLower, eUpper } = box.bounds[at]!;
    for (let which = 0; which < relaxedCount; which++) {
      const row = relaxed[which]!, neuron = live[row]!;
      const from = row * columns;
      const [z, a, g] = [forms.z / 8 + from, forms.a / 8 + from, forms.g / 8 + from];
      for (let input = 0, to = 2 * inputs * index; input < inputs; input++, to++) {
        reduced.onInput[to] = numbers[z + input]!;
        reduced.onInput[to + inputs] = numbers[a + input]!;
      }
      let to = 3 * index * count;
      for (let layer = 0; layer < at; layer++) {
        const { columns: start, relaxedCount: others } = layers[layer]!;
        for (let column = start; column < start + others; column++) {
          reduced.onNeurons[to++] = numbers[z + column]!;
          reduced.onNeurons[to++] = numbers[a + column]!;
          reduced.onNeurons[to++] = numbers[g + column]!;
        }
      }
      reduced.bounds.set([
        zLower[neuron]!,
        zUpper[neuron]!,
        yLower[neuron]!,
        yUpper[neuron]!,
        eLower[neuron]!,
        eUpper[neuron]!,
      ], 6 * index);
      reduced.constants.set([
        numbers[z + inputs]!,
        noise.z[row]!,
        numbers[a + inputs]!,
        noise.e[row]!,
      ], 4 * index);
      index++;
    }
  }
  return reduced;
}

/** A row of the output. */
export function reducedRow(
  { layers, output, numbers, symbols }: CondensedBox,
  count: number,
  index: number,
  sign: number,
): ReducedRow {
  const { columns, noise } = output;
  const [a, g] = [output.a, output.g].map((each) => each / 8 + index * columns) as [number, number];
  const { inputs } = symbols;
  const onNeurons = new Float64Array(2 * count);
  let to = 0;
  for (const { columns: start, relaxedCount } of layers) {
    for (let column = start; column < start + relaxedCount; column++) {
      onNeurons[to++] = sign * numbers[a + column]!;
      onNeurons[to++] = sign * numbers[g + column]!;
    }
  }
  return {
    onNeurons,
    onInput: numbers.slice(a, a + inputs).map((each) => sign * each),
    constant: sign * numbers[a + inputs]! - noise.e[index]!,
    noise: noise.e[index]!,
  };
}
