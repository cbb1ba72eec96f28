/**
 * Stages as users name them: an entry stands for all its items, and `w4@bits=4` for those with this value.
 *
 * @module
 */

import { parseAddress } from "../base/address.ts";
import type { Problem } from "../base/errors.ts";
import { didYouMean } from "../base/suggest.ts";
import { isMeant, type Item } from "./matrix.ts";

/** What is needed of a stage to choose it. */
interface Named {
  readonly id: string;
  readonly entry: string;
  readonly item: Item;
}

/**
 * The ids of the stages that some texts mean.
 *
 * @param message What to say of a text that means none.
 */
export function chooseStages(
  stages: readonly Named[],
  texts: Iterable<string>,
  message: (text: string) => string,
): { ids: Set<string>; problems: Problem[] } {
  const ids = new Set<string>();
  const problems: Problem[] = [];
  for (const text of texts) {
    const address = parseAddress(text);
    const meant = stages.filter(({ entry, item }) =>
      entry === address.id && isMeant(address, item)
    );
    for (const { id } of meant) ids.add(id);
    if (meant.length > 0) continue;
    const known = stages.flatMap(({ id, entry }) => id === entry ? [id] : [entry, id]);
    const hint = didYouMean(text, new Set(known));
    problems.push({ message: message(text), ...(hint !== undefined && { hint }) });
  }
  return { ids, problems };
}
