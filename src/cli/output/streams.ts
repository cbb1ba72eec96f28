/**
 * Standard output and error.
 *
 * @module
 */

import { makeStyle, type Style } from "../../base/terminal_text.ts";

/** One of the two streams. */
export interface TextStream {
  /** Whether a person sees it appear, so that lines can be redrawn. */
  readonly interactive: boolean;
  readonly style: Style;
  /** Its width now; 100 if it is no terminal. */
  columns(): number;
  /** Writes at once and completely. */
  write(text: string): void;
  /** Writes lines. */
  lines(...lines: readonly string[]): void;
}

/** Both streams: results go to `out`, everything about getting them to `err`. */
export interface Streams {
  readonly out: TextStream;
  readonly err: TextStream;
  /** Whether errors say where in the program they come from. */
  readonly debug: boolean;
}

/** The streams of this process. */
export function processStreams(debug: boolean): Streams {
  return { out: stream(Deno.stdout), err: stream(Deno.stderr), debug };
}

const PIPED_COLUMNS = 100;

interface DenoStream {
  isTerminal(): boolean;
  writeSync(bytes: Uint8Array): number;
}

function stream(target: DenoStream): TextStream {
  const terminal = target.isTerminal();
  const encoder = new TextEncoder();
  const write = (text: string) => {
    const bytes = encoder.encode(text);
    try {
      for (let at = 0; at < bytes.length;) at += target.writeSync(bytes.subarray(at));
    } catch (error) {
      // Whoever read it (`| head`) has seen enough.
      if (error instanceof Deno.errors.BrokenPipe) Deno.exit(0);
      throw error;
    }
  };
  return {
    interactive: terminal && Deno.env.get("TERM") !== "dumb",
    style: makeStyle(hasColor(terminal)),
    columns: () => terminal ? consoleWidth() : PIPED_COLUMNS,
    write,
    lines: (...lines) => write(lines.map((line) => `${line}\n`).join("")),
  };
}

function consoleWidth(): number {
  try {
    return Deno.consoleSize().columns || PIPED_COLUMNS;
  } catch {
    return PIPED_COLUMNS;
  }
}

/** NO_COLOR and FORCE_COLOR decide, if not empty; else whether it is a terminal. */
function hasColor(terminal: boolean): boolean {
  if (Deno.env.get("NO_COLOR")) return false;
  if (Deno.env.get("FORCE_COLOR")) return true;
  return terminal && Deno.env.get("TERM") !== "dumb";
}
