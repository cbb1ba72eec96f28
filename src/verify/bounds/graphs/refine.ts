/**
 * Rows of differences whose relaxations are chosen for each row: Frank–Wolfe steps, for networks of any structure.
 *
 * The bound of a row is least at a corner of the box. The corner is carried forward through the relaxations that the row
 * used, and at each neuron what is tightest there takes a share of 2/(k + 3). Then the row is bounded again. Shares of
 * what is valid are valid, so the best of all passes is a bound, whatever the steps did.
 *
 * @module
 */

import { tensor } from "../../../onnx/tensor.ts";
import { type PairedNetwork, sizeOf, type ValueNumber } from "../../network/network.ts";
import { inputFeed } from "../batch.ts";
import { choicesOf, type ElementwiseStep } from "../choices.ts";
import type { EngineFacts, Propagated } from "../engine.ts";
import { RowChoices } from "../row_choices.ts";
import type { AffinePairedStep } from "./interval.ts";
import { backwardMapGraph, forwardMapGraph } from "./maps.ts";
import type { Pauses } from "../watch.ts";
import type { NetworkSessions } from "./sessions.ts";

/** A value, or coefficients on one, and on the difference, [rows × size] each. */
interface Pair {
  readonly v: Float64Array;
  readonly w: Float64Array;
}

/** For what is not there: differences at the input, and values at a target. */
const NONE = new Float64Array(0);

/** Which rows of the difference of a value are wanted, on one box. */
export interface RefinedRows {
  readonly target: ValueNumber;
  readonly box: number;
  readonly index: Int32Array;
  /** 1 or −1; 0 for rows that only fill up. */
  readonly sign: Float64Array;
}

/** Refines rows on boxes whose values are bounded. */
export class GraphRefiner {
  readonly #network: PairedNetwork;
  readonly #facts: EngineFacts;
  readonly #sessions: NetworkSessions;
  readonly #pauses: Pauses;

  constructor(
    network: PairedNetwork,
    facts: EngineFacts,
    sessions: NetworkSessions,
    pauses: Pauses,
  ) {
    this.#network = network;
    this.#facts = facts;
    this.#sessions = sessions;
    this.#pauses = pauses;
  }

  /** Lower bounds of rows, without the offset and the noise of the target's own step. */
  async refine(rows: RefinedRows, state: Propagated, steps: number): Promise<Float64Array> {
    const count = rows.index.length;
    const choices = new Map<ValueNumber, RowChoices>();
    const best = new Float64Array(count).fill(-Infinity);
    for (let step = 0;; step++) {
      const { bounds, corner } = await this.#backward(rows, state, choices);
      if (this.#pauses.isDue) {
        await this.#pauses.take({ target: rows.target, view: "joint", done: step, total: steps });
      }
      for (let row = 0; row < count; row++) best[row] = Math.max(best[row]!, bounds[row]!);
      if (step === steps) return best;
      await this.#forward(rows.target, corner, count, choices, 2 / (step + 3));
    }
  }

