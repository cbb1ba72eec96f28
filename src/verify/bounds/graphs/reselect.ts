/**
 * Backward bounds of one network whose lower lines of Relu are chosen for each row: Frank–Wolfe steps on the slopes.
 *
 * The bound of a row is least at a corner of the box. The corner is carried forward through the lines that the row used,
 * and where a neuron's value there is positive, the line z suits the row better than 0. Slopes move part of the way, by
 * 2/(k + 3), and the row is bounded again. Any slope from 0 to 1 is valid, so the best of all passes is.
 *
 * @module
 */

import type { PairedNetwork, Side, ValueNumber } from "../../network/network.ts";
import type { BackwardGraph } from "./backward.ts";
import { emitOffset } from "./forward.ts";
import { emitBackward, emitForward } from "./linear.ts";
import { NetworkGraphBuilder } from "./network_graph.ts";

/** What a graph is made of. */
export interface ReselectOptions {
  readonly target: ValueNumber;
  readonly view: "z" | "y";
  /** Values of affine steps whose offsets and noise are part of the room behind them. */
  readonly folded: ReadonlySet<ValueNumber>;
  /** Steps after the first pass. */
  readonly steps: number;
}

/**
 * Inputs and outputs as {@linkcode backwardGraph} has them. Feeds of a Relu step: `<value>.line.slope` of the upper line,
 * `<value>.line.constant` its intercept, `<value>.line.start` the slope below to begin with, `<value>.line.open` 1 where
 * the slope below is free, and `<value>.line.room` for roundings and noise.
 */
export function reselectGraph(network: PairedNetwork, options: ReselectOptions): BackwardGraph {
  return new ReselectBuilder(network, options).build();
}

/** Whether all steps are such that {@linkcode reselectGraph} knows them. */
export function canReselect(network: PairedNetwork): boolean {
  return network.steps.every(({ kind }) => kind === "affine" || kind === "relu");
}

class ReselectBuilder {
  readonly #network: PairedNetwork;
  readonly #options: ReselectOptions;
  readonly #side: Side;
  readonly #builder: NetworkGraphBuilder;
  readonly #feeds = new Map<string, "row" | "column">();
  readonly #grouped = new Map<string, string>();
  /** Slopes below, [groups, rows, size], by Relu step. */
  readonly #slopes = new Map<ValueNumber, string>();
  readonly #zero: string;

  constructor(network: PairedNetwork, options: ReselectOptions) {
    this.#network = network;
    this.#options = options;
    this.#side = options.view === "z" ? "original" : "quantized";
    this.#builder = new NetworkGraphBuilder("reselect", network);
    this.#zero = this.#builder.scalar(0);
  }

