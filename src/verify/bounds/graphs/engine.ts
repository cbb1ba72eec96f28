/**
 * Bounds computed by ONNX Runtime: for networks of any structure.
 *
 * @module
 */

import { type Tensor, tensor } from "../../../onnx/tensor.ts";
import { type PairedNetwork, sizeOf, type ValueNumber } from "../../network/network.ts";
import { intervalFeed, type IntervalResults } from "../affine.ts";
import { inputFeed, type Noise } from "../batch.ts";
import type { BoundEngine, EngineFacts, Propagated, RowRequest, RowResult } from "../engine.ts";
import { type ReluLines, reluLines } from "../lines.ts";
import type { Relaxation } from "../relu.ts";
import { cutRows } from "../rows.ts";
import { Pauses, type Watch } from "../watch.ts";
import { NetworkSessions, type OpenGraph } from "./sessions.ts";
import { type BackwardGraph, backwardGraph, type RowView } from "./backward.ts";
import { differenceGraph, shareGraph } from "./forward.ts";
import { type AffinePairedStep, intervalGraph } from "./interval.ts";
import { GraphRefiner } from "./refine.ts";
import { canReselect, reselectGraph } from "./reselect.ts";

/** How graphs are run. */
export interface GraphEngineOptions {
  /** Threads of each session. */
  readonly threads: number;
  /** Bytes that the coefficients of one pass should stay under. */
  readonly memory: number;
  /** Frank–Wolfe steps on the slopes of rows of z and y. */
  readonly reselect: number;
  /** The same on all relaxations of rows of the output's difference. */
  readonly refine: number;
  readonly watch: Watch;
}

/** Bounds one network; sessions are made when they are first needed. */
export class GraphEngine implements BoundEngine {
  readonly boxes = Infinity;
  readonly #network: PairedNetwork;
  readonly #facts: EngineFacts;
  readonly #options: GraphEngineOptions;
  readonly #sessions: NetworkSessions;
  readonly #refiner: GraphRefiner;
  readonly #widest: number;
  readonly #pauses: Pauses;

