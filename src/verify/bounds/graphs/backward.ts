/**
 * Backward bounds as float64 graphs: a linear functional of a value is carried to the input, relaxed at every
 * nonlinear step on its way, and is least there at a corner of the box.
 *
 * Zhang et al., "Efficient Neural Network Robustness Certification with General Activation Functions", 2018 (CROWN), for
 * one network. For two, a functional is a pair (v, w) of coefficients, on z and on e = z − y; affine steps are exact
 * (z ← W·a + b, e ← W′·g + (W − W′)·a + b − b′), and at a nonlinear step the sum v·a + w·g is written in the one of three
 * ways whose relaxation is largest at the middle of the box.
 *
 * @module
 */

import { tensor } from "../../../onnx/tensor.ts";
import type { PairedNetwork, PairedStep, ValueNumber } from "../../network/network.ts";
import type { AffinePairedStep } from "./interval.ts";
import { emitOffset } from "./forward.ts";
import { emitBackward, emitWeights, type MapPlace } from "./linear.ts";
import { isSameMap, type NetworkGraph, NetworkGraphBuilder } from "./network_graph.ts";

/**
 * What is bounded: `z` of the original network, `y` of the quantized one, or e = z − y, with the joint choice or always
 * as the merged network has it.
 */
export type RowView = "z" | "y" | "joint" | "merged";

/** Coefficients of a functional on one value; left out where they are zero. */
interface Coefficients {
  /** On the value of the network that is looked at; on the original one for pairs. */
  readonly v?: string;
  /** On the difference. */
  readonly w?: string;
}

/** What a graph is made of. */
export interface BackwardOptions {
  /** The value to be bounded, made by an affine step. */
  readonly target: ValueNumber;
  readonly view: RowView;
  /** Values of affine steps whose offsets and noise are part of the relaxation behind them. */
  readonly folded: ReadonlySet<ValueNumber>;
  /** Whether to say which inputs a split would help most. */
  readonly scores?: boolean;
}

/** A graph and the feeds that it reads beside those that every graph has. */
export interface BackwardGraph extends NetworkGraph {
  /** Names `<value>.<field>` of relaxations, with whether they are columns ([boxes, size, 1]) or rows. */
  readonly feeds: ReadonlyMap<string, "row" | "column">;
}

/**
 * Lower bounds of rows `sign · value[index]`, without the offset of the target's own step.
 *
 * Rows come in groups of equal size, each of one box, so that boxes can have more or fewer of them. Inputs: `group`
 * [groups] the box of each; `index` [groups, rows], `sign` [groups, rows, 1] (0 for rows that only fill up), `center` and
 * `half` [boxes, inputs, 1], and the feeds. Outputs: `bound` [groups, rows, 1], and `scores` [groups, 1, inputs] if asked
 * for.
 */
export function backwardGraph(network: PairedNetwork, options: BackwardOptions): BackwardGraph {
  return new BackwardBuilder(network, options).build();
}

type ElementwiseStep = Exclude<PairedStep, { kind: "affine" | "maxpool" }>;

class BackwardBuilder {
  readonly #network: PairedNetwork;
  readonly #options: BackwardOptions;
  readonly #builder: NetworkGraphBuilder;
  readonly #feeds = new Map<string, "row" | "column">();
  readonly #coefficients = new Map<ValueNumber, Coefficients>();
  readonly #constants: string[] = [];
  readonly #gaps: string[] = [];
  readonly #groupedFeeds = new Map<string, string>();

  constructor(network: PairedNetwork, options: BackwardOptions) {
    this.#network = network;
    this.#options = options;
    this.#builder = new NetworkGraphBuilder("backward", network);
  }

