/**
 * Pairing a model with its quantized version, step by step.
 *
 * @module
 */

import { UserError } from "../../base/errors.ts";
import type { Model } from "../../onnx/model.ts";
import { identity, type LinearMap } from "./linear_map.ts";
import { lowerModel } from "./lower.ts";
import type {
  Network,
  Offset,
  Pair,
  PairedNetwork,
  PairedStep,
  Quantizer,
  Step,
  StepNames,
  ValueNumber,
} from "./network.ts";

/**
 * Pairs two models of the same structure: a float model with a quantized, a half-precision or a pruned copy.
 *
 * Both are followed back from the output. A value that only one of them quantizes is quantized on that side; a Relu
 * that a quantizer does on its own (its zero point is its least integer) may be missing in front of it. The operands
 * of an addition are told apart by their names where both models have the same, else by their order.
 *
 * @throws {UserError} If a model cannot be verified, or the two differ in structure: names both places.
 */
export function pairModels(original: Model, quantized: Model): PairedNetwork {
  return pairNetworks(lowerModel(original), lowerModel(quantized));
}

/** Pairs two networks; see {@linkcode pairModels}. */
export function pairNetworks(original: Network, quantized: Network): PairedNetwork {
  const [a, b] = [original.input, quantized.input];
  if (a.size !== b.size) {
    throw new UserError(
      `The two models take different inputs: "${a.name}" of shape [${a.dims}] and "${b.name}" of shape [${b.dims}]`,
    );
  }
  const matcher = new Matcher(original, quantized);
  const output = matcher.output(original.output, quantized.output);
  return { input: original.input, steps: matcher.steps, output, outputName: original.outputName };
}

/** A value of the quantized network: of a step, or of the Relu that the quantizer at `before` stands for. */
type QuantizedValue = ValueNumber | `relu before ${number}`;

class Matcher {
  readonly steps: PairedStep[] = [];
  readonly #original: Network;
  readonly #quantized: Network;
  readonly #known = new Map<string, ValueNumber>([["0 0", 0]]);

  constructor(original: Network, quantized: Network) {
    this.#original = original;
    this.#quantized = quantized;
  }

  /** The pair of two values. An explicit stack is not needed: depth is that of the network. */
  match(a: ValueNumber, b: QuantizedValue): ValueNumber {
    const key = `${a} ${b}`;
    const known = this.#known.get(key);
    if (known !== undefined) return known;
    const made = this.#make(a, b);
    this.#known.set(key, made);
    return made;
  }

