/**
 * Rows through receptive fields, group by group: what one thread computes.
 *
 * @module
 */

import { type PairedNetwork, sizeOf, type ValueNumber } from "../../network/network.ts";
import { type BoxBatch, inputFeed, type Noise } from "../batch.ts";
import { LANES } from "../dense/kernels.ts";
import { Workspace } from "../dense/workspace.ts";
import type { FoldedOffset, Relaxation } from "../relu.ts";
import { FieldBuilder, type FieldFacts } from "./field.ts";
import type { RowGroup } from "./groups.ts";
import { type Layout, layoutOf } from "./layout.ts";
import { NeuronRecords } from "./neurons.ts";
import { FieldPass } from "./pass.ts";

/** A network, and how it is bounded. */
export interface FieldNetwork {
  readonly network: PairedNetwork;
  /** Values of affine steps whose offsets and noise are part of the relaxation behind them. */
  readonly folded: ReadonlySet<ValueNumber>;
  readonly offsets: ReadonlyMap<ValueNumber, Omit<FoldedOffset, "noise">>;
  /** What roundings are charged, as a multiple of magnitudes. */
  readonly unit: number;
}

/** What is known in front of a target. */
export interface FieldState {
  readonly batch: BoxBatch;
  readonly noise: ReadonlyMap<ValueNumber, Noise>;
  readonly relaxations: ReadonlyMap<ValueNumber, Relaxation>;
}

/** What is bounded. */
export interface FieldTarget {
  readonly target: ValueNumber;
  readonly view: "z" | "y" | "joint";
  /** 1 or −1 for each row. */
  readonly sign: Float64Array;
}

/** Computes rows of one network. */
export class FieldRows {
  readonly #given: FieldNetwork;
  readonly #workspace = new Workspace();
  readonly #layout: Layout;
  readonly #builder: FieldBuilder;
  readonly #neurons: NeuronRecords;
  #facts: { state: FieldState; view: string; box: number; made: FieldFacts } | undefined;

  constructor(given: FieldNetwork) {
    this.#given = given;
    this.#layout = layoutOf(given.network, this.#workspace);
    this.#builder = new FieldBuilder(given.network, this.#layout, this.#workspace);
    this.#neurons = new NeuronRecords(given.network);
  }

  /** How many places a value has: rows of one share a field. */
  places(value: ValueNumber): number {
    return this.#layout.places[value]!;
  }

  /** Bounds the rows of a group, in their order; says between some of them how many are done. */
  *bound(
    { target, view, sign }: FieldTarget,
    { box, elements, rows, places }: RowGroup,
    state: FieldState,
    bounds: Float64Array,
  ): Generator<number, void> {
    const workspace = this.#workspace;
    const mark = workspace.mark;
    const facts = this.#factsOf(view, state, box);
    const field = this.#builder.build(target, elements, facts, view === "joint");
    const pass = new FieldPass(workspace, field, view);
    try {
      for (let row = 0; row < rows.length; row += LANES) {
        const lanes = Math.min(LANES, rows.length - row);
        pass.begin();
        for (let lane = 0; lane < lanes; lane++) {
          pass.start(places[row + lane]!, lane, sign[rows[row + lane]!]!);
        }
        pass.run();
        for (let lane = 0; lane < lanes; lane++) bounds[row + lane] = pass.bound(lane);
        yield row + lanes;
      }
    } finally {
      workspace.release(mark);
    }
  }

  #factsOf(view: "z" | "y" | "joint", state: FieldState, box: number): FieldFacts {
    const known = this.#facts;
    if (known?.state === state && known.view === view && known.box === box) return known.made;
    const { network, folded, offsets, unit } = this.#given;
    const { center, half } = inputFeed(state.batch, unit);
    const inputs = network.input.size;
    const neurons = (value: ValueNumber) =>
      this.#neurons.of(value, state.relaxations.get(value)!, box);
    const charges = new Map<ValueNumber, ReturnType<FieldFacts["charges"]>>();
    const made: FieldFacts = {
      alive: (value) => neurons(value).alive,
      records: (value) => neurons(value).records,
      charges: (value) => {
        if (folded.has(value)) return undefined;
        const known = charges.get(value);
        if (known !== undefined) return known;
        const [own, noise] = [offsets.get(value)!, state.noise.get(value)!];
        const size = sizeOf(network, value);
        const of = (letter: "z" | "y" | "e") =>
          pairs(own[letter], 0, noise[letter], box * size, size);
        const pair = { value: of(view === "joint" ? "z" : view), difference: of("e") };
        charges.set(value, pair);
        return pair;
      },
      input: pairs(center, box * inputs, half, box * inputs, inputs),
    };
    this.#facts = { state, view, box, made };
    return made;
  }
}

/** Numbers of two lists side by side. */
function pairs(
  first: Float64Array,
  from: number,
  second: Float64Array,
  start: number,
  count: number,
): Float64Array {
  const made = new Float64Array(2 * count);
  for (let at = 0; at < count; at++) {
    made[2 * at] = first[from + at]!;
    made[2 * at + 1] = second[start + at]!;
  }
  return made;
}
