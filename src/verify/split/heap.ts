/**
 * A priority queue.
 *
 * @module
 */

/** An item and where it stands. */
export interface Entry<T> {
  readonly item: T;
  readonly priority: number;
  /** Counts items as they came. */
  readonly order: number;
}

/** Gives out the item of the highest priority first; among equals, the one that came first. */
export class Heap<T> {
  readonly #items: Entry<T>[] = [];
  #next: number;

  /** Empty, or with entries of another queue in any order. */
  constructor(entries: readonly Entry<T>[] = [], next = 0) {
    for (const entry of entries) this.#insert(entry);
    this.#next = next;
  }

  get size(): number {
    return this.#items.length;
  }

  /** The priority of the item that comes first. */
  get worst(): number | undefined {
    return this.#items[0]?.priority;
  }

  /** The order of the next item. */
  get next(): number {
    return this.#next;
  }

  /** Every entry, by order. */
  entries(): Entry<T>[] {
    return this.#items.toSorted((a, b) => a.order - b.order);
  }

  /** Every item, in no order. */
  *[Symbol.iterator](): Iterator<T> {
    for (const { item } of this.#items) yield item;
  }

  /** Adds an item. */
  push(item: T, priority: number): void {
    this.#insert({ item, priority, order: this.#next++ });
  }

  #insert(entry: Entry<T>): void {
    const items = this.#items;
    items.push(entry);
    let at = items.length - 1;
    while (at > 0) {
      const parent = (at - 1) >> 1;
      if (!this.#isBefore(at, parent)) break;
      this.#swap(at, parent);
      at = parent;
    }
  }

  /** Takes the first item out; `undefined` when there is none. */
  pop(): T | undefined {
    const items = this.#items;
    const first = items[0];
    const last = items.pop();
    if (first === undefined || last === undefined || items.length === 0) return first?.item;
    items[0] = last;
    let at = 0;
    for (;;) {
      const left = 2 * at + 1;
      let best = at;
      if (left < items.length && this.#isBefore(left, best)) best = left;
      if (left + 1 < items.length && this.#isBefore(left + 1, best)) best = left + 1;
      if (best === at) return first.item;
      this.#swap(at, best);
      at = best;
    }
  }

  #isBefore(a: number, b: number): boolean {
    const [first, second] = [this.#items[a]!, this.#items[b]!];
    return first.priority > second.priority ||
      first.priority === second.priority && first.order < second.order;
  }

  #swap(a: number, b: number): void {
    [this.#items[a], this.#items[b]] = [this.#items[b]!, this.#items[a]!];
  }
}
