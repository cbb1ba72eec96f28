/**
 * Relaxed neurons as functions of the input alone, where signs of neurons are known.
 *
 * @module
 */

import type { Reduced, ReducedRow } from "./reduced.ts";
import { closeSix } from "./relaxed.ts";

/** What is known of a part of the box. Of a neuron that has a sign yet, all but bounds. */
export interface RegionFacts {
  /** [count × 6]: lower and upper bounds of z, y and e. */
  readonly bounds: Float64Array;
  /** [count]: 1 where g is taken for e, 0 where it is taken for 0, −1 where that is open. */
  readonly signs: Int8Array;
  /** [count]: z is at least `low` where the sign is 1, and at most `high` where it is 0. */
  readonly low: Float64Array;
  readonly high: Float64Array;
}

/** How much larger a difference may be than what the noise of forms was made for; that is taken four times. */
const LARGEST = 3.9;

/** Linear functions of the input with what they are off by at most: [count × (inputs + 1)], the constant last. */
interface Forms {
  readonly numbers: Float64Array;
  readonly noise: Float64Array;
  /** By neuron: the sum of magnitudes, and the noise. */
  readonly sizes: Float64Array;
}

/** Forms of one reduced network on one region after another. */
export class RegionForms {
  /** Of z. */
  readonly z: Forms;
  /** Of e. */
  readonly e: Forms;
  /** Of e with g as signs have it, which need not be what it is. */
  readonly taken: Forms;
  readonly #reduced: Reduced;
  /** [inputs]: by how much magnitudes are charged for each unit of a coefficient. */
  readonly #sizes: Float64Array;
  /** Twice the middle and twice the reach of hulls. */
  readonly #sums: Float64Array;
  readonly #widths: Float64Array;

  constructor(reduced: Reduced) {
    const { count, inputs, center, half } = reduced;
    const forms = (): Forms => ({
      numbers: new Float64Array(count * (inputs + 1)),
      noise: new Float64Array(count),
      sizes: new Float64Array(count),
    });
    this.#reduced = reduced;
    this.z = forms();
    this.e = forms();
    this.taken = forms();
    this.#sizes = center.map((middle, input) => Math.abs(middle) + half[input]!);
    this.#sums = new Float64Array(inputs);
    this.#widths = new Float64Array(inputs);
  }

  /** Writes forms of a layer's neurons; all neurons in front have a sign. */
  compose(layer: number, { bounds, signs, low, high }: RegionFacts): void {
    const { starts, inputs, count, onInput, onNeurons, constants, unit } = this.#reduced;
    const width = inputs + 1, before = starts[layer]!;
    const z = this.z.numbers, e = this.e.numbers, taken = this.taken.numbers;
    for (let neuron = before; neuron < starts[layer + 1]!; neuron++) {
      const to = neuron * width, end = to + inputs;
      for (let input = 0, place = 2 * inputs * neuron; input < inputs; input++, place++) {
        z[to + input] = onInput[place]!;
        e[to + input] = taken[to + input] = onInput[place + inputs]!;
      }
      z[end] = constants[4 * neuron]!;
      e[end] = taken[end] = constants[4 * neuron + 2]!;
      let zNoise = constants[4 * neuron + 1]!, eNoise = constants[4 * neuron + 3]!;
      let takenNoise = 4 * eNoise;
      let zSize = this.#size(z, to), eSize = this.#size(e, to), takenSize = eSize;
      for (let other = 0, place = 3 * neuron * count; other < before; other++, place += 3) {
        const m = onNeurons[place]!, n = onNeurons[place + 1]!, k = onNeurons[place + 2]!;
        const sizeM = Math.abs(m), sizeN = Math.abs(n), sizeK = Math.abs(k);
        const isOn = signs[other] === 1, at = 6 * other;
        if (isOn) {
          for (let from = other * width, to = neuron * width; to <= end; from++, to++) {
            const value = z[from]!;
            z[to]! += m * value;
            e[to]! += n * value + k * e[from]!;
            taken[to]! += n * value + k * taken[from]!;
          }
          const noise = this.z.noise[other]!, size = this.z.sizes[other]!;
          zNoise += sizeM * noise;
          eNoise += sizeN * noise + sizeK * this.e.noise[other]!;
          takenNoise += sizeN * noise + sizeK * this.taken.noise[other]!;
          zSize += sizeM * size;
          eSize += sizeN * size + sizeK * this.e.sizes[other]!;
          takenSize += sizeN * size + sizeK * this.taken.sizes[other]!;
        }
        // a is z, or 0, and at most so much more.
        const rest = Math.max(isOn ? -bounds[at]! : bounds[at + 1]!, 0) / 2;
        if (rest > 0) {
          z[end]! += m * rest;
          e[end]! += n * rest;
          taken[end]! += n * rest;
          zNoise += sizeM * rest;
          eNoise += sizeN * rest;
          takenNoise += sizeN * rest;
          zSize += 2 * sizeM * rest;
          eSize += 2 * sizeN * rest;
          takenSize += 2 * sizeN * rest;
        }
        const isNear = isOn ? bounds[at]! < high[other]! : bounds[at + 1]! > low[other]!;
        if (isNear) {
          // g and e − g are between 0 and e.
          const least = Math.min(bounds[at + 4]!, 0), most = Math.max(bounds[at + 5]!, 0);
          e[end]! += (isOn ? -k : k) * (least + most) / 2;
          eNoise += sizeK * (most - least) / 2;
          eSize += sizeK * (most - least);
        }
      }
      this.#finish(this.z, neuron, zNoise + unit * (zSize + zNoise));
      this.#finish(this.e, neuron, eNoise + unit * (eSize + eNoise));
      this.#finish(this.taken, neuron, takenNoise + unit * (takenSize + takenNoise));
    }
  }

