/**
 * Bounds of all values of a paired network on a batch of boxes, step by step.
 *
 * Each tier narrows what the earlier ones found: intervals, what a parent box knew, backward rows for z and y of
 * neurons that are still unstable, backward rows for e where asked for.
 *
 * @module
 */

import { type Tensor, tensor } from "../../onnx/tensor.ts";
import { expandPools } from "../network/expand_pools.ts";
import { inputsOf, type PairedNetwork, sizeOf, type ValueNumber } from "../network/network.ts";
import { affineBounds, type AffineFacts, affineFacts, intervalFeed } from "./affine.ts";
import { close, down, intersect, type Noise, up, type ValueBounds } from "./batch.ts";
import { type BackwardGraph, backwardGraph, type RowView } from "./graphs/backward.ts";
import { type AffinePairedStep, intervalGraph } from "./graphs/interval.ts";
import { canReselect, reselectGraph } from "./graphs/reselect.ts";
import type { NetworkGraph } from "./graphs/network_graph.ts";
import { type ReluLines, reluLines } from "./lines.ts";
import {
  type FoldedOffset,
  newRelaxation,
  type Relaxation,
  relaxRelu,
  reluBounds,
} from "./relu.ts";
import { relaxQuantize } from "./quantize.ts";
import { cutRows, type Rows, rowsOf } from "./rows.ts";
import { relaxSmooth } from "./smooth.ts";
import { boundUnit, gamma, type Semantics } from "./roundoff.ts";
import { wantedRows } from "./wanted.ts";
import { NetworkSessions, type OpenGraph } from "./sessions.ts";

/** Boxes side by side, [boxes × inputs]. */
export interface BoxBatch {
  readonly count: number;
  readonly lower: Float64Array;
  readonly upper: Float64Array;
}

/** How bounds are made. */
export interface PropagationOptions {
  readonly semantics?: Semantics;
  /** Threads of each session; 1 unless told. */
  readonly threads?: number;
  /** Bytes that the coefficients of one pass should stay under. */
  readonly memory?: number;
  /** Frank–Wolfe steps on the slopes of rows of z and y; 0 unless told. */
  readonly reselect?: number;
}

/** Which backward rows are made at inner values. */
export type InnerRows = "none" | "values" | "differences";

/** Everything that is known on a batch. */
export interface Propagated {
  readonly batch: BoxBatch;
  /** By value; bounds of nonlinear steps' inputs are the ones worth keeping for parts of the boxes. */
  readonly bounds: ReadonlyMap<ValueNumber, ValueBounds>;
  readonly noise: ReadonlyMap<ValueNumber, Noise>;
  readonly relaxations: ReadonlyMap<ValueNumber, Relaxation>;
}

const DEFAULT_MEMORY = 32 * 2 ** 20;

/** Bounds one network; sessions are made when they are first needed. */
export class Propagator implements AsyncDisposable {
  /** What is bounded: with max pools taken apart, so that numbers of values can differ from what was given. */
  readonly network: PairedNetwork;
  readonly #options: Required<PropagationOptions>;
  readonly #unit: number;
  readonly #facts = new Map<ValueNumber, AffineFacts>();
  readonly #folded = new Set<ValueNumber>();
  readonly #nonlinear = new Set<ValueNumber>();
  readonly #onlyRelu = new Set<ValueNumber>();
  readonly #comparisons: ReadonlySet<ValueNumber>;
  readonly #sessions: NetworkSessions;
  readonly #widest: number;

