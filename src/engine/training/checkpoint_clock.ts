/**
 * When a run's state is worth saving again.
 *
 * @module
 */

/** Seconds of work that an interruption may lose, where saving costs little. */
const LEAST_SECONDS = 2;
/** Saving takes no more than one part of so many of the time. */
const WORK_PER_SAVING = 50;

/** Saves the state of a run now and then: often where that is cheap, rarely where it is not. */
export class CheckpointClock {
  readonly #save: () => Promise<void>;
  readonly #now: () => number;
  #last: number;
  #pause = LEAST_SECONDS;

  /**
   * @param save Saves the state.
   * @param now Milliseconds, from any moment on.
   */
  constructor(save: () => Promise<void>, now: () => number = () => performance.now()) {
    this.#save = save;
    this.#now = now;
    this.#last = now();
  }

  /** Saves if the last time is long enough ago. */
  async tick(): Promise<void> {
    if (this.#now() - this.#last >= 1000 * this.#pause) await this.save();
  }

  /** Saves at once. */
  async save(): Promise<void> {
    const before = this.#now();
    await this.#save();
    this.#last = this.#now();
    this.#pause = Math.max(LEAST_SECONDS, WORK_PER_SAVING * (this.#last - before) / 1000);
  }
}
