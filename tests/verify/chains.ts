/**
 * Small pairs of networks whose layers follow one another, and boxes, for tests of bounds.
 *
 * @module
 */

import { Random } from "../../src/base/random.ts";
import type { BoxBatch } from "../../src/verify/bounds/batch.ts";
import type { PairedNetwork, PairedStep } from "../../src/verify/network/network.ts";

const NAMES = { value: "value", nodes: ["node"] };

/** A chain of matrices and Relu, or rounding too; copies differ by a share of the weights. */
export function chain(
  seed: number,
  sizes: readonly number[],
  error: number,
  step?: number,
): PairedNetwork {
  const random = Random.from(seed, "chain");
  const steps: PairedStep[] = [];
  const push = (made: object, size: number) => {
    const facts = { size, dims: [1, size], names: { original: NAMES, quantized: NAMES } };
    steps.push({ ...made, ...facts } as unknown as PairedStep);
  };
  for (const [at, rows] of sizes.entries()) {
    if (at === 0) continue;
    const columns = sizes[at - 1]!;
    const values = (length: number, scale: number) =>
      Float64Array.from({ length }, () => scale * random.normal());
    const near = (given: Float64Array) => given.map((x) => x * (1 + error * random.normal()));
    const weights = values(rows * columns, Math.sqrt(2 / columns));
    const offset = values(rows, 0.3);
    const map = (each: Float64Array) => ({ kind: "dense", rows, columns, weights: each });
    push({
      kind: "affine",
      terms: [{
        input: steps.length,
        map: { original: map(weights), quantized: map(near(weights)) },
      }],
      offset: { original: { values: offset }, quantized: { values: near(offset) } },
    }, rows);
    if (at === sizes.length - 1) break;
    push({ kind: "relu", input: steps.length }, rows);
    if (step === undefined) continue;
    const quantized = {
      scale: Float64Array.of(step),
      zeroPoint: Float64Array.of(0),
      qmin: 0,
      qmax: 255,
    };
    push({
      kind: "quantize",
      input: steps.length,
      quantizer: { original: undefined, quantized },
    }, rows);
  }
  const input = { name: "x", dims: [1, sizes[0]!], size: sizes[0]! };
  return { input, steps, output: steps.length, outputName: "y" };
}

/** Boxes of random places and widths. */
export function boxes(random: Random, count: number, inputs: number, width: number): BoxBatch {
  const lower = Float64Array.from({ length: count * inputs }, () => random.normal());
  return { count, lower, upper: lower.map((each) => each + width * random.uniform()) };
}

/** The same with one matrix in both networks. */
export function shared(network: PairedNetwork): PairedNetwork {
  const steps = network.steps.map((step, at) => {
    if (step.kind !== "affine" || at !== 2) return step;
    const [{ input, map }] = [step.terms[0]!];
    return {
      ...step,
      terms: [{ input, map: { original: map.original, quantized: map.original } }],
    };
  });
  return { ...network, steps };
}