  constructor(network: PairedNetwork, options: PropagationOptions = {}) {
    const expanded = expandPools(network);
    network = expanded.network;
    this.network = network;
    this.#comparisons = expanded.comparisons;
    this.#options = {
      semantics: "real",
      threads: 1,
      memory: DEFAULT_MEMORY,
      reselect: 0,
      ...options,
    };
    this.#unit = boundUnit(network);
    this.#sessions = new NetworkSessions(network, this.#options.threads);
    const readers = new Map<ValueNumber, number>();
    network.steps.forEach((step, at) => {
      for (const input of inputsOf(step)) readers.set(input, (readers.get(input) ?? 0) + 1);
      if (step.kind === "affine") {
        this.#facts.set(at + 1, affineFacts(step, this.#options.semantics));
      } else this.#nonlinear.add(step.input);
      if (step.kind === "relu") this.#onlyRelu.add(step.input);
    });
    network.steps.forEach((step) => {
      if (step.kind !== "relu") {
        for (const input of inputsOf(step)) this.#onlyRelu.delete(input);
        return;
      }
      const maker = network.steps[step.input - 1];
      if (maker?.kind === "affine" && readers.get(step.input) === 1) this.#folded.add(step.input);
    });
    this.#widest = network.steps.reduce(
      (most, { size }) => Math.max(most, size),
      network.input.size,
    );
  }

  /** Values whose bounds relaxations are made of. */
  get nonlinearInputs(): ReadonlySet<ValueNumber> {
    return this.#nonlinear;
  }

  /** Opens another graph of the network beside those of the bounds. */
  open<Graph extends NetworkGraph>(key: string, make: () => Graph): Promise<OpenGraph<Graph>> {
    return this.#sessions.graph(key, make);
  }

  /**
   * Bounds every value.
   *
   * @param inherited Bounds of inputs of nonlinear steps that are known to hold on each box.
   */
  async propagate(
    batch: BoxBatch,
    rows: InnerRows,
    inherited?: ReadonlyMap<ValueNumber, ValueBounds>,
  ): Promise<Propagated> {
    const { network } = this;
    const zero = new Float64Array(batch.lower.length);
    const bounds = new Map<ValueNumber, ValueBounds>([[0, {
      zLower: batch.lower,
      zUpper: batch.upper,
      yLower: batch.lower,
      yUpper: batch.upper,
      eLower: zero,
      eUpper: zero,
    }]]);
    const noise = new Map<ValueNumber, Noise>();
    const relaxations = new Map<ValueNumber, Relaxation>();
    const state = { batch, bounds, noise, relaxations };
    for (const [at, step] of network.steps.entries()) {
      const value = at + 1;
      if (step.kind === "affine") {
        const made = await this.#interval(value, step, state);
        bounds.set(value, made.bounds);
        noise.set(value, made.noise);
        const known = inherited?.get(value);
        if (known !== undefined) intersect(made.bounds, known);
        close(made.bounds);
        if (rows === "none" || !this.#nonlinear.has(value)) continue;
        if (this.#comparisons.has(value) && step.size > MOST_COMPARED) continue;
        if (!this.#isBehindRelaxation(value)) continue;
        await this.#narrow(value, "z", state);
        if (rows === "differences") {
          await this.#narrow(value, "joint", state);
          close(made.bounds);
        }
        await this.#narrow(value, "y", state, rows === "differences");
        close(made.bounds);
      } else if (step.kind === "relu") {
        const given = bounds.get(step.input)!;
        const folded = this.#foldedOf(step.input, state);
        const relaxation = newRelaxation(given.zLower.length);
        relaxRelu(given, step.size, this.#unit, folded, relaxation);
        relaxations.set(value, relaxation);
        bounds.set(value, reluBounds(given));
      } else if (step.kind === "quantize") {
        const given = bounds.get(step.input)!;
        const relaxation = newRelaxation(given.zLower.length);
        // The division, the product and what a fused kernel may round between them.
        const slack = this.#options.semantics === "real" ? 0 : gamma(4, 2 ** -24);
        const made = relaxQuantize(given, step.size, step.quantizer, this.#unit, slack, relaxation);
        relaxations.set(value, relaxation);
        bounds.set(value, made);
      } else if (step.kind === "maxpool") throw new TypeError("Max pools must be expanded first");
      else {
        const given = bounds.get(step.input)!;
        const relaxation = newRelaxation(given.zLower.length);
        const slack = this.#options.semantics === "real" ? 0 : SMOOTH_ERROR;
        bounds.set(value, relaxSmooth(step.kind, given, this.#unit, slack, relaxation));
        relaxations.set(value, relaxation);
      }
    }
    return state;
  }

  /**
   * Lower bounds of rows of an affine step's value.
   *
   * @param scores For view `joint`: each neuron's shares of the inputs, [boxes × size × inputs] by the value of its
   *   nonlinear step; then the result says how much a split of each input would help, [boxes × inputs].
   */
  async boundRows(
    target: ValueNumber,
    view: RowView,
    rows: Rows,
    state: Propagated,
    shares?: ReadonlyMap<ValueNumber, Float64Array>,
  ): Promise<{ bounds: Float64Array; scores: Float64Array | undefined }> {
    const withScores = shares !== undefined;
    const open = await this.#backward(target, view, withScores);
    const feeds = this.#feeds(open.graph, view, state, shares);
    const perGroup = rows.width * this.#widest * 8 * 4;
    const chunk = Math.max(Math.floor(this.#options.memory / perGroup), 1);
    const bounds = new Float64Array(rows.index.length);
    const inputs = this.network.input.size;
    const scores = withScores ? new Float64Array(state.batch.count * inputs) : undefined;
    for (let from = 0; from < rows.group.length; from += chunk) {
      const part = cutRows(rows, from, from + chunk);
      const groups = part.group.length;
      const result = await open.run({
        ...feeds,
        group: tensor("int32", [groups], part.group),
        index: tensor("int32", [groups, rows.width], part.index),
        sign: tensor("float64", [groups, rows.width, 1], part.sign),
      });
      const found = result.bound!.data as Float64Array;
      this.#finish(target, view, part, state, found);
      bounds.set(found, from * rows.width);
      if (scores === undefined) continue;
      const added = result.scores!.data as Float64Array;
      part.group.forEach((box, at) => {
        for (let input = 0; input < inputs; input++) {
          scores[box * inputs + input]! += added[at * inputs + input]!;
        }
      });
    }
    return { bounds, scores };
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#sessions[Symbol.asyncDispose]();
  }

  async #interval(value: ValueNumber, step: AffinePairedStep, state: Propagated) {
    const interval = await this.open(
      `${value} interval`,
      () => intervalGraph(this.network, value),
    );
    const feeds: Record<string, Tensor> = {};
    step.terms.forEach(({ input }, term) => {
      const given = state.bounds.get(input)!;
      for (const view of ["z", "y", "e"] as const) {
        const dims = [3 * state.batch.count, sizeOf(this.network, input)];
        const data = intervalFeed(given[`${view}Lower`], given[`${view}Upper`]);
        feeds[`${view}${term}`] = tensor("float64", dims, data);
      }
    });
    const { z, y, e } = await interval.run(feeds);
    const results = {
      z: z!.data as Float64Array,
      y: y!.data as Float64Array,
      e: e!.data as Float64Array,
    };
    return affineBounds(results, step.size, this.#facts.get(value)!, this.#unit);
  }

  /** Narrows the bounds of neurons that are unstable by backward rows. */
  async #narrow(
    value: ValueNumber,
    view: "z" | "y" | "joint",
    state: Propagated,
    isKnownByDifference = false,
  ): Promise<void> {
    const bounds = state.bounds.get(value)!;
    const letter = view === "joint" ? "e" : view;
    const [lower, upper] = [bounds[`${letter}Lower`], bounds[`${letter}Upper`]];
    const size = sizeOf(this.network, value);
    const rows = rowsOf(
      state.batch.count,
      size,
      wantedRows(bounds, view, { onlyRelu: this.#onlyRelu.has(value), isKnownByDifference }),
    );
    if (rows.group.length === 0) return;
    const { bounds: found } = await this.boundRows(value, view, rows, state);
    for (let row = 0; row < found.length; row++) {
      const at = rows.group[Math.floor(row / rows.width)]! * size + rows.index[row]!;
      if (rows.sign[row]! > 0) lower[at] = Math.max(lower[at]!, found[row]!);
      else if (rows.sign[row]! < 0) upper[at] = Math.min(upper[at]!, -found[row]!);
    }
  }

  /** Adds what the graph leaves out: the offset and the noise of the target's own step. */
  #finish(
    target: ValueNumber,
    view: RowView,
    rows: Rows,
    state: Propagated,
    found: Float64Array,
  ): void {
    const letter = view === "z" || view === "y" ? view : "e";
    const offsets = this.#facts.get(target)!.offsets[letter];
    const noise = state.noise.get(target)![letter];
    const size = sizeOf(this.network, target);
    for (let row = 0; row < found.length; row++) {
      const element = rows.index[row]!;
      const box = rows.group[Math.floor(row / rows.width)]!;
      const value = down(found[row]! + rows.sign[row]! * offsets[element]!);
      const bound = down(down(value - noise[box * size + element]!) - TINY);
      found[row] = Math.abs(bound) < HUGE ? bound : -Infinity;
    }
  }

  /** The lines around a Relu step of one network. */
  #lines(value: ValueNumber, view: "z" | "y", state: Propagated): ReluLines {
    const step = this.network.steps[value - 1]!;
    if (step.kind !== "relu") throw new TypeError(`Step ${step.kind} has no lines`);
    const folded = this.#foldedOf(step.input, state);
    const bounds = state.bounds.get(step.input)!;
    return reluLines(bounds, view, step.size, this.#unit, folded);
  }

  #foldedOf(value: ValueNumber, state: Propagated): FoldedOffset | undefined {
    if (!this.#folded.has(value)) return undefined;
    return { ...this.#facts.get(value)!.offsets, noise: state.noise.get(value)! };
  }

  #feeds(
    graph: BackwardGraph,
    view: RowView,
    state: Propagated,
    shares: ReadonlyMap<ValueNumber, Float64Array> | undefined,
  ): Record<string, Tensor> {
    const { count, lower, upper } = state.batch;
    const inputs = this.network.input.size;
    const center = new Float64Array(lower.length);
    const half = new Float64Array(lower.length);
    for (let at = 0; at < lower.length; at++) {
      const middle = (lower[at]! + upper[at]!) / 2;
      const width = up(Math.max(upper[at]! - middle, middle - lower[at]!));
      center[at] = middle;
      half[at] = width + this.#unit * (Math.abs(middle) + width);
    }
    const feeds: Record<string, Tensor> = {
      center: tensor("float64", [count, inputs, 1], center),
      half: tensor("float64", [count, inputs, 1], half),
    };
    const lines = new Map<ValueNumber, ReluLines>();
    const linesOf = (value: ValueNumber) => {
      const known = lines.get(value) ?? this.#lines(value, view as "z" | "y", state);
      lines.set(value, known);
      return known;
    };
    for (const [name, form] of graph.feeds) {
      const [value, field, letter] = name.split(".") as [string, string, string?];
      const number = Number(value);
      const size = sizeOf(this.network, number);
      if (field === "share") {
        feeds[name] = tensor("float64", [count, size, inputs], shares!.get(number)!);
        continue;
      }
      const data = field === "line"
        ? linesOf(number)[letter as keyof ReluLines]
        : field === "noise"
        ? state.noise.get(number)![letter as keyof Noise]
        : state.relaxations.get(number)![field as keyof Relaxation];
      const dims = form === "row" ? [count, 1, size] : [count, size, 1];
      feeds[name] = tensor("float64", dims, data);
    }
    return feeds;
  }

  #backward(
    target: ValueNumber,
    view: RowView,
    scores: boolean,
  ): Promise<OpenGraph<BackwardGraph>> {
    const steps = this.#options.reselect;
    const folded = this.#folded;
    const chooses = steps > 0 && (view === "z" || view === "y") && canReselect(this.network);
    return this.open(
      `${target} ${view} ${scores ? "scores" : ""} ${chooses ? steps : 0}`,
      () =>
        chooses
          ? reselectGraph(this.network, { target, view, folded, steps })
          : backwardGraph(this.network, { target, view, scores, folded }),
    );
  }

  #isBehindRelaxation(value: ValueNumber): boolean {
    const seen = new Set<ValueNumber>();
    const visit = (number: ValueNumber): boolean => {
      if (number === 0 || seen.has(number)) return false;
      seen.add(number);
      const step = this.network.steps[number - 1]!;
      return step.kind !== "affine" || inputsOf(step).some(visit);
    };
    return visit(value);
  }
}

/**
 * How far Sigmoid and Tanh of ONNX Runtime may be from the functions: it computes them by rational approximations, whose
 * largest errors over 33 million numbers were 2⁻²²·⁵ and 2⁻²¹·⁶.
 */
const SMOOTH_ERROR = 2 ** -20;

/** Larger pools have too many pairs of places for rows of their own. */
const MOST_COMPARED = 128;

/** Larger than any sum of underflows in a pass whose numbers stay below {@linkcode HUGE}. */
const TINY = 1e-200;
const HUGE = 1e60;
