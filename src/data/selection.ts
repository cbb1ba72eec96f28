/**
 * Which items of a source a data set has, in which order.
 *
 * @module
 */

import { Random } from "../base/random.ts";
import { counted, fieldError } from "./problems.ts";
import type { SelectionRecipe } from "./recipe_types.ts";
import type { DatasetSpec } from "./spec.ts";

/** How far fractions may be from adding up to 1: enough for thirds written with six digits. */
const FRACTION_TOLERANCE = 1e-5;

/**
 * Fills in the defaults of an entry's selection.
 *
 * @throws {UserError} If `split` names a part that it does not define, or its fractions do not add up to 1.
 */
export function selectionRecipe(spec: DatasetSpec): SelectionRecipe {
  return {
    split: splitRecipe(spec.split),
    shuffle: spec.shuffle ?? null,
    skip: spec.skip ?? 0,
    take: spec.take ?? null,
  };
}

function splitRecipe(split: DatasetSpec["split"]): SelectionRecipe["split"] {
  if (split === undefined) return null;
  const { of, part } = split;
  const seed = split.seed ?? 0;
  if (typeof of === "number") {
    if (typeof part !== "number" || part > of) {
      throw fieldError(
        ["split", "part"],
        `split.part must be a number from 1 to ${of}: current value is ${JSON.stringify(part)}`,
      );
    }
    return { seed, from: (part - 1) / of, to: part / of };
  }
  // Sorted, so that two entries which list the parts in another order still share their bounds.
  const names = Object.keys(of).sort();
  const total = names.reduce((sum, name) => sum + of[name]!, 0);
  if (Math.abs(total - 1) > FRACTION_TOLERANCE) {
    throw fieldError(
      ["split", "of"],
      `The fractions of split.of must add up to 1: they add up to ${Number(total.toPrecision(6))}`,
    );
  }
  const index = names.indexOf(String(part));
  if (index < 0) {
    throw fieldError(
      ["split", "part"],
      `split.part must be one of ${
        names.map((name) => `"${name}"`).join(", ")
      }: current value is ` +
        JSON.stringify(part),
    );
  }
  const bound = (end: number) => {
    if (end === names.length) return 1;
    return names.slice(0, end).reduce((sum, name) => sum + of[name]!, 0) / total;
  };
  return { seed, from: bound(index), to: bound(index + 1) };
}

/**
 * Which of the items that `split` leaves, in the order of `shuffle`, are chosen: from the first number up to the second.
 *
 * @param count How many items the source has.
 * @param origin What the source is called in messages.
 * @throws {UserError} If nothing is left, or fewer items than `take` asks for.
 */
export function selectedRange(
  count: number,
  { split, skip, take }: SelectionRecipe,
  origin: string,
): readonly [start: number, end: number] {
  if (count === 0) throw fieldError([], `Data set "${origin}" is empty`);
  const [from, to] = split === null ? [0, count] : splitBounds(count, split);
  const available = Math.max(0, to - from);
  if (available === 0) {
    throw fieldError(
      ["split"],
      `split leaves no item of the ${counted(count, "item")} of "${origin}"`,
    );
  }
  if (skip >= available) {
    throw fieldError(
      ["skip"],
      `skip leaves no item: "${origin}" has ${
        counted(available, "item")
      } to choose from, skip is ${skip}`,
    );
  }
  if (take !== null && skip + take > available) {
    throw fieldError(
      ["take"],
      `take asks for ${counted(take, "item")}: "${origin}" has ${available - skip}` +
        (skip > 0 ? ` after skip: ${skip}` : ""),
      `Leave out take to use all of them`,
    );
  }
  return [skip, take === null ? available : skip + take];
}

/**
 * The chosen items of a source, in order: `split`, then `shuffle`, then `skip`, then `take`.
 *
 * @param count How many items the source has.
 * @param origin What the source is called in messages.
 * @throws {UserError} If nothing is left, or fewer items than `take` asks for.
 */
export function selectItems(
  count: number,
  selection: SelectionRecipe,
  origin: string,
): Uint32Array {
  const [start, end] = selectedRange(count, selection, origin);
  const { split, shuffle } = selection;
  if (split === null && shuffle === null) return numbersFrom(start, end);
  const items = split === null ? numbersFrom(0, count) : splitItems(count, split);
  if (shuffle === null) return items.slice(start, end);
  const order = Random.from(shuffle, "data/shuffle").permutation(items.length);
  return order.slice(start, end).map((index) => items[index]!);
}

function numbersFrom(start: number, end: number): Uint32Array<ArrayBuffer> {
  const numbers = new Uint32Array(end - start);
  for (let index = 0; index < numbers.length; index++) numbers[index] = start + index;
  return numbers;
}

/** Deals the items at random, takes one part's share and puts it back in the source's order. */
function splitItems(
  count: number,
  split: NonNullable<SelectionRecipe["split"]>,
): Uint32Array<ArrayBuffer> {
  const order = Random.from(split.seed, "data/split").permutation(count);
  return Uint32Array.from(order.subarray(...splitBounds(count, split))).sort();
}

/** Where one part's share of the dealt items begins and ends. */
function splitBounds(
  count: number,
  { from, to }: NonNullable<SelectionRecipe["split"]>,
): [start: number, end: number] {
  return [Math.round(from * count), Math.round(to * count)];
}
