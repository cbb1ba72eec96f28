/**
 * Which units and layers of a network are reconstructed.
 *
 * @module
 */

import { UserError } from "../../base/errors.ts";
import { globPattern } from "../../base/glob.ts";
import { RULES } from "../../engine/autodiff/rules/table.ts";
import { describeNode } from "../../onnx/attributes.ts";
import type { Model } from "../../onnx/model.ts";
import { readNames } from "../../onnx/scope.ts";
import type { ActivationReading } from "../qdq.ts";
import { findUnits, type Unit } from "../units.ts";
import { endLayers } from "./ends.ts";
import type { Layer } from "./layers.ts";
import { givesScores } from "./logits.ts";
import type { ReconstructionOptions } from "./options.ts";

/** A unit that is reconstructed. */
export interface Task {
  readonly unit: Unit;
  /** The layers whose weights are rounded anew; others stay. */
  readonly layers: readonly Layer[];
  /** Which value of the float model the unit's output stands for. */
  readonly target: string;
  /** Which value of the float model each of its inputs stands for. */
  readonly floatInputs: ReadonlyMap<string, string>;
}

/**
 * The units that are to be reconstructed, in topological order.
 *
 * @throws {UserError} If a pattern is for nothing, or nothing is left to do.
 */
export function chooseTasks(
  quantized: Model,
  reference: Model,
  layers: readonly Layer[],
  activations: readonly ActivationReading[],
  { unit: granularity, maximumBits, ends, except }: ReconstructionOptions,
): Task[] {
  const excepted = matchPatterns(quantized, except);
  const { first, last } = endLayers(quantized.graph, layers);
  const outer = new Set([...first, ...last]);
  const isLeft = (layer: Layer) =>
    ends !== "width" && outer.has(layer) ? ends === "keep" : layer.reading.bits > maximumBits;
  const byNode = new Map(layers.map((layer) => [layer.node, layer]));
  const floatName = floatNames(activations);
  const known = new Set(reference.graph.nodes.flatMap(({ outputs }) => outputs));
  for (const { name } of reference.graph.inputs) known.add(name);
  const tasks: Task[] = [];
  for (const unit of findUnits(quantized, granularity)) {
    const chosen = unit.weights.flatMap((node) => {
      const layer = byNode.get(node);
      const stays = layer === undefined || isLeft(layer) || excepted.has(node.name);
      return stays ? [] : [layer];
    });
    if (chosen.length === 0) continue;
    const target = floatName(unit.output);
    if (!known.has(target)) throw unknownValue(unit, target);
    tasks.push({
      unit,
      layers: chosen,
      target,
      floatInputs: new Map(unit.inputs.map((name) => [name, floatName(name)])),
    });
  }
  if (tasks.length === 0) {
    throw new UserError({
      message: layers.length === 0
        ? "The quantized model has no integer weights to round anew"
        : `None of the ${layers.length} quantized layers is left to reconstruct: ` +
          `except, max_bits (${maximumBits}) and first_last leave all of them as they are`,
      hint: layers.length === 0
        ? 'Put the stage "quantize" before, with mapping: uniform and at least 2 bits'
        : "Raise max_bits, shorten except, or say first_last: learn",
    });
  }
  return tasks;
}

/**
 * Refuses units that gradients cannot go through, all at once.
 *
 * @throws {UserError} Names the nodes and operators.
 */
export function requireRules(tasks: readonly Task[], granularity: string): void {
  const problems = tasks.flatMap(({ unit, layers }) => {
    const roots = new Set(layers.map(({ node }) => node));
    const dependent = new Set<string>();
    return unit.nodes.flatMap((node) => {
      const depends = roots.has(node) || [...readNames(node)].some((name) => dependent.has(name));
      if (!depends) return [];
      for (const output of node.outputs) dependent.add(output);
      const isKnown = (node.domain === "" || node.domain === "ai.onnx") && node.opType in RULES;
      if (isKnown || /QuantizeLinear$/.test(node.opType)) return [];
      const names = layers.map(({ name }) => `"${name}"`).join(", ");
      return [{
        message: `Unit "${unit.name}" cannot be reconstructed: ${
          describeNode(node)
        } has no gradient rule`,
        hint:
          `${
            granularity === "layer" ? "Leave" : "Choose smaller units, unit: layer, leave"
          } it out, ` +
          `except: [${names}], or choose a method without gradients, method: gptq`,
      }];
    });
  });
  if (problems.length > 0) throw new UserError(problems);
}

/**
 * Refuses what needs classes where there are none.
 *
 * @throws {UserError} Names the parameter.
 */
export function requireScores(
  reference: Model,
  { learning, distill }: ReconstructionOptions,
): void {
  const parameter = learning.loss === "fisher"
    ? "loss: fisher"
    : distill.required && distill.steps > 0
    ? "distill"
    : undefined;
  if (parameter === undefined || givesScores(reference)) return;
  const { name, dims } = reference.graph.outputs[0]!;
  const shape = dims?.map((dim) => dim ?? "?").join(", ") ?? "?";
  throw new UserError({
    message: `${parameter} needs a model that gives one score a class for each item: ` +
      `its output "${name}" has the shape [${shape}]`,
    hint: parameter === "distill" ? "Say distill: 0" : "Say loss: mse",
  });
}

/** Finds the value of the float model that a value of the quantized one stands for. */
function floatNames(activations: readonly ActivationReading[]): (name: string) => string {
  const values = new Map(activations.map(({ result, value }) => [result, value]));
  return (name) => {
    const seen = new Set<string>();
    for (let current = name;;) {
      const next = values.get(current);
      if (next === undefined || seen.has(current)) return current;
      seen.add(current);
      current = next;
    }
  };
}

function unknownValue(unit: Unit, name: string): UserError {
  return new UserError({
    message: `The float model has no value "${name}", which unit "${unit.name}" should give`,
    hint: "Name the model that was quantized: in: { reference: prepare.model }",
  });
}

/** The names of nodes that patterns are for. */
function matchPatterns({ graph }: Model, patterns: readonly string[]): Set<string> {
  const found = new Set<string>();
  const unused = patterns.filter((pattern) => {
    const expression = globPattern(pattern);
    const names = graph.nodes.map(({ name }) => name).filter((name) => expression.test(name));
    for (const name of names) found.add(name);
    return names.length === 0;
  });
  if (unused.length > 0) {
    throw new UserError(unused.map((pattern) => ({
      message: `No node of the quantized model matches except: "${pattern}"`,
      hint: `Its layers are named like ${graph.nodes.find(({ name }) => name !== "")?.name ?? ""}`,
    })));
  }
  return found;
}
