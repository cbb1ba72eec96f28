/**
 * Costs of widths, and what the budget allows of each.
 *
 * @module
 */

import { UserError } from "../../base/errors.ts";
import { cloneModel, nameEverything } from "../../onnx/edit.ts";
import type { Model } from "../../onnx/model.ts";
import { placeQuantizers } from "../../quant/placement.ts";
import type { Artifact } from "../../registry/artifact.ts";
import { bytesAt, moments } from "../../search/cost/activation_memory.ts";
import { checkLatencyTable, LatencyLookup } from "../../search/cost/latency.ts";
import { addUp, type WidthLayout } from "../../search/cost/node_cost.ts";
import { bitOperations, totalMacs } from "../../search/cost/operations.ts";
import { uniformBytes, weightBytes, weightCount } from "../../search/cost/size.ts";
import { systolicLatency } from "../../search/cost/systolic.ts";
import { declaredShapes, type LayerWork, workOf } from "../../search/cost/work.ts";
import type { Cost, SearchProblem, Subjects } from "../../search/problem.ts";
import type { SensitivityTable } from "../../search/table.ts";
import type { Parameters } from "./ports.ts";
import { bytesOf, microsecondsOf } from "./units.ts";

/** All costs that are known, and facts that do not depend on widths. */
export interface Costs {
  /** By name; limits are infinite where there are none. */
  readonly costs: readonly Cost[];
  readonly macs: number;
  readonly weights: number;
  /** Values of all quantized activations of one item. */
  readonly activations: number;
}

/**
 * The costs of a problem.
 *
 * @param problem Without costs.
 * @throws {UserError} If a cost that has a limit cannot be known.
 */
export async function costsOf(
  table: SensitivityTable,
  { layers, activations }: Subjects,
  problem: SearchProblem,
  source: Model,
  latency: Artifact<"latency"> | undefined,
  parameters: Parameters,
): Promise<Costs> {
  const { budget = {}, activation_bits } = parameters;
  const model = cloneModel(source);
  nameEverything(model.graph);
  const works = worksOf(model, table);
  const layout = layoutOf({ layers, activations }, problem, parameters);
  const shapes = declaredShapes(model.graph);
  const { widths } = problem;
  const rows = problem.layers.length * widths.length;
  const cost = (name: string, values: Float64Array, limit = Infinity): Cost => ({
    name,
    values,
    constant: 0,
    limit,
  });
  const costs: Cost[] = [];
  if (layers.length > 0) {
    const size = new Float64Array(rows);
    size.set(weightBytes(layers, widths));
    costs.push(cost("size", size, sizeLimit(table, budget)));
    const bits = new Float64Array(rows);
    layers.forEach(({ elements }, row) =>
      widths.forEach((width, column) => bits[row * widths.length + column] = elements * width)
    );
    // In bits, not in bits a weight, so that sums are exact.
    costs.push(cost("bits", bits, (budget.mean_bits ?? Infinity) * weightCount(layers)));
  }
  const elements = activations.map(({ name }) => elementsOf(shapes, name));
  const count = elements.reduce((sum, each) => sum + each, 0);
  if (activations.length > 0) {
    const bits = new Float64Array(rows);
    elements.forEach((each, index) =>
      widths.forEach((width, column) => {
        bits[(layers.length + index) * widths.length + column] = each * width;
      })
    );
    const limit = (budget.mean_activation_bits ?? Infinity) * count;
    costs.push(cost("activation_bits", bits, limit));
  }
  costs.push({
    name: "bops",
    limit: budget.bops ?? Infinity,
    ...addUp(bitOperations, works, layout),
  });
  costs.push(...memoryCosts(model, shapes, layout, activation_bits, budget.activation_memory));
  const needsLatency = budget.latency !== undefined || parameters.minimize === "latency";
  if (needsLatency || parameters.accelerator !== undefined) {
    const limit = budget.latency === undefined ? Infinity : microsecondsOf(budget.latency);
    costs.push({ name: "latency", limit, ...await latencyOf(works, layout, latency, parameters) });
  }
  return { costs, macs: totalMacs(works), weights: weightCount(layers), activations: count };
}

