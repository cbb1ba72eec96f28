/**
 * Commands that can be copied.
 *
 * @module
 */

/** A word as a POSIX shell takes it: in quotes if it has to be. */
export function shellWord(word: string): string {
  return /^[\w@%+=:,./-]+$/.test(word) ? word : `'${word.replaceAll("'", `'\\''`)}'`;
}
