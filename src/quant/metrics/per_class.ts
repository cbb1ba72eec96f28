/**
 * Accuracy of each class.
 *
 * @module
 */

import { argmax, type Metric, type OutputBatch } from "./metric.ts";

/** One class's items, and the fraction of them that are right. */
export interface ClassAccuracy {
  /** The label. */
  readonly label: number;
  readonly count: number;
  readonly top1: number;
}

/** Top-1 accuracy by class, and the lowest one as `worst_class_top1`. */
export class PerClass implements Metric {
  #counts: number[] = [];
  #right: number[] = [];

  add({ size, width, values, labels }: OutputBatch): void {
    for (let row = 0; row < size; row++) {
      const label = labels![row]!;
      this.#counts[label] = (this.#counts[label] ?? 0) + 1;
      const isRight = argmax(values, row, width) === label;
      this.#right[label] = (this.#right[label] ?? 0) + (isRight ? 1 : 0);
    }
  }

  result(): Record<string, number> {
    return { worst_class_top1: Math.min(...this.classes().map(({ top1 }) => top1)) };
  }

  /** The classes that occur, by label. */
  classes(): ClassAccuracy[] {
    return this.#counts.flatMap((count, label) =>
      count === undefined ? [] : [{ label, count, top1: this.#right[label]! / count }]
    );
  }
}
