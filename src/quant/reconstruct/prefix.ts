/**
 * Running a network piece by piece over all items.
 *
 * @module
 */

import { UserError } from "../../base/errors.ts";
import { openSession } from "../../engine/session.ts";
import type { Model, ValueInfo } from "../../onnx/model.ts";
import { bitsPerElement, elementCount, type Tensor } from "../../onnx/tensor.ts";
import type { ItemStorage, ItemValues } from "./item_values.ts";
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

/** The values of one network for all items, as far as they are known. */
export class Prefix {
  readonly model: Model;
  readonly items: number;
  readonly #storage: ItemStorage;
  readonly #options: PieceOptions;
  readonly #values: Map<string, ItemValues>;
  readonly #inputs: ReadonlyMap<string, ItemValues>;

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

  /** Replaces a known value; the old one is given back, not released. */
  replace(name: string, values: ItemValues): ItemValues {
    const old = this.get(name);
    this.#values.set(name, values);
    return old;
  }

  /** Computes values from those that are known, and knows them from then on. */
  async compute(names: Iterable<string>): Promise<void> {
    const missing = [...new Set(names)].filter((name) => !this.#values.has(name));
    if (missing.length === 0) return;
    const found = await this.run(missing, missing);
    for (const [name, values] of found) this.#values.set(name, values);
  }

  /**
   * Computes values anew.
   *
   * @param ignored Known values that are not to be started from.
   */
  async run(
    names: readonly string[],
    ignored: readonly string[] = names,
  ): Promise<Map<string, ItemValues>> {
    const { nodes, leaves } = sliceOf(
      this.model.graph,
      names,
      (name) => this.#values.has(name) && !ignored.includes(name),
    );
    const inputs = leaves.map((name): ValueInfo => {
      const { type, dims } = this.get(name);
      return { name, type, dims: [undefined, ...dims.slice(1)] };
    });
    const piece = sliceModel(this.model, nodes, inputs, names);
    await using session = await openSession(piece, { threads: this.#options.threads });
    const found = new Map<string, ItemValues>();
    const most = pieceItems(leaves.map((name) => this.get(name)));
    for (let start = 0; start < this.items; start += most) {
      this.#options.signal.throwIfAborted();
      const count = Math.min(most, this.items - start);
      const feeds: Record<string, Tensor> = {};
      for (const name of leaves) feeds[name] = this.get(name).read(start, count);
      const results = await session.run(feeds);
      for (const name of names) {
        const rows = results[name]!;
        if (rows.dims[0] !== count) throw notByItem(name, rows, count);
        let values = found.get(name);
        if (values === undefined) {
          values = this.#storage.allocate(rows, this.items);
          found.set(name, values);
        }
        values.write(start, rows);
      }
      await new Promise((resolve) => setTimeout(resolve, 0));
    }
    return found;
  }

  /** Forgets what none of the values that are still wanted needs. */
  keepFor(wanted: Iterable<string>): void {
    const { leaves } = sliceOf(this.model.graph, wanted, (name) => this.#values.has(name));
    const needed = new Set(leaves);
    for (const [name, values] of this.#values) {
      if (needed.has(name) || this.#inputs.has(name)) continue;
      this.#values.delete(name);
      values.release();
    }
  }
}

function notByItem(name: string, { dims }: Tensor, items: number): UserError {
  return new UserError({
    message: `Value "${name}" of ${items} items has the shape [${dims}]: ` +
      "units are reconstructed where the first dimension counts the items",
    hint: "Choose a larger unit, such as unit: network, or leave the layer out with except",
  });
}
