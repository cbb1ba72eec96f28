/**
 * SHA-256 (FIPS 180-4) of a few kilobytes, without loading Node's cryptography, which takes longer to load than all of
 * a cached run. Anything larger belongs into {@linkcode nativeHash}.
 *
 * @module
 */

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
  return sha256OfFew(typeof content === "string" ? new TextEncoder().encode(content) : content);
}

/** The first 32 bits of the fractional parts of the square roots (`root` 2) or cube roots (3) of the first primes. */
function fractions(count: number, root: 2 | 3): Uint32Array {
  const words = new Uint32Array(count);
  for (let candidate = 2, found = 0; found < count; candidate++) {
    let isPrime = true;
    for (let factor = 2; factor * factor <= candidate; factor++) {
      if (candidate % factor === 0) isPrime = false;
    }
    if (!isPrime) continue;
    const value = root === 2 ? Math.sqrt(candidate) : Math.cbrt(candidate);
    words[found++] = (value - Math.floor(value)) * 2 ** 32;
  }
  return words;
}

const INITIAL = fractions(8, 2);
const ROUND_CONSTANTS = fractions(64, 3);
const BLOCK_BYTES = 64;

/** The message schedule of one block. */
const schedule = new Uint32Array(64);

/** {@linkcode sha256} without Node's cryptography, for any length. */
export function sha256OfFew(bytes: Uint8Array): string {
  // A one bit, zeros, and the length in bits as 64 bits fill the last block.
  const padded = new Uint8Array(Math.ceil((bytes.length + 9) / BLOCK_BYTES) * BLOCK_BYTES);
  padded.set(bytes);
  padded[bytes.length] = 0x80;
  const view = new DataView(padded.buffer);
  view.setUint32(padded.length - 8, Math.floor(bytes.length / 2 ** 29));
  view.setUint32(padded.length - 4, bytes.length << 3);
  const state = new Uint32Array(INITIAL);
  for (let at = 0; at < padded.length; at += BLOCK_BYTES) compress(state, view, at);
  return Array.from(state, (word) => word.toString(16).padStart(8, "0")).join("");
}

function compress(state: Uint32Array, view: DataView, at: number): void {
  for (let t = 0; t < 16; t++) schedule[t] = view.getUint32(at + 4 * t);
  for (let t = 16; t < 64; t++) {
    const early = schedule[t - 15]!;
    const late = schedule[t - 2]!;
    const sigma0 = rotate(early, 7) ^ rotate(early, 18) ^ (early >>> 3);
    const sigma1 = rotate(late, 17) ^ rotate(late, 19) ^ (late >>> 10);
    schedule[t] = sigma1 + schedule[t - 7]! + sigma0 + schedule[t - 16]!;
  }
  let a = state[0]!, b = state[1]!, c = state[2]!, d = state[3]!;
  let e = state[4]!, f = state[5]!, g = state[6]!, h = state[7]!;
  for (let t = 0; t < 64; t++) {
    const sum1 = rotate(e, 6) ^ rotate(e, 11) ^ rotate(e, 25);
    const choice = (e & f) ^ (~e & g);
    const first = (h + sum1 + choice + ROUND_CONSTANTS[t]! + schedule[t]!) | 0;
    const sum0 = rotate(a, 2) ^ rotate(a, 13) ^ rotate(a, 22);
    const majority = (a & b) ^ (a & c) ^ (b & c);
    h = g;
    g = f;
    f = e;
    e = (d + first) | 0;
    d = c;
    c = b;
    b = a;
    a = (first + sum0 + majority) | 0;
  }
  const words = [a, b, c, d, e, f, g, h];
  for (let index = 0; index < 8; index++) state[index]! += words[index]!;
}

function rotate(word: number, bits: number): number {
  return (word >>> bits) | (word << (32 - bits));
}
