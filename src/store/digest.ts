/**
 * SHA-256, the identity of everything in the store.
 *
 * @module
 */

import { nativeHash, sha256 } from "../base/sha256.ts";

/** Lower-case hex of the SHA-256 of some bytes: 64 digits. */
export type Digest = string;

/** Large enough that the hash, not the system call, is what takes time. */
const BUFFER_BYTES = 1 << 20;
const SMALL_BYTES = 4096;
/** How much is hashed before the event loop gets a turn: about 20 ms of work. */
const TURN_BYTES = 32 << 20;

/** The SHA-256 of some bytes, or of a string's UTF-8, in lower-case hex. */
export function digestOf(content: Uint8Array | string): Digest {
  return sha256(content);
}

/** Whether a string has the form of a digest. */
export function isDigest(text: string): boolean {
  return /^[0-9a-f]{64}$/.test(text);
}

/** A digest as people see it. */
export function shortDigest(digest: Digest): string {
  return digest.slice(0, 12);
}

/**
 * The SHA-256 of a file and its length in bytes. Memory does not grow with the file, and other work goes on in
 * between.
 */
export async function digestFile(path: string): Promise<{ digest: Digest; size: number }> {
  using file = Deno.openSync(path, { read: true });
  const hash = nativeHash();
  // A small file gets a small buffer, with one byte more to see its end.
  const expected = file.statSync().size + 1;
  const buffer = new Uint8Array(Math.min(BUFFER_BYTES, Math.max(SMALL_BYTES, expected)));
  let size = 0;
  let turn = 0;
  for (;;) {
    const count = file.readSync(buffer);
    if (count === null) return { digest: hash.digest("hex"), size };
    hash.update(buffer.subarray(0, count));
    size += count;
    turn += count;
    if (turn >= TURN_BYTES) {
      turn = 0;
      await new Promise((resolve) => setTimeout(resolve, 0));
    }
  }
}
