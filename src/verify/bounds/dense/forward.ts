/**
 * Forward passes by kernels: intervals through one affine step, and differences at points. Blocks hold boxes or points
 * side by side, as those of backward passes hold rows.
 *
 * @module
 */

import { roundHalfEven } from "../../../quant/grid.ts";
import {
  type PairedNetwork,
  type PairedStep,
  type Quantizer,
  type Side,
  SIDES,
  sizeOf,
  type ValueNumber,
} from "../../network/network.ts";
import type { IntervalResults, Magnitudes } from "../affine.ts";
import { up, type ValueBounds } from "../batch.ts";
import { SMOOTH } from "../smooth.ts";
import { filledUp, type Part } from "./chain.ts";
import { LANES } from "./kernels.ts";
import type { DenseMemory } from "./memory.ts";

const BLOCK = 8 * LANES;

const VIEWS = ["z", "y", "e"] as const;

/**
 * What the interval graph gives, for a step whose only term is a matrix. Magnitudes, which only roundings are charged by,
 * are those of all boxes together.
 */
export function intervalOf(
  memory: DenseMemory,
  network: PairedNetwork,
  value: ValueNumber,
  given: ValueBounds,
): IntervalResults {
  const { workspace } = memory;
  const [inputs, outputs] = [sizeOf(network, value - 1), sizeOf(network, value)];
  const boxes = given.zLower.length / inputs;
  const results = {
    z: new Float64Array(3 * boxes * outputs),
    y: new Float64Array(3 * boxes * outputs),
    e: new Float64Array(3 * boxes * outputs),
  };
  const magnitudes = magnitudesOf(memory, network, value, given);
  for (const view of VIEWS) results[view].set(magnitudes[view], 2 * boxes * outputs);
  const mark = workspace.mark;
  const layer = new ForwardLayer(memory, value, inputs, filledUp(outputs));
  const chosen = layer.choose(largestOf(given, inputs));
  const [middle, half] = [0, 1].map(() => VIEWS.map(() => workspace.take(BLOCK * inputs)));
  const made = workspace.take(BLOCK * filledUp(outputs));
  for (let first = 0; first < boxes; first += LANES) {
    const lanes = Math.min(LANES, boxes - first);
    VIEWS.forEach((view, at) => {
      const [lower, upper] = [given[`${view}Lower`], given[`${view}Upper`]];
      fill(workspace.numbers, middle![at]!, half![at]!, lower, upper, chosen, inputs, first, lanes);
    });
    VIEWS.forEach((view, at) => {
      const part = view === "z" ? "original" : "quantized";
      for (const [which, blocks] of [middle!, half!].entries()) {
        const form = which === 0 ? "forward" : "magnitudes";
        layer.multiply(blocks[at]!, part, form, made, false);
        if (view === "e") layer.multiply(blocks[0]!, "difference", form, made, true);
        const to = (which * boxes + first) * outputs;
        unfill(workspace.numbers, made, results[view], to, outputs, lanes);
      }
    });
  }
  workspace.release(mark);
  return results;
}

/** The magnitudes alone. */
export function magnitudesOf(
  memory: DenseMemory,
  network: PairedNetwork,
  value: ValueNumber,
  given: ValueBounds,
): Magnitudes {
  const { workspace } = memory;
  const [inputs, outputs] = [sizeOf(network, value - 1), sizeOf(network, value)];
  const boxes = given.zLower.length / inputs;
  const mark = workspace.mark;
  const layer = new ForwardLayer(memory, value, inputs, filledUp(outputs));
  const largest = largestOf(given, inputs);
  const chosen = layer.choose(largest);
  const block = workspace.take(BLOCK * inputs);
  const made = workspace.take(BLOCK * filledUp(outputs));
  // All views side by side.
  for (let at = 0, to = block / 8; at < chosen.length; at++) {
    for (const view of VIEWS) workspace.numbers[to++] = largest[view][chosen[at]!]!;
    workspace.numbers[to++] = 0;
  }
  const results = {
    z: new Float64Array(boxes * outputs),
    y: new Float64Array(boxes * outputs),
    e: new Float64Array(boxes * outputs),
  };
  const add = (result: Float64Array, lane: number) => {
    const { numbers } = workspace;
    for (let at = 0, from = made / 8 + lane; at < outputs; at++, from += LANES) {
      result[at]! += numbers[from]!;
    }
  };
  layer.multiply(block, "original", "magnitudes", made, false);
  add(results.z, 0);
  layer.multiply(block, "quantized", "magnitudes", made, false);
  add(results.y, 1);
  add(results.e, 2);
  if (layer.multiply(block, "difference", "magnitudes", made, false)) add(results.e, 0);
  for (const view of VIEWS) {
    for (let box = 1; box < boxes; box++) results[view].copyWithin(box * outputs, 0, outputs);
  }
  workspace.release(mark);
  return results;
}