  /** The pair of two outputs. Bounds are those of affine steps, so one is put behind what is none. */
  output(a: ValueNumber, b: ValueNumber): ValueNumber {
    const output = this.match(a, b);
    const made = this.steps[output - 1];
    if (made === undefined || made.kind === "affine") return output;
    const { size, dims, names } = made;
    const map = identity(size);
    const offset = { values: new Float64Array(size) };
    return this.#push({
      kind: "affine",
      terms: [{ input: output, map: { original: map, quantized: map } }],
      offset: { original: offset, quantized: offset },
      size,
      dims,
      names,
    });
  }

  #make(a: ValueNumber, b: QuantizedValue): ValueNumber {
    const first = this.#original.steps[a - 1];
    if (typeof b === "string") {
      const input = Number(b.slice("relu before ".length));
      if (first?.kind !== "relu") throw this.#differs(a, input);
      return this.#push({
        ...first,
        input: this.match(first.input, input),
        names: pairNames(first, first),
      });
    }
    const second = this.#quantized.steps[b - 1];
    if (second?.kind === "quantize" && first?.kind !== "quantize") {
      const actsAsRelu = first?.kind === "relu" &&
        behindQuantizers(this.#quantized, second.input)?.kind !== "relu" &&
        second.quantizer.zeroPoint.every((zero) => zero === second.quantizer.qmin);
      const input = this.match(a, actsAsRelu ? `relu before ${second.input}` : second.input);
      return this.#quantize(second, input, undefined, second.quantizer);
    }
    if (first?.kind === "quantize" && second?.kind !== "quantize") {
      return this.#quantize(first, this.match(first.input, b), first.quantizer, undefined);
    }
    if (first === undefined || second === undefined || first.size !== second.size) {
      throw this.#differs(a, b);
    }
    return this.#push(this.#both(first, second, a, b));
  }

  #both(first: Step, second: Step, a: ValueNumber, b: ValueNumber): PairedStep {
    const facts = { size: first.size, dims: first.dims, names: pairNames(first, second) };
    if (first.kind === "affine" && second.kind === "affine") {
      return { ...facts, ...this.#affine(first, second, a, b) };
    }
    if (first.kind === "quantize" && second.kind === "quantize") {
      const input = this.match(first.input, second.input);
      const quantizer = { original: first.quantizer, quantized: second.quantizer };
      return { ...facts, kind: "quantize", input, quantizer };
    }
    if (first.kind === "maxpool" && second.kind === "maxpool") {
      const isSame = first.window === second.window &&
        first.sources.every((source, at) => source === second.sources[at]);
      if (!isSame) throw this.#differs(a, b);
      return { ...first, ...facts, input: this.match(first.input, second.input) };
    }
    if (first.kind === "relu" && second.kind === "relu") {
      return { ...facts, kind: "relu", input: this.match(first.input, second.input) };
    }
    if (
      (first.kind === "sigmoid" || first.kind === "tanh") && second.kind === first.kind
    ) {
      return { ...facts, kind: first.kind, input: this.match(first.input, second.input) };
    }
    throw this.#differs(a, b);
  }

  #affine(
    first: Extract<Step, { kind: "affine" }>,
    second: Extract<Step, { kind: "affine" }>,
    a: ValueNumber,
    b: ValueNumber,
  ) {
    if (first.terms.length !== second.terms.length) throw this.#differs(a, b);
    const order = this.#orderByName(first, second);
    const terms = first.terms.map((term, at) => {
      const other = second.terms[order[at]!]!;
      const sameShape = term.map.rows === other.map.rows && term.map.columns === other.map.columns;
      if (!sameShape) throw this.#differs(a, b);
      return {
        input: this.match(term.input, other.input),
        map: share(term.map, other.map, sameMap),
      };
    });
    return {
      kind: "affine",
      terms,
      offset: share(first.offset, second.offset, sameOffset),
      folds: Math.max(first.folds ?? 0, second.folds ?? 0),
    } as const;
  }

  /** For each term of the first step, the term of the second that reads the value of the same name. */
  #orderByName(
    first: Extract<Step, { kind: "affine" }>,
    second: Extract<Step, { kind: "affine" }>,
  ): number[] {
    const plain = first.terms.map((_, at) => at);
    const names = first.terms.map(({ input }) => valueName(this.#original, input));
    const others = second.terms.map(({ input }) => valueName(this.#quantized, input));
    const order = names.map((name) => others.indexOf(name));
    return new Set(order).size === order.length && !order.includes(-1) ? order : plain;
  }

  #quantize(
    step: Step,
    input: ValueNumber,
    original: Quantizer | undefined,
    quantized: Quantizer | undefined,
  ): ValueNumber {
    return this.#push({
      kind: "quantize",
      input,
      quantizer: { original, quantized },
      size: step.size,
      dims: step.dims,
      names: pairNames(step, step),
    });
  }

  #push(step: PairedStep): ValueNumber {
    this.steps.push(step);
    return this.steps.length;
  }

  #differs(a: ValueNumber, b: ValueNumber): UserError {
    return new UserError({
      message:
        `The two models differ: ${describe(this.#original, a)} in the original stands where ` +
        `${describe(this.#quantized, b)} stands in the quantized one`,
      hint:
        "Both must have the same layers in the same order: verify a model against the one it was quantized from",
    });
  }
}

function pairNames(first: Step, second: Step): Pair<StepNames> {
  return { original: first.names, quantized: second.names };
}

/** The name of a value, looking through quantizers. */
function valueName(network: Network, value: ValueNumber): string {
  const step = network.steps[value - 1];
  if (step === undefined) return network.input.name;
  return step.kind === "quantize" ? valueName(network, step.input) : step.names.value;
}

/** The step that makes a value, looking through quantizers, which can follow one another. */
function behindQuantizers(network: Network, value: ValueNumber): Step | undefined {
  const step = network.steps[value - 1];
  return step?.kind === "quantize" ? behindQuantizers(network, step.input) : step;
}

function describe(network: Network, value: ValueNumber): string {
  const step = network.steps[value - 1];
  if (step === undefined) return `input "${network.input.name}"`;
  return `"${step.names.nodes.join('" + "')}" (${step.kind}, shape [${step.dims}])`;
}

/** A pair that holds one object twice where both are the same. */
function share<T>(original: T, quantized: T, isSame: (a: T, b: T) => boolean): Pair<T> {
  return { original, quantized: isSame(original, quantized) ? original : quantized };
}

function sameMap(a: LinearMap, b: LinearMap): boolean {
  if ((a.relativeError ?? 0) !== (b.relativeError ?? 0)) return false;
  if (a.kind === "identity") return b.kind === "identity";
  if (a.kind === "diagonal") return b.kind === a.kind && sameNumbers(a.factors, b.factors);
  if (a.kind === "index") return b.kind === a.kind && sameNumbers(a.sources, b.sources);
  if (a.kind === "dense") return b.kind === a.kind && sameNumbers(a.weights, b.weights);
  return b.kind === a.kind && sameNumbers(a.weights, b.weights) &&
    JSON.stringify(a.geometry) === JSON.stringify(b.geometry);
}

function sameOffset(a: Offset, b: Offset): boolean {
  const none = new Float64Array(a.values.length);
  return sameNumbers(a.values, b.values) && sameNumbers(a.errors ?? none, b.errors ?? none) &&
    sameNumbers(a.sizes ?? none, b.sizes ?? none);
}

function sameNumbers(a: ArrayLike<number>, b: ArrayLike<number>): boolean {
  if (a.length !== b.length) return false;
  for (let at = 0; at < a.length; at++) if (a[at] !== b[at]) return false;
  return true;
}
