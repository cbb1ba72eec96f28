/**
 * What kernels of a thread have at hand: matrices of one network, and what is known on one batch of boxes.
 *
 * Nothing is kept here that could not be made again: whoever comes with another network or batch takes the place.
 *
 * @module
 */

import { type PairedNetwork, sizeOf, type ValueNumber } from "../../network/network.ts";
import type { Propagated } from "../engine.ts";
import { RELAXATION_FIELDS } from "../relu.ts";
import { type DenseLayer, filledUp, layersOf, type Part } from "./chain.ts";
import { RECORD } from "./kernels.ts";
import { type Addresses, place } from "./place.ts";
import { Workspace } from "./workspace.ts";

/** The neurons of an elementwise step on one box through which coefficients pass. */
export interface LiveNeurons {
  /** Those that are relaxed first, then those that both networks pass on as they are. */
  readonly list: Int32Array;
  /** How many are relaxed. */
  readonly relaxed: number;
  /** The address of their records. */
  readonly records: number;
}

/** The weights between live neurons on one box. */
export interface LiveWeights {
  /** The address of where each row begins, relative to a matrix. */
  readonly offsets: number;
  readonly inner: number;
  /** Filled up. */
  readonly columns: number;
  readonly original: number;
  readonly quantized: number;
  readonly difference: number | undefined;
}

/** The addresses of a layer's matrices as forward passes read them. */
export type LayerAddresses = Readonly<
  Record<"forward" | "magnitudes", Addresses>
>;

/** The memory of a thread. */
export class DenseMemory {
  readonly workspace = new Workspace();
  /** By the value that they make. */
  layers: readonly (DenseLayer | undefined)[] = [];
  #network: PairedNetwork | undefined;
  #addresses: LayerAddresses[] = [];
  #state: Propagated | undefined;
  /** By box, and by value in it. */
  #neurons: (LiveNeurons | undefined)[][] = [];
  #weights: (LiveWeights | undefined)[][] = [];
  /** Where what belongs to a batch begins. */
  #base = 0;

  /** Makes a network the one that is at hand. */
  use(network: PairedNetwork): void {
    if (network === this.#network) return;
    this.#network = network;
    this.#state = undefined;
    this.#addresses = [];
    this.layers = layersOf(network);
    this.workspace.release(0);
    this.layers.forEach((layer, value) => {
      if (layer === undefined) return;
      this.#addresses[value] = {
        forward: place(this.workspace, layer.forward),
        magnitudes: place(this.workspace, layer.magnitudes),
      };
    });
    this.#base = this.workspace.mark;
  }

  /** Makes a batch of the network the one that is at hand. */
  useState(state: Propagated): void {
    if (state === this.#state) return;
    this.#state = state;
    this.workspace.release(this.#base);
    this.#neurons = Array.from({ length: state.batch.count }, () => []);
    this.#weights = Array.from({ length: state.batch.count }, () => []);
  }

  /** Where the matrices of a layer stand. */
  addresses(value: ValueNumber): LayerAddresses {
    return this.#addresses[value]!;
  }

  /** The neurons of an elementwise step that is relaxed already. */
  neurons(value: ValueNumber, box: number): LiveNeurons {
    return this.#neurons[box]![value] ??= this.#makeNeurons(value, box);
  }

  /** The weights of an affine step whose result an elementwise step or another affine one reads. */
  weights(value: ValueNumber, box: number): LiveWeights {
    return this.#weights[box]![value] ??= this.#makeWeights(value, box);
  }

  /** Which elements of a value coefficients can be on; `undefined` for all. */
  live(value: ValueNumber, box: number): Int32Array | undefined {
    const isAll = value === 0 || this.layers[value] !== undefined;
    return isAll ? undefined : this.neurons(value, box).list;
  }

  #makeNeurons(value: ValueNumber, box: number): LiveNeurons {
    const relaxation = this.#state!.relaxations.get(value)!;
    const fields = RELAXATION_FIELDS.map((field) => relaxation[field]);
    const size = sizeOf(this.#network!, value);
    const start = box * size;
    const isRelu = this.#network!.steps[value - 1]!.kind === "relu";
    const relaxed: number[] = [], passed: number[] = [];
    const { aSlope, aSlopeHalf, bSlope, bSlopeHalf } = relaxation;
    const { gSlopeZ, gSlopeZHalf, gSlopeE, gSlopeEHalf } = relaxation;
    for (let element = 0, at = start; element < size; element++, at++) {
      // Rounding passes values on too, but not for nothing.
      const isPassed = isRelu && aSlope[at] === 1 && aSlopeHalf[at] === 0 && bSlope[at] === 1 &&
        bSlopeHalf[at] === 0 && gSlopeZ[at] === 0 && gSlopeZHalf[at] === 0 &&
        gSlopeE[at] === 1 && gSlopeEHalf[at] === 0;
      if (isPassed) passed.push(element);
      // What is not a number must not be taken for nothing.
      else if (aSlope[at] !== 0 || !isZero(fields, at)) relaxed.push(element);
    }
    const list = Int32Array.from([...relaxed, ...passed]);
    const records = this.workspace.take(8 * RECORD * list.length);
    const { numbers } = this.workspace;
    let to = records / 8;
    for (let at = 0; at < list.length; at++) {
      const from = start + list[at]!;
      for (let field = 0; field < RECORD; field++) numbers[to++] = fields[field]![from]!;
    }
    return { list, relaxed: relaxed.length, records };
  }

  #makeWeights(value: ValueNumber, box: number): LiveWeights {
    const network = this.#network!;
    const size = sizeOf(network, value);
    const source = sizeOf(network, value - 1);
    const isRelaxed = value < network.steps.length && this.layers[value + 1] === undefined;
    const rows = isRelaxed ? this.neurons(value + 1, box).list : undefined;
    const columns = this.live(value - 1, box);
    const inner = rows?.length ?? size;
    const outer = columns?.length ?? source;
    const length = filledUp(outer);
    const offsets = this.workspace.take(4 * inner);
    for (let row = 0; row < inner; row++) {
      this.workspace.integers[offsets / 4 + row] = 8 * length * row;
    }
    const gather = (part: Part): number | undefined => {
      const matrix = this.layers[value]!.weights[part];
      if (matrix === undefined) return undefined;
      const address = this.workspace.take(8 * length * inner);
      copyRows(this.workspace.numbers, address / 8, length, matrix, source, rows, inner, columns);
      return address;
    };
    return {
      offsets,
      inner,
      columns: length,
      original: gather("original")!,
      quantized: gather("quantized")!,
      difference: gather("difference"),
    };
  }
}

function isZero(fields: readonly Float64Array[], at: number): boolean {
  for (let field = 0; field < fields.length; field++) if (fields[field]![at] !== 0) return false;
  return true;
}

/** Copies some rows and columns of a matrix, and fills rows up. */
function copyRows(
  numbers: Float64Array,
  to: number,
  length: number,
  matrix: Float64Array,
  source: number,
  rows: Int32Array | undefined,
  inner: number,
  columns: Int32Array | undefined,
): void {
  const outer = columns?.length ?? source;
  for (let row = 0; row < inner; row++, to += length) {
    const from = (rows === undefined ? row : rows[row]!) * source;
    if (columns === undefined) {
      for (let at = 0; at < outer; at++) numbers[to + at] = matrix[from + at]!;
    } else for (let at = 0; at < outer; at++) numbers[to + at] = matrix[from + columns[at]!]!;
    // Whatever stood there before could be no number.
    for (let at = outer; at < length; at++) numbers[to + at] = 0;
  }
}
