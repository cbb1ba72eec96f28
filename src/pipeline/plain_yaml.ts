/**
 * Reads the plain part of YAML, which most pipelines keep to: maps and lists, by indentation or in brackets, and scalars
 * on one line.
 *
 * Whatever it is not sure of (anchors, block scalars, tags, everything that is wrong) it leaves to the library of
 * `yaml.ts`, which takes longer to load than all of a cached run. What it reads is what the library reads, down to where
 * each value stands; tests compare them.
 *
 * @module
 */

import type { JsonValue } from "../base/canonical_json.ts";
import { type Path, SourceText, type Span } from "./source_text.ts";
import { type Location, pointer, type YamlResult } from "./yaml_result.ts";

/** Thrown where the text is not plain. */
class NotPlain extends Error {}

/** Deep enough for any pipeline. */
const DEEPEST = 50;

const KEY = /[A-Za-z_][\w.-]*(?=:(?:[ \n]|$))/y;
/** Words that are no strings, or were none in older YAML. */
const WORD = /^(?:~|null|true|false|yes|no|on|off)$/i;
const NUMBER = /^-?(?:0|[1-9]\d{0,14})(?:\.\d+)?(?:e[-+]?\d{1,2})?$/;
/** What could be a number in a way that is not plain. */
const LIKE_NUMBER = /^[-+]?\.?(?:\d|inf$|nan$)/i;
/** A version or a path that begins like a number has something that no number has. */
const NO_NUMBER = /[^\d.e+_-]/i;
const BLOCK_PLAIN = /[^\s\-?:,[\]{}#&*!|>'"%@`][^\n]*|[-?:](?=\S)[^\n]*/y;
const FLOW_PLAIN =
  /(?:[^\s\-?:,[\]{}#&*!|>'"%@`]|[-?:](?=[^\s,[\]{}]))(?:[^\n,[\]{}:#]|:(?=[^\s,[\]{}])|(?<=\S)#)*/y;
const DOUBLE_QUOTED = /"(?:[^"\\\n\p{Cc}]|\\["\\/bfnrt]|\\u[\dA-Fa-f]{4})*"/uy;
const SINGLE_QUOTED = /'(?:[^'\n\p{Cc}]|'')*'/uy;

/** Reads a text; `undefined` if it is not plain. */
export function readPlainYaml(file: string, text: string): YamlResult | undefined {
  // deno-lint-ignore no-control-regex -- control characters are what it looks for
  if (/[\x00-\x09\x0b-\x1f\x7f-\x9f\u2028\u2029\ufeff]|^(?:---|\.\.\.|%)/m.test(text)) {
    return undefined;
  }
  if (!text.isWellFormed()) return undefined;
  try {
    const reader = new PlainReader(text);
    const value = reader.document();
    const starts = [0];
    for (let at = text.indexOf("\n"); at >= 0; at = text.indexOf("\n", at + 1)) starts.push(at + 1);
    const source = new SourceText(file, text, starts);
    return { value, locations: reader.locations, mistakes: [], source };
  } catch (error) {
    if (error instanceof NotPlain) return undefined;
    throw error;
  }
}

/** A value and the offset after it. */
interface Read {
  readonly value: JsonValue;
  readonly end: number;
}

class PlainReader {
  readonly locations = new Map<string, Location>();
  readonly #text: string;
  #at = 0;

  constructor(text: string) {
    this.#text = text;
  }

  document(): JsonValue {
    this.#skipToContent();
    if (this.#at >= this.#text.length) throw new NotPlain();
    const indent = this.#column();
    const isBlock = this.#isItem() || this.#matches(KEY) !== undefined;
    const { value } = isBlock ? this.#block(indent, []) : this.#inline([], -1, undefined);
    this.#skipToContent();
    if (this.#at < this.#text.length) throw new NotPlain();
    return value;
  }

  /** A map or list whose first entry is here. */
  #block(indent: number, path: Path, key?: Span): Read {
    if (path.length > DEEPEST) throw new NotPlain();
    const start = this.#at;
    const { value, end } = this.#isItem()
      ? this.#blockList(indent, path)
      : this.#blockMap(indent, path);
    this.#locate(path, [start, end], true, key);
    return { value, end };
  }

  #blockMap(indent: number, path: Path): Read {
    const entries: Record<string, JsonValue> = {};
    for (;;) {
      const key = this.#key(entries);
      const span: Span = [this.#at - key.length - 1, this.#at - 1];
      const { value, end } = this.#entry(indent, [...path, key], span);
      entries[key] = value;
      if (!this.#isNext(indent) || this.#isItem()) return { value: entries, end };
    }
  }

  #blockList(indent: number, path: Path): Read {
    const items: JsonValue[] = [];
    for (;;) {
      this.#at++;
      const before = this.#at;
      this.#skipSpaces();
      if (this.#at === before) throw new NotPlain();
      const column = this.#column();
      const inside = [...path, items.length];
      const { value, end } = this.#matches(KEY) !== undefined
        ? this.#block(column, inside)
        : this.#inline(inside, indent, undefined);
      items.push(value);
      if (!this.#isNext(indent) || !this.#isItem()) return { value: items, end };
    }
  }

  /** What follows the colon of a block map's key. */
  #entry(indent: number, path: Path, key: Span): Read {
    this.#skipSpaces();
    if (this.#text[this.#at] !== "\n") return this.#inline(path, indent, key);
    this.#skipToContent();
    const column = this.#column();
    const isItem = this.#isItem();
    // A list may stand as far left as its key.
    if (this.#at >= this.#text.length || column < indent || (column === indent && !isItem)) {
      throw new NotPlain();
    }
    if (!isItem && this.#matches(KEY) === undefined) throw new NotPlain();
    return this.#block(column, path, key);
  }

  /** A value that begins on this line, inside a block of an indentation; nothing but a comment may follow it. */
  #inline(path: Path, indent: number, key: Span | undefined): Read {
    const read = this.#value(path, indent, key, false);
    this.#skipSpaces();
    const next = this.#text[this.#at];
    if (next === "#" && this.#text[this.#at - 1] === " ") this.#skipComment();
    else if (next !== undefined && next !== "\n") throw new NotPlain();
    return read;
  }

  #value(path: Path, indent: number, key: Span | undefined, inFlow: boolean): Read {
    const start = this.#at;
    const first = this.#text[start];
    const isNested = first === "{" || first === "[";
    const value = first === "{"
      ? this.#flowMap(path, indent)
      : first === "["
      ? this.#flowList(path, indent)
      : this.#scalar(inFlow);
    this.#locate(path, [start, this.#at], isNested, key);
    return { value, end: this.#at };
  }

  #flowMap(path: Path, indent: number): JsonValue {
    if (path.length > DEEPEST) throw new NotPlain();
    const entries: Record<string, JsonValue> = {};
    this.#open("}", indent, () => {
      const key = this.#key(entries);
      const span: Span = [this.#at - key.length - 1, this.#at - 1];
      this.#skipInFlow(indent);
      entries[key] = this.#value([...path, key], indent, span, true).value;
    });
    return entries;
  }

  #flowList(path: Path, indent: number): JsonValue {
    if (path.length > DEEPEST) throw new NotPlain();
    const items: JsonValue[] = [];
    this.#open("]", indent, () => {
      if (this.#matches(KEY) !== undefined) throw new NotPlain();
      items.push(this.#value([...path, items.length], indent, undefined, true).value);
    });
    return items;
  }

  /** Members between brackets, with commas between them; one may follow the last. */
  #open(close: string, indent: number, member: () => void): void {
    this.#at++;
    this.#skipInFlow(indent);
    while (this.#text[this.#at] !== close) {
      member();
      this.#skipInFlow(indent);
      if (this.#text[this.#at] === ",") this.#at++;
      else if (this.#text[this.#at] !== close) throw new NotPlain();
      this.#skipInFlow(indent);
    }
    this.#at++;
  }

  #key(entries: Readonly<Record<string, JsonValue>>): string {
    const key = this.#matches(KEY);
    if (key === undefined || WORD.test(key) || Object.hasOwn(entries, key)) throw new NotPlain();
    if (key === "__proto__") throw new NotPlain();
    this.#at += key.length + 1;
    return key;
  }

  #scalar(inFlow: boolean): JsonValue {
    const first = this.#text[this.#at];
    if (first === '"') return JSON.parse(this.#quoted(DOUBLE_QUOTED));
    if (first === "'") return this.#quoted(SINGLE_QUOTED).slice(1, -1).replaceAll("''", "'");
    const found = this.#matches(inFlow ? FLOW_PLAIN : BLOCK_PLAIN);
    if (found === undefined) throw new NotPlain();
    const comment = found.indexOf(" #");
    const text = (comment < 0 ? found : found.slice(0, comment)).trimEnd();
    if (/:(?: |$)/.test(text)) throw new NotPlain();
    this.#at += text.length;
    return plainScalar(text);
  }

  #quoted(form: RegExp): string {
    const found = this.#matches(form);
    if (found === undefined) throw new NotPlain();
    this.#at += found.length;
    return found;
  }

  #locate(path: Path, value: Span, nested: boolean, key: Span | undefined): void {
    const span: Span = [value[0], Math.max(value[1], value[0] + 1)];
    this.locations.set(pointer(path), { value: span, nested, ...(key && { key }) });
  }

  /** Whether a list's item begins here. */
  #isItem(): boolean {
    return this.#text[this.#at] === "-" && this.#text[this.#at + 1] === " ";
  }

  #matches(form: RegExp): string | undefined {
    form.lastIndex = this.#at;
    return form.exec(this.#text)?.[0];
  }

  /** The column of this offset, from 0. */
  #column(): number {
    return this.#at - (this.#text.lastIndexOf("\n", this.#at - 1) + 1);
  }

  #skipSpaces(): void {
    while (this.#text[this.#at] === " ") this.#at++;
    if (this.#text[this.#at] === "#" && this.#text[this.#at - 1] === " ") this.#skipComment();
  }

  #skipComment(): void {
    const end = this.#text.indexOf("\n", this.#at);
    this.#at = end < 0 ? this.#text.length : end;
  }

  /** To the next line that has more than a comment. */
  #skipToContent(): void {
    for (;;) {
      while (this.#text[this.#at] === " " || this.#text[this.#at] === "\n") this.#at++;
      if (this.#text[this.#at] !== "#") return;
      this.#skipComment();
    }
  }

  /** To what comes next inside brackets; lines inside them are indented further than what they are in. */
  #skipInFlow(indent: number): void {
    const start = this.#at;
    for (;;) {
      while (this.#text[this.#at] === " " || this.#text[this.#at] === "\n") this.#at++;
      if (this.#text[this.#at] !== "#") break;
      if (!/[ \n]/.test(this.#text[this.#at - 1]!)) throw new NotPlain();
      this.#skipComment();
    }
    const brokeLine = this.#text.lastIndexOf("\n", this.#at - 1) >= start;
    if (brokeLine && this.#column() <= indent) throw new NotPlain();
  }

  /** Goes to the next content; whether it belongs to the block of this indentation. */
  #isNext(indent: number): boolean {
    this.#skipToContent();
    if (this.#at >= this.#text.length) return false;
    const column = this.#column();
    if (column > indent) throw new NotPlain();
    return column === indent;
  }
}

function plainScalar(text: string): JsonValue {
  if (text === "true") return true;
  if (text === "false") return false;
  if (text === "null") return null;
  if (WORD.test(text)) throw new NotPlain();
  if (NUMBER.test(text)) return Number(text);
  if (LIKE_NUMBER.test(text) && !NO_NUMBER.test(text)) throw new NotPlain();
  if (/^[-+]?0[xo]|\.(?:inf|nan)$/i.test(text)) throw new NotPlain();
  return text;
}