  /**
   * Narrows bounds of neurons whose forms are known by what forms are on a box.
   *
   * @param to How many neurons that is.
   * @param hull [inputs × 2]: the box, lower and upper.
   * @returns Whether there is anything left between them.
   */
  enclose(to: number, bounds: Float64Array, hull: Float64Array): boolean {
    const { inputs, unit } = this.#reduced;
    const z = this.z.numbers, e = this.e.numbers;
    this.#use(hull);
    const sums = this.#sums, widths = this.#widths;
    for (let neuron = 0, place = 0, at = 0; neuron < to; neuron++, place++, at += 6) {
      let zMiddle = 0, zReach = 0, eMiddle = 0, eReach = 0;
      for (let input = 0; input < inputs; input++, place++) {
        const p = z[place]!, q = e[place]!;
        zMiddle += p * sums[input]!;
        zReach += Math.abs(p) * widths[input]!;
        eMiddle += q * sums[input]!;
        eReach += Math.abs(q) * widths[input]!;
      }
      zMiddle = zMiddle / 2 + z[place]!;
      eMiddle = eMiddle / 2 + e[place]!;
      zReach = zReach / 2 + this.z.noise[neuron]! + unit * this.z.sizes[neuron]!;
      eReach = eReach / 2 + this.e.noise[neuron]! + unit * this.e.sizes[neuron]!;
      // Forms that are not finite say nothing.
      if (!Number.isFinite(zMiddle - zReach + (eMiddle - eReach))) continue;
      bounds[at] = Math.max(bounds[at]!, zMiddle - zReach);
      bounds[at + 1] = Math.min(bounds[at + 1]!, zMiddle + zReach);
      bounds[at + 4] = Math.max(bounds[at + 4]!, eMiddle - eReach);
      bounds[at + 5] = Math.min(bounds[at + 5]!, eMiddle + eReach);
      if (!closeSix(bounds, at)) return false;
    }
    return true;
  }

  /** Whether noise of forms is enough for what is taken for differences on a box, where all neurons have a sign. */
  isKnown(signs: Int8Array, hull: Float64Array): boolean {
    const { count, inputs, bounds } = this.#reduced;
    const { numbers, noise } = this.taken;
    this.#use(hull);
    for (let neuron = 0, at = 0; neuron < count; neuron++, at += 6) {
      if (signs[neuron] !== 1) continue;
      let middle = 0, reach = 0;
      let place = neuron * (inputs + 1);
      for (let input = 0; input < inputs; input++, place++) {
        middle += numbers[place]! * this.#sums[input]!;
        reach += Math.abs(numbers[place]!) * this.#widths[input]!;
      }
      const most = Math.abs(middle / 2 + numbers[place]!) + reach / 2 + noise[neuron]!;
      const a = Math.max(bounds[at + 1]!, 0), b = Math.max(bounds[at + 3]!, 0);
      const size = Math.max(Math.min(-bounds[at + 4]!, b), Math.min(bounds[at + 5]!, a));
      if (!(most <= LARGEST * size)) return false;
    }
    return true;
  }

  /**
   * Writes a row of the output with differences as signs have them, where all neurons have one.
   *
   * @param onInput Where coefficients go, [inputs].
   * @returns The constant, less what is not known.
   */
  row(row: ReducedRow, { signs, bounds }: RegionFacts, onInput: Float64Array): number {
    const { inputs, count, unit } = this.#reduced;
    const z = this.z.numbers, taken = this.taken.numbers;
    let constant = row.constant, noise = 3 * row.noise, size = Math.abs(row.constant);
    for (let input = 0; input < inputs; input++) {
      onInput[input] = row.onInput[input]!;
      size += Math.abs(row.onInput[input]!) * this.#sizes[input]!;
    }
    for (let neuron = 0, place = 0; neuron < count; neuron++, place += inputs + 1) {
      const v = row.onNeurons[2 * neuron]!, w = row.onNeurons[2 * neuron + 1]!;
      const isOn = signs[neuron] === 1;
      if (isOn) {
        for (let input = 0; input < inputs; input++) {
          onInput[input]! += v * z[place + input]! + w * taken[place + input]!;
        }
        constant += v * z[place + inputs]! + w * taken[place + inputs]!;
        noise += Math.abs(v) * this.z.noise[neuron]! + Math.abs(w) * this.taken.noise[neuron]!;
        size += Math.abs(v) * this.z.sizes[neuron]! + Math.abs(w) * this.taken.sizes[neuron]!;
      }
      const rest = Math.max(isOn ? -bounds[6 * neuron]! : bounds[6 * neuron + 1]!, 0) / 2;
      constant += v * rest;
      noise += Math.abs(v) * rest;
      size += 2 * Math.abs(v) * rest;
    }
    return constant - noise - unit * (size + noise);
  }

  #use(hull: Float64Array): void {
    for (let input = 0; input < this.#sums.length; input++) {
      this.#sums[input] = hull[2 * input]! + hull[2 * input + 1]!;
      this.#widths[input] = hull[2 * input + 1]! - hull[2 * input]!;
    }
  }

  #size(numbers: Float64Array, from: number): number {
    const { inputs } = this.#reduced;
    let size = Math.abs(numbers[from + inputs]!);
    for (let input = 0; input < inputs; input++) {
      size += Math.abs(numbers[from + input]!) * this.#sizes[input]!;
    }
    return size;
  }

  #finish({ numbers, noise, sizes }: Forms, neuron: number, own: number): void {
    noise[neuron] = own;
    sizes[neuron] = this.#size(numbers, neuron * (this.#reduced.inputs + 1)) + own;
  }
}
