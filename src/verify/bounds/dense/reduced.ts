/**
 * What is left of two networks on one box when neurons that are off, or that both networks pass on, are taken out: the
 * relaxed neurons, as functions of the input and of each other.
 *
 * On a small box few neurons of a network are relaxed, so that passes over them alone cost little.
 *
 * @module
 */

import { type PairedNetwork, sizeOf, type ValueNumber } from "../../network/network.ts";
import { inputFeed } from "../batch.ts";
import type { EngineFacts, Propagated } from "../engine.ts";
import { RELAXATION_FIELDS } from "../relu.ts";
import { filledUp } from "./chain.ts";
import { LANES, RECORD } from "./kernels.ts";
import type { DenseMemory } from "./memory.ts";

/** Whether networks of this kind can be reduced: all functions are Relu, each behind a matrix. */
export function canReduce(network: PairedNetwork): boolean {
  return network.steps.length % 2 === 1 &&
    network.steps.every(({ kind }, at) => kind === (at % 2 === 0 ? "affine" : "relu"));
}

/**
 * Relaxed neurons in the order of their layers: with a = relu(z), b = relu(z − e) and g = a − b,
 *
 *     zᵢ = Pᵢ·x + Σⱼ Mᵢⱼ·aⱼ + cᵢ,  eᵢ = Qᵢ·x + Σⱼ (Nᵢⱼ·aⱼ + Kᵢⱼ·gⱼ) + dᵢ,
 *
 * up to noise.
 */
export interface Reduced {
  readonly count: number;
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
}

const BLOCK = 8 * LANES;
const STRIDE = 8 * RECORD;
const OWN = 8 * RELAXATION_FIELDS.indexOf("aConstant");
const DIFFERENCE = 8 * RELAXATION_FIELDS.indexOf("gConstant");

/** Makes reduced networks of the boxes of one batch. */
export class Reducer {
  readonly #network: PairedNetwork;
  readonly #facts: EngineFacts;
  readonly #memory: DenseMemory;
  readonly #state: Propagated;
  readonly #feed: { center: Float64Array; half: Float64Array };
  #v: number;
  #w: number;
  #otherV: number;
  #otherW: number;
  readonly #constant: number;
  #box = 0;
  /** Of the first relaxed neuron of each layer, by the value of its Relu. */
  #starts: number[] = [];
  #count = 0;

