/**
 * The losses of sets of layers, each measured once and kept.
 *
 * @module
 */

import type { StageContext } from "../../registry/stage.ts";

/** Losses that are measured one after another. */
export class Losses {
  readonly #context: StageContext;
  readonly #known: Map<string, number>;
  readonly #total: number;
  #done = 0;

  private constructor(context: StageContext, known: Map<string, number>, total: number) {
    this.#context = context;
    this.#known = known;
    this.#total = total;
  }

  /** @param total How many there will be. */
  static async open(context: StageContext, total: number): Promise<Losses> {
    const saved = await context.checkpoints.load(NAME);
    const known = saved === undefined ? [] : JSON.parse(new TextDecoder().decode(saved));
    return new Losses(context, new Map(known), total);
  }

  /** The loss under a key, measured if it is not known. */
  async get(key: string, measure: () => Promise<number>): Promise<number> {
    const { signal, checkpoints, progress } = this.#context;
    signal.throwIfAborted();
    let loss = this.#known.get(key);
    if (loss === undefined) {
      loss = await measure();
      this.#known.set(key, loss);
      await checkpoints.save(NAME, new TextEncoder().encode(JSON.stringify([...this.#known])));
    }
    progress({ phase: "measuring", done: ++this.#done, total: this.#total, unit: "losses" });
    return loss;
  }
}

const NAME = "losses";