/** The work of every layer that has weights, or of those of the table. */
function worksOf(model: Model, table: SensitivityTable): LayerWork[] {
  if (table.layers.length > 0) return workOf(model, table);
  const layers = placeQuantizers(model).layers.map(({ node: { name } }) => ({
    name,
    nodes: [name],
    elements: 1,
    entries: [],
  }));
  return workOf(model, { layers });
}

function layoutOf(
  { layers, activations }: Subjects,
  { widths, allowed }: SearchProblem,
  { weight_bits, activation_bits }: Parameters,
): WidthLayout {
  const rows = new Map(layers.map(({ name }, row) => [name, row]));
  const values = new Map(
    activations.flatMap(({ values }, index) =>
      values.map((value) => [value, layers.length + index])
    ),
  );
  return {
    widths,
    allowed,
    layerRow: (name) => rows.get(name),
    activationRow: (value) => values.get(value),
    weightBits: weight_bits,
    activationBits: activation_bits,
  };
}

function elementsOf(shapes: ReadonlyMap<string, readonly number[]>, name: string): number {
  const shape = shapes.get(name);
  if (shape !== undefined) return shape.slice(1).reduce((product, dim) => product * dim, 1);
  throw new UserError({
    message:
      `The model has no activation "${name}" of a known shape, which the sensitivity table has`,
    hint: 'Give the model that the table was made for, as the stage "prepare" leaves it',
  });
}

function sizeLimit(
  table: SensitivityTable,
  { size, of_int8 }: NonNullable<Parameters["budget"]>,
): number {
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

/** Memory at each moment that can be the worst. */
function memoryCosts(
  model: Model,
  shapes: ReadonlyMap<string, readonly number[]>,
  layout: WidthLayout,
  bits: number,
  limit: string | number | undefined,
): Cost[] {
  const { graph } = model;
  const { widths, allowed } = layout;
  const rowOf = storedRows(model, layout);
  const costs = moments(graph, shapes).map((moment): Cost => {
    const values = new Float64Array(allowed.length * widths.length);
    for (const [value, count] of moment.live) {
      const row = rowOf(value);
      if (row === undefined) continue;
      widths.forEach((width, column) => {
        values[row * widths.length + column]! += Math.ceil(count * width / 8);
      });
    }
    const constant = bytesAt(moment, (value) => rowOf(value) === undefined ? bits : 0);
    const bytes = limit === undefined ? Infinity : bytesOf(limit);
    return { name: "activation_memory", values, constant, limit: bytes };
  });
  const isBeaten = (one: Cost, other: Cost) =>
    one.constant <= other.constant &&
    one.values.every((value, index) => value <= other.values[index]!);
  const kept: Cost[] = [];
  for (const cost of costs) {
    if (kept.some((other) => isBeaten(cost, other))) continue;
    const stays = kept.filter((other) => !isBeaten(other, cost));
    kept.splice(0, kept.length, ...stays, cost);
  }
  return kept;
}

/** The row of the width that a value has in memory: what a layer gives is rounded as it leaves the layer. */
function storedRows(model: Model, layout: WidthLayout): (value: string) => number | undefined {
  const rounded = new Map(
    placeQuantizers(model).layers.flatMap(({ node, output }) =>
      output === undefined ? [] : [[node.outputs[0]!, output]]
    ),
  );
  return (value) => layout.activationRow(value) ?? layout.activationRow(rounded.get(value) ?? "");
}

async function latencyOf(
  works: readonly LayerWork[],
  layout: WidthLayout,
  latency: Artifact<"latency"> | undefined,
  { accelerator, activation_bits }: Parameters,
): Promise<Pick<Cost, "values" | "pairs" | "constant">> {
  if (accelerator !== undefined) return addUp(systolicLatency(accelerator), works, layout);
  if (latency === undefined) {
    throw new UserError({
      message: "Latency needs a table of what layers take, and there is none",
      hint: 'Put the stage "profile" before, give a table under inputs:, ' +
        "{ json: FILE, kind: latency }, or describe an accelerator: { … }",
    });
  }
  const table = checkLatencyTable(await latency.load(), latency.origin);
  const lookup = new LatencyLookup(table);
  const cost = addUp(lookup.cost, works, layout);
  lookup.requireAll();
  return { ...cost, constant: cost.constant + (table.rest[activation_bits] ?? 0) };
}
