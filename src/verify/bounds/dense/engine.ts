/**
 * Bounds computed by kernels, box by box, for networks whose layers follow one another.
 *
 * In a part of a domain most neurons are stable: those that both networks set to zero take no part, and those that both
 * pass on need no relaxation. ONNX Runtime computes all of them alike, in passes over batches that do not fit into the
 * cache, and takes longer to begin small batches than to compute them.
 *
 * @module
 */

import { type PairedNetwork, sizeOf, type ValueNumber } from "../../network/network.ts";
import type { IntervalResults, Magnitudes } from "../affine.ts";
import { inputFeed, type Noise } from "../batch.ts";
import type { BoundEngine, EngineFacts, Propagated, RowRequest, RowResult } from "../engine.ts";
import { filledUp } from "./chain.ts";
import { differencesOf, intervalOf, magnitudesOf } from "./forward.ts";
import { LANES, LINES, RECORD } from "./kernels.ts";
import { DenseMemory } from "./memory.ts";
import { sharesOf } from "./shares.ts";

/** One for all networks of a thread. */
let shared: DenseMemory | undefined;

const BLOCK = 8 * LANES;

const CONSTANT = 16;
const DIFFERENCE_CONSTANT = 32;

/** The rows of one box. */
interface BoxRows {
  readonly box: number;
  /** Of the first one, among all. */
  readonly from: number;
  readonly to: number;
}

/** Where a pass works. */
interface Buffers {
  /** Coefficients on values and on differences, twice: a layer's result is beside what it was made of. */
  readonly v: [number, number];
  readonly w: [number, number];
  readonly constant: number;
  readonly pairs: number;
  /** What relaxations cost, by elementwise step: two numbers a neuron, whose sum counts. */
  readonly gaps: readonly number[];
}

/** Bounds one network. */
export class DenseEngine implements BoundEngine {
  /** What is made for each of them stays in the cache. */
  readonly boxes = 16;
  readonly #network: PairedNetwork;
  readonly #facts: EngineFacts;
  readonly #widest: number;

