/**
 * What becomes of a model in an ONNX Runtime whose options nobody set.
 *
 * @module
 */

import type { Problem } from "../base/errors.ts";
import { UserError } from "../base/errors.ts";
import type { Tensor } from "../onnx/tensor.ts";
import { executedOperators, isIntegerOperator } from "./fusion.ts";
import { type ExecutionOptions, openSession } from "./session.ts";

/** A session option and why one would set it. */
export interface SessionOption {
  /** As ONNX Runtime names it; `graph_optimization_level` is the one that is not a config entry. */
  readonly name: string;
  readonly value: string;
  readonly why: string;
}

/** How a model runs with default options. */
export interface Deployment {
  /** Why it does not; `undefined` if it does. */
  readonly failure: Problem | undefined;
  /** Options with which it runs, each alone, if it does not by default. */
  readonly remedies: readonly SessionOption[];
  /** Options that change its outputs for the better, if it does. */
  readonly advice: readonly SessionOption[];
  /**
   * Largest difference between its outputs by default and with quantizers as written, relative to the largest
   * output.
   */
  readonly difference: number;
  /** How many nodes run in integer kernels. */
  readonly integerNodes: number;
}

const REMEDIES: readonly (SessionOption & { readonly execution: ExecutionOptions })[] = [
  {
    name: "session.disable_quant_qdq",
    value: "1",
    why: "Runs quantizers as they are written, in float32",
    execution: { arithmetic: "simulated" },
  },
  {
    name: "graph_optimization_level",
    value: "ORT_ENABLE_BASIC",
    why: "Leaves out the fusions that fail",
    execution: { arithmetic: "default", optimization: "basic" },
  },
];

const FLOAT_ACTIVATIONS: SessionOption = {
  name: "session.qdq_matmulnbits_accuracy_level",
  value: "1",
  why: "Keeps activations of weight-only layers in float32; by default they are rounded to 8 bits",
};

const EXACT_PRODUCTS: SessionOption = {
  name: "session.x64quantprecision",
  value: "1",
  why:
    "Keeps products of 8-bit integers from saturating on x86 processors without VNNI instructions",
};

/**
 * Runs a model with default options and with its quantizers as written.
 *
 * @param path The model's file.
 * @throws {UserError} If it runs in neither way, for a reason that has nothing to do with options.
 */
export async function checkDeployment(
  path: string,
  feeds: Readonly<Record<string, Tensor>>,
): Promise<Deployment> {
  const written = await run(path, feeds, { arithmetic: "simulated" });
  try {
    const outputs = await run(path, feeds, { arithmetic: "default" });
    const operators = await executedOperators(path, { arithmetic: "default" });
    const integerNodes = [...operators].reduce(
      (sum, [operator, count]) => sum + (isIntegerOperator(operator) ? count : 0),
      0,
    );
    const advice: SessionOption[] = [];
    if (operators.has("MatMulNBits")) advice.push(FLOAT_ACTIVATIONS);
    if (integerNodes > 0) advice.push(EXACT_PRODUCTS);
    const difference = relativeDifference(outputs, written);
    return { failure: undefined, remedies: [], advice, difference, integerNodes };
  } catch (error) {
    if (!(error instanceof UserError)) throw error;
    const remedies: SessionOption[] = [];
    for (const { execution, ...option } of REMEDIES) {
      if (await runs(path, feeds, execution)) remedies.push(option);
    }
    return {
      failure: error.problems[0],
      remedies,
      advice: [],
      difference: 0,
      integerNodes: 0,
    };
  }
}

async function run(
  path: string,
  feeds: Readonly<Record<string, Tensor>>,
  options: ExecutionOptions,
): Promise<Record<string, Tensor>> {
  await using session = await openSession(path, options);
  return await session.run(feeds);
}

async function runs(...given: Parameters<typeof run>): Promise<boolean> {
  try {
    await run(...given);
    return true;
  } catch (error) {
    if (error instanceof UserError) return false;
    throw error;
  }
}

function relativeDifference(
  outputs: Readonly<Record<string, Tensor>>,
  expected: Readonly<Record<string, Tensor>>,
): number {
  let largest = 0;
  let difference = 0;
  for (const [name, { type, data }] of Object.entries(expected)) {
    if (type !== "float32" && type !== "float64") continue;
    const values = outputs[name]!.data as Float32Array;
    (data as Float32Array).forEach((value, index) => {
      largest = Math.max(largest, Math.abs(value));
      difference = Math.max(difference, Math.abs(value - values[index]!));
    });
  }
  return difference === 0 ? 0 : difference / largest;
}
