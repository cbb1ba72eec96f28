/**
 * SHA-256: of a few kilobytes without Node's cryptography, which takes longer to load than all of a cached run.
 *
 * @module
 */

import { sha256 as portable } from "@noble/hashes/sha2.js";
import { bytesToHex } from "@noble/hashes/utils.js";

/** Above this, loading the native implementation pays. */
const FEW_BYTES = 1 << 16;

/** The native implementation, which takes its input bit by bit. */
export interface Hash {
  update(content: Uint8Array | string): Hash;
  digest(encoding: "hex"): string;
}

/** Starts a hash that is computed by Node's cryptography, loaded when first asked for. */
export function nativeHash(): Hash {
  return process.getBuiltinModule("node:crypto").createHash("sha256");
}

/** The SHA-256 of some bytes, or of a string's UTF-8, in lower-case hex. */
export function sha256(content: Uint8Array | string): string {
  if (content.length > FEW_BYTES) return nativeHash().update(content).digest("hex");
  const bytes = typeof content === "string" ? new TextEncoder().encode(content) : content;
  return bytesToHex(portable(bytes));
}
