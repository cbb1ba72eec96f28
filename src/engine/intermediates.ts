/**
 * Running a model with inner values exposed.
 *
 * @module
 */

import { UserError } from "../base/errors.ts";
import type { Graph, Model, Node, ValueInfo } from "../onnx/model.ts";
import { int64s, type Tensor } from "../onnx/tensor.ts";
import { innerOnlyValues } from "./boundary.ts";
import { openSession } from "./session.ts";
import { byteSize, inferShapes } from "./shapes.ts";

/** Inputs of the model by name, for one batch. */
export type Feeds = Readonly<Record<string, Tensor>>;

/** How to run; nothing here changes a value. */
export interface IntermediatesOptions {
  /** Threads inside one operator; 1 unless told. */
  readonly threads?: number;
  /** Bytes that the exposed values of one batch should stay under; unlimited unless told. */
  readonly memory?: number;
  /** Checked between runs. */
  readonly signal?: AbortSignal;
}

/** Gets some of the wanted values of a batch, by name; batches count from 0. */
export type ValuesCallback = (
  values: Readonly<Record<string, Tensor>>,
  batch: number,
) => void | Promise<void>;

/**
 * Runs a model over batches and hands over the wanted values of each, every value exactly once a batch and in
 * the order of the batches.
 *
 * Quantizers run as written. When the values of a batch would not fit into `memory`, they are divided into
 * groups, and all batches are run once a group. Batches are never divided, since that could change last bits,
 * and every run keeps all wanted values apart from fusions, so the values do not depend on the budget. A value
 * that is larger than the budget by itself is handed over alone.
 *
 * @param names Inner values, inputs or outputs of the model's main graph.
 * @param batches Starts over with the first batch; called once a group and once more to see a batch's shape.
 *   No batch may be larger than the first.
 * @returns The number of groups.
 * @throws {RangeError} If a name is no value of the model, or is of a type that cannot leave the runtime.
 * @throws {UserError} If the model does not load or run.
 */
export async function runWithIntermediates(
  model: Model,
  names: readonly string[],
  batches: () => Iterable<Feeds> | AsyncIterable<Feeds>,
  callback: ValuesCallback,
  options: IntermediatesOptions = {},
): Promise<number> {
  const { inputs, inner } = classify(model.graph, names);
  const { groups, ranks } = await divide(model, inner, batches, options.memory ?? Infinity);
  for (const [number, group] of groups.entries()) {
    const exposed = expose(model, group, inner, ranks);
    await using session = await openSession(exposed, { threads: options.threads ?? 1 });
    let index = 0;
    for await (const feeds of batches()) {
      options.signal?.throwIfAborted();
      const values = group.length === 0 ? {} : await session.run(feeds, group);
      if (number === 0) { for (const name of inputs) values[name] = feeds[name]!; }
      await callback(values, index++);
    }
  }
  return groups.length;
}

interface Wanted {
  readonly inputs: readonly string[];
  readonly inner: ReadonlySet<string>;
}

function classify(graph: Graph, names: readonly string[]): Wanted {
  const inputs: string[] = [];
  const inner = new Set<string>();
  const produced = new Set(graph.nodes.flatMap((node) => node.outputs));
  const innerOnly = innerOnlyValues(graph);
  for (const name of new Set(names)) {
    const type = innerOnly.get(name);
    if (type !== undefined) {
      throw new RangeError(`Value "${name}" cannot be exposed: its type is ${type}`);
    }
    if (name !== "" && produced.has(name)) inner.add(name);
    else if (graph.inputs.some((input) => input.name === name)) inputs.push(name);
    else throw new RangeError(`Value "${name}" is neither an input nor computed in the model`);
  }
  return { inputs, inner };
}

interface Division {
  readonly groups: readonly (readonly string[])[];
  readonly ranks: ReadonlyMap<string, number>;
}

/** Groups values, in their order, so that each group stays under the budget. */
async function divide(
  model: Model,
  names: ReadonlySet<string>,
  batches: () => Iterable<Feeds> | AsyncIterable<Feeds>,
  memory: number,
): Promise<Division> {
  if (memory === Infinity || names.size === 0) return { groups: [[...names]], ranks: new Map() };
  const dims: Record<string, readonly number[]> = {};
  for await (const feeds of batches()) {
    for (const name in feeds) dims[name] = feeds[name]!.dims;
    break;
  }
  const shapes = await inferShapes(model, dims);
  const groups: string[][] = [];
  const ranks = new Map<string, number>();
  let room = 0;
  for (const name of names) {
    const shape = shapes.get(name);
    if (shape === undefined) throw new UserError(`Value "${name}" is not a tensor`);
    ranks.set(name, shape.dims.length);
    // The runtime's result and the copy that it hands out exist at the same time.
    const bytes = 2 * byteSize(shape);
    if (groups.length === 0 || bytes > room) {
      groups.push([]);
      room = memory;
    }
    groups.at(-1)!.push(name);
    room -= bytes;
  }
  return { groups, ranks };
}

/** The model with a group as its outputs, and all other wanted values kept apart from fusions. */
function expose(
  model: Model,
  group: readonly string[],
  names: ReadonlySet<string>,
  ranks: ReadonlyMap<string, number>,
): Model {
  const nodes: Node[] = [...model.graph.nodes];
  const outputs: ValueInfo[] = group.map((name) => ({ name, type: undefined, dims: undefined }));
  const initializers = new Map(model.graph.initializers);
  const inGroup = new Set(group);
  for (const name of names) {
    if (inGroup.has(name)) continue;
    const anchor = anchorNode(name, ranks.get(name) ?? 0, initializers);
    nodes.push(anchor);
    outputs.push({ name: anchor.outputs[0]!, type: undefined, dims: undefined });
  }
  return { ...model, graph: { ...model.graph, nodes, outputs, initializers } };
}

/** Takes one element of a value, which makes it a value of its own without keeping it in memory. */
function anchorNode(name: string, rank: number, initializers: Map<string, Tensor>): Node {
  const output = `bitbound.anchor.${name}`;
  const node = { name: output, domain: "", outputs: [output], attributes: new Map() };
  if (rank === 0) return { ...node, opType: "Identity", inputs: [name] };
  const starts = `bitbound.starts.${rank}`;
  const ends = `bitbound.ends.${rank}`;
  initializers.set(starts, int64s(new Array<number>(rank).fill(0)));
  initializers.set(ends, int64s(new Array<number>(rank).fill(1)));
  return { ...node, opType: "Slice", inputs: [name, starts, ends] };
}