/** The largest magnitude of each element over all boxes. */
function largestOf(
  given: ValueBounds,
  size: number,
): Readonly<Record<typeof VIEWS[number], Float64Array>> {
  const largest = (lower: Float64Array, upper: Float64Array) => {
    const most = new Float64Array(size);
    for (let at = 0, element = 0; at < lower.length; at++) {
      // Numbers that are none stay none.
      most[element] = Math.max(most[element]!, Math.abs(lower[at]!), Math.abs(upper[at]!));
      if (++element === size) element = 0;
    }
    return most;
  };
  return {
    z: largest(given.zLower, given.zUpper),
    y: largest(given.yLower, given.yUpper),
    e: largest(given.eLower, given.eUpper),
  };
}

/** Writes middles and half widths of chosen elements on some boxes, lanes without a box as zeros. */
function fill(
  numbers: Float64Array,
  middles: number,
  halves: number,
  lower: Float64Array,
  upper: Float64Array,
  chosen: Int32Array,
  size: number,
  first: number,
  lanes: number,
): void {
  for (let lane = 0; lane < LANES; lane++) {
    let to = middles / 8 + lane, other = halves / 8 + lane;
    const start = (first + lane) * size;
    for (let index = 0; index < chosen.length; index++) {
      if (lane < lanes) {
        const at = start + chosen[index]!;
        const l = lower[at]!, u = upper[at]!;
        const middle = (l + u) / 2;
        numbers[to] = middle;
        numbers[other] = up(Math.max(u - middle, middle - l));
      } else numbers[to] = numbers[other] = 0;
      to += LANES;
      other += LANES;
    }
  }
}

/** Copies a block to rows of results, one a lane. */
function unfill(
  numbers: Float64Array,
  block: number,
  results: Float64Array,
  to: number,
  size: number,
  lanes: number,
): void {
  for (let lane = 0; lane < lanes; lane++) {
    for (let at = 0, from = block / 8 + lane; at < size; at++, from += LANES) {
      results[to++] = numbers[from]!;
    }
  }
}

/** Multiplies blocks by the matrices of one affine step. */
class ForwardLayer {
  readonly #memory: DenseMemory;
  readonly #value: ValueNumber;
  readonly #offsets: number;
  readonly #columns: number;
  #inner = 0;

  constructor(memory: DenseMemory, value: ValueNumber, inputs: number, columns: number) {
    this.#memory = memory;
    this.#value = value;
    this.#columns = columns;
    this.#offsets = memory.workspace.take(4 * inputs);
    this.chooseAll(inputs);
  }

  /** Blocks hold all inputs. */
  chooseAll(inputs: number): void {
    this.#choose(Int32Array.from({ length: inputs }, (_, at) => at));
  }

  /** Blocks hold those inputs only that are not zero on all boxes, which come back. */
  choose({ z, y, e }: Readonly<Record<typeof VIEWS[number], Float64Array>>): Int32Array {
    const chosen = new Int32Array(z.length);
    let count = 0;
    for (let at = 0; at < z.length; at++) {
      if (z[at] !== 0 || y[at] !== 0 || e[at] !== 0) chosen[count++] = at;
    }
    return this.#choose(chosen.subarray(0, count));
  }