  constructor(network: PairedNetwork, facts: EngineFacts) {
    this.#network = network;
    this.#facts = facts;
    this.#widest = network.steps.reduce(
      (most, { size }) => Math.max(most, size),
      network.input.size,
    );
  }

  interval(value: ValueNumber, _: unknown, { bounds }: Propagated): IntervalResults {
    return intervalOf(this.#memory(), this.#network, value, bounds.get(value - 1)!);
  }

  magnitudes(value: ValueNumber, { bounds }: Propagated): Magnitudes {
    return magnitudesOf(this.#memory(), this.#network, value, bounds.get(value - 1)!);
  }

  differences(points: Float64Array): Float64Array {
    return differencesOf(this.#memory(), this.#network, points);
  }

  rows(request: RowRequest): RowResult {
    const { rows, state, scores: isScored } = request;
    const memory = this.#memory();
    memory.useState(state);
    const inputs = this.#network.input.size;
    const bounds = new Float64Array(rows.index.length);
    const scores = isScored ? new Float64Array(state.batch.count * inputs) : undefined;
    const feed = inputFeed(state.batch, this.#facts.unit);
    const parts = partsOf(request);
    // What belongs to boxes stays; what passes need goes.
    for (const { box } of parts) this.#prepare(memory, request, box);
    const mark = memory.workspace.mark;
    const buffers = this.#buffers(memory);
    for (const part of parts) this.#bound(memory, request, part, buffers, feed, bounds, scores);
    memory.workspace.release(mark);
    return { bounds, scores };
  }

  [Symbol.asyncDispose](): Promise<void> {
    return Promise.resolve();
  }

  #memory(): DenseMemory {
    shared ??= new DenseMemory();
    shared.use(this.#network);
    return shared;
  }

  /** Makes what a pass reads, so that the memory does not grow in between. */
  #prepare(memory: DenseMemory, { target }: RowRequest, box: number): void {
    for (let value = target - 1; value > 0; value--) {
      if (memory.layers[value] === undefined) memory.neurons(value, box);
      else memory.weights(value, box);
    }
  }

  #buffers({ workspace }: DenseMemory): Buffers {
    const take = () => workspace.take(BLOCK * filledUp(this.#widest));
    return {
      v: [take(), take()],
      w: [take(), take()],
      constant: workspace.take(BLOCK),
      pairs: workspace.take(16 * this.#widest),
      gaps: this.#network.steps.map(({ size }) => workspace.take(16 * size)),
    };
  }

  #bound(
    memory: DenseMemory,
    request: RowRequest,
    { box, from, to }: BoxRows,
    buffers: Buffers,
    feed: { center: Float64Array; half: Float64Array },
    bounds: Float64Array,
    scores: Float64Array | undefined,
  ): void {
    const { workspace } = memory;
    const inputs = this.#network.input.size;
    const own = new Float64Array(scores === undefined ? 0 : inputs);
    if (scores !== undefined) {
      buffers.gaps.forEach((address, at) => {
        const size = sizeOf(this.#network, at + 1);
        workspace.numbers.fill(0, address / 8, address / 8 + 2 * size);
      });
    }
    for (let row = from; row < to; row += LANES) {
      const lanes = Math.min(LANES, to - row);
      for (let lane = 0; lane < LANES; lane++) workspace.numbers[buffers.constant / 8 + lane] = 0;
      this.#start(memory, request, box, row, lanes, buffers);
      const isAny = this.#pass(memory, request, box, buffers);
      if (isAny) {
        const { numbers, kernels } = workspace;
        for (let input = 0, at = buffers.pairs / 8; input < inputs; input++) {
          numbers[at++] = feed.center[box * inputs + input]!;
          numbers[at++] = feed.half[box * inputs + input]!;
        }
        kernels.charge(buffers.v[0], buffers.pairs, 16, inputs, buffers.constant);
        if (scores !== undefined) {
          for (let input = 0, at = buffers.v[0] / 8; input < inputs; input++) {
            for (let lane = 0; lane < LANES; lane++) own[input]! += Math.abs(numbers[at++]!);
          }
        }
      }
      for (let lane = 0; lane < lanes; lane++) {
        bounds[row + lane] = workspace.numbers[buffers.constant / 8 + lane]!;
      }
    }
    if (scores === undefined) return;
    for (let input = 0; input < inputs; input++) {
      scores[box * inputs + input]! += own[input]! * feed.half[box * inputs + input]! / 2;
    }
    const shares = sharesOf(memory, this.#network, request.state, box);
    for (const [value, share] of shares) {
      const { relaxed } = memory.neurons(value, box);
      for (let neuron = 0, at = buffers.gaps[value - 1]! / 8; neuron < relaxed; neuron++, at += 2) {
        const gap = workspace.numbers[at]! + workspace.numbers[at + 1]!;
        for (let input = 0; input < inputs; input++) {
          scores[box * inputs + input]! += gap * share[neuron * inputs + input]!;
        }
      }
    }
  }

  /** Rows of the target through its own affine step, as coefficients on what it reads. */
  #start(
    memory: DenseMemory,
    { target, view, rows }: RowRequest,
    box: number,
    row: number,
    lanes: number,
    { v, w }: Buffers,
  ): void {
    const { numbers } = memory.workspace;
    const columns = sizeOf(this.#network, target - 1);
    const live = memory.live(target - 1, box);
    const count = live?.length ?? columns;
    const [s0, s1, s2, s3] = [0, 1, 2, 3].map((lane) => lane < lanes ? rows.sign[row + lane]! : 0);
    const [r0, r1, r2, r3] = [0, 1, 2, 3].map((lane) =>
      lane < lanes ? rows.index[row + lane]! * columns : 0
    );
    const fill = (address: number, weights: Float64Array | undefined) => {
      let to = address / 8;
      if (weights === undefined) {
        numbers.fill(0, to, to + LANES * count);
        return;
      }
      for (let at = 0; at < count; at++, to += LANES) {
        const column = live === undefined ? at : live[at]!;
        numbers[to] = s0! * weights[r0! + column]!;
        numbers[to + 1] = s1! * weights[r1! + column]!;
        numbers[to + 2] = s2! * weights[r2! + column]!;
        numbers[to + 3] = s3! * weights[r3! + column]!;
      }
    };
    const { original, quantized, difference } = memory.layers[target]!.weights;
    if (view === "z") fill(v[0], original);
    else if (view === "y") fill(v[0], quantized);
    else {
      fill(v[0], difference);
      fill(w[0], quantized);
    }
  }

  /**
   * Carries coefficients back to the input, where they are in the first buffers then.
   *
   * @returns Whether there are any: not if all neurons of a layer are off.
   */
  #pass(
    memory: DenseMemory,
    { target, view, state }: RowRequest,
    box: number,
    { v, w, constant, pairs, gaps }: Buffers,
  ): boolean {
    const { kernels } = memory.workspace;
    const isPair = view === "joint" || view === "merged";
    for (let value = target - 1; value > 0; value--) {
      if (memory.layers[value] !== undefined) {
        if (!this.#facts.folded.has(value)) {
          this.#charge(memory, value, box, isPair ? "z" : view, v[0], pairs, constant, state);
          if (isPair) this.#charge(memory, value, box, "e", w[0], pairs, constant, state);
        }
        const weights = memory.weights(value, box);
        const { offsets, inner, columns, original, quantized, difference } = weights;
        if (inner === 0 || columns === 0) return false;
        kernels.multiply(
          v[0],
          offsets,
          view === "y" ? quantized : original,
          v[1],
          inner,
          columns,
          0,
        );
        if (isPair) {
          if (difference !== undefined) {
            kernels.multiply(w[0], offsets, difference, v[1], inner, columns, 1);
          }
          kernels.multiply(w[0], offsets, quantized, w[1], inner, columns, 0);
        }
        v.reverse();
        w.reverse();
        continue;
      }
      const { list, relaxed, records } = memory.neurons(value, box);
      if (value + 1 < target && memory.layers[value + 1] === undefined) {
        const before = memory.neurons(value + 1, box).list;
        for (const buffer of isPair ? [v, w] : [v]) this.#reorder(memory, before, list, buffer);
      }
      const passed = list.length - relaxed;
      if (list.length === 0) return false;
      const rest = records + 8 * RECORD * relaxed;
      const skipped = BLOCK * relaxed;
      if (!isPair) {
        const lines = LINES[view];
        if (relaxed > 0) kernels.relax(v[0], records + lines, relaxed, constant);
        if (passed > 0) {
          kernels.charge(v[0] + skipped, rest + lines + CONSTANT, 8 * RECORD, passed, constant);
        }
        continue;
      }
      if (relaxed > 0) {
        if (view === "joint") {
          kernels.joint(v[0], w[0], records, relaxed, constant, gaps[value - 1]!);
        } else kernels.merged(v[0], w[0], records, relaxed, constant);
      }
      if (passed > 0) {
        const at = (offset: number) => rest + offset;
        const stride = 8 * RECORD;
        kernels.charge(v[0] + skipped, at(LINES.z + CONSTANT), stride, passed, constant);
        const differences = at(LINES.difference + DIFFERENCE_CONSTANT);
        kernels.charge(w[0] + skipped, differences, stride, passed, constant);
      }
    }
    return true;
  }

  /** Coefficients on the neurons of one elementwise step as those on neurons of the step in front of it. */
  #reorder(
    { workspace: { numbers } }: DenseMemory,
    before: Int32Array,
    list: Int32Array,
    buffer: [number, number],
  ): void {
    const places = new Map(Array.from(before, (element, at) => [element, at]));
    for (let at = 0, to = buffer[1] / 8; at < list.length; at++) {
      const place = places.get(list[at]!);
      for (let lane = 0; lane < LANES; lane++) {
        numbers[to++] = place === undefined ? 0 : numbers[buffer[0] / 8 + place * LANES + lane]!;
      }
    }
    buffer.reverse();
  }

  /** The offset and the noise of an affine step that no relaxation takes in. */
  #charge(
    memory: DenseMemory,
    value: ValueNumber,
    box: number,
    letter: keyof Noise,
    coefficients: number,
    pairs: number,
    constant: number,
    state: Propagated,
  ): void {
    const { numbers, kernels } = memory.workspace;
    const size = sizeOf(this.#network, value);
    const offsets = this.#facts.offsetsOf(value)[letter];
    const noise = state.noise.get(value)![letter];
    // An elementwise step behind may have left coefficients on some elements only.
    const live = memory.live(value + 1, box);
    const count = live?.length ?? size;
    for (let at = 0, to = pairs / 8; at < count; at++) {
      const element = live === undefined ? at : live[at]!;
      numbers[to++] = offsets[element]!;
      numbers[to++] = noise[box * size + element]!;
    }
    if (count > 0) kernels.charge(coefficients, pairs, 16, count, constant);
  }
}

/** The rows of every box; groups of one box follow one another, and only the last is filled up. */
function partsOf({ rows }: RowRequest): BoxRows[] {
  const { width, group, sign } = rows;
  const parts: BoxRows[] = [];
  for (let at = 0; at < group.length;) {
    const box = group[at]!;
    const from = at * width;
    while (at < group.length && group[at] === box) at++;
    let to = at * width;
    while (to > from && sign[to - 1] === 0) to--;
    if (to > from) parts.push({ box, from, to });
  }
  return parts;
}
