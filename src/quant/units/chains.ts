/**
 * Joining parts that follow one another.
 *
 * @module
 */

import type { ActivationFlow } from "../../onnx/flow.ts";
import type { Node } from "../../onnx/model.ts";
import type { LayerKinds } from "./layers.ts";
import { boundary, type Part } from "./parts.ts";

/** Joins parts of one graph. */
export class PartChain {
  readonly #flow: ActivationFlow;
  readonly #kinds: LayerKinds;

  constructor(flow: ActivationFlow, kinds: LayerKinds) {
    this.#flow = flow;
    this.#kinds = kinds;
  }

  /**
   * Joins the layers that published architectures count as one block: the squeezing convolution before the branches
   * of a Fire module, and the expanding, depthwise and linear projecting convolutions of an inverted residual
   * block without residual connection, with the gate that may lie between.
   *
   * @param parts In topological order.
   */
  joinModules(parts: readonly Part[]): Part[] {
    const joined = [...parts];
    for (let index = 0; index < joined.length; index++) {
      const group = this.#fireModule(joined, index) ?? this.#invertedResidual(joined, index);
      if (group === undefined) continue;
      const merged = this.#merge(group, "block");
      if (merged === undefined) continue;
      joined.splice(index, group.length, merged);
    }
    return joined;
  }

  /**
   * Joins neighbours of the same kind while the resolution stays the same.
   *
   * @param parts In topological order.
   */
  joinStages(parts: readonly Part[]): Part[] {
    const stages: Part[] = [];
    let kind: Part["kind"] | undefined;
    for (const part of parts) {
      const last = stages.at(-1);
      const follows = last !== undefined && kind === part.kind && !this.#changesResolution(part);
      const merged = follows ? this.#merge([last, part], last.kind) : undefined;
      if (merged === undefined) stages.push(part);
      else stages[stages.length - 1] = merged;
      kind = part.kind;
    }
    return stages;
  }

  #fireModule(parts: readonly Part[], index: number): Part[] | undefined {
    const [squeeze, branches] = [parts[index]!, parts[index + 1]];
    const channels = this.#layerChannels(squeeze);
    const squeezes = channels !== undefined && channels.output < channels.input;
    if (!squeezes || branches?.join !== "Concat") return undefined;
    return this.#exitsInto(squeeze, branches) ? [squeeze, branches] : undefined;
  }

  #invertedResidual(parts: readonly Part[], index: number): Part[] | undefined {
    const group: Part[] = [];
    const expand = parts[index]!;
    const channels = this.#layerChannels(expand);
    const expands = channels !== undefined && channels.output > channels.input;
    if (expands && this.#bends(expand)) group.push(expand);

    const depthwise = parts[index + group.length];
    if (depthwise?.kind !== "layer" || !this.#kinds.isDepthwise(depthwise.weights[0]!)) {
      return undefined;
    }
    if (!this.#bends(depthwise)) return undefined;
    group.push(depthwise);

    const gate = parts[index + group.length];
    if (gate?.join === "Mul") group.push(gate);
    const project = parts[index + group.length];
    if (project === undefined || this.#layerChannels(project) === undefined) return undefined;
    if (this.#bends(project)) return undefined;
    group.push(project);
    const connected = group.every((part, place) =>
      place === 0 || this.#exitsInto(group[place - 1]!, part)
    );
    return connected ? group : undefined;
  }

  #layerChannels(part: Part): { input: number; output: number } | undefined {
    return part.kind === "layer" ? this.#kinds.pointwiseChannels(part.weights[0]!) : undefined;
  }

  #bends(part: Part): boolean {
    return [...part.nodes].some((node) => this.#kinds.isNonlinear(node));
  }

  #changesResolution(part: Part): boolean {
    return [...part.nodes].some((node) => this.#kinds.changesResolution(node));
  }

  #exitsInto(before: Part, after: Part): boolean {
    return this.#link(before, after) !== undefined;
  }

  /**
   * The nodes without weights between two neighbours: those that only pad or work on single values. `undefined` where
   * something else lies between, or anything else reads the first one's result.
   */
  #link(before: Part, after: Part): Node[] | undefined {
    const nodes: Node[] = [];
    for (let exit = before.exit;;) {
      const values = this.#flow.valuesOf(exit);
      if (values.length !== 1 || this.#flow.isOutput(values[0]!)) return undefined;
      const readers = this.#flow.readers(values[0]!);
      if (readers.every((node) => after.nodes.has(node))) return nodes;
      const [next] = readers;
      const passes = next !== undefined && readers.length === 1 &&
        this.#flow.reads(next).length === 1 &&
        (next.opType === "Pad" || this.#kinds.isElementwise(next));
      if (!passes) return undefined;
      nodes.push(next);
      exit = next;
    }
  }

  /** The parts and what links them as one; `undefined` where that has more than one way in or out. */
  #merge(group: readonly Part[], kind: Part["kind"]): Part | undefined {
    const nodes = new Set<Node>();
    for (const [index, part] of group.entries()) {
      const link = index === 0 ? [] : this.#link(group[index - 1]!, part);
      if (link === undefined) return undefined;
      for (const node of [...link, ...part.nodes]) nodes.add(node);
    }
    const { inputs, outputs } = boundary(this.#flow, nodes);
    if (inputs.length !== 1 || outputs.length !== 1) return undefined;
    return {
      kind,
      nodes,
      exit: group.at(-1)!.exit,
      weights: group.flatMap((part) => part.weights),
    };
  }
}
