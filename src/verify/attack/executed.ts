/**
 * Two models as they are executed: what witnesses are confirmed with.
 *
 * @module
 */

import { type ExecutionOptions, openSession, type Session } from "../../engine/session.ts";
import type { Model } from "../../onnx/model.ts";
import type { OutputBracket, Witness } from "../bracket.ts";
import { type DomainInput, domainInput } from "../domain/input.ts";
import { inputTensor, numbersOf } from "../domain/values.ts";
import type { OutputExtremes } from "./attack.ts";

interface ExecutedModel {
  readonly session: Session;
  readonly input: DomainInput;
}

/** Both models in ONNX Runtime. */
export class ExecutedPair implements AsyncDisposable {
  readonly #sides: readonly ExecutedModel[];

  private constructor(sides: readonly ExecutedModel[]) {
    this.#sides = sides;
  }

  static async open(
    original: Model,
    quantized: Model,
    options: ExecutionOptions = {},
  ): Promise<ExecutedPair> {
    const sides = [];
    for (const model of [original, quantized]) {
      sides.push({ input: domainInput(model), session: await openSession(model, options) });
    }
    return new ExecutedPair(sides);
  }

  /**
   * f′(x) − f(x) as executed: outputs in their own types, subtracted in float64.
   *
   * @param point Elements of the input; they are rounded to its type where they do not belong to it.
   */
  async difference(point: Float64Array): Promise<Float64Array> {
    const [original, quantized] = await this.outputs(point);
    return quantized.map((value, at) => value - original[at]!);
  }

  /** The outputs of both models at a point. */
  async outputs(point: Float64Array): Promise<[Float64Array, Float64Array]> {
    const results: Float64Array[] = [];
    for (const { session, input: { name, type, dims } } of this.#sides) {
      const outputs = await session.run({ [name]: inputTensor(type, dims, point) });
      results.push(numbersOf(outputs[session.outputs[0]!.name]!));
    }
    return [results[0]!, results[1]!];
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const { session } of this.#sides) await session[Symbol.asyncDispose]();
  }
}

/**
 * For each output the point where it differs most when executed, among what an attack found.
 */
export async function confirmWitnesses(
  pair: ExecutedPair,
  extremes: readonly OutputExtremes[],
): Promise<Pick<OutputBracket, "found" | "witness">[]> {
  const points = new Set(extremes.flatMap(({ highest, lowest }) => [highest.input, lowest.input]));
  const best: (Witness | undefined)[] = extremes.map(() => undefined);
  for (const input of points) {
    const differences = await pair.difference(input);
    differences.forEach((difference, output) => {
      const known = best[output];
      if (known === undefined || Math.abs(difference) > Math.abs(known.difference)) {
        best[output] = { input, difference };
      }
    });
  }
  return best.map((witness) => ({ found: Math.abs(witness?.difference ?? 0), witness }));
}