  /** Takes its place in the workspace, which the caller takes back. */
  constructor(network: PairedNetwork, facts: EngineFacts, memory: DenseMemory, state: Propagated) {
    this.#network = network;
    this.#facts = facts;
    this.#memory = memory;
    this.#state = state;
    this.#feed = inputFeed(state.batch, facts.unit);
    const widest = network.steps.reduce(
      (most, { size }) => Math.max(most, size),
      network.input.size,
    );
    const take = () => memory.workspace.take(BLOCK * filledUp(widest));
    [this.#v, this.#w, this.#otherV, this.#otherW] = [take(), take(), take(), take()];
    this.#constant = memory.workspace.take(BLOCK);
  }

  /** The relaxed neurons of a box. */
  reduce(box: number): Reduced {
    this.#box = box;
    this.#starts = [];
    this.#count = 0;
    for (let value = 2; value < this.#network.output; value += 2) {
      this.#starts[value] = this.#count;
      this.#count += this.#memory.neurons(value, box).relaxed;
    }
    const [count, inputs] = [this.#count, this.#network.input.size];
    const reduced: Reduced = {
      count,
      inputs,
      unit: this.#facts.unit,
      center: this.#feed.center.subarray(box * inputs, (box + 1) * inputs),
      half: this.#feed.half.subarray(box * inputs, (box + 1) * inputs),
      bounds: new Float64Array(6 * count),
      onInput: new Float64Array(2 * inputs * count),
      onNeurons: new Float64Array(3 * count * count),
      constants: new Float64Array(4 * count),
    };
    for (let value = 1; value < this.#network.output; value += 2) {
      const { list, relaxed } = this.#memory.neurons(value + 1, box);
      for (let at = 0; at < relaxed; at++) {
        this.#neuron(reduced, this.#starts[value + 1]! + at, value, list[at]!);
      }
    }
    return reduced;
  }

  /** A row of the box that was reduced last. */
  row(output: number, sign: number): ReducedRow {
    const { numbers } = this.#memory.workspace;
    const target = this.#network.output;
    this.#start(target, output, 0, sign, sign);
    const onNeurons = new Float64Array(2 * this.#count);
    const v = this.#pass(target, (neuron, at, first, second) => {
      onNeurons[2 * neuron] = numbers[first + at]!;
      onNeurons[2 * neuron + 1] = numbers[second + at]!;
    });
    const onInput = Float64Array.from(
      { length: this.#network.input.size },
      (_, input) => numbers[v / 8 + input * LANES]!,
    );
    return { onNeurons, onInput, constant: numbers[this.#constant / 8]! };
  }

  #neuron(reduced: Reduced, index: number, value: ValueNumber, element: number): void {
    const { numbers } = this.#memory.workspace;
    const { count, inputs, onInput, onNeurons, constants, bounds } = reduced;
    // z and e, each with both signs: what is left of noise then is the sum of both.
    this.#start(value, element, 0, 1, 0);
    this.#start(value, element, 1, -1, 0);
    this.#start(value, element, 2, 1, 1);
    this.#start(value, element, 3, -1, -1);
    // Differences of the weights are part of e only.
    const v = this.#pass(value, (neuron, at, first, second) => {
      const to = 3 * (index * count + neuron);
      onNeurons[to] = numbers[first + at]!;
      onNeurons[to + 1] = numbers[first + at + 2]!;
      onNeurons[to + 2] = numbers[second + at + 2]!;
    });
    for (let input = 0; input < inputs; input++) {
      onInput[2 * inputs * index + input] = numbers[v / 8 + input * LANES]!;
      onInput[2 * inputs * index + inputs + input] = numbers[v / 8 + input * LANES + 2]!;
    }
    const size = sizeOf(this.#network, value);
    const at = this.#box * size + element;
    const noise = this.#state.noise.get(value)!;
    const offsets = this.#facts.offsetsOf(value);
    const [up, down, eUp, eDown] = [0, 1, 2, 3].map((lane) =>
      numbers[this.#constant / 8 + lane]!
    ) as [number, number, number, number];
    const known = this.#state.bounds.get(value)!;
    bounds.set([
      known.zLower[at]!,
      known.zUpper[at]!,
      known.yLower[at]!,
      known.yUpper[at]!,
      known.eLower[at]!,
      known.eUpper[at]!,
    ], 6 * index);
    const constant = (up - down) / 2 + offsets.z[element]!;
    const eConstant = (eUp - eDown) / 2 + offsets.e[element]!;
    // Passes over reduced networks round as well.
    let [zSize, eSize] = [Math.abs(constant) + Math.abs(up), Math.abs(eConstant) + Math.abs(eUp)];
    for (let input = 0; input < inputs; input++) {
      const most = Math.abs(reduced.center[input]!) + reduced.half[input]!;
      const from = 2 * inputs * index + input;
      zSize += Math.abs(onInput[from]!) * most;
      eSize += Math.abs(onInput[from + inputs]!) * most;
    }
    for (let other = 0; other < index; other++) {
      const from = 3 * (index * count + other);
      const value = Math.max(bounds[6 * other + 1]!, 0);
      const difference = Math.max(-bounds[6 * other + 4]!, bounds[6 * other + 5]!);
      zSize += Math.abs(onNeurons[from]!) * value;
      eSize += Math.abs(onNeurons[from + 1]!) * value + Math.abs(onNeurons[from + 2]!) * difference;
    }
    const { unit } = this.#facts;
    constants.set([
      constant,
      -(up + down) / 2 + noise.z[at]! + unit * zSize,
      eConstant,
      -(eUp + eDown) / 2 + noise.e[at]! + unit * eSize,
    ], 4 * index);
  }

  /** Writes one row of an affine step's matrices into a lane: z of one sign, or e. */
  #start(value: ValueNumber, element: number, lane: number, sign: number, isPair: number): void {
    const { numbers } = this.#memory.workspace;
    const { weights, columns } = this.#memory.layers[value]!;
    const live = this.#memory.live(value - 1, this.#box);
    const count = live?.length ?? columns;
    const first = isPair === 0 ? weights.original : weights.difference;
    const second = isPair === 0 ? undefined : weights.quantized;
    for (let at = 0; at < count; at++) {
      const from = element * columns + (live === undefined ? at : live[at]!);
      const to = at * LANES + lane;
      numbers[this.#v / 8 + to] = first === undefined ? 0 : sign * first[from]!;
      numbers[this.#w / 8 + to] = second === undefined ? 0 : sign * second[from]!;
    }
  }

  /**
   * Carries a block back to the input. Coefficients on relaxed neurons are shown, and go no further.
   *
   * @param show Is given the neuron, and where its first lane is from where v and w begin.
   * @returns The address of coefficients on the input.
   */
  #pass(
    target: ValueNumber,
    show: (neuron: number, at: number, v: number, w: number) => void,
  ): number {
    const { workspace } = this.#memory;
    const { numbers, kernels } = workspace;
    const constant = this.#constant;
    numbers.fill(0, constant / 8, constant / 8 + LANES);
    let [v, w, nextV, nextW] = [this.#v, this.#w, this.#otherV, this.#otherW];
    for (let value = target - 1; value > 0; value -= 2) {
      const { list, relaxed, records } = this.#memory.neurons(value, this.#box);
      for (let at = 0; at < relaxed; at++) {
        show(this.#starts[value]! + at, at * LANES, v / 8, w / 8);
      }
      numbers.fill(0, v / 8, v / 8 + LANES * relaxed);
      numbers.fill(0, w / 8, w / 8 + LANES * relaxed);
      const passed = list.length - relaxed;
      if (passed === 0) {
        numbers.fill(0, v / 8, v / 8 + LANES * this.#network.input.size);
        return v;
      }
      const from = BLOCK * relaxed;
      const rest = records + STRIDE * relaxed;
      kernels.charge(v + from, rest + OWN, STRIDE, passed, constant);
      kernels.charge(w + from, rest + DIFFERENCE, STRIDE, passed, constant);
      const { offsets, inner, columns, original, quantized, difference } = this.#memory.weights(
        value - 1,
        this.#box,
      );
      if (columns === 0) {
        numbers.fill(0, v / 8, v / 8 + LANES * this.#network.input.size);
        return v;
      }
      kernels.multiply(v, offsets, original, nextV, inner, columns, 0);
      if (difference !== undefined) {
        kernels.multiply(w, offsets, difference, nextV, inner, columns, 1);
      }
      kernels.multiply(w, offsets, quantized, nextW, inner, columns, 0);
      [v, w, nextV, nextW] = [nextV, nextW, v, w];
    }
    return v;
  }
}
