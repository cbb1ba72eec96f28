/**
 * Reads any YAML, by the library `yaml`.
 *
 * Only what JSON can say is taken: keys are strings, numbers are finite. Anchors, aliases and merge keys work, up
 * to a limit on what they expand to.
 *
 * @module
 */

import type { Alias, Document as YamlDocument, Node, YAMLError, YAMLMap, YAMLSeq } from "yaml";
import type { JsonValue } from "../base/canonical_json.ts";
import { type Path, SourceText, type Span } from "./source_text.ts";
import {
  isAlias,
  isMap,
  isScalar,
  isSeq,
  LineCounter,
  parseDocument,
  visit,
} from "./yaml_library.ts";
import { type Location, pointer, type YamlMistake, type YamlResult } from "./yaml_result.ts";

/** More values than any pipeline has; a few lines of nested aliases can ask for billions. */
const MOST_VALUES = 100_000;

const TOO_DEEP: YamlMistake = {
  span: [0, 1],
  message: "The file is nested too deeply",
  fatal: true,
};

/** Reads a text; with mistakes, the value is what could be made of the rest. */
export function readLibraryYaml(file: string, text: string): YamlResult {
  const lines = new LineCounter();
  const options = {
    lineCounter: lines,
    prettyErrors: false,
    merge: true,
    logLevel: "error",
  } as const;
  let source = new SourceText(file, text, [0]);
  try {
    const document = parseDocument(text, options);
    source = new SourceText(file, text, lines.lineStarts);
    const reader = new Reader(document);
    const value = document.contents === null ? null : reader.read(document.contents, []);
    const syntax = [...document.errors, ...document.warnings]
      .map((error) => syntaxMistake(error, text));
    return {
      value,
      locations: reader.locations,
      mistakes: [...syntax, ...reader.mistakes],
      source,
    };
  } catch (error) {
    const mistake = error instanceof TooManyValues
      ? error.mistake
      // The parser's stack overflowed.
      : error instanceof RangeError
      ? TOO_DEEP
      : undefined;
    if (mistake === undefined) throw error;
    return { value: null, locations: new Map(), mistakes: [mistake], source };
  }
}

function syntaxMistake(error: YAMLError, text: string): YamlMistake {
  const span: Span = [error.pos[0], Math.max(error.pos[1], error.pos[0] + 1)];
  switch (error.code) {
    case "DUPLICATE_KEY": {
      const key = /^[\w-]+/.exec(text.slice(span[0]))?.[0] ?? text.slice(...span).trim();
      return {
        span: [span[0], span[0] + Math.max(1, key.length)],
        message: `Key "${key}" is there twice`,
        hint: "Remove one of the two",
      };
    }
    case "TAB_AS_INDENT":
      return {
        span,
        message: "A tab is used for indentation",
        hint: "Indent with spaces",
        fatal: true,
      };
    case "MULTIPLE_DOCS":
      return {
        span,
        message: "The file has several documents",
        hint: "Make each a file of its own",
        fatal: true,
      };
    case "TAG_RESOLVE_FAILED":
      return { span, message: "YAML tags are not used in pipelines", hint: "Leave out the tag" };
    default:
      if (error.message.startsWith("Maximum call stack")) return TOO_DEEP;
      return { span, message: `YAML: ${error.message.replace(/\.$/, "")}`, fatal: true };
  }
}

/** Ends reading a file that would take all memory. */
class TooManyValues extends Error {
  readonly mistake: YamlMistake;

  constructor(span: Span) {
    super();
    const message = `The aliases expand to more than ${MOST_VALUES} values`;
    this.mistake = { span, message, fatal: true };
  }
}

/** Turns nodes into values. */
class Reader {
  readonly locations = new Map<string, Location>();
  readonly mistakes: YamlMistake[] = [];
  readonly #targets: ReadonlyMap<Alias, Node>;
  /** Anchored nodes that are being read, to find aliases inside what they name. */
  readonly #open = new Set<Node>();
  #count = 0;

  constructor(document: YamlDocument) {
    this.#targets = aliasTargets(document);
  }