  build(): BackwardGraph {
    const builder = this.#builder;
    builder.input("group", "int32", ["groups"]);
    builder.input("index", "int32", ["groups", "rows"]);
    builder.input("sign", "float64", ["groups", "rows", 1]);
    let best: string | undefined;
    for (let step = 0; step <= this.#options.steps; step++) {
      const { bound, coefficients } = this.#pass();
      best = best === undefined ? bound : builder.op("Max", [best, bound]);
      if (step < this.#options.steps) this.#move(coefficients, 2 / (step + 3));
    }
    builder.output(builder.op("Identity", [best!], {}, { name: "bound" }));
    return { ...builder.finish(), feeds: this.#feeds };
  }

  #pass(): { bound: string; coefficients: Map<ValueNumber, string> } {
    const builder = this.#builder;
    const { target, folded } = this.#options;
    const coefficients = new Map<ValueNumber, string>();
    const constants: string[] = [];
    const subtract = (term: string) => constants.push(builder.op("Neg", [term]));
    const places = builder.op("Unsqueeze", ["index", builder.constant([2])]);
    const size = this.#network.steps[target - 1]!.size;
    const all = builder.op("Range", [
      this.#int32(0),
      this.#int32(size),
      this.#int32(1),
    ]);
    const hot = builder.op("Cast", [builder.op("Equal", [places, all])], { to: 11 });
    coefficients.set(target, builder.op("Mul", [hot, "sign"]));
    for (let value = target; value > 0; value--) {
      const c = coefficients.get(value);
      if (c === undefined) continue;
      const step = this.#network.steps[value - 1]!;
      if (step.kind === "affine") {
        if (value !== target && !folded.has(value)) {
          constants.push(this.#offset(value, c));
          const noise = this.#feed(`${value}.noise.${this.#options.view}`, "column", step.size);
          subtract(builder.op("MatMul", [builder.op("Abs", [c]), noise]));
        }
        step.terms.forEach(({ input }, term) => {
          const place = { value, term, part: this.#side };
          this.#add(coefficients, input, emitBackward(builder, place, c));
        });
      } else if (step.kind === "relu") {
        const { slope, constant } = this.#upper(value, step.size);
        const positive = builder.op("Max", [c, this.#zero]);
        const negative = builder.op("Min", [c, this.#zero]);
        const through = builder.op("Add", [
          builder.op("Mul", [positive, this.#below(value, step.size)]),
          builder.op("Mul", [negative, slope]),
        ]);
        constants.push(builder.op("MatMul", [negative, constant]));
        const room = this.#feed(`${value}.line.room`, "column", step.size);
        subtract(builder.op("MatMul", [builder.op("Abs", [c]), room]));
        const maker = this.#network.steps[step.input - 1];
        if (folded.has(step.input) && maker?.kind === "affine") {
          constants.push(this.#offset(step.input, through));
        }
        this.#add(coefficients, step.input, through);
      } else throw new TypeError(`Step ${step.kind} has no slopes to choose`);
    }
    const input = coefficients.get(0)!;
    const inputs = this.#network.input.size;
    constants.push(builder.op("MatMul", [input, this.#plain("center", [inputs, 1])]));
    subtract(builder.op("MatMul", [
      builder.op("Abs", [input]),
      this.#plain("half", [inputs, 1]),
    ]));
    const bound = constants.reduce((sum, term) => builder.op("Add", [sum, term]));
    return { bound, coefficients };
  }

  /** Carries each row's corner forward, and moves the slopes below toward what suits it. */
  #move(coefficients: ReadonlyMap<ValueNumber, string>, length: number): void {
    const builder = this.#builder;
    const { target } = this.#options;
    const inputs = this.#network.input.size;
    const flat = (name: string) => {
      const column = this.#plain(name, [inputs, 1]);
      return builder.op("Transpose", [column], { perm: [0, 2, 1] });
    };
    const [center, half] = [flat("center"), flat("half")];
    const isPositive = builder.op("Greater", [coefficients.get(0)!, this.#zero]);
    const values = new Map<ValueNumber, string>([[
      0,
      builder.op("Where", [
        isPositive,
        builder.op("Sub", [center, half]),
        builder.op("Add", [center, half]),
      ]),
    ]]);
    for (let value = 1; value < target; value++) {
      const c = coefficients.get(value);
      if (c === undefined) continue;
      const step = this.#network.steps[value - 1]!;
      if (step.kind === "affine") {
        const parts = step.terms.map(({ input, map }, term) =>
          this.#forward(
            map[this.#side].columns,
            step.size,
            values.get(input)!,
            (x) => emitForward(builder, { value, term, part: this.#side }, x),
          )
        );
        const offset = emitOffset(builder, value, this.#side);
        values.set(value, parts.reduce((sum, part) => builder.op("Add", [sum, part]), offset));
        continue;
      }
      if (step.kind !== "relu") continue;
      const z = values.get(step.input)!;
      const below = this.#below(value, step.size);
      const { slope } = this.#upper(value, step.size);
      const constant = builder.op("Transpose", [
        this.#feed(`${value}.line.constant`, "column", step.size),
      ], { perm: [0, 2, 1] });
      const isAbove = builder.op("Less", [c, this.#zero]);
      values.set(
        value,
        builder.op("Where", [
          isAbove,
          builder.op("Add", [builder.op("Mul", [slope, z]), constant]),
          builder.op("Mul", [below, z]),
        ]),
      );
      const wanted = builder.op("Cast", [builder.op("Greater", [z, this.#zero])], { to: 11 });
      const change = builder.op("Mul", [
        builder.op("Mul", [
          builder.op("Sub", [wanted, below]),
          this.#feed(`${value}.line.open`, "row", step.size),
        ]),
        builder.scalar(length),
      ]);
      // Rounding must not take a slope out of what is valid.
      this.#slopes.set(
        value,
        builder.op("Clip", [
          builder.op("Add", [below, change]),
          this.#zero,
          builder.scalar(1),
        ]),
      );
    }
  }

  #forward(
    columns: number,
    size: number,
    x: string,
    make: (flat: string) => string,
  ): string {
    const builder = this.#builder;
    const made = make(builder.op("Reshape", [x, builder.constant([-1, columns])]));
    const shape = builder.op("Concat", [
      builder.op("Shape", ["index"]),
      builder.constant([size]),
    ], { axis: 0 });
    return builder.op("Reshape", [made, shape]);
  }

  #offset(value: ValueNumber, coefficients: string): string {
    const offset = emitOffset(this.#builder, value, this.#side);
    // A matrix times a vector has no column left.
    return this.#builder.op("Unsqueeze", [
      this.#builder.op("MatMul", [coefficients, offset]),
      this.#builder.constant([2]),
    ]);
  }

  #below(value: ValueNumber, size: number): string {
    return this.#slopes.get(value) ?? this.#feed(`${value}.line.start`, "row", size);
  }

  #upper(value: ValueNumber, size: number): { slope: string; constant: string } {
    return {
      slope: this.#feed(`${value}.line.slope`, "row", size),
      constant: this.#feed(`${value}.line.constant`, "column", size),
    };
  }

  #add(coefficients: Map<ValueNumber, string>, value: ValueNumber, part: string): void {
    const before = coefficients.get(value);
    coefficients.set(value, before === undefined ? part : this.#builder.op("Add", [before, part]));
  }

  #feed(name: string, form: "row" | "column", size: number): string {
    this.#feeds.set(name, form);
    return this.#plain(name, form === "row" ? [1, size] : [size, 1]);
  }

  #plain(name: string, dims: readonly number[]): string {
    let grouped = this.#grouped.get(name);
    if (grouped === undefined) {
      this.#builder.input(name, "float64", ["boxes", ...dims]);
      grouped = this.#builder.op("Gather", [name, "group"], { axis: 0 });
      this.#grouped.set(name, grouped);
    }
    return grouped;
  }

  #int32(value: number): string {
    return this.#builder.constant({ type: "int32", dims: [], data: Int32Array.of(value) });
  }
}