  constructor(network: PairedNetwork, facts: EngineFacts, options: GraphEngineOptions) {
    this.#network = network;
    this.#facts = facts;
    this.#options = options;
    this.#sessions = new NetworkSessions(network, options.threads);
    this.#pauses = new Pauses(options.watch);
    this.#refiner = new GraphRefiner(network, facts, this.#sessions, this.#pauses);
    this.#widest = network.steps.reduce(
      (most, { size }) => Math.max(most, size),
      network.input.size,
    );
  }

  async interval(
    value: ValueNumber,
    step: AffinePairedStep,
    state: Propagated,
  ): Promise<IntervalResults> {
    const interval = await this.#sessions.graph(
      `${value} interval`,
      () => intervalGraph(this.#network, value),
    );
    const feeds: Record<string, Tensor> = {};
    step.terms.forEach(({ input }, term) => {
      const given = state.bounds.get(input)!;
      for (const view of ["z", "y", "e"] as const) {
        const dims = [3 * state.batch.count, sizeOf(this.#network, input)];
        const data = intervalFeed(given[`${view}Lower`], given[`${view}Upper`]);
        feeds[`${view}${term}`] = tensor("float64", dims, data);
      }
    });
    const { z, y, e } = await interval.run(feeds);
    return {
      z: z!.data as Float64Array,
      y: y!.data as Float64Array,
      e: e!.data as Float64Array,
    };
  }

  magnitudes(): undefined {
    return undefined;
  }

  /** Whether relaxations are chosen for each of these rows. */
  chooses(request: RowRequest): boolean {
    return this.#refines(request) || this.#reselects(request.view);
  }

  async rows(request: RowRequest): Promise<RowResult> {
    if (!this.#refines(request)) return await this.#onePass(request);
    const refined = await this.#refine(request);
    if (canReselect(this.#network)) return refined;
    // Beside Relu, steps begin with other choices than those of one pass, and do not always find as good ones.
    const { bounds } = await this.#onePass(request);
    const best = (bound: number, row: number) => Math.max(bound, bounds[row]!);
    return { bounds: refined.bounds.map(best), scores: undefined };
  }

  #refines({ target, view, scores }: RowRequest): boolean {
    const isOutput = view === "joint" && target === this.#network.output;
    return isOutput && !scores && this.#options.refine > 0;
  }

  #reselects(view: RowView): view is "z" | "y" {
    const isOne = view === "z" || view === "y";
    return isOne && this.#options.reselect > 0 && canReselect(this.#network);
  }

  async #onePass({ target, view, rows, state, scores: isScored }: RowRequest): Promise<RowResult> {
    const open = await this.#backward(target, view, isScored);
    const shares = isScored ? await this.#shares(state) : undefined;
    const feeds = this.#feeds(open.graph, view, state, shares);
    // Where slopes are chosen, a run is several passes.
    const passes = this.#reselects(view) ? this.#options.reselect + 1 : 1;
    const perGroup = rows.width * this.#widest * 8 * 4 * passes;
    const chunk = Math.max(Math.floor(this.#options.memory / perGroup), 1);
    const bounds = new Float64Array(rows.index.length);
    const inputs = this.#network.input.size;
    const scores = isScored ? new Float64Array(state.batch.count * inputs) : undefined;
    for (let from = 0; from < rows.group.length; from += chunk) {
      const part = cutRows(rows, from, from + chunk);
      const groups = part.group.length;
      const result = await open.run({
        ...feeds,
        group: tensor("int32", [groups], part.group),
        index: tensor("int32", [groups, rows.width], part.index),
        sign: tensor("float64", [groups, rows.width, 1], part.sign),
      });
      bounds.set(result.bound!.data as Float64Array, from * rows.width);
      if (this.#pauses.isDue) {
        const done = (from + groups) * rows.width;
        await this.#pauses.take({ target, view, done, total: rows.index.length });
      }
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

  /** Rows of the output, box by box: groups of one box follow one another. */
  async #refine({ target, rows, state }: RowRequest): Promise<RowResult> {
    const { width, group, index, sign } = rows;
    const bounds = new Float64Array(index.length);
    for (let at = 0; at < group.length;) {
      const [box, from] = [group[at]!, at * width];
      while (at < group.length && group[at] === box) at++;
      const [own, signs] = [index.subarray(from, at * width), sign.subarray(from, at * width)];
      const wanted = { target, box, index: own, sign: signs };
      bounds.set(await this.#refiner.refine(wanted, state, this.#options.refine), from);
    }
    return { bounds, scores: undefined };
  }

  async differences(points: Float64Array): Promise<Float64Array> {
    const session = await this.#sessions.graph(
      "difference",
      () => differenceGraph(this.#network),
    );
    const dims = [points.length / this.#network.input.size, this.#network.input.size];
    const { difference } = await session.run({ x: tensor("float64", dims, points) });
    return difference!.data as Float64Array;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#sessions[Symbol.asyncDispose]();
  }

  /** Each neuron's shares of the inputs, [boxes × size × inputs] by the value of its nonlinear step. */
  async #shares(state: Propagated): Promise<Map<ValueNumber, Float64Array>> {
    // A graph without outputs cannot be run.
    if (this.#network.steps.every(({ kind }) => kind === "affine")) return new Map();
    const session = await this.#sessions.graph("shares", () => shareGraph(this.#network));
    const { count, lower, upper } = state.batch;
    const feeds: Record<string, Tensor> = {
      half: tensor(
        "float64",
        [count, this.#network.input.size, 1],
        upper.map((to, at) => (to - lower[at]!) / 2),
      ),
    };
    for (const value of session.graph.relaxed) {
      const dims = [count, 1, sizeOf(this.#network, value)];
      feeds[`${value}.aSlope`] = tensor("float64", dims, state.relaxations.get(value)!.aSlope);
    }
    const results = await session.run(feeds);
    return new Map(
      Object.entries(results).map(([name, { data }]) => [
        Number(name.split(".")[0]),
        data as Float64Array,
      ]),
    );
  }

  /** The lines around a Relu step of one network. */
  #lines(value: ValueNumber, view: "z" | "y", state: Propagated): ReluLines {
    const step = this.#network.steps[value - 1]!;
    if (step.kind !== "relu") throw new TypeError(`Step ${step.kind} has no lines`);
    const folded = this.#facts.foldedOf(step.input, state);
    return reluLines(state.bounds.get(step.input)!, view, step.size, this.#facts.unit, folded);
  }

  #feeds(
    graph: BackwardGraph,
    view: RowView,
    state: Propagated,
    shares: ReadonlyMap<ValueNumber, Float64Array> | undefined,
  ): Record<string, Tensor> {
    const { count } = state.batch;
    const inputs = this.#network.input.size;
    const { center, half } = inputFeed(state.batch, this.#facts.unit);
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
      const size = sizeOf(this.#network, number);
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
    const { folded } = this.#facts;
    const isReselected = this.#reselects(view);
    return this.#sessions.graph(
      `${target} ${view} ${scores ? "scores" : ""} ${isReselected ? steps : 0}`,
      () =>
        isReselected
          ? reselectGraph(this.#network, { target, view, folded, steps })
          : backwardGraph(this.#network, { target, view, scores, folded }),
    );
  }
}
