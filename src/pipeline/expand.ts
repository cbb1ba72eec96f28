/**
 * From the stages of the file to the stages that run: each item of a matrix is one.
 *
 * A stage has the axes of its own matrix, those of the pipeline's matrix that it refers to, and those of what it takes, so
 * that items chain: where two share an axis, item goes with item. A stage that gathers takes all items instead.
 *
 * @module
 */

import type { JsonValue } from "../base/canonical_json.ts";
import type { Problem } from "../base/errors.ts";
import { didYouMean } from "../base/suggest.ts";
import {
  addressOf,
  agrees,
  axesOf,
  isMeant,
  type Item,
  itemText,
  join,
  MOST_ITEMS,
  NO_AXES,
  project,
} from "./matrix.ts";
import { executionOrder } from "./order.ts";
import { type Source, sourceName } from "./pipeline.ts";
import type { Path } from "./source_text.ts";
import {
  type Supplies,
  type Supply,
  type UnwiredStage,
  Wirer,
  type WiringContext,
} from "./wire.ts";

type JsonObject = { readonly [name: string]: JsonValue };

/** A stage of the file with its matrix. */
export interface Entry extends UnwiredStage {
  /** The items of its own matrix; {@linkcode NO_AXES} if it has none. */
  readonly items: readonly Item[];
  /** The axes that it refers to, with where in the entry. */
  readonly named: readonly (readonly [axis: string, path: Path])[];
  /** The axes whose items its ports for many take together; all of them, unless told. */
  readonly gather: true | readonly string[];
}

/** A stage that runs. */
export interface ExpandedStage<E extends Entry, C> {
  readonly entry: E;
  /** Its address. */
  readonly id: string;
  readonly item: Item;
  /** What was made of it by {@linkcode ExpansionContext.check}. */
  readonly checked: C;
  readonly inputs: ReadonlyMap<string, Source>;
}

/** What expansion needs besides the stages. */
export interface ExpansionContext<E extends Entry, C> extends Omit<WiringContext, "omitted"> {
  /** The items of the pipeline's matrix; {@linkcode NO_AXES} if it has none. */
  readonly items: readonly Item[];
  /** Checks what an entry says for one item. */
  readonly check: (entry: E, item: Item) => C & { readonly parameters: JsonObject | undefined };
}

/** The stages that run. */
export interface Expansion<E extends Entry, C> {
  /** In the order of execution; all of them if there is no problem. */
  readonly stages: readonly ExpandedStage<E, C>[];
  readonly problems: readonly Problem[];
  readonly warnings: readonly Problem[];
}

/** Finds the items of all stages and connects them. */
export function expand<E extends Entry, C>(
  entries: readonly E[],
  context: ExpansionContext<E, C>,
): Expansion<E, C> {
  return new Expander(entries, context).expand();
}

class Expander<E extends Entry, C> {
  readonly #entries: readonly E[];
  readonly #context: ExpansionContext<E, C>;
  readonly #wiring: WiringContext;
  readonly #wirer: Wirer;
  /** By id of the entry, and then by the text of the item. */
  readonly #items = new Map<string, ReadonlyMap<string, Item>>();