  async #backward(
    { target, box, index, sign }: RefinedRows,
    state: Propagated,
    choices: Map<ValueNumber, RowChoices>,
  ): Promise<{ bounds: Float64Array; corner: Float64Array }> {
    const count = index.length;
    const bounds = new Float64Array(count);
    const coefficients = new Map<ValueNumber, Pair>([[target, this.#start(target, index, sign)]]);
    for (let value = target; value > 0; value--) {
      const given = coefficients.get(value);
      if (given === undefined) continue;
      coefficients.delete(value);
      const step = this.#network.steps[value - 1]!;
      if (step.kind === "affine") {
        if (value !== target) this.#charge(value, box, given, state, bounds);
        await this.#throughMap(value, step, given, value === target, coefficients);
      } else if (step.kind === "maxpool") throw new TypeError("Max pools must be expanded first");
      else {
        let own = choices.get(value);
        if (own === undefined) {
          own = new RowChoices(this.#choices(value, step, box, state), count);
          choices.set(value, own);
        }
        own.relax(given.v, given.w, bounds);
        add(coefficients, step.input, step.input === 0 ? { ...given, w: NONE } : given);
      }
    }
    const { center, half } = inputFeed(state.batch, this.#facts.unit);
    const { v } = coefficients.get(0)!;
    const inputs = this.#network.input.size;
    const corner = new Float64Array(v.length);
    for (let row = 0, at = 0; row < count; row++) {
      for (let input = box * inputs; input < (box + 1) * inputs; input++, at++) {
        const c = v[at]!;
        const side = c > 0 ? -half[input]! : half[input]!;
        corner[at] = center[input]! + side;
        bounds[row]! += c * center[input]! + c * side;
      }
    }
    return { bounds, corner };
  }

  /** The rows as coefficients on the target. */
  #start(target: ValueNumber, index: Int32Array, sign: Float64Array): Pair {
    const size = sizeOf(this.#network, target);
    const w = new Float64Array(index.length * size);
    index.forEach((element, row) => w[row * size + element] = sign[row]!);
    return { v: NONE, w };
  }

  async #throughMap(
    value: ValueNumber,
    step: AffinePairedStep,
    { v, w }: Pair,
    isTarget: boolean,
    coefficients: Map<ValueNumber, Pair>,
  ): Promise<void> {
    const graph = await this.#sessions.graph(
      `${value} backward map ${isTarget}`,
      () => backwardMapGraph(this.#network, value, isTarget),
    );
    const dims = [1, w.length / step.size, step.size];
    const result = await graph.run({
      ...(isTarget ? {} : { v: tensor("float64", dims, v) }),
      w: tensor("float64", dims, w),
    });
    step.terms.forEach(({ input }, term) => {
      const numbers = (letter: "v" | "w") => result[`${letter}${term}`]!.data as Float64Array;
      // Both networks see the same input.
      const pair = { v: numbers("v"), w: input === 0 ? NONE : numbers("w") };
      add(coefficients, input, pair);
    });
  }

  /** What the offset and the noise of an affine step add. */
  #charge(
    value: ValueNumber,
    box: number,
    { v, w }: Pair,
    { noise }: Propagated,
    bounds: Float64Array,
  ): void {
    const offsets = this.#facts.offsetsOf(value);
    const { z, e } = noise.get(value)!;
    const size = sizeOf(this.#network, value);
    for (let row = 0, at = 0; row < bounds.length; row++) {
      let constant = 0;
      for (let element = 0, from = box * size; element < size; element++, at++, from++) {
        const onZ = v[at]!, onE = w[at]!;
        constant += onZ * offsets.z[element]! - Math.abs(onZ) * z[from]! +
          onE * offsets.e[element]! - Math.abs(onE) * e[from]!;
      }
      bounds[row]! += constant;
    }
  }

  #choices(value: ValueNumber, step: ElementwiseStep, box: number, state: Propagated) {
    const { unit, slack } = this.#facts;
    const bounds = state.bounds.get(step.input)!;
    return choicesOf(step, box, bounds, state.relaxations.get(value)!, unit, slack);
  }

  /** Carries each row's corner forward, and moves each choice toward what is tightest there. */
  async #forward(
    target: ValueNumber,
    corner: Float64Array,
    count: number,
    choices: ReadonlyMap<ValueNumber, RowChoices>,
    length: number,
  ): Promise<void> {
    const values = new Map<ValueNumber, Pair>([[0, { v: corner, w: NONE }]]);
    for (let value = 1; value < target; value++) {
      const step = this.#network.steps[value - 1]!;
      if (step.kind === "affine") {
        const made = await this.#throughMapForward(value, step, values, count);
        if (made !== undefined) values.set(value, made);
        continue;
      }
      const own = choices.get(value);
      const given = values.get((step as ElementwiseStep).input);
      // What the target does not depend on has no choices.
      if (own === undefined || given === undefined) continue;
      const w = given.w === NONE ? new Float64Array(given.v.length) : given.w.slice();
      const made = { v: given.v.slice(), w };
      own.move(made.v, made.w, length);
      values.set(value, made);
    }
  }

  async #throughMapForward(
    value: ValueNumber,
    { terms, size }: AffinePairedStep,
    values: ReadonlyMap<ValueNumber, Pair>,
    count: number,
  ): Promise<Pair | undefined> {
    if (terms.some(({ input }) => !values.has(input))) return undefined;
    const graph = await this.#sessions.graph(
      `${value} forward map`,
      () => forwardMapGraph(this.#network, value),
    );
    const feeds = Object.fromEntries(terms.flatMap(({ input }, term) => {
      const { v, w } = values.get(input)!;
      const dims = [count, sizeOf(this.#network, input)];
      const own = [[`z${term}`, tensor("float64", dims, v)] as const];
      return input === 0 ? own : [...own, [`e${term}`, tensor("float64", dims, w)] as const];
    }));
    const { z, e } = await graph.run(feeds);
    const offsets = this.#facts.offsetsOf(value);
    const [v, w] = [z!.data as Float64Array, e!.data as Float64Array];
    for (let at = 0, element = 0; at < v.length; at++) {
      v[at]! += offsets.z[element]!;
      w[at]! += offsets.e[element]!;
      if (++element === size) element = 0;
    }
    return { v, w };
  }
}

/** Coefficients on a value that several steps read. */
function add(coefficients: Map<ValueNumber, Pair>, value: ValueNumber, pair: Pair): void {
  const before = coefficients.get(value);
  if (before === undefined) {
    coefficients.set(value, pair);
    return;
  }
  for (const letter of ["v", "w"] as const) {
    const [sum, part] = [before[letter], pair[letter]];
    for (let at = 0; at < sum.length; at++) sum[at]! += part[at]!;
  }
}
