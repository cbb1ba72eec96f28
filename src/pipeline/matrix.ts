/**
 * The items of a matrix: combinations of values, one of each axis.
 *
 * @module
 */

import type { Address } from "../base/address.ts";
import type { JsonValue } from "../base/canonical_json.ts";
import type { Problem } from "../base/errors.ts";
import { didYouMean } from "../base/suggest.ts";
import { isObject } from "./paths.ts";
import type { Path } from "./source_text.ts";

/** A value of an axis. */
export interface Choice {
  /** What stands for it in addresses. */
  readonly label: string;
  /** What `${matrix.AXIS}` stands for. */
  readonly value: JsonValue;
}

/** One combination, by axis. */
export type Item = ReadonlyMap<string, Choice>;

/** Something wrong with a matrix, and where in it. */
export interface MatrixProblem extends Pick<Problem, "message" | "hint"> {
  readonly path: Path;
}

/** More than anybody looks at. */
export const MOST_ITEMS = 2000;

/** The only item of what has no axis. */
export const NO_AXES: readonly Item[] = [new Map()];

/** What is no axis. */
const RULES = ["include", "exclude"];

/** What an axis is called; it stands in addresses and references. */
const AXIS = /^[A-Za-z][A-Za-z0-9_-]*$/;

/** A scalar as it stands in addresses; only characters that have no meaning there. */
export function labelOf(value: JsonValue): string {
  return encodeURIComponent(String(value)).replace(/%(2F|3A|2B)/g, decodeURIComponent);
}

/**
 * The items that a matrix spells out: every combination of the values of its axes, without those that `exclude` matches,
 * and with those of `include`.
 *
 * @param matrix Fits its schema.
 */
export function itemsOf(
  matrix: { readonly [name: string]: JsonValue },
): { items: Item[]; problems: MatrixProblem[] } {
  const problems: MatrixProblem[] = [];
  const axes = new Map<string, readonly Choice[]>();
  for (const [name, values] of Object.entries(matrix)) {
    if (RULES.includes(name)) continue;
    if (!AXIS.test(name)) {
      const message =
        `axis "${name}" must begin with a letter and have only letters, digits, "-" and "_"`;
      problems.push({ path: [name], message });
      continue;
    }
    axes.set(name, choicesOf(name, values, problems));
  }
  if (axes.size === 0 && problems.length === 0) {
    const message = "matrix has no axis";
    problems.push({ path: [], message, hint: "Write one like bits: [8, 4]" });
  }
  const count = [...axes.values()].reduce((product, choices) => product * choices.length, 1);
  if (count > MOST_ITEMS) {
    const message = `matrix has ${count} combinations, more than ${MOST_ITEMS}`;
    problems.push({ path: [], message });
  }
  if (problems.length > 0) return { items: [], problems };
  const excluded = ruleOf(matrix.exclude, "exclude", axes, problems);
  const included = ruleOf(matrix.include, "include", axes, problems);
  const items = product(axes).filter((item) => !excluded.some((rule) => agrees(rule, item)));
  for (const item of included) {
    if (!items.some((other) => agrees(item, other))) items.push(item);
  }
  if (items.length === 0 && problems.length === 0) {
    problems.push({ path: ["exclude"], message: "matrix has nothing left after exclude" });
  }
  return { items, problems };
}

function choicesOf(name: string, values: JsonValue, problems: MatrixProblem[]): Choice[] {
  if (isObject(values)) {
    return Object.entries(values).map(([label, value]) => ({ label: labelOf(label), value }));
  }
  const choices = (values as readonly JsonValue[])
    .map((value) => ({ label: labelOf(value), value }));
  choices.forEach(({ label }, index) => {
    if (choices.findIndex((other) => other.label === label) === index) return;
    problems.push({ path: [name, index], message: `axis "${name}" has the value ${label} twice` });
  });
  return choices;
}

