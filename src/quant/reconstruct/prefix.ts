/**
 * Running a network piece by piece over all items.
 *
 * @module
 */

import { UserError } from "../../base/errors.ts";
import { Emitter } from "../../engine/autodiff/emitter.ts";
import { openSession } from "../../engine/session.ts";
import type { Graph, Model, ValueInfo } from "../../onnx/model.ts";
import { bitsPerElement, elementCount, type Tensor } from "../../onnx/tensor.ts";
import { valuesByItem } from "./by_item.ts";
import type { ItemStorage, ItemValues } from "./item_values.ts";
import { readNames } from "../../onnx/scope.ts";
import { sliceModel, sliceOf } from "./slice.ts";

/** Most items that run at a time. */
const MOST_ITEMS = 32;
/** Bytes of one value that run at a time: what is larger costs more in fresh memory than in arithmetic. */
const PIECE_BYTES = 2 ** 22;

/** How many items run at a time, given what goes in; by shapes alone, since it may change last bits. */
export function pieceItems(values: Iterable<ItemValues>): number {
  let items = MOST_ITEMS;
  for (const { type, dims } of values) {
    const bytes = elementCount(dims.slice(1)) * bitsPerElement(type)! / 8;
    items = Math.min(items, Math.floor(PIECE_BYTES / bytes));
  }
  return Math.max(1, items);
}

/** How pieces run. */
export interface PieceOptions {
  readonly threads: number;
  readonly signal: AbortSignal;
}

/** What is added up of a value over all items. */
export interface ItemSum {
  /** The value of the network. */
  readonly of: string;
  /** Values of the same items that its terms are made with. */
  readonly beside?: readonly ItemValues[];
  /**
   * Writes the terms of a piece.
   *
   * @param value What holds the value of the network.
   * @param beside What holds the values beside it.
   */
  terms(emit: Emitter, value: string, beside: readonly string[]): string;
  /** Takes the terms of a piece. */
  add(terms: Float32Array): void;
}

/** The values of one network for all items, as far as they are known. */
export class Prefix {
  readonly model: Model;
  readonly items: number;
  readonly #storage: ItemStorage;
  readonly #options: PieceOptions;
  readonly #values: Map<string, ItemValues>;
  readonly #inputs: ReadonlyMap<string, ItemValues>;
  #wanted: readonly string[] = [];
  #byItem: Promise<Set<string>> | undefined;

  /** @param inputs The network's inputs for all items, which stay the caller's. */
  constructor(
    model: Model,
    inputs: ReadonlyMap<string, ItemValues>,
    storage: ItemStorage,
    options: PieceOptions,
  ) {
    this.model = model;
    this.items = inputs.values().next().value!.dims[0]!;
    this.#inputs = inputs;
    this.#values = new Map(inputs);
    this.#storage = storage;
    this.#options = options;
  }

  /** Whether a value is known. */
  has(name: string): boolean {
    return this.#values.has(name);
  }

  /** A known value. */
  get(name: string): ItemValues {
    const values = this.#values.get(name);
    if (values === undefined) throw new RangeError(`Value "${name}" is not computed yet`);
    return values;
  }

  /** Knows a value from now on. */
  know(name: string, values: ItemValues): void {
    this.forget(name);
    this.#values.set(name, values);
  }

  /** Forgets a value, if it is known, which may be computed anew. */
  forget(name: string): void {
    this.#values.get(name)?.release();
    this.#values.delete(name);
  }

