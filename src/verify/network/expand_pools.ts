/**
 * Max pools as affine maps and Relu: max(p, q) = p + relu(q − p).
 *
 * @module
 */

import { UserError } from "../../base/errors.ts";
import { identity, type LinearMap } from "./linear_map.ts";
import {
  inputsOf,
  type Offset,
  type Pair,
  type PairedNetwork,
  type PairedStep,
  type ValueNumber,
} from "./network.ts";

type MaxPool = Extract<PairedStep, { kind: "maxpool" }>;

/**
 * The same network without max pools. Places of a window are compared in pairs, so that a pool over n places becomes
 * ⌈log₂ n⌉ layers of Relu.
 *
 * @throws {UserError} If a pool pads values that can be negative: padding counts as less than all of them.
 */
export function expandPools(network: PairedNetwork): ExpandedNetwork {
  if (network.steps.every(({ kind }) => kind !== "maxpool")) {
    return { network, comparisons: new Set() };
  }
  return new Expansion(network).expand();
}

/** A network without max pools. */
export interface ExpandedNetwork {
  readonly network: PairedNetwork;
  /** Values q − p of pools. */
  readonly comparisons: ReadonlySet<ValueNumber>;
}

class Expansion {
  readonly #network: PairedNetwork;
  readonly #steps: PairedStep[] = [];
  /** New numbers by old ones. */
  readonly #numbers: ValueNumber[] = [0];
  readonly #comparisons = new Set<ValueNumber>();

  constructor(network: PairedNetwork) {
    this.#network = network;
  }

  expand(): ExpandedNetwork {
    for (const step of this.#network.steps) {
      this.#numbers.push(
        step.kind === "maxpool" ? this.#pool(step) : this.#push(this.#moved(step)),
      );
    }
    const output = this.#numbers[this.#network.output]!;
    const network = { ...this.#network, steps: this.#steps, output };
    return { network, comparisons: this.#comparisons };
  }

  #moved(step: Exclude<PairedStep, MaxPool>): PairedStep {
    if (step.kind !== "affine") return { ...step, input: this.#numbers[step.input]! };
    const terms = step.terms.map(({ input, map }) => ({ input: this.#numbers[input]!, map }));
    return { ...step, terms };
  }

  #pool(step: MaxPool): ValueNumber {
    const { size, window, sources } = step;
    if (sources.includes(-1) && !this.#isNotNegative(step.input)) {
      throw new UserError({
        message: `Node "${step.names.original.nodes[0]}" cannot be bounded: it pads values that ` +
          "can be negative, and takes their largest",
        hint: "Put a Relu in front of it, or take away its padding",
      });
    }
    const { columns, input } = {
      columns: this.#sizeOf(step.input),
      input: this.#numbers[step.input]!,
    };
    let values = Array.from({ length: window }, (_, place) => {
      const own = Int32Array.from({ length: size }, (_, at) => sources[at * window + place]!);
      return this.#affine(step, [{
        input,
        map: { kind: "index", rows: size, columns, sources: own },
      }]);
    });
    const minus: LinearMap = {
      kind: "diagonal",
      rows: size,
      columns: size,
      factors: new Float64Array(size).fill(-1),
    };
    while (values.length > 1) {
      const next: ValueNumber[] = [];
      for (let at = 0; at + 1 < values.length; at += 2) {
        const [p, q] = [values[at]!, values[at + 1]!];
        const difference = this.#affine(step, [
          { input: q, map: identity(size) },
          { input: p, map: minus },
        ]);
        this.#comparisons.add(difference);
        const more = this.#push({ ...facts(step), kind: "relu", input: difference });
        next.push(this.#affine(step, [
          { input: p, map: identity(size) },
          { input: more, map: identity(size) },
        ]));
      }
      if (values.length % 2 === 1) next.push(values.at(-1)!);
      values = next;
    }
    return values[0]!;
  }

  #affine(
    step: MaxPool,
    terms: readonly { readonly input: ValueNumber; readonly map: LinearMap }[],
  ): ValueNumber {
    const offset: Offset = { values: new Float64Array(step.size) };
    return this.#push({
      ...facts(step),
      kind: "affine",
      terms: terms.map(({ input, map }) => ({ input, map: both(map) })),
      offset: both(offset),
    });
  }

  /** Padding with zeros does no harm to values that are not negative. */
  #isNotNegative(value: ValueNumber): boolean {
    const step = this.#network.steps[value - 1];
    if (step === undefined) return false;
    if (step.kind === "relu" || step.kind === "sigmoid") return true;
    if (step.kind === "maxpool" || step.kind === "quantize") {
      return inputsOf(step).every((input) => this.#isNotNegative(input));
    }
    return false;
  }

  #sizeOf(value: ValueNumber): number {
    return value === 0 ? this.#network.input.size : this.#network.steps[value - 1]!.size;
  }

  #push(step: PairedStep): ValueNumber {
    this.#steps.push(step);
    return this.#steps.length;
  }
}

function facts({ size, dims, names }: MaxPool) {
  return { size, dims, names };
}

function both<T>(one: T): Pair<T> {
  return { original: one, quantized: one };
}
