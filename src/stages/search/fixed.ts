/**
 * Widths that are given, by name.
 *
 * @module
 */

import { type Problem, UserError } from "../../base/errors.ts";
import { globPattern } from "../../base/glob.ts";
import { didYouMean } from "../../base/suggest.ts";

/** Something that can be named, and all names that it goes by. */
export interface Nameable {
  readonly name: string;
  readonly names: readonly string[];
}

/**
 * The given widths by name.
 *
 * @param parameter What messages call the list.
 * @throws {UserError} If a pattern fits nothing.
 */
export function fixedWidths(
  subjects: readonly Nameable[],
  fixed: readonly { readonly match: string; readonly bits: number }[],
  parameter: string,
  what: string,
): Map<string, number> {
  const problems: Problem[] = [];
  const found = new Map<string, number>();
  fixed.forEach(({ match, bits }, index) => {
    const pattern = globPattern(match);
    const fitting = subjects.filter(({ names }) => names.some((name) => pattern.test(name)));
    for (const { name } of fitting) found.set(name, bits);
    if (fitting.length > 0) return;
    const hint = didYouMean(match.replaceAll("*", ""), subjects.map(({ name }) => name));
    problems.push({
      message:
        `${parameter}[${index}]: no ${what} of the sensitivity table has a name like "${match}"`,
      ...(hint && { hint }),
    });
  });
  if (problems.length > 0) throw new UserError(problems);
  return found;
}
