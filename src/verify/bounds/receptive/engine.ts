/**
 * Bounds of many rows of one value by kernels that go back through receptive fields, and by ONNX Runtime elsewhere.
 *
 * A row of a neuron behind convolutions depends on a window of each map, and on the neurons in it that are not off. Graphs
 * carry whole maps back, in a pass over memory for every operator: where relaxations are most of the work, that takes
 * many times as long.
 *
 * @module
 */

import { type PairedNetwork, sizeOf, type ValueNumber } from "../../network/network.ts";
import type { IntervalResults } from "../affine.ts";
import { inputFeed } from "../batch.ts";
import { LANES } from "../dense/kernels.ts";
import { Workspace } from "../dense/workspace.ts";
import type { BoundEngine, EngineFacts, Propagated, RowRequest, RowResult } from "../engine.ts";
import { GraphEngine, type GraphEngineOptions } from "../graphs/engine.ts";
import type { AffinePairedStep } from "../graphs/interval.ts";
import { Pauses } from "../watch.ts";
import { FieldBuilder, type FieldFacts } from "./field.ts";
import { hasLayout, type Layout, layoutBytes, layoutOf } from "./layout.ts";
import { FieldPass } from "./pass.ts";
import { groupsOf, type RowGroup } from "./groups.ts";
import { RelaxedNeurons } from "./neurons.ts";

/** Fewer rows are left to graphs: those of an output are few. */
const LEAST_ROWS = 64;

/** Bytes of weights from which on networks are. */
const MOST_BYTES = 2 ** 28;

/** Whether this engine is one for a network: one with convolutions, which have windows. */
export function hasFields(network: PairedNetwork): boolean {
  const convolves = network.steps.some((step) =>
    step.kind === "affine" && step.terms.some(({ map }) => map.original.kind === "convolution")
  );
  return convolves && hasLayout(network) && layoutBytes(network) <= MOST_BYTES;
}

/** Bounds one network with convolutions. */
export class ReceptiveEngine implements BoundEngine {
  readonly boxes = Infinity;
  readonly #network: PairedNetwork;
  readonly #facts: EngineFacts;
  readonly #graphs: GraphEngine;
  readonly #neurons: RelaxedNeurons;
  readonly #pauses: Pauses;
  #workspace: Workspace | undefined;
  #layout: Layout | undefined;

  constructor(network: PairedNetwork, facts: EngineFacts, options: GraphEngineOptions) {
    this.#network = network;
    this.#facts = facts;
    this.#graphs = new GraphEngine(network, facts, options);
    this.#neurons = new RelaxedNeurons(network);
    this.#pauses = new Pauses(options.watch);
  }

  interval(
    value: ValueNumber,
    step: AffinePairedStep,
    state: Propagated,
  ): Promise<IntervalResults> {
    return this.#graphs.interval(value, step, state);
  }

  magnitudes(): undefined {
    return undefined;
  }

  differences(points: Float64Array): Promise<Float64Array> {
    return this.#graphs.differences(points);
  }

  async rows(request: RowRequest): Promise<RowResult> {
    const { target, view, rows, state, scores } = request;
    const isLeft = scores || view === "merged" || rows.index.length < LEAST_ROWS ||
      this.#graphs.chooses(request);
    if (isLeft) return await this.#graphs.rows(request);
    const workspace = this.#workspace ??= new Workspace();
    this.#layout ??= layoutOf(this.#network, workspace);
    const mark = workspace.mark;
    const builder = new FieldBuilder(this.#network, this.#layout, workspace);
    const bounds = new Float64Array(rows.index.length);
    let [done, total] = [0, 0];
    for (const sign of rows.sign) if (sign !== 0) total++;
    const places = this.#layout.places[target]!;
    let facts: { readonly box: number; readonly of: FieldFacts } | undefined;
    for (const group of groupsOf(rows, places)) {
      if (facts?.box !== group.box) {
        facts = { box: group.box, of: this.#factsOf(view, state, group.box) };
      }
      const field = builder.build(target, group.elements, facts.of, view === "joint");
      const pass = new FieldPass(workspace, field, view);
      for (let row = 0; row < group.rows.length; row += LANES) {
        this.#bound(pass, group, row, rows.sign, bounds);
        if (this.#pauses.isDue) {
          await this.#pauses.take({ target, view, done: done + row, total });
        }
      }
      done += group.rows.length;
      workspace.release(mark);
    }
    return { bounds, scores: undefined };
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#workspace = this.#layout = undefined;
    await this.#graphs[Symbol.asyncDispose]();
  }

  /** Bounds the next rows of a group, as many as there are lanes. */
  #bound(
    pass: FieldPass,
    { rows, places }: RowGroup,
    from: number,
    sign: Float64Array,
    bounds: Float64Array,
  ): void {
    const lanes = Math.min(LANES, rows.length - from);
    pass.begin();
    for (let lane = 0; lane < lanes; lane++) {
      pass.start(places[from + lane]!, lane, sign[rows[from + lane]!]!);
    }
    pass.run();
    for (let lane = 0; lane < lanes; lane++) bounds[rows[from + lane]!] = pass.bound(lane);
  }

  #factsOf(view: "z" | "y" | "joint", state: Propagated, box: number): FieldFacts {
    const { center, half } = inputFeed(state.batch, this.#facts.unit);
    const inputs = this.#network.input.size;
    const pairs = (
      a: Float64Array,
      b: Float64Array,
      offset: number,
      from: number,
      size: number,
    ) => {
      const made = new Float64Array(2 * size);
      for (let at = 0; at < size; at++) {
        made[2 * at] = a[offset + at]!;
        made[2 * at + 1] = b[from + at]!;
      }
      return made;
    };
    return {
      alive: (value) => this.#neurons.of(value, state, box).alive,
      records: (value) => this.#neurons.of(value, state, box).records,
      charges: (value) => {
        if (this.#facts.folded.has(value)) return undefined;
        const offsets = this.#facts.offsetsOf(value);
        const noise = state.noise.get(value)!;
        const size = sizeOf(this.#network, value);
        const of = (letter: "z" | "y" | "e") =>
          pairs(offsets[letter], noise[letter], 0, box * size, size);
        return { value: of(view === "joint" ? "z" : view), difference: of("e") };
      },
      input: pairs(center, half, box * inputs, box * inputs, inputs),
    };
  }
}
