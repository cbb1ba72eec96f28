/**
 * Measurements, each made once and kept, so that an interrupted stage goes on where it was.
 *
 * @module
 */

/** What measuring one after another takes. */
export interface MeasurementContext {
  readonly signal: AbortSignal;
  readonly checkpoints: {
    load(name: string): Promise<Uint8Array | undefined>;
    save(name: string, bytes: Uint8Array): Promise<void>;
  };
}

const NAME = "measurements";

/** Values by key. */
export class Measurements<T> {
  readonly #context: MeasurementContext;
  readonly #known: Map<string, T>;
  /** Writing waits for the writing before it. */
  #saving = Promise.resolve();

  private constructor(context: MeasurementContext, known: Map<string, T>) {
    this.#context = context;
    this.#known = known;
  }

  /** With what was measured before an interruption. */
  static async open<T>(context: MeasurementContext): Promise<Measurements<T>> {
    const saved = await context.checkpoints.load(NAME);
    const known = saved === undefined ? [] : JSON.parse(new TextDecoder().decode(saved));
    return new Measurements(context, new Map<string, T>(known));
  }

  /** The value under a key, measured if it is not known. */
  async get(key: string, measure: () => Promise<T>): Promise<T> {
    const { signal, checkpoints } = this.#context;
    signal.throwIfAborted();
    const known = this.#known.get(key);
    if (known !== undefined) return known;
    const value = await measure();
    this.#known.set(key, value);
    this.#saving = this.#saving.then(() =>
      checkpoints.save(NAME, new TextEncoder().encode(JSON.stringify([...this.#known])))
    );
    await this.#saving;
    return value;
  }
}
