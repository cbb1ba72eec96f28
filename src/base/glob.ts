/**
 * Patterns for names.
 *
 * @module
 */

/** A pattern in which `*` stands for any text and `?` for any character. */
export function globPattern(glob: string): RegExp {
  const source = glob.replace(/[.+^${}()|[\]\\]/g, "\\$&").replaceAll("*", ".*")
    .replaceAll("?", ".");
  return new RegExp(`^${source}$`, "su");
}
