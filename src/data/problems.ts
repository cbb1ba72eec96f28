/**
 * Mistakes in a data set's entry, with the field that they are in.
 *
 * @module
 */

import { type Problem, UserError } from "../base/errors.ts";

/** A problem that knows which field of the entry is wrong. */
export interface FieldProblem extends Problem {
  /** Keys from the entry down, such as `["preprocess", "mean"]`. */
  readonly path: readonly (string | number)[];
}

/** An error in one field of an entry. */
export function fieldError(
  path: readonly (string | number)[],
  message: string,
  hint?: string,
): UserError {
  const problem: FieldProblem = { path, message, ...(hint === undefined ? {} : { hint }) };
  return new UserError(problem);
}

/** An error in a file's contents. */
export function fileError(message: string, hint?: string, cause?: unknown): UserError {
  return new UserError(
    { message, ...(hint === undefined ? {} : { hint }) },
    cause === undefined ? undefined : { cause },
  );
}

/** A count with its noun: `1 item`, `3 items`. */
export function counted(count: number, noun: string): string {
  const word = count === 1 ? noun : `${noun}s`;
  return `${count} ${word}`;
}

/** Dimensions as people write them: `3×32×32`. */
export function shown(dims: readonly number[]): string {
  return dims.length === 0 ? "a single number" : dims.join("×");
}

/** A text with a capital letter in front. */
export function capital(text: string): string {
  return text.charAt(0).toUpperCase() + text.slice(1);
}
