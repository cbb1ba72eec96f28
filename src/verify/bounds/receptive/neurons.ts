/**
 * Relaxations of one box as kernels read them, neuron by neuron.
 *
 * @module
 */

import { type PairedNetwork, sizeOf, type ValueNumber } from "../../network/network.ts";
import { RECORD } from "../dense/kernels.ts";
import { type Relaxation, RELAXATION_FIELDS } from "../relu.ts";

/** The neurons of an elementwise step. */
export interface Neurons {
  /** 0 where a neuron is off in both networks: no coefficient passes, and nothing is added. */
  readonly alive: Uint8Array;
  /** [size × {@linkcode RECORD}]. */
  readonly records: Float64Array;
}

/** What was made is kept as long as the relaxations are. */
export class NeuronRecords {
  readonly #network: PairedNetwork;
  readonly #known = new WeakMap<Relaxation, Map<number, Neurons>>();

  constructor(network: PairedNetwork) {
    this.#network = network;
  }

  of(value: ValueNumber, relaxation: Relaxation, box: number): Neurons {
    const known = this.#known.get(relaxation) ?? new Map<number, Neurons>();
    this.#known.set(relaxation, known);
    let neurons = known.get(box);
    if (neurons === undefined) {
      known.set(box, neurons = neuronsOf(relaxation, box, sizeOf(this.#network, value)));
    }
    return neurons;
  }
}

function neuronsOf(relaxation: Relaxation, box: number, size: number): Neurons {
  const alive = new Uint8Array(size);
  const records = new Float64Array(RECORD * size);
  RELAXATION_FIELDS.forEach((field, at) => {
    const numbers = relaxation[field];
    for (let element = 0, to = at, from = box * size; element < size; element++, to += RECORD) {
      const number = records[to] = numbers[from++]!;
      // Written so that what is not a number counts.
      if (!(number === 0)) alive[element] = 1;
    }
  });
  return { alive, records };
}