function product(axes: ReadonlyMap<string, readonly Choice[]>): Item[] {
  let items: Item[] = [...NO_AXES];
  for (const [name, choices] of axes) {
    items = items.flatMap((item) => choices.map((choice) => new Map([...item, [name, choice]])));
  }
  return items;
}

/** The combinations that `include` or `exclude` spells out; to include, each axis has to be there. */
function ruleOf(
  entries: JsonValue | undefined,
  rule: "include" | "exclude",
  axes: ReadonlyMap<string, readonly Choice[]>,
  problems: MatrixProblem[],
): Item[] {
  const list = Array.isArray(entries) ? entries as readonly JsonValue[] : [];
  return list.flatMap((entry, index) => {
    if (!isObject(entry)) return [];
    const before = problems.length;
    const item = new Map<string, Choice>();
    for (const [name, value] of Object.entries(entries === undefined ? {} : entry)) {
      const choices = axes.get(name);
      const path = [rule, index, name];
      if (choices === undefined) {
        const message = `${rule} names "${name}", which is no axis`;
        problems.push({ path, message, ...hintOf(name, [...axes.keys()]) });
        continue;
      }
      const label = labelOf(value);
      const choice = choices.find((each) => each.label === label);
      const isNew = rule === "include" &&
        choices.every((each) => each.label === labelOf(each.value));
      if (choice === undefined && !isNew) {
        const message = `${rule} names ${name}=${label}, which is none of its values`;
        problems.push({ path, message, ...hintOf(label, choices.map((each) => each.label)) });
        continue;
      }
      item.set(name, choice ?? { label, value });
    }
    const missing = [...axes.keys()].find((name) => !item.has(name));
    if (rule === "include" && missing !== undefined && problems.length === before) {
      const message = `include does not say the value of axis "${missing}"`;
      problems.push({ path: [rule, index], message });
    }
    return problems.length > before ? [] : [item];
  });
}

function hintOf(text: string, known: readonly string[]): { hint?: string } {
  const hint = didYouMean(text, known);
  return hint === undefined ? {} : { hint };
}

/** Whether two items have the same values on all axes that both have. */
export function agrees(one: Item, other: Item): boolean {
  for (const [name, { label }] of one) {
    const found = other.get(name);
    if (found !== undefined && found.label !== label) return false;
  }
  return true;
}

/** Only some axes of each item, without repetition. */
export function project(items: readonly Item[], isKept: (axis: string) => boolean): Item[] {
  const found = new Map<string, Item>();
  for (const item of items) {
    const part = new Map([...item].filter(([name]) => isKept(name)));
    const key = itemText(part);
    if (!found.has(key)) found.set(key, part);
  }
  return [...found.values()];
}

/** Every pair of items that agree, put together: where axes are shared, item goes with item. */
export function join(left: readonly Item[], right: readonly Item[]): Item[] {
  const shared = axesOf(left).filter((name) => right[0]?.has(name));
  const keyOf = (item: Item) => itemText(new Map(shared.map((name) => [name, item.get(name)!])));
  const groups = Map.groupBy(right, keyOf);
  return left.flatMap((item) =>
    (groups.get(keyOf(item)) ?? []).map((other) => new Map([...item, ...other]))
  );
}

/** The axes of some items; all have the same. */
export function axesOf(items: readonly Item[]): string[] {
  return [...items[0]?.keys() ?? []];
}

/** `bits=4,method=mse`: the same for every order of the axes. */
export function itemText(item: Item): string {
  const parts = Array.from(item, ([name, { label }]) => `${name}=${label}`);
  return parts.sort().join(",");
}

/** The address of an item of a stage: `w4@bits=4,method=mse`. */
export function addressOf(id: string, item: Item): string {
  return item.size === 0 ? id : `${id}@${itemText(item)}`;
}

/** Whether an item is one of those that an address means. */
export function isMeant({ axes }: Address, item: Item | ReadonlyMap<string, string>): boolean {
  for (const [name, label] of axes) {
    const found = item.get(name);
    if ((typeof found === "string" ? found : found?.label) !== label) return false;
  }
  return true;
}
