/**
 * The exact Pareto front of loss against one cost, by dynamic programming.
 *
 * @module
 */

import { UserError } from "../base/errors.ts";
import { type Group, groupsOf } from "./groups.ts";
import type { Genome, SearchProblem } from "./problem.ts";

/** Every best trade of loss against a cost. */
export interface Front {
  /** Ascending. */
  readonly cost: Float64Array;
  /** The least loss at each cost, descending. */
  readonly loss: Float64Array;
  /** The genome of a point. */
  genome(point: number): Genome;
}

/** Partial choices that are kept at most, so that memory stays under some 500 MB. */
const MOST_LABELS = 30_000_000;

/**
 * Finds the whole front of a problem with a single cost: after each group of layers, every sum of losses and costs that
 * is not beaten by another (Nemhauser and Ullmann, 1969). Sums above the limit are left out.
 *
 * @param problem With exactly one cost.
 * @throws {UserError} If there are too many sums.
 */
export function exactFront(problem: SearchProblem): Front {
  if (problem.costs.length !== 1) {
    throw new RangeError(`A front needs one cost: the problem has ${problem.costs.length}`);
  }
  const { limit, constant } = problem.costs[0]!;
  const groups = groupsOf(problem).sort((a, b) => spread(a) - spread(b));
  const least = groups.map(({ costs }) => costs[0]!.reduce((a, b) => Math.min(a, b), Infinity));
  let room = limit === Infinity ? Infinity : limit * (1 + 1e-12) - constant;
  for (const cost of least) room -= cost;
  const steps: Labels[] = [];
  let labels: Labels = start();
  let count = 0;
  groups.forEach((group, index) => {
    room += least[index]!;
    labels = extend(labels, group, room);
    count += labels.cost.length;
    if (count > MOST_LABELS) throw tooMany();
    // Only the last sums are needed.
    steps.push({ ...labels, cost: NOTHING, loss: NOTHING });
  });
  return {
    cost: labels.cost.map((cost) => cost + constant),
    loss: labels.loss,
    genome(point) {
      const genome = new Uint8Array(problem.layers.length);
      let at = point;
      for (let index = groups.length - 1; index >= 0; index--) {
        const { layers, choices } = groups[index]!;
        const option = steps[index]!.option[at]!;
        layers.forEach((layer, place) => {
          genome[layer] = choices[option * layers.length + place]!;
        });
        at = steps[index]!.parent[at]!;
      }
      return genome;
    },
  };
}

/** The point of least loss whose cost is within a budget; −1 if there is none. */
export function pointWithin({ cost }: Front, budget: number): number {
  const bound = budget + Math.abs(budget) * 1e-12;
  let low = 0;
  let high = cost.length;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if (cost[middle]! <= bound) low = middle + 1;
    else high = middle;
  }
  return low - 1;
}

/** The point of least cost whose loss is within a bound; −1 if there is none. */
export function pointOfLoss({ loss }: Front, limit: number): number {
  const bound = limit + Math.abs(limit) * 1e-12;
  let low = 0;
  let high = loss.length;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if (loss[middle]! <= bound) high = middle;
    else low = middle + 1;
  }
  return low < loss.length ? low : -1;
}

/** Partial choices by ascending cost and descending loss. */
interface Labels {
  readonly cost: Float64Array;
  readonly loss: Float64Array;
  /** The label of the step before, and the option that was added. */
  readonly parent: Uint32Array;
  readonly option: Uint32Array;
}

const NOTHING = new Float64Array(0);

function start(): Labels {
  return {
    cost: Float64Array.of(0),
    loss: Float64Array.of(0),
    parent: Uint32Array.of(0),
    option: Uint32Array.of(0),
  };
}

function spread({ costs }: Group): number {
  return costs[0]!.at(-1)! - costs[0]![0]!;
}

function tooMany(): UserError {
  return new UserError({
    message: "The exact front has too many points to fit into memory",
    hint: "Use method: genetic",
  });
}

/** All sums of a label and an option up to `room`, without the beaten ones: a merge of one sorted list an option. */
function extend(labels: Labels, group: Group, room: number): Labels {
  const options = group.loss.length;
  const cost = group.costs[0]!;
  const { length } = labels.cost;
  // A tournament of list heads, as a binary heap ordered by cost, then loss.
  const heap = new Uint32Array(options);
  const at = new Uint32Array(options);
  const headCost = new Float64Array(options);
  const headLoss = new Float64Array(options);
  let size = 0;
  const isBefore = (a: number, b: number) =>
    headCost[a]! < headCost[b]! || headCost[a] === headCost[b] && headLoss[a]! < headLoss[b]!;
  const sink = (place: number) => {
    const moved = heap[place]!;
    for (;;) {
      let child = 2 * place + 1;
      if (child >= size) break;
      if (child + 1 < size && isBefore(heap[child + 1]!, heap[child]!)) child++;
      if (!isBefore(heap[child]!, moved)) break;
      heap[place] = heap[child]!;
      place = child;
    }
    heap[place] = moved;
  };
  if (length > 0) {
    for (let option = 0; option < options; option++) {
      headCost[option] = labels.cost[0]! + cost[option]!;
      headLoss[option] = labels.loss[0]! + group.loss[option]!;
      if (headCost[option]! <= room) heap[size++] = option;
    }
  }
  for (let place = (size >> 1) - 1; place >= 0; place--) sink(place);
  const made = new LabelList(length * 2 + 16);
  let best = Infinity;
  while (size > 0) {
    const option = heap[0]!;
    if (headLoss[option]! < best) {
      best = headLoss[option]!;
      made.push(headCost[option]!, best, at[option]!, option);
      if (made.length > MOST_LABELS) throw tooMany();
    }
    // What follows in this list and still loses as much is beaten already.
    let next = at[option]! + 1;
    const own = group.loss[option]!;
    while (next < length && labels.loss[next]! + own >= best) next++;
    at[option] = next;
    const sum = next < length ? labels.cost[next]! + cost[option]! : Infinity;
    if (next < length && sum <= room) {
      headCost[option] = sum;
      headLoss[option] = labels.loss[next]! + own;
    } else {
      heap[0] = heap[--size]!;
    }
    if (size > 0) sink(0);
  }
  return made.labels();
}

/** Labels that grow. */
class LabelList {
  length = 0;
  #cost: Float64Array;
  #loss: Float64Array;
  #parent: Uint32Array;
  #option: Uint32Array;

  constructor(room: number) {
    this.#cost = new Float64Array(room);
    this.#loss = new Float64Array(room);
    this.#parent = new Uint32Array(room);
    this.#option = new Uint32Array(room);
  }

  push(cost: number, loss: number, parent: number, option: number): void {
    if (this.length === this.#cost.length) this.#grow();
    this.#cost[this.length] = cost;
    this.#loss[this.length] = loss;
    this.#parent[this.length] = parent;
    this.#option[this.length++] = option;
  }

  labels(): Labels {
    return {
      cost: this.#cost.slice(0, this.length),
      loss: this.#loss.slice(0, this.length),
      parent: this.#parent.slice(0, this.length),
      option: this.#option.slice(0, this.length),
    };
  }

  #grow(): void {
    const room = this.length * 2;
    const grown = <T extends Float64Array | Uint32Array>(from: T, to: T): T => {
      to.set(from);
      return to;
    };
    this.#cost = grown(this.#cost, new Float64Array(room));
    this.#loss = grown(this.#loss, new Float64Array(room));
    this.#parent = grown(this.#parent, new Uint32Array(room));
    this.#option = grown(this.#option, new Uint32Array(room));
  }
}
