/**
 * The rows of a file of separated values (RFC 4180), read as a stream.
 *
 * @module
 */

import { fileError } from "../problems.ts";
import { fileSize } from "../random_access.ts";

/** One row. */
export interface CsvRow {
  /** The line on which it starts, from 1. */
  readonly line: number;
  readonly cells: readonly string[];
}

const CHUNK_BYTES = 1 << 20;
/** No row is that long; a quote that is never closed is. */
const MOST_ROW_CHARACTERS = 1 << 24;

/**
 * Reads the rows of a file; empty lines are left out.
 *
 * @throws {UserError} If the file cannot be read, is not UTF-8, or a quote is not closed; names the line.
 */
export function* csvRows(path: string, delimiter: string): Generator<CsvRow> {
  let line = 1;
  let record = "";
  for (const piece of lines(path)) {
    record = record === "" ? piece : `${record}\n${piece}`;
    if (quotes(record) % 2 === 1) {
      if (record.length > MOST_ROW_CHARACTERS) throw unclosed(path, line);
      continue;
    }
    const start = line;
    line += newlines(record) + 1;
    const text = record.endsWith("\r") ? record.slice(0, -1) : record;
    record = "";
    if (text.trim() === "") continue;
    yield { line: start, cells: splitRecord(text, delimiter, path, start) };
  }
  if (record !== "") throw unclosed(path, line);
}

function unclosed(path: string, line: number): Error {
  return fileError(`Line ${line} of "${path}" opens a quote that is never closed`);
}

function* lines(path: string): Generator<string> {
  if (fileSize(path) === 0) return;
  using file = Deno.openSync(path, { read: true });
  const decoder = new TextDecoder("utf-8", { fatal: true });
  const buffer = new Uint8Array(CHUNK_BYTES);
  let rest = "";
  for (;;) {
    const count = file.readSync(buffer);
    const text = rest + decode(decoder, path, buffer.subarray(0, count ?? 0), count !== null);
    let start = 0;
    for (let end = text.indexOf("\n"); end >= 0; end = text.indexOf("\n", start)) {
      yield text.slice(start, end);
      start = end + 1;
    }
    rest = text.slice(start);
    if (count === null) break;
    if (rest.length > MOST_ROW_CHARACTERS) {
      throw fileError(
        `File "${path}" has a line of more than ${MOST_ROW_CHARACTERS} characters, expected a CSV file`,
      );
    }
  }
  if (rest !== "") yield rest;
}

function decode(decoder: TextDecoder, path: string, bytes: Uint8Array, stream: boolean): string {
  try {
    return decoder.decode(bytes, { stream });
  } catch (error) {
    throw fileError(`File "${path}" is not text in UTF-8`, "Save it as a UTF-8 CSV file", error);
  }
}

function quotes(text: string): number {
  let count = 0;
  for (let at = text.indexOf('"'); at >= 0; at = text.indexOf('"', at + 1)) count++;
  return count;
}

function newlines(text: string): number {
  let count = 0;
  for (let at = text.indexOf("\n"); at >= 0; at = text.indexOf("\n", at + 1)) count++;
  return count;
}

function splitRecord(text: string, delimiter: string, path: string, line: number): string[] {
  if (!text.includes('"')) return text.split(delimiter).map((cell) => cell.trim());
  const cells: string[] = [];
  let at = 0;
  for (;;) {
    while (text[at] === " ") at++;
    let cell: string;
    if (text[at] === '"') {
      let end = at + 1;
      while (end < text.length && (text[end] !== '"' || text[end + 1] === '"')) {
        end += text[end] === '"' ? 2 : 1;
      }
      if (end >= text.length) throw unclosed(path, line);
      cell = text.slice(at + 1, end).replaceAll('""', '"');
      at = end + 1;
      while (text[at] === " ") at++;
      if (at < text.length && text[at] !== delimiter) {
        throw fileError(`Line ${line} of "${path}" has text after a closing quote`);
      }
    } else {
      const end = text.indexOf(delimiter, at);
      cell = text.slice(at, end < 0 ? undefined : end).trim();
      at = end < 0 ? text.length : end;
    }
    cells.push(cell);
    if (at >= text.length) return cells;
    at++;
    if (at === text.length) return [...cells, ""];
  }
}
