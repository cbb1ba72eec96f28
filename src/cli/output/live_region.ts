/**
 * Lines at the bottom of a terminal that are redrawn in place, below lines that stay.
 *
 * @module
 */

import type { TextStream } from "./streams.ts";

/** Redrawing more often only makes text flicker. */
const REDRAW_MILLISECONDS = 100;

/** The region. While it is open, everything for the stream goes through {@linkcode LiveRegion.print}. */
export class LiveRegion {
  readonly #stream: TextStream;
  readonly #draw: (width: number) => readonly string[];
  readonly #timer: ReturnType<typeof setInterval>;
  #height = 0;

  /** @param draw Makes the lines, each at most as wide as the terminal. */
  constructor(stream: TextStream, draw: (width: number) => readonly string[]) {
    this.#stream = stream;
    this.#draw = draw;
    this.#timer = setInterval(() => this.#redraw([]), REDRAW_MILLISECONDS);
  }

  /** Lines that stay, above the region. */
  print(lines: readonly string[]): void {
    this.#redraw(lines);
  }

  /** Removes the region from the terminal. */
  close(): void {
    clearInterval(this.#timer);
    this.#stream.write(this.#erase());
    this.#height = 0;
  }

  #redraw(above: readonly string[]): void {
    // One column is left free: a terminal that wraps at the last one would break the count of lines.
    const lines = this.#draw(Math.max(20, this.#stream.columns() - 1));
    const text = [...above, ...lines].map((line) => `${line}\n`).join("");
    if (text === "" && this.#height === 0) return;
    this.#stream.write(this.#erase() + text);
    this.#height = lines.length;
  }

  #erase(): string {
    return this.#height === 0 ? "" : `\x1b[${this.#height}F\x1b[J`;
  }
}
