/**
 * Bounds of all values of a paired network on a batch of boxes, step by step.
 *
 * Each tier narrows what the earlier ones found: intervals, what a parent box knew, backward rows for z and y of
 * neurons that are still unstable, backward rows for e where asked for.
 *
 * @module
 */

import { expandPools } from "../network/expand_pools.ts";
import {
  inputsOf,
  type PairedNetwork,
  type PairedStep,
  sizeOf,
  type ValueNumber,
} from "../network/network.ts";
import { affineBounds, type AffineFacts, affineFacts, affineNoise } from "./affine.ts";
import { type BoxBatch, close, down, intersect, type Noise, type ValueBounds } from "./batch.ts";
import { isChain } from "./dense/chain.ts";
import { DenseEngine } from "./dense/engine.ts";
import type { BoundEngine, Propagated, RowResult } from "./engine.ts";
import type { RowView } from "./graphs/backward.ts";
import { GraphEngine } from "./graphs/engine.ts";
import type { AffinePairedStep } from "./graphs/interval.ts";
import { relaxQuantize } from "./quantize.ts";
import { hasFields, ReceptiveEngine } from "./receptive/engine.ts";
import { MixedEngine } from "./mixed.ts";
import {
  type FoldedOffset,
  newRelaxation,
  type Relaxation,
  relaxRelu,
  reluBounds,
} from "./relu.ts";
import { boundUnit, gamma, type Semantics } from "./roundoff.ts";
import { type Rows, rowsOf } from "./rows.ts";
import { relaxSmooth } from "./smooth.ts";
import { rowTargets } from "./targets.ts";
import { gridEndsOf, wantedRows } from "./wanted.ts";
import type { Watch } from "./watch.ts";

/** How bounds are made. */
export interface PropagationOptions {
  readonly semantics?: Semantics;
  /** Threads of each session; 1 unless told. */
  readonly threads?: number;
  /** Bytes that the coefficients of one pass should stay under. */
  readonly memory?: number;
  /** Frank–Wolfe steps on the slopes of rows of z and y; 0 unless told. */
  readonly reselect?: number;
  /** The same on all relaxations of rows of the output's difference; 0 unless told. */
  readonly refine?: number;
  /** What computes; unless told, kernels too where they can, and ONNX Runtime elsewhere. */
  readonly engine?: "kernels" | "mixed" | "receptive" | "graphs";
  readonly watch?: Watch;
  /** A network whose first steps are those of this one; what is known here can be extended there, see `extend`. */
  readonly within?: PairedNetwork;
}

/** Which backward rows are made at inner values. */
export type InnerRows = "none" | "values" | "differences";

const DEFAULT_MEMORY = 32 * 2 ** 20;

/** Bounds one network. */
export class Propagator implements AsyncDisposable {
  /** What is bounded: with max pools taken apart, so that numbers of values can differ from what was given. */
  readonly network: PairedNetwork;
  readonly #semantics: Semantics;
  readonly #unit: number;
  readonly #slack: number;
  readonly #facts = new Map<ValueNumber, AffineFacts>();
  readonly #folded = new Set<ValueNumber>();
  readonly #nonlinear = new Set<ValueNumber>();
  readonly #onlyRelu = new Set<ValueNumber>();
  readonly #gridEnds: ReturnType<typeof gridEndsOf>;
  /** Values whose neurons have rows of their own. */
  readonly #targets: ReadonlySet<ValueNumber>;
  readonly #engine: BoundEngine;

  constructor(network: PairedNetwork, options: PropagationOptions = {}) {
    const expanded = expandPools(network);
    network = expanded.network;
    this.network = network;
    this.#targets = new Set(rowTargets(network, expanded.comparisons));
    const { semantics = "real", threads = 1, memory = DEFAULT_MEMORY } = options;
    const { reselect = 0, refine = 0 } = options;
    this.#semantics = semantics;
    const { within } = options;
    this.#unit = Math.max(boundUnit(network), within ? boundUnit(expandPools(within).network) : 0);
    // The division, the product and what a fused kernel may round between them.
    this.#slack = semantics === "real" ? 0 : gamma(4, 2 ** -24);
    this.#gridEnds = gridEndsOf(network);
    const readers = new Map<ValueNumber, number>();
    network.steps.forEach((step, at) => {
      for (const input of inputsOf(step)) readers.set(input, (readers.get(input) ?? 0) + 1);
      if (step.kind === "affine") {
        this.#facts.set(at + 1, affineFacts(step, semantics));
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
    const facts = {
      folded: this.#folded,
      unit: this.#unit,
      slack: this.#slack,
      foldedOf: (value: ValueNumber, state: Propagated) => this.#foldedOf(value, state),
      offsetsOf: (value: ValueNumber) => this.#facts.get(value)!.offsets,
    };
    const { engine = engineFor(network), watch = {} } = options;
    this.#engine = engine === "kernels"
      ? new DenseEngine(network, facts)
      : new ENGINES[engine](network, facts, { threads, memory, reselect, refine, watch });
  }

  /** Values whose neurons have rows of their own, in the order in which they are bounded. */
  get targets(): ReadonlySet<ValueNumber> {
    return this.#targets;
  }

  /** Values whose bounds relaxations are made of. */
  get nonlinearInputs(): ReadonlySet<ValueNumber> {
    return this.#nonlinear;
  }

  /** How many boxes are best bounded together. */
  get boxes(): number {
    return this.#engine.boxes;
  }

  /** f′ − f at points [points × inputs]: [points × outputs]. */
  async differences(points: Float64Array): Promise<Float64Array> {
    return await this.#engine.differences(points);
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
      await this.#bound(at + 1, step, state, rows, inherited);
    }
    return state;
  }

  /**
   * Bounds the values behind those that are known.
   *
   * @param known By a propagator of a network whose steps are the first of this one's, and whose option `within` was this
   *   one.
   */
  async extend(known: Propagated, rows: InnerRows): Promise<Propagated> {
    const state = {
      batch: known.batch,
      bounds: new Map(known.bounds),
      noise: new Map(known.noise),
      relaxations: new Map(known.relaxations),
    };
    for (const [at, step] of this.network.steps.entries()) {
      if (!state.bounds.has(at + 1)) await this.#bound(at + 1, step, state, rows);
    }
    return state;
  }

  /**
   * Lower bounds of rows of an affine step's value.
   *
   * @param scores For view `joint`: whether to say how much a split of each input would help, [boxes × inputs].
   */
  async boundRows(
    target: ValueNumber,
    view: RowView,
    rows: Rows,
    state: Propagated,
    scores = false,
  ): Promise<RowResult> {
    const found = await this.#engine.rows({
      target,
      view,
      rows,
      state,
      scores,
    });
    this.#finish(target, view, rows, state, found.bounds);
    return found;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#engine[Symbol.asyncDispose]();
  }

