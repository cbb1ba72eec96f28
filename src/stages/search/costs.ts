/**
 * Costs of the widths of layers, and what the budget allows of each.
 *
 * @module
 */

import { UserError } from "../../base/errors.ts";
import type { Model } from "../../onnx/model.ts";
import type { Artifact } from "../../registry/artifact.ts";
import { peakActivationMemory } from "../../search/cost/activation_memory.ts";
import { checkLatencyTable, latencyFromTable } from "../../search/cost/latency.ts";
import { bitOperations, totalMacs } from "../../search/cost/operations.ts";
import { uniformBytes, weightBits, weightBytes, weightCount } from "../../search/cost/size.ts";
import { systolicLatency } from "../../search/cost/systolic.ts";
import { declaredShapes, type LayerWork, workOf } from "../../search/cost/work.ts";
import type { Cost } from "../../search/problem.ts";
import type { SensitivityTable } from "../../search/table.ts";
import type { Parameters } from "./ports.ts";
import { bytesOf, microsecondsOf } from "./units.ts";

/** All costs that are known, and facts that do not depend on widths. */
export interface Costs {
  /** By name; limits are infinite where there are none. */
  readonly costs: readonly Cost[];
  readonly macs: number;
  readonly activationBytes: number;
}

/**
 * The costs of a table's layers.
 *
 * @param columns The widths, as columns of the costs.
 * @throws {UserError} If a cost that has a limit cannot be known.
 */
export async function costsOf(
  table: SensitivityTable,
  columns: readonly number[],
  model: Model,
  latency: Artifact<"latency"> | undefined,
  parameters: Parameters,
): Promise<Costs> {
  const { budget, activation_bits } = parameters;
  const works = workOf(model, table);
  const size = weightBytes(table, columns);
  const count = weightCount(table);
  const cost = (name: string, values: Float64Array, limit = Infinity, constant = 0): Cost => ({
    name,
    values,
    constant,
    limit,
  });
  const memory = peakActivationMemory(
    model.graph,
    declaredShapes(model.graph),
    activation_bits,
  ).bytes;
  const costs = [
    cost("size", size, sizeLimit(table, budget)),
    // In bits, not in bits a weight, so that sums are exact.
    cost("bits", weightBits(table, columns), (budget.mean_bits ?? Infinity) * count),
    cost("bops", bitOperations(works, columns, activation_bits), budget.bops),
  ];
  if (budget.activation_memory !== undefined) {
    const limit = bytesOf(budget.activation_memory);
    costs.push(cost("activation_memory", new Float64Array(size.length), limit, memory));
  }
  const needsLatency = budget.latency !== undefined || parameters.minimize === "latency";
  const time = needsLatency || parameters.accelerator !== undefined
    ? await latencyOf(works, columns, latency, parameters)
    : undefined;
  if (time !== undefined) {
    const limit = budget.latency === undefined ? Infinity : microsecondsOf(budget.latency);
    costs.push(cost("latency", time.values, limit, time.constant));
  }
  return { costs, macs: totalMacs(works), activationBytes: memory };
}

function sizeLimit(table: SensitivityTable, { size, of_int8 }: Parameters["budget"]): number {
  const bytes = size === undefined ? Infinity : bytesOf(size);
  if (of_int8 === undefined) return bytes;
  const int8 = uniformBytes(table, 8);
  if (int8 === undefined) {
    throw new UserError({
      message: `of_int8 needs the size at 8 bits, but the sensitivity table has only ${
        table.widths.join(", ")
      } bits`,
      hint: 'Add 8 to the bits of the stage "sensitivity", or say size: BYTES',
    });
  }
  return Math.min(bytes, Math.floor(of_int8 * int8));
}

async function latencyOf(
  works: readonly LayerWork[],
  columns: readonly number[],
  latency: Artifact<"latency"> | undefined,
  { accelerator, activation_bits }: Parameters,
): Promise<{ values: Float64Array; constant: number }> {
  if (accelerator !== undefined) {
    const values = systolicLatency(accelerator, works, columns, activation_bits);
    return { values, constant: 0 };
  }
  if (latency === undefined) {
    throw new UserError({
      message: "Latency needs a table of what layers take, and there is none",
      hint: 'Put the stage "profile" before, give a table under inputs:, ' +
        "{ json: FILE, kind: latency }, or describe an accelerator: { … }",
    });
  }
  const table = checkLatencyTable(await latency.load(), latency.origin);
  return latencyFromTable(table, works, columns, activation_bits);
}
