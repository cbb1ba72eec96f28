/**
 * The text of a VNN-LIB file as nested lists of words, each with its place.
 *
 * @module
 */

import { type SourcePlace, UserError } from "../../base/errors.ts";

/** A word: a symbol or a number. */
export interface Word {
  readonly kind: "word";
  readonly text: string;
  /** Where it starts, from the beginning of the file. */
  readonly offset: number;
}

/** What is between two parentheses. */
export interface List {
  readonly kind: "list";
  readonly items: readonly Expression[];
  /** Where its parenthesis opens. */
  readonly offset: number;
}

/** A word or a list. */
export type Expression = Word | List;

/** A text and its name, for errors that point into it. */
export interface Source {
  readonly file: string;
  readonly text: string;
}

/** Deeper than any property is, and far from what a call stack holds. */
const DEEPEST = 200;

/**
 * Reads all expressions of a text.
 *
 * @throws {UserError} If parentheses do not match, or a character does not belong there; names line and column.
 */
export function readExpressions(source: Source): List[] {
  const all: List[] = [];
  const open: { offset: number; items: Expression[] }[] = [];
  const { text } = source;
  for (let offset = 0, end = 0; offset < text.length; offset = end) {
    const code = text.charCodeAt(offset);
    end = offset + 1;
    if (isBlank(code)) continue;
    if (code === SEMICOLON) {
      const line = text.indexOf("\n", offset);
      end = line < 0 ? text.length : line;
      continue;
    }
    const current = open.at(-1);
    if (code !== OPEN && code !== CLOSE) {
      while (end < text.length && isWordPart(text.charCodeAt(end))) end++;
      const word = text.slice(offset, end);
      if (!isWordPart(code)) {
        throw errorAt(
          source,
          offset,
          1,
          `Character ${JSON.stringify(word[0])} is not expected here`,
        );
      }
      if (current === undefined) {
        throw errorAt(source, offset, word.length, `"${word}" is outside of parentheses`);
      }
      current.items.push({ kind: "word", text: word, offset });
    } else if (code === OPEN) {
      if (open.length === DEEPEST) {
        throw errorAt(source, offset, 1, `Parentheses are nested more than ${DEEPEST} deep`);
      }
      open.push({ offset, items: [] });
    } else {
      if (current === undefined) throw errorAt(source, offset, 1, "Nothing is open that ) closes");
      open.pop();
      const list: List = { kind: "list", ...current };
      const outer = open.at(-1);
      if (outer === undefined) all.push(list);
      else outer.items.push(list);
    }
  }
  const unclosed = open.at(-1);
  if (unclosed !== undefined) {
    throw errorAt(source, unclosed.offset, 1, "This parenthesis is never closed");
  }
  return all;
}

const [OPEN, CLOSE, SEMICOLON] = [40, 41, 59];

function isBlank(code: number): boolean {
  return code === 32 || (code >= 9 && code <= 13);
}

/** Printable ASCII but for parentheses, semicolons, quotes and bars. */
function isWordPart(code: number): boolean {
  return code > 32 && code < 127 && code !== OPEN && code !== CLOSE && code !== SEMICOLON &&
    code !== 34 && code !== 124;
}

/** An error at a place of the text. */
export function errorAt(
  source: Source,
  offset: number,
  length: number,
  message: string,
  hint?: string,
): UserError {
  return new UserError({ message, place: placeAt(source, offset, length), ...(hint && { hint }) });
}

/** An error at an expression: a whole word, or the parenthesis of a list. */
export function errorIn(
  source: Source,
  expression: Expression,
  message: string,
  hint?: string,
): UserError {
  const length = expression.kind === "word" ? expression.text.length : 1;
  return errorAt(source, expression.offset, length, message, hint);
}

/** The line of an offset, counted from 1. */
export function lineOf({ text }: Source, offset: number): number {
  let line = 1;
  for (let at = text.indexOf("\n"); at >= 0 && at < offset; at = text.indexOf("\n", at + 1)) line++;
  return line;
}

function placeAt(source: Source, offset: number, length: number): SourcePlace {
  const { file, text } = source;
  const start = text.lastIndexOf("\n", offset - 1) + 1;
  const end = text.indexOf("\n", offset);
  return {
    file,
    line: lineOf(source, offset),
    column: offset - start + 1,
    text: text.slice(start, end < 0 ? undefined : end).replace(/\r$/, ""),
    length,
  };
}
