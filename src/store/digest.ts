/**
 * SHA-256, the identity of everything in the store.
 *
 * @module
 */

import { createHash, type Hash } from "node:crypto";

/** Lower-case hex of the SHA-256 of some bytes: 64 digits. */
export type Digest = string;

/** Large enough that the hash, not the system call, is what takes time. */
const BUFFER_BYTES = 1 << 20;
/** How much is hashed before the event loop gets a turn: about 20 ms of work. */
const TURN_BYTES = 32 << 20;

/** The SHA-256 of some bytes, or of a string's UTF-8, in lower-case hex. */
export function digestOf(content: Uint8Array | string): Digest {
  return createHash("sha256").update(content).digest("hex");
}

/** Whether a string has the form of a digest. */
export function isDigest(text: string): boolean {
  return /^[0-9a-f]{64}$/.test(text);
}

/** A digest as people see it. */
export function shortDigest(digest: Digest): string {
  return digest.slice(0, 12);
}

/** The SHA-256 of a file and its length in bytes; memory does not grow with the file. */
export async function digestFile(path: string): Promise<{ digest: Digest; size: number }> {
  using file = Deno.openSync(path, { read: true });
  const hash = createHash("sha256");
  const size = await readThrough(file, (chunk) => hash.update(chunk));
  return { digest: hash.digest("hex"), size };
}

/**
 * Reads a file from its position to its end in chunks, letting other work go on in between.
 *
 * @param each Called with each chunk; the memory is reused afterwards.
 * @returns How many bytes there were.
 */
export async function readThrough(
  file: Deno.FsFile,
  each: (chunk: Uint8Array) => void,
): Promise<number> {
  const buffer = new Uint8Array(BUFFER_BYTES);
  let size = 0;
  let turn = 0;
  for (;;) {
    const count = file.readSync(buffer);
    if (count === null) return size;
    each(buffer.subarray(0, count));
    size += count;
    turn += count;
    if (turn >= TURN_BYTES) {
      turn = 0;
      await new Promise((resolve) => setTimeout(resolve, 0));
    }
  }
}

/** A hash that is fed bit by bit. */
export function startDigest(): Hash {
  return createHash("sha256");
}
