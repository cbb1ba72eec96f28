/**
 * What the parameters mean for each layer and each activation of one model.
 *
 * @module
 */

import { type Problem, UserError } from "../../base/errors.ts";
import type { Node } from "../../onnx/model.ts";
import type { ActivationSettings } from "../../quant/activation_parameters.ts";
import type { Placement, QuantizableLayer } from "../../quant/placement.ts";
import type { MatchedOverride } from "./overrides.ts";
import type { Parameters } from "./ports.ts";

/** How the weights of a layer are quantized. */
export type WeightSettings = Parameters["weights"];

/** The settings of everything that is quantized. */
export interface Settings {
  readonly layers: ReadonlyMap<QuantizableLayer, WeightSettings>;
  /** By group of activation points. */
  readonly activations: ReadonlyMap<string, ActivationSettings>;
}

/** The width that first and last layers keep. */
const WIDE = 8;

/**
 * Resolves the parameters: what is set for all, then first and last layers, then what is assigned, then overrides in
 * order.
 *
 * @param assigned Widths of groups of activations.
 * @throws {UserError} If an override sets something that its nodes do not have.
 */
export function resolveSettings(
  placement: Placement,
  parameters: Parameters,
  overrides: readonly MatchedOverride[],
  assigned: ReadonlyMap<string, number> = new Map(),
): Settings {
  const problems: Problem[] = [];
  const layers = new Map<QuantizableLayer, WeightSettings>();
  for (const layer of placement.layers) {
    layers.set(layer, layerSettings(layer, parameters, overrides));
  }
  const owners = new Set(placement.layers.map((layer) => layer.node));
  const activations = activationSettings(placement, parameters, overrides, assigned);
  const readers = new Set(placement.nodes);
  for (const { override, name, nodes } of overrides) {
    if (override.weights !== undefined && !overlaps(nodes, owners)) {
      problems.push({
        message: `${name}.weights: none of its nodes has weights that are quantized`,
        hint: "Weights are quantized in Conv, ConvTranspose, Gemm and MatMul nodes",
      });
    }
    if (override.activations !== undefined && !overlaps(nodes, readers)) {
      problems.push({
        message: `${name}.activations: none of its nodes reads a quantized activation`,
      });
    }
  }
  if (problems.length > 0) throw new UserError(problems);
  return { layers, activations };
}

function layerSettings(
  layer: QuantizableLayer,
  { weights, first_last }: Parameters,
  overrides: readonly MatchedOverride[],
): WeightSettings {
  let settings = weights;
  if (first_last !== "none" && (layer.first || layer.last)) {
    const { bits } = weights;
    settings = { ...weights, bits: bits === "ternary" ? WIDE : Math.max(bits, WIDE) as 8 | 16 };
  }
  for (const { override, nodes } of overrides) {
    if (nodes.has(layer.node)) settings = { ...settings, ...override.weights };
  }
  return settings;
}

function activationSettings(
  placement: Placement,
  { activations: { bits, symmetric }, first_last }: Parameters,
  overrides: readonly MatchedOverride[],
  assigned: ReadonlyMap<string, number>,
): Map<string, ActivationSettings> {
  const groups = new Map(placement.points.map(({ value, group }) => [value, group]));
  const wide = new Set<string>();
  if (first_last !== "none") {
    for (const layer of placement.layers) {
      if (layer.first || layer.last) wide.add(groups.get(layer.input)!);
      if (first_last === "brecq" && layer.first) wide.add(groups.get(layer.output ?? "") ?? "");
    }
    for (const { value, group, role } of placement.points) {
      if (role === "result") {
        wide.add(groups.get(value) ?? group);
      }
    }
  }
  const settings = new Map<string, ActivationSettings>();
  for (const group of groups.values()) {
    const width = assigned.get(group) ?? (wide.has(group) ? Math.max(bits, WIDE) : bits);
    settings.set(group, { bits: width, symmetric });
  }
  for (const [group, asked] of askedFor(placement.nodes, groups, overrides)) {
    const base = settings.get(group)!;
    settings.set(group, {
      bits: asked.bits ?? base.bits,
      symmetric: asked.symmetric ?? base.symmetric,
    });
  }
  return settings;
}

/** What overrides ask for each group, the widest where nodes disagree. */
function askedFor(
  nodes: readonly Node[],
  groups: ReadonlyMap<string, string>,
  overrides: readonly MatchedOverride[],
): Map<string, { bits?: number; symmetric?: boolean }> {
  const asked = new Map<string, { bits?: number; symmetric?: boolean }>();
  for (const node of nodes) {
    let own: { bits?: number; symmetric?: boolean } = {};
    for (const { override, nodes } of overrides) {
      if (nodes.has(node)) own = { ...own, ...override.activations };
    }
    for (const input of node.inputs) {
      const group = groups.get(input);
      if (group === undefined) continue;
      const others = asked.get(group) ?? {};
      const bits = Math.max(others.bits ?? 0, own.bits ?? 0);
      asked.set(group, { ...others, ...own, ...(bits > 0 && { bits }) });
    }
  }
  return asked;
}

function overlaps(a: ReadonlySet<Node>, b: ReadonlySet<Node>): boolean {
  return !a.isDisjointFrom(b);
}
