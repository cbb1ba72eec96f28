/**
 * Addresses of the items of a matrix: `w4@bits=4,method=mse`.
 *
 * @module
 */

/** What an address says: a stage of the file, and values of some axes. */
export interface Address {
  readonly id: string;
  /** Labels by axis. */
  readonly axes: ReadonlyMap<string, string>;
}

/** Reads an address, or a part of one such as `w4` or `w4@bits=4`. */
export function parseAddress(text: string): Address {
  const at = text.indexOf("@");
  if (at < 0) return { id: text, axes: new Map() };
  const parts = text.slice(at + 1).split(",").map((part): [string, string] => {
    const equals = part.indexOf("=");
    return equals < 0 ? [part, ""] : [part.slice(0, equals), part.slice(equals + 1)];
  });
  return { id: text.slice(0, at), axes: new Map(parts) };
}