  build(): BackwardGraph {
    const builder = this.#builder;
    const { target, scores } = this.#options;
    const start = this.#network.steps[target - 1];
    if (start?.kind !== "affine") throw new TypeError("Rows start at an affine step");
    this.#start(start);
    for (let value = target - 1; value > 0; value--) {
      const coefficients = this.#coefficients.get(value);
      if (coefficients === undefined) continue;
      const step = this.#network.steps[value - 1]!;
      if (step.kind === "affine") this.#affine(value, step, coefficients);
      else if (step.kind === "maxpool") throw new TypeError("Max pools must be expanded first");
      else this.#elementwise(value, step, coefficients);
    }
    const size = this.#network.input.size;
    const center = this.#grouped("center", [size, 1]);
    const half = this.#grouped("half", [size, 1]);
    // Both networks see the same input: the difference is zero there.
    const { v } = this.#coefficients.get(0) ?? {};
    if (v !== undefined) {
      this.#constants.push(builder.op("MatMul", [v, center]));
      this.#constants.push(builder.op("Neg", [
        builder.op("MatMul", [builder.op("Abs", [v]), half]),
      ]));
    } else this.#constants.push(builder.op("Mul", ["sign", builder.scalar(0)]));
    const bound = this.#constants.reduce((sum, term) => builder.op("Add", [sum, term]));
    builder.output(builder.op("Identity", [bound], {}, { name: "bound" }));
    if (scores) this.#scores(v, half);
    return { ...builder.finish(), feeds: this.#feeds };
  }

  /** Rows of the target through its own affine step. */
  #start(step: AffinePairedStep): void {
    const builder = this.#builder;
    builder.input("group", "int32", ["groups"]);
    const index = builder.input("index", "int32", ["groups", "rows"]);
    const sign = builder.input("sign", "float64", ["groups", "rows", 1]);
    const { view, target } = this.#options;
    const isPair = view === "joint" || view === "merged";
    const isDense = step.terms.every(({ map }) => map.original.kind === "dense");
    if (isDense) {
      step.terms.forEach(({ input, map }, term) => {
        const rowsOf = (part: MapPlace["part"]) => {
          const weights = emitWeights(builder, { value: target, term, part });
          return builder.op("Mul", [builder.op("Gather", [weights, index], { axis: 0 }), sign]);
        };
        if (!isPair) {
          this.#add(input, { v: rowsOf(view === "z" ? "original" : "quantized") });
          return;
        }
        this.#add(input, {
          ...(isSameMap(map.original, map.quantized) ? {} : { v: rowsOf("difference") }),
          w: rowsOf("quantized"),
        });
      });
      return;
    }
    const places = builder.constant(
      tensor(
        "int32",
        [1, 1, step.size],
        Int32Array.from({ length: step.size }, (_, at) => at),
      ),
    );
    const hot = builder.op("Cast", [
      builder.op("Equal", [builder.op("Unsqueeze", [index, builder.constant([2])]), places]),
    ], { to: 11 });
    const rows = builder.op("Mul", [hot, sign]);
    this.#propagate(target, step, isPair ? { w: rows } : { v: rows });
  }

  #affine(value: ValueNumber, step: AffinePairedStep, coefficients: Coefficients): void {
    const { v, w } = coefficients;
    if (!this.#options.folded.has(value)) {
      const { original, quantized } = step.offset;
      if (v !== undefined) {
        const isQuantized = this.#options.view === "y";
        const side = isQuantized ? "quantized" : "original";
        const isZero = step.offset[side].values.every((each) => each === 0);
        this.#offset(value, isQuantized ? "y" : "z", v, isZero ? undefined : side);
      }
      if (w !== undefined) {
        const isZero = original.values.every((each, at) => each === quantized.values[at]);
        this.#offset(value, "e", w, isZero ? undefined : "difference");
      }
    }
    this.#propagate(value, step, coefficients);
  }

  #offset(
    value: ValueNumber,
    view: "z" | "y" | "e",
    coefficients: string,
    part: MapPlace["part"] | undefined,
  ): void {
    const builder = this.#builder;
    const { size } = this.#network.steps[value - 1]!;
    if (part !== undefined) {
      const product = builder.op("MatMul", [coefficients, emitOffset(builder, value, part)]);
      // A matrix times a vector has no column left.
      this.#constants.push(builder.op("Unsqueeze", [product, builder.constant([2])]));
    }
    const noise = this.#feed(`${value}.noise.${view}`, "column", size);
    this.#constants.push(builder.op("Neg", [
      builder.op("MatMul", [builder.op("Abs", [coefficients]), noise]),
    ]));
  }

  /** Coefficients on the output of an affine step as coefficients on what it reads. */
  #propagate(value: ValueNumber, step: AffinePairedStep, { v, w }: Coefficients): void {
    const builder = this.#builder;
    step.terms.forEach(({ input, map }, term) => {
      const through = (part: MapPlace["part"], c: string) =>
        emitBackward(builder, { value, term, part }, c);
      const parts: string[] = [];
      if (v !== undefined) {
        parts.push(through(this.#options.view === "y" ? "quantized" : "original", v));
      }
      if (w !== undefined && !isSameMap(map.original, map.quantized)) {
        parts.push(through("difference", w));
      }
      const sum = parts.length === 0
        ? undefined
        : parts.reduce((total, part) => builder.op("Add", [total, part]));
      this.#add(input, {
        ...(sum === undefined ? {} : { v: sum }),
        ...(w === undefined ? {} : { w: through("quantized", w) }),
      });
    });
  }

  #elementwise(value: ValueNumber, step: ElementwiseStep, coefficients: Coefficients): void {
    const { view } = this.#options;
    if (view === "z" || view === "y") {
      const v = this.#relax(value, step.size, view === "z" ? "a" : "b", coefficients.v!);
      this.#add(step.input, { v });
    } else if (view === "merged") this.#merged(value, step, coefficients);
    else this.#joint(value, step, coefficients);
  }

  /** The lower line of c·x; adds its constant, and gives back its slope. */
  #relax(value: ValueNumber, size: number, letter: "a" | "b", c: string): string {
    const absolute = this.#builder.op("Abs", [c]);
    this.#constant(`${value}.${letter}Constant`, size, c, absolute);
    return this.#line(`${value}.${letter}Slope`, size, c, absolute);
  }

  /** c·middle − |c|·half, elementwise. */
  #line(field: string, size: number, c: string, absolute: string): string {
    const builder = this.#builder;
    return builder.op("Sub", [
      builder.op("Mul", [c, this.#feed(field, "row", size)]),
      builder.op("Mul", [absolute, this.#feed(`${field}Half`, "row", size)]),
    ]);
  }

  /** The same, summed over the neurons. */
  #constant(field: string, size: number, c: string, absolute: string): void {
    const builder = this.#builder;
    this.#constants.push(
      builder.op("MatMul", [c, this.#feed(field, "column", size)]),
      builder.op("Neg", [
        builder.op("MatMul", [absolute, this.#feed(`${field}Half`, "column", size)]),
      ]),
    );
  }

  /** v·a + w·g = (v + w)·a − w·b, each network for itself. */
  #merged(value: ValueNumber, step: ElementwiseStep, { v, w }: Coefficients): void {
    const builder = this.#builder;
    const u = v === undefined ? w! : w === undefined ? v : builder.op("Add", [v, w]);
    const onZ = this.#relax(value, step.size, "a", u);
    if (w === undefined) return this.#add(step.input, { v: onZ });
    const onY = this.#relax(value, step.size, "b", builder.op("Neg", [w]));
    this.#add(step.input, {
      v: builder.op("Add", [onZ, onY]),
      w: builder.op("Neg", [onY]),
    });
  }

  #joint(value: ValueNumber, step: ElementwiseStep, given: Coefficients): void {
    const builder = this.#builder;
    const { size } = step;
    const some = (given.v ?? given.w)!;
    const zero = () => builder.op("Mul", [some, builder.scalar(0)]);
    const v = given.v ?? zero();
    const w = given.w ?? zero();
    const u = builder.op("Add", [v, w]);
    const negative = builder.op("Neg", [w]);
    const [absV, absW, absU] = [v, w, u].map((each) => builder.op("Abs", [each]));
    const at = (letter: string, c: string, absolute: string) =>
      this.#line(`${value}.${letter}Value`, size, c, absolute);
    const first = builder.op("Add", [at("a", v, absV!), at("g", w, absW!)]);
    const second = builder.op("Add", [at("a", u, absU!), at("b", negative, absW!)]);
    const third = builder.op("Add", [at("b", v, absV!), at("g", u, absU!)]);
    const isThird = builder.op("Greater", [third, builder.op("Max", [first, second])]);
    const isSecond = builder.op("And", [
      builder.op("Greater", [second, first]),
      builder.op("Not", [isThird]),
    ]);
    const none = builder.scalar(0);
    const where = (condition: string, yes: string, no: string) =>
      builder.op("Where", [condition, yes, no]);
    const a = where(isThird, none, where(isSecond, u, v));
    const b = where(isThird, v, where(isSecond, negative, none));
    const g = where(isThird, u, where(isSecond, none, w));
    const [absA, absB, absG] = [a, b, g].map((each) => builder.op("Abs", [each]));
    this.#constant(`${value}.aConstant`, size, a, absA!);
    this.#constant(`${value}.bConstant`, size, b, absB!);
    this.#constant(`${value}.gConstant`, size, g, absG!);
    const onY = this.#line(`${value}.bSlope`, size, b, absB!);
    const onZ = builder.op("Add", [
      this.#line(`${value}.aSlope`, size, a, absA!),
      this.#line(`${value}.gSlopeZ`, size, g, absG!),
    ]);
    this.#add(step.input, {
      v: builder.op("Add", [onZ, onY]),
      w: builder.op("Sub", [this.#line(`${value}.gSlopeE`, size, g, absG!), onY]),
    });
    if (this.#options.scores) this.#gap(value, size, absA!, absB!, absG!);
  }

  /** What the relaxation at each neuron costs at the middle of the box, times each input's share in the neuron. */
  #gap(value: ValueNumber, size: number, a: string, b: string, g: string): void {
    const builder = this.#builder;
    const part = (letter: string, absolute: string) =>
      builder.op("Mul", [absolute, this.#feed(`${value}.${letter}ValueHalf`, "row", size)]);
    const gap = builder.op("Add", [
      builder.op("Add", [part("a", a), part("b", b)]),
      part("g", g),
    ]);
    const total = builder.op("ReduceSum", [gap, builder.constant([1])], { keepdims: 1 });
    const share = `${value}.share`;
    this.#feeds.set(share, "column");
    this.#gaps.push(
      builder.op("MatMul", [total, this.#grouped(share, [size, this.#network.input.size])]),
    );
  }

  #scores(v: string | undefined, half: string): void {
    const builder = this.#builder;
    const parts = [...this.#gaps];
    const width = builder.op("Transpose", [half], { perm: [0, 2, 1] });
    if (v !== undefined) {
      const own = builder.op("ReduceSum", [builder.op("Abs", [v]), builder.constant([1])], {
        keepdims: 1,
      });
      const halved = builder.op("Mul", [own, builder.scalar(0.5)]);
      parts.push(builder.op("Mul", [halved, width]));
    }
    parts.push(builder.op("Mul", [width, builder.scalar(0)]));
    const sum = parts.reduce((total, part) => builder.op("Add", [total, part]));
    builder.output(builder.op("Identity", [sum], {}, { name: "scores" }));
  }

  #add(value: ValueNumber, { v, w }: Coefficients): void {
    const before = this.#coefficients.get(value) ?? {};
    const sum = (a: string | undefined, b: string | undefined) =>
      a === undefined ? b : b === undefined ? a : this.#builder.op("Add", [a, b]);
    const [first, second] = [sum(before.v, v), sum(before.w, w)];
    this.#coefficients.set(value, {
      ...(first === undefined ? {} : { v: first }),
      ...(second === undefined ? {} : { w: second }),
    });
  }

  /** A feed, [boxes, …], as the groups of rows read it. */
  #feed(name: string, form: "row" | "column", size: number): string {
    this.#feeds.set(name, form);
    return this.#grouped(name, form === "row" ? [1, size] : [size, 1]);
  }

  #grouped(name: string, dims: readonly number[]): string {
    let grouped = this.#groupedFeeds.get(name);
    if (grouped === undefined) {
      const builder = this.#builder;
      builder.input(name, "float64", ["boxes", ...dims]);
      grouped = builder.op("Gather", [name, "group"], { axis: 0 });
      this.#groupedFeeds.set(name, grouped);
    }
    return grouped;
  }
}
