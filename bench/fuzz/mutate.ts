/**
 * Small damage to bytes, texts and JSON values.
 *
 * @module
 */

import type { JsonValue } from "../../src/base/canonical_json.ts";
import type { Random } from "../../src/base/random.ts";

/** Numbers at the edges of what fields can hold. */
const EDGES = [0, 1, 2, 127, 128, 255, 256, 32767, 65535, 2 ** 31 - 1, 2 ** 31, 2 ** 32 - 1];

/** Bytes with up to eight places changed. */
export function mutateBytes(bytes: Uint8Array, random: Random): Uint8Array<ArrayBuffer> {
  let mutated = Uint8Array.from(bytes);
  for (let count = 1 + random.integer(8); count > 0; count--) mutated = mutateOnce(mutated, random);
  return mutated;
}

function mutateOnce(bytes: Uint8Array<ArrayBuffer>, random: Random): Uint8Array<ArrayBuffer> {
  if (bytes.length === 0) return Uint8Array.of(random.integer(256));
  // Headers are short, and most of what can go wrong is in them.
  const reach = random.integer(2) === 0 ? Math.min(bytes.length, 64) : bytes.length;
  const at = random.integer(reach);
  const length = 1 + random.integer(Math.min(32, bytes.length - at));
  switch (random.integer(8)) {
    case 0:
      bytes[at]! ^= 1 << random.integer(8);
      return bytes;
    case 1:
      bytes[at] = random.integer(256);
      return bytes;
    case 2: {
      const view = new DataView(bytes.buffer);
      const edge = EDGES[random.integer(EDGES.length)]!;
      if (at + 4 <= bytes.length) view.setUint32(at, edge, random.integer(2) === 0);
      return bytes;
    }
    case 3:
      return splice(bytes, at, length, new Uint8Array());
    case 4:
      return splice(bytes, at, 0, Uint8Array.from({ length }, () => random.integer(256)));
    case 5: {
      const from = random.integer(bytes.length);
      return splice(bytes, at, length, bytes.subarray(from, from + length));
    }
    case 6:
      return bytes.slice(0, at);
    default:
      bytes.fill(random.integer(2) * 255, at, at + length);
      return bytes;
  }
}

function splice(
  bytes: Uint8Array,
  at: number,
  remove: number,
  insert: Uint8Array,
): Uint8Array<ArrayBuffer> {
  const end = Math.min(bytes.length, at + remove);
  const spliced = new Uint8Array(bytes.length - (end - at) + insert.length);
  spliced.set(bytes.subarray(0, at));
  spliced.set(insert, at);
  spliced.set(bytes.subarray(end), at + insert.length);
  return spliced;
}

/** A text with up to six words or lines changed; `words` are those that mean something in its language. */
export function mutateText(text: string, words: readonly string[], random: Random): string {
  let mutated = text;
  for (let count = 1 + random.integer(6); count > 0; count--) {
    mutated = random.integer(3) === 0
      ? mutateLines(mutated, random)
      : mutateWord(mutated, words, random);
  }
  return mutated;
}

function mutateLines(text: string, random: Random): string {
  const lines = text.split("\n");
  const at = random.integer(lines.length);
  const other = random.integer(lines.length);
  switch (random.integer(5)) {
    case 0:
      lines.splice(at, 1);
      break;
    case 1:
      lines.splice(at, 0, lines[other]!);
      break;
    case 2:
      [lines[at], lines[other]] = [lines[other]!, lines[at]!];
      break;
    case 3:
      lines[at] = " ".repeat(random.integer(9)) + lines[at]!.trimStart();
      break;
    default:
      lines.splice(at, lines.length, lines[at]!.slice(0, random.integer(lines[at]!.length + 1)));
  }
  return lines.join("\n");
}

function mutateWord(text: string, words: readonly string[], random: Random): string {
  const found = [...text.matchAll(/[^\s:,{}[\]()]+|[:,{}[\]()]/g)];
  const word = words[random.integer(words.length)]!;
  if (found.length === 0) return text + word;
  const target = found[random.integer(found.length)]!;
  const before = text.slice(0, target.index);
  const after = text.slice(target.index + target[0].length);
  switch (random.integer(4)) {
    case 0:
      return before + after;
    case 1:
      return `${before}${target[0]} ${word}${after}`;
    case 2: {
      const at = random.integer(target[0].length + 1);
      const character = String.fromCodePoint(
        random.integer(random.integer(8) === 0 ? 0xd800 : 128),
      );
      return before + target[0].slice(0, at) + character + target[0].slice(at) + after;
    }
    default:
      return before + word + after;
  }
}

/** What stands in the place of a value. */
const ODD: readonly JsonValue[] = [
  null,
  true,
  0,
  -1,
  1.5,
  1e300,
  2 ** 53,
  "",
  "x",
  "../../../etc/passwd",
  "__proto__",
  "f".repeat(64),
  [],
  {},
  [[]],
  [null],
  { length: 1 },
];

/** A JSON value with up to three of its parts replaced, removed or added. */
export function mutateJson(value: JsonValue, random: Random): JsonValue {
  let mutated = value;
  for (let count = 1 + random.integer(3); count > 0; count--) mutated = changed(mutated, random);
  return mutated;
}

function changed(value: JsonValue, random: Random): JsonValue {
  const odd = ODD[random.integer(ODD.length)]!;
  if (typeof value !== "object" || value === null) return odd;
  // A list is changed as a map from its indices, and made a list again.
  const copy: Record<string, JsonValue> = Object.fromEntries(Object.entries(value));
  const keys = Object.keys(copy);
  if (keys.length === 0) return odd;
  const key = keys[random.integer(keys.length)]!;
  const choice = random.integer(8);
  if (choice === 0) delete copy[key];
  else if (choice === 1) return odd;
  else if (choice === 2) copy[key] = odd;
  else copy[key] = changed(copy[key]!, random);
  return Array.isArray(value) ? Object.values(copy) : copy;
}
