/**
 * What `evaluate` finds out about a model.
 *
 * @module
 */

/** Accuracy and size of one model on one data set. */
export interface Evaluation {
  readonly version: 1;
  /** Digests of what was measured, by which an evaluation finds its model. */
  readonly subject: {
    readonly model: string;
    /** The float model that it was compared with. */
    readonly reference?: string;
    readonly data: string;
  };
  /** The metrics by name; fractions are 0 … 1. */
  readonly metrics: Readonly<Record<string, number>>;
  /** Per class: count, and fraction right, by class index. */
  readonly classes?: readonly {
    readonly name: string;
    readonly count: number;
    readonly top1: number;
  }[];
  /** How the model was executed: session options and whether arithmetic was integer or simulated. */
  readonly execution: Readonly<Record<string, string | number | boolean>>;
}
