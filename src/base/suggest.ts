/**
 * Finding the name that somebody probably meant.
 *
 * @module
 */

/**
 * The candidate closest to a misspelled name, if one is close enough to be meant.
 *
 * Letter case does not count. One edit (a letter added, dropped, changed, or swapped with its neighbour) is
 * allowed per three letters; one in a name of two, none in a single letter.
 */
export function suggest(name: string, candidates: Iterable<string>): string | undefined {
  const wanted = name.toLowerCase();
  let best: string | undefined;
  let least = Math.min(Math.max(1, Math.floor(wanted.length / 3)) + 1, wanted.length);
  for (const candidate of candidates) {
    const distance = editDistance(wanted, candidate.toLowerCase());
    if (distance >= least) continue;
    least = distance;
    best = candidate;
  }
  return best;
}

/** `Did you mean "…"?`, or else the list of what there is: the hint for an unknown name. */
export function didYouMean(name: string, candidates: Iterable<string>): string | undefined {
  const all = [...candidates];
  const close = suggest(name, all);
  if (close !== undefined) return `Did you mean "${close}"?`;
  if (all.length === 0) return undefined;
  return `Known: ${all.slice(0, 20).map((each) => `"${each}"`).join(", ")}` +
    (all.length > 20 ? ` and ${all.length - 20} more` : "");
}

/**
 * How many edits turn one string into the other: the restricted Damerau–Levenshtein distance (optimal string
 * alignment).
 */
export function editDistance(a: string, b: string): number {
  let beforeLast: number[] = [];
  let last = Array.from({ length: b.length + 1 }, (_, column) => column);
  for (let row = 1; row <= a.length; row++) {
    const current = [row];
    for (let column = 1; column <= b.length; column++) {
      const same = a[row - 1] === b[column - 1];
      let least = Math.min(
        last[column]! + 1,
        current[column - 1]! + 1,
        last[column - 1]! + (same ? 0 : 1),
      );
      const swapped = row > 1 && column > 1 && a[row - 1] === b[column - 2] &&
        a[row - 2] === b[column - 1];
      if (swapped) least = Math.min(least, beforeLast[column - 2]! + 1);
      current.push(least);
    }
    beforeLast = last;
    last = current;
  }
  return last[b.length]!;
}