  /**
   * Computes values from those that are known, and knows them from then on: also what is computed on the way and what is
   * still wanted (see {@linkcode keepFor}) would compute again.
   */
  async compute(names: Iterable<string>): Promise<void> {
    const missing = [...new Set(names)].filter((name) => !this.#values.has(name));
    if (missing.length === 0) return;
    const found = await this.run([...missing, ...await this.#sharedWithLater(missing)]);
    for (const [name, values] of found) this.know(name, values);
  }

  /** What computing values gives on the way and what is still wanted reads. */
  async #sharedWithLater(names: readonly string[]): Promise<string[]> {
    const { graph } = this.model;
    const now = new Set(sliceOf(graph, names, (name) => this.#values.has(name)).nodes);
    const later = sliceOf(
      graph,
      this.#wanted,
      (name) => this.#values.has(name) || names.includes(name),
    );
    const made = new Set([...now].flatMap(({ outputs }) => outputs));
    const read = new Set(
      later.nodes.filter((node) => !now.has(node)).flatMap((node) => [...readNames(node)]),
    );
    const shared = [...read].filter((name) => made.has(name) && !names.includes(name));
    if (shared.length === 0) return [];
    const byItem = await (this.#byItem ??= valuesByItem(this.model, this.#inputs));
    return shared.filter((name) => byItem.has(name));
  }

  /**
   * Computes values anew, and adds up others over all items without keeping them.
   *
   * The event loop gets its turn before each piece.
   *
   * @param sums Of values that are computed anew too.
   */
  async run(
    names: readonly string[],
    sums: readonly ItemSum[] = [],
  ): Promise<Map<string, ItemValues>> {
    const anew = new Set([...names, ...sums.map(({ of }) => of)]);
    const { nodes, leaves } = sliceOf(
      this.model.graph,
      anew,
      (name) => this.#values.has(name) && !anew.has(name),
    );
    const inputs = leaves.map((name) => inputInfo(name, this.get(name)));
    const piece = sliceModel(this.model, nodes, inputs, names);
    const extras = sums.map((sum, index) => appendSum(piece.graph, sum, `sum${index}`));
    await using session = await openSession(piece, { threads: this.#options.threads });
    const found = new Map<string, ItemValues>();
    const most = pieceItems(leaves.map((name) => this.get(name)));
    for (let start = 0; start < this.items; start += most) {
      this.#options.signal.throwIfAborted();
      const count = Math.min(most, this.items - start);
      const feeds: Record<string, Tensor> = {};
      for (const name of leaves) feeds[name] = this.get(name).read(start, count);
      for (const { beside } of extras) {
        for (const [name, values] of beside) feeds[name] = values.read(start, count);
      }
      const rooms = new Map(names.map((name) => [name, found.get(name)?.room(start, count)]));
      const results = await session.run(feeds, {
        ...Object.fromEntries(rooms),
        ...Object.fromEntries(extras.map(({ output }) => [output, undefined])),
      });
      for (const name of names) {
        const rows = results[name]!;
        if (rows.dims[0] !== count) throw notByItem(name, rows, count);
        let values = found.get(name);
        if (values === undefined) {
          values = this.#storage.allocate(rows, this.items);
          found.set(name, values);
        }
        if (rooms.get(name) === undefined) values.write(start, rows);
      }
      for (const { output, add } of extras) add(results[output]!.data as Float32Array);
    }
    return found;
  }

  /** Forgets what none of the values that are still wanted needs. */
  keepFor(wanted: Iterable<string>): void {
    this.#wanted = [...wanted];
    const { leaves } = sliceOf(this.model.graph, this.#wanted, (name) => this.#values.has(name));
    const needed = new Set(leaves);
    for (const [name, values] of this.#values) {
      if (needed.has(name) || this.#inputs.has(name)) continue;
      this.#values.delete(name);
      values.release();
    }
  }
}

function inputInfo(name: string, { type, dims }: ItemValues): ValueInfo {
  return { name, type, dims: [undefined, ...dims.slice(1)] };
}

/** Adds to a piece what gives the terms of a sum. */
function appendSum(
  graph: Graph,
  { of, beside = [], terms, add }: ItemSum,
  prefix: string,
): { output: string; beside: Map<string, ItemValues>; add: ItemSum["add"] } {
  const emit = new Emitter(graph, prefix);
  const names = beside.map(() => emit.fresh("beside"));
  graph.inputs.push(...beside.map((values, index) => inputInfo(names[index]!, values)));
  const output = terms(emit, of, names);
  graph.outputs.push({ name: output, type: "float32", dims: undefined });
  return { output, beside: new Map(beside.map((values, index) => [names[index]!, values])), add };
}

function notByItem(name: string, { dims }: Tensor, items: number): UserError {
  return new UserError({
    message: `Value "${name}" of ${items} items has the shape [${dims}]: ` +
      "units are reconstructed where the first dimension counts the items",
    hint: "Choose a larger unit, such as unit: network, or leave the layer out with except",
  });
}
