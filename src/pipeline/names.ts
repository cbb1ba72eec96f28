/**
 * Lists of names in messages.
 *
 * @module
 */

/** Names, the first few of many. */
export function someOf(names: readonly string[]): string {
  if (names.length <= 4) return names.join(", ");
  return `${names.slice(0, 3).join(", ")} and ${names.length - 3} more`;
}