  /** Bounds one value. */
  async #bound(
    value: ValueNumber,
    step: PairedStep,
    state: Filled,
    rows: InnerRows,
    inherited?: ReadonlyMap<ValueNumber, ValueBounds>,
  ): Promise<void> {
    const { bounds, noise, relaxations } = state;
    if (step.kind === "affine") {
      const known = inherited?.get(value);
      const hasRows = rows !== "none" && this.#targets.has(value);
      const magnitudes = known && hasRows ? this.#engine.magnitudes(value, state) : undefined;
      if (known !== undefined && magnitudes !== undefined) {
        // Rows say more than intervals wherever that counts.
        bounds.set(value, known);
        noise.set(value, affineNoise(magnitudes, step.size, this.#facts.get(value)!, this.#unit));
      } else {
        const made = await this.#interval(value, step, state);
        bounds.set(value, made.bounds);
        noise.set(value, made.noise);
        if (known !== undefined) intersect(made.bounds, known);
        close(made.bounds);
      }
      const own = bounds.get(value)!;
      if (!hasRows) return;
      await this.#narrow(value, "z", state);
      if (rows === "differences") {
        await this.#narrow(value, "joint", state);
        close(own);
      }
      await this.#narrow(value, "y", state, rows === "differences");
      close(own);
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
      const { quantizer, size } = step;
      const made = relaxQuantize(given, size, quantizer, this.#unit, this.#slack, relaxation);
      relaxations.set(value, relaxation);
      bounds.set(value, made);
    } else if (step.kind === "maxpool") throw new TypeError("Max pools must be expanded first");
    else {
      const given = bounds.get(step.input)!;
      const relaxation = newRelaxation(given.zLower.length);
      const slack = this.#semantics === "real" ? 0 : SMOOTH_ERROR;
      bounds.set(value, relaxSmooth(step.kind, given, this.#unit, slack, relaxation));
      relaxations.set(value, relaxation);
    }
  }

  async #interval(value: ValueNumber, step: AffinePairedStep, state: Propagated) {
    const results = await this.#engine.interval(value, step, state);
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
      wantedRows(bounds, view, {
        onlyRelu: this.#onlyRelu.has(value),
        isKnownByDifference,
        gridEnds: this.#gridEnds.get(value),
      }),
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

  #foldedOf(value: ValueNumber, state: Propagated): FoldedOffset | undefined {
    if (!this.#folded.has(value)) return undefined;
    return { ...this.#facts.get(value)!.offsets, noise: state.noise.get(value)! };
  }
}

/** What is being filled in. */
interface Filled extends Propagated {
  readonly bounds: Map<ValueNumber, ValueBounds>;
  readonly noise: Map<ValueNumber, Noise>;
  readonly relaxations: Map<ValueNumber, Relaxation>;
}

const ENGINES = { mixed: MixedEngine, receptive: ReceptiveEngine, graphs: GraphEngine };

function engineFor(network: PairedNetwork): keyof typeof ENGINES {
  if (isChain(network)) return "mixed";
  return hasFields(network) ? "receptive" : "graphs";
}

/**
 * How far Sigmoid and Tanh of ONNX Runtime may be from the functions: it computes them by rational approximations, whose
 * largest errors over 33 million numbers were 2⁻²²·⁵ and 2⁻²¹·⁶.
 */
const SMOOTH_ERROR = 2 ** -20;

/** Larger than any sum of underflows in a pass whose numbers stay below {@linkcode HUGE}. */
const TINY = 1e-200;
const HUGE = 1e60;
