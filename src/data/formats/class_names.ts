/**
 * Labels that are text: numbers, or names of classes.
 *
 * @module
 */

import { didYouMean } from "../../base/suggest.ts";
import { fileError } from "../problems.ts";

/** A label as it stands in a file. */
export interface LabelText {
  readonly text: string;
  /** Where it stands, such as `Line 3 of "labels.csv"`. */
  readonly place: () => string;
}

/**
 * Labels as numbers: those that are whole numbers are meant so, others are looked up.
 *
 * @param classes The class names in order; `null` takes the names that occur, sorted.
 * @throws {UserError} If a label is empty or not in `classes`, or numbers and names are mixed.
 */
export function labelsOfTexts(
  texts: readonly LabelText[],
  classes: readonly string[] | null,
): { readonly labels: Int32Array; readonly classes: readonly string[] | undefined } {
  for (const { text, place } of texts) {
    if (text === "") throw fileError(`${place()} has no label`);
  }
  const names = classes ??
    (texts.every(({ text }) => isNumber(text))
      ? undefined
      : [...new Set(texts.map(({ text }) => text))].sort());
  const numbers = new Map(names?.map((name, index) => [name, index]));
  if (classes === null && names !== undefined) {
    const number = texts.find(({ text }) => isNumber(text));
    if (number !== undefined) {
      throw fileError(
        `${number.place()} has the label ${number.text}, but other labels are names`,
        "Give the class names in order with classes",
      );
    }
  }
  const labels = new Int32Array(texts.length);
  for (const [index, { text, place }] of texts.entries()) {
    const label = numbers.get(text) ?? (isNumber(text) ? Number(text) : undefined);
    if (label === undefined) {
      throw fileError(
        `${place()} has the label "${text}", which is not in classes`,
        didYouMean(text, names ?? []),
      );
    }
    labels[index] = label;
  }
  return { labels, classes: names };
}

/** Whether a text is a whole number from 0 up, as labels are. */
export function isNumber(text: string): boolean {
  return /^(?:0|[1-9]\d{0,8})$/.test(text);
}