  constructor(entries: readonly E[], context: ExpansionContext<E, C>) {
    this.#entries = entries;
    this.#context = context;
    const omitted = new Map(entries.map((entry) => [entry.id, this.#omitted(entry)]));
    this.#wiring = { ...context, omitted };
    this.#wirer = new Wirer(entries, this.#wiring);
  }

  expand(): Expansion<E, C> {
    // Which ports have a part is known only with the parameters of each item: until then, all have.
    const silent = new Wirer(this.#entries, this.#wiring);
    const links = new Map(this.#entries.map((entry) => [entry.id, silent.stage(entry, [])]));
    const { order, cycle } = executionOrder(
      this.#entries,
      new Map([...links].map(([id, supplies]) => [id, linksOf(supplies)])),
    );
    const left = this.#entries.filter((entry) => !order.includes(entry));
    for (const entry of [...order, ...left]) {
      const items = this.#itemsOf(entry, links.get(entry.id)!);
      this.#items.set(entry.id, new Map(items.map((item) => [itemText(item), item])));
    }
    const wired: Supplies[] = [];
    const byEntry = new Map(this.#entries.map((entry) => [entry, this.#stages(entry, wired)]));
    // What takes something from whom cannot be told from ids that are there twice, which is said already.
    if (cycle !== undefined && links.size === this.#entries.length) this.#wirer.reportCycle(cycle);
    this.#wirer.reportUnused(wired);
    const { problems, warnings } = this.#wirer;
    return { stages: order.flatMap((entry) => byEntry.get(entry)!), problems, warnings };
  }

  /** The outputs that some item of an entry does not make: as parameters say, which only the axes that they name change. */
  #omitted(entry: E): string[] {
    const { omits } = entry.definition;
    if (omits === undefined) return [];
    const named = new Set(entry.named.map(([axis]) => axis));
    const items = join(entry.items, project(this.#context.items, (axis) => named.has(axis)));
    return items.flatMap((item) => {
      const { parameters } = this.#context.check(entry, item);
      return parameters === undefined ? [] : [...omits(parameters)];
    });
  }

  /** The items of an entry, from its own axes and those of what it takes. */
  #itemsOf(entry: E, supplies: Supplies): readonly Item[] {
    const all = this.#context.items;
    const named = new Set(entry.named.map(([axis]) => axis));
    let items = join(entry.items, project(all, (axis) => named.has(axis)));
    for (const [port, each] of supplies) {
      for (const supply of each) {
        const theirs = this.#itemsOfSupply(entry, supply);
        const isTaken = (axis: string) =>
          supply.chosen?.axes.has(axis) !== true && !this.#gathers(entry, port, axis);
        items = join(items, project(theirs, isTaken));
      }
    }
    // What the pipeline's matrix excludes is left out also where its axes come together only here.
    const axes = axesOf(items);
    const allowed = project(all, (axis) => axes.includes(axis));
    items = items.filter((item) => allowed.some((other) => agrees(item, other)));
    if (items.length === 0) {
      this.#problem(entry, [], "no item is left of what it takes", {
        hint: "Axes of one name go together value by value: give them a value in common",
      });
      return NO_AXES;
    }
    if (items.length > MOST_ITEMS) {
      this.#problem(entry, [], `it has ${items.length} items, more than ${MOST_ITEMS}`);
      return items.slice(0, 1);
    }
    this.#requireAxes(entry, axesOf(items));
    return items;
  }

  #itemsOfSupply(entry: E, { source, chosen }: Supply): readonly Item[] {
    if (source.from === "inputs") return NO_AXES;
    const items = [...this.#items.get(source.id)?.values() ?? NO_AXES];
    if (chosen === undefined) return items;
    const meant = items.filter((item) => isMeant({ id: source.id, ...chosen }, item));
    if (meant.length > 0 && [...chosen.axes.keys()].every((axis) => items[0]!.has(axis))) {
      return meant;
    }
    const wanted = Array.from(chosen.axes, ([axis, label]) => `${axis}=${label}`).join(",");
    const known = items.map((item) => addressOf(source.id, item));
    const hint = didYouMean(`${source.id}@${wanted}`, known);
    this.#problem(entry, chosen.path, `"${source.id}" has no item ${wanted}`, {
      ...(hint !== undefined && { hint }),
    });
    return NO_AXES;
  }

  #gathers({ definition, gather }: E, port: string, axis: string): boolean {
    return definition.inputs[port]?.many === true && (gather === true || gather.includes(axis));
  }

  #requireAxes(entry: E, axes: readonly string[]): void {
    for (const [axis, path] of entry.named) {
      if (axes.includes(axis)) continue;
      const hint = axes.length === 0
        ? "The stage has no axes: give it a matrix"
        : didYouMean(axis, axes);
      const message = axis === ""
        ? "a reference to the matrix has to name an axis, as in ${matrix.bits}"
        : `there is no axis "${axis}"`;
      this.#problem(entry, path, message, hint === undefined ? {} : { hint });
    }
  }

  /** @param wired Gets what the ports take. */
  #stages(entry: E, wired: Supplies[]): ExpandedStage<E, C>[] {
    const known = new Map<string, Supplies>();
    return Array.from(this.#items.get(entry.id)!.values(), (item) => {
      const checked = this.#context.check(entry, item);
      const { parameters } = checked;
      const { ignores = () => [] } = entry.definition;
      const ignored = parameters === undefined ? undefined : ignores(parameters);
      const key = ignored === undefined ? "unknown" : ignored.join();
      const supplies = known.get(key) ?? this.#wirer.stage(entry, ignored);
      if (!known.has(key)) wired.push(supplies);
      known.set(key, supplies);
      const inputs = this.#inputs(entry, item, supplies);
      return { entry, id: addressOf(entry.id, item), item, checked, inputs };
    });
  }

  #inputs(entry: E, item: Item, supplies: Supplies): Map<string, Source> {
    const inputs = new Map<string, Source>();
    for (const [port, each] of supplies) {
      const isMany = entry.definition.inputs[port]!.many === true;
      for (const supply of each) {
        const isGathered = (axis: string) => this.#gathers(entry, port, axis);
        for (const source of this.#sources(supply, item, isGathered)) {
          if (!isMany) {
            inputs.set(port, source);
            continue;
          }
          const address = source.from === "inputs" ? sourceName(source) : source.id;
          const name = `${port}[${address}]`;
          inputs.set(inputs.has(name) ? `${port}[${sourceName(source)}]` : name, source);
        }
      }
    }
    return inputs;
  }

  /** The items of what is taken that go with an item. */
  #sources(
    { source, chosen }: Supply,
    item: Item,
    isGathered: (axis: string) => boolean,
  ): Source[] {
    if (source.from === "inputs") return [source];
    const theirs = this.#items.get(source.id);
    if (theirs === undefined) return [source];
    const [first] = theirs.values();
    const axes = [...first!.keys()];
    const labels = new Map(axes.map((axis) => {
      const own = isGathered(axis) ? undefined : item.get(axis)?.label;
      return [axis, chosen?.axes.get(axis) ?? own];
    }));
    // Most often it is exactly one, and known by its text.
    const one = axes.map((axis) => `${axis}=${labels.get(axis)}`).sort().join(",");
    const found = theirs.has(one)
      ? [theirs.get(one)!]
      : [...theirs.values()].filter((each) =>
        axes.every((axis) =>
          labels.get(axis) === undefined || each.get(axis)!.label === labels.get(axis)
        )
      );
    return found.map((each) => ({ ...source, id: addressOf(source.id, each) }));
  }

  #problem(entry: E, path: Path, message: string, rest: { readonly hint?: string } = {}): void {
    this.#wirer.problems.push({
      message: `Stage "${entry.id}": ${message}`,
      place: this.#context.document.place([
        "stages",
        entry.index,
        ...(path.length === 0 ? ["uses"] : path),
      ]),
      ...rest,
    });
  }
}

function linksOf(supplies: Supplies): [port: string, source: Source][] {
  return [...supplies].flatMap(([port, each]) =>
    each.map(({ source }): [string, Source] => [port, source])
  );
}
