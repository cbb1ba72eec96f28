/**
 * What a split of each input would gain: what relaxations cost, by the inputs that relaxed neurons depend on.
 *
 * @module
 */

import { RECORD } from "../dense/kernels.ts";
import { RELAXATION_FIELDS } from "../relu.ts";
import type { CondensedBox } from "./bounder.ts";

/**
 * How much what a layer's relaxations cost counts beside those of the layer in front: what is loose makes what is behind it
 * loose as well, so that tightening it gains more than its own cost says. Found by trying; any number is sound.
 */
const BEHIND = 0.4;

const SLOPE = RELAXATION_FIELDS.indexOf("aSlope");

/**
 * Adds to the scores of inputs what relaxations cost, by each input's share in each relaxed neuron: |∂z/∂xᵢ|·widthᵢ over
 * the sum of all, with functions replaced by the middle slopes of their relaxations.
 *
 * @param scores [free inputs].
 */
export function addShares({ symbols, layers, numbers }: CondensedBox, scores: Float64Array): void {
  const { half, inputs } = symbols;
  // How far every relaxed neuron moves with each input, and its column.
  const moves: number[] = [];
  const columnOf: number[] = [];
  for (const { layer, relaxed, relaxedCount, z, columns, gaps, records } of layers) {
    const weight = BEHIND ** layer;
    const before = columnOf.length;
    for (let at = 0; at < relaxedCount; at++) {
      const from = z / 8 + relaxed[at]! * columns;
      const start = moves.length;
      for (let input = 0; input < inputs; input++) {
        moves.push(numbers[from + input]! * half[input]!);
      }
      for (let other = 0, move = 0; other < before; other++) {
        const factor = numbers[from + columnOf[other]!]!;
        for (let input = 0; input < inputs; input++) {
          moves[start + input]! += factor * moves[move++]!;
        }
      }
      let total = 1e-300;
      for (let input = 0; input < inputs; input++) total += Math.abs(moves[start + input]!);
      const cost = numbers[gaps / 8 + 2 * at]! + numbers[gaps / 8 + 2 * at + 1]!;
      const gap = weight * cost / total;
      const slope = numbers[records / 8 + RECORD * at + SLOPE]!;
      for (let input = 0; input < inputs; input++) {
        scores[input]! += gap * Math.abs(moves[start + input]!);
        moves[start + input]! *= slope;
      }
      columnOf.push(columns + at);
    }
  }
}