  /** @returns Whether there is such a matrix; if not, nothing is done. */
  multiply(
    block: number,
    part: Part,
    form: "forward" | "magnitudes",
    to: number,
    isAdded: boolean,
  ): boolean {
    const matrix = this.#memory.addresses(this.#value)[form][part];
    if (matrix === undefined) return false;
    const { numbers, kernels } = this.#memory.workspace;
    if (this.#inner > 0) {
      const columns = this.#columns;
      kernels.multiply(block, this.#offsets, matrix, to, this.#inner, columns, Number(isAdded));
    } else if (!isAdded) numbers.fill(0, to / 8, to / 8 + LANES * this.#columns);
    return true;
  }

  #choose(chosen: Int32Array): Int32Array {
    const { integers } = this.#memory.workspace;
    const length = 8 * this.#columns;
    for (let at = 0; at < chosen.length; at++) {
      integers[this.#offsets / 4 + at] = chosen[at]! * length;
    }
    this.#inner = chosen.length;
    return chosen;
  }
}

/** f′ − f at points, [points × outputs]. */
export function differencesOf(
  memory: DenseMemory,
  network: PairedNetwork,
  points: Float64Array,
): Float64Array {
  const { workspace } = memory;
  const [inputs, outputs] = [network.input.size, sizeOf(network, network.output)];
  const count = points.length / inputs;
  const result = new Float64Array(count * outputs);
  const mark = workspace.mark;
  const layers = network.steps.map((step, at) =>
    step.kind === "affine"
      ? new ForwardLayer(memory, at + 1, sizeOf(network, at), filledUp(step.size))
      : undefined
  );
  const widest = network.steps.reduce((most, { size }) => Math.max(most, size), inputs);
  const buffers: [number, number] = [0, 1].map(() => workspace.take(BLOCK * filledUp(widest))) as [
    number,
    number,
  ];
  for (let first = 0; first < count; first += LANES) {
    const lanes = Math.min(LANES, count - first);
    for (const side of SIDES) {
      for (let lane = 0; lane < LANES; lane++) {
        for (let input = 0, to = buffers[0] / 8 + lane; input < inputs; input++, to += LANES) {
          workspace.numbers[to] = lane < lanes ? points[(first + lane) * inputs + input]! : 0;
        }
      }
      network.steps.forEach((step, at) => {
        if (step.kind === "affine") {
          layers[at]!.multiply(buffers[0], side, "forward", buffers[1], false);
          buffers.reverse();
        }
        applyTo(workspace.numbers, buffers[0], step, side);
      });
      const sign = side === "original" ? -1 : 1;
      for (let lane = 0; lane < lanes; lane++) {
        const to = (first + lane) * outputs;
        for (let at = 0, from = buffers[0] / 8 + lane; at < outputs; at++, from += LANES) {
          result[to + at]! += sign * workspace.numbers[from]!;
        }
      }
    }
  }
  workspace.release(mark);
  return result;
}

/** Applies what a step does elementwise: for an affine one, its offset. */
function applyTo(numbers: Float64Array, address: number, step: PairedStep, side: Side): void {
  const from = address / 8;
  const to = from + step.size * LANES;
  switch (step.kind) {
    case "affine": {
      const { values } = step.offset[side];
      for (let at = from, element = 0; at < to; at += LANES, element++) {
        for (let lane = 0; lane < LANES; lane++) numbers[at + lane]! += values[element]!;
      }
      return;
    }
    case "relu":
      for (let at = from; at < to; at++) numbers[at] = Math.max(numbers[at]!, 0);
      return;
    case "quantize": {
      const quantizer = step.quantizer[side];
      if (quantizer !== undefined) round(numbers, from, to, quantizer);
      return;
    }
    case "maxpool":
      throw new TypeError("Max pools must be expanded first");
    default: {
      const { value } = SMOOTH[step.kind];
      for (let at = from; at < to; at++) numbers[at] = value(numbers[at]!);
    }
  }
}

function round(
  numbers: Float64Array,
  from: number,
  to: number,
  { scale, zeroPoint, qmin, qmax }: Quantizer,
): void {
  for (let at = from; at < to; at++) {
    const element = scale.length === 1 ? 0 : Math.floor((at - from) / LANES);
    const [s, zero] = [scale[element]!, zeroPoint[element]!];
    const rounded = roundHalfEven(numbers[at]! / s) + zero;
    numbers[at] = (Math.min(Math.max(rounded, qmin), qmax) - zero) * s;
  }
}