  read(node: Node | null, path: Path, key?: Span): JsonValue {
    if (node === null) {
      const at: Span = key ?? [0, 1];
      this.locations.set(pointer(path), { value: at, nested: false, ...(key && { key }) });
      return null;
    }
    if (++this.#count > MOST_VALUES) throw new TooManyValues(spanOf(node));
    const target = isAlias(node) ? this.#resolve(node) : node;
    const nested = target !== undefined && !isScalar(target);
    this.locations.set(pointer(path), { value: spanOf(node), nested, ...(key && { key }) });
    if (target === undefined) return null;
    if (isScalar(target)) return this.#scalar(target.value, node);
    if (this.#open.has(target)) {
      this.#mistake(node, "The alias is inside what it stands for");
      return null;
    }
    this.#open.add(target);
    const value = isMap(target)
      ? this.#map(target, path)
      : (target as YAMLSeq).items.map((item, index) =>
        this.read(item as Node | null, [...path, index])
      );
    this.#open.delete(target);
    return value;
  }

  #resolve(alias: Alias): Node | undefined {
    const target = this.#targets.get(alias);
    if (target === undefined) {
      this.#mistake(alias, `There is no anchor "&${alias.source}" before this alias`);
    }
    return target;
  }

  #scalar(value: unknown, node: Node): JsonValue {
    switch (typeof value) {
      case "string":
        if (value.isWellFormed() && !value.includes("\0")) return value;
        this.#mistake(
          node,
          value.isWellFormed()
            ? "The string has a NUL character"
            : "The string has half of a surrogate pair",
        );
        return "";
      case "boolean":
        return value;
      case "number":
        if (Number.isFinite(value)) return value;
        this.#mistake(node, `${value} is not a finite number`);
        return 0;
      default:
        if (value === null) return null;
        this.#mistake(node, "The value has no JSON form", "Quote it to make it a string");
        return null;
    }
  }

  #map(map: YAMLMap, path: Path): JsonValue {
    const entries: Record<string, JsonValue> = {};
    for (const pair of map.items) {
      const keyNode = pair.key as Node;
      const key = isScalar(keyNode) ? keyNode.value : undefined;
      if (isMergeKey(key)) this.#merge(entries, pair.value as Node | null, path);
      else if (typeof key !== "string") {
        this.#mistake(keyNode, "A key must be a string", "Put it in quotes");
      }
    }
    for (const pair of map.items) {
      const keyNode = pair.key as Node;
      const key = isScalar(keyNode) ? keyNode.value : undefined;
      if (typeof key !== "string" || isMergeKey(key)) continue;
      define(
        entries,
        key,
        this.read(pair.value as Node | null, [...path, key], spanOf(keyNode)),
      );
    }
    return entries;
  }

  /** Takes over the entries of the map, or of the maps in a list, that `<<` names; the first one wins. */
  #merge(entries: Record<string, JsonValue>, node: Node | null, path: Path): void {
    const own = this.locations.get(pointer(path))!;
    const all = isSeq(node) ? node.items as Node[] : [node];
    for (const each of all.toReversed()) {
      const value = this.read(each, path);
      if (typeof value === "object" && value !== null && !Array.isArray(value)) {
        for (const [name, member] of Object.entries(value)) define(entries, name, member);
      } else if (each !== null) this.#mistake(each, "Only maps can be merged with <<");
    }
    this.locations.set(pointer(path), own);
  }

  #mistake(node: Node, message: string, hint?: string): void {
    this.mistakes.push({ span: spanOf(node), message, ...(hint === undefined ? {} : { hint }) });
  }
}

/**
 * What each alias stands for: the nearest node before it with its anchor. The library looks through the whole document for
 * each, which takes minutes where many of many aliases are asked for.
 */
function aliasTargets(document: YamlDocument): Map<Alias, Node> {
  const anchors = new Map<string, Node>();
  const targets = new Map<Alias, Node>();
  visit(document, {
    Node: (_, node) => {
      if (isAlias(node)) {
        const target = anchors.get(node.source);
        if (target !== undefined) targets.set(node, target);
      } else if (node.anchor !== undefined) anchors.set(node.anchor, node);
    },
  });
  return targets;
}

function isMergeKey(key: unknown): boolean {
  return key === "<<" || (typeof key === "symbol" && key.description === "<<");
}

/** Sets a member even if its name is `__proto__`. */
function define(entries: Record<string, JsonValue>, name: string, value: JsonValue): void {
  Object.defineProperty(entries, name, {
    value,
    enumerable: true,
    configurable: true,
    writable: true,
  });
}

function spanOf(node: Node): Span {
  const [start, end] = node.range ?? [0, 1];
  return [start, Math.max(end, start + 1)];
}
