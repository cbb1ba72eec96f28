/**
 * A limited number of places, given out in the order of asking.
 *
 * @module
 */

/** A place that is held until it is disposed of. */
export interface Slot extends Disposable {
  /** How many hold or want a place now, at most as many as there are: what is shared is divided by it. */
  readonly share: number;
}

/** A number of places. */
export class Slots {
  readonly #count: number;
  readonly #waiting: (() => void)[] = [];
  #taken = 0;

  constructor(count: number) {
    this.#count = count;
  }

  /**
   * Waits for a place.
   *
   * @throws The signal's reason, if aborted.
   */
  async take(signal: AbortSignal): Promise<Slot> {
    signal.throwIfAborted();
    // Those that become ready at the same moment should see each other.
    await Promise.resolve();
    if (this.#taken >= this.#count) await this.#wait(signal);
    else this.#taken++;
    let held = true;
    return {
      share: Math.min(this.#count, this.#taken + this.#waiting.length),
      [Symbol.dispose]: () => {
        if (held) this.#release();
        held = false;
      },
    };
  }

  #wait(signal: AbortSignal): Promise<void> {
    return new Promise((resolve, reject) => {
      const next = () => {
        signal.removeEventListener("abort", stop);
        resolve();
      };
      const stop = () => {
        this.#waiting.splice(this.#waiting.indexOf(next), 1);
        reject(signal.reason);
      };
      signal.addEventListener("abort", stop, { once: true });
      this.#waiting.push(next);
    });
  }

  /** The place goes straight to the next in line. */
  #release(): void {
    const next = this.#waiting.shift();
    if (next === undefined) this.#taken--;
    else next();
  }
}
