/**
 * Relaxations of one step that are chosen for each row: mixtures of what is offered, moved by Frank–Wolfe steps.
 *
 * With g = a − b, v·a + w·g = A·a + B·b + G·g for any G with A = v + w − G and B = G − w; the three ways of the joint
 * choice are G = w, 0 and v + w. Mixtures of valid lines, planes and ways are valid.
 *
 * @module
 */

import { type StepChoices, tableLength } from "./choices.ts";

/** Numbers of a mixture: lines above a, below a, above b and below b, planes above g and below it, shares of two ways. */
const MIXTURE = 16;
const [ABOVE_A, BELOW_A, ABOVE_B, BELOW_B, ABOVE_G, BELOW_G, SECOND, THIRD] = [
  0,
  2,
  4,
  6,
  8,
  11,
  14,
  15,
] as const;
/** What a row used: v, w, A, B and G. */
const USED = 5;

/** The mixtures of all rows on one box. */
export class RowChoices {
  readonly #choices: StepChoices;
  readonly #rows: number;
  readonly #length: number;
  /** [rows × relaxed × {@linkcode MIXTURE}]. */
  readonly #mixtures: Float64Array;
  readonly #used: Float64Array;
  /** Whether the ways are chosen: they depend on the coefficients. */
  #isBegun = false;

  constructor(choices: StepChoices, rows: number) {
    const count = choices.relaxed.length;
    this.#choices = choices;
    this.#rows = rows;
    this.#length = tableLength(choices.counts);
    this.#mixtures = new Float64Array(rows * count * MIXTURE);
    this.#used = new Float64Array(rows * count * USED);
    for (let element = 0; element < count; element++) {
      const z = choices.middles[2 * element]!, e = choices.middles[2 * element + 1]!;
      this.#moveMixture(element, element * MIXTURE, z, e, 1);
    }
    for (let row = 1; row < rows; row++) {
      this.#mixtures.copyWithin(row * count * MIXTURE, 0, count * MIXTURE);
    }
  }

  /**
   * Coefficients behind the step as those in front of it, in place.
   *
   * @param v On the values of the original network, [rows × size].
   * @param w On the differences.
   * @param constants What is added to each row.
   */
  relax(v: Float64Array, w: Float64Array, constants: Float64Array): void {
    const { relaxed, passed, room, middles } = this.#choices;
    const size = v.length / this.#rows;
    const mixtures = this.#mixtures, used = this.#used;
    const [onZ, onE] = [new Float64Array(size), new Float64Array(size)];
    for (let row = 0, at = 0, to = 0; row < this.#rows; row++) {
      const start = row * size;
      let constant = 0;
      onZ.fill(0);
      onE.fill(0);
      for (const element of passed) {
        onZ[element] = v[start + element]!;
        onE[element] = w[start + element]!;
      }
      for (let index = 0; index < relaxed.length; index++, at += MIXTURE, to += USED) {
        const element = relaxed[index]!;
        const onA = v[start + element]!, onG = w[start + element]!;
        if (!this.#isBegun) {
          const way = this.#bestWay(at, onA, onG, middles[2 * index]!, middles[2 * index + 1]!);
          mixtures[at + SECOND] = way === 1 ? 1 : 0;
          mixtures[at + THIRD] = way === 2 ? 1 : 0;
        }
        // Any G is valid.
        const g = onG - onG * mixtures[at + SECOND]! + onA * mixtures[at + THIRD]!;
        const a = onA + onG - g, b = g - onG;
        used[to] = onA;
        used[to + 1] = onG;
        used[to + 2] = a;
        used[to + 3] = b;
        used[to + 4] = g;
        const first = at + (a >= 0 ? BELOW_A : ABOVE_A);
        const second = at + (b >= 0 ? BELOW_B : ABOVE_B);
        const both = at + (g >= 0 ? BELOW_G : ABOVE_G);
        const onY = b * mixtures[second]!;
        onZ[element] = a * mixtures[first]! + onY + g * mixtures[both]!;
        onE[element] = g * mixtures[both + 1]! - onY;
        constant += a * mixtures[first + 1]! + b * mixtures[second + 1]! + g * mixtures[both + 2]! -
          room[index]! *
            (Math.abs(onA) + Math.abs(onG) + Math.abs(a) + Math.abs(b) + Math.abs(g));
      }
      v.set(onZ, start);
      w.set(onE, start);
      constants[row]! += constant;
    }
    this.#isBegun = true;
  }

  /**
   * Carries values through the relaxations that the rows used last, in place, and moves each choice toward what is
   * tightest at them.
   *
   * @param z Values in front of the step, then behind it, [rows × size].
   * @param e Differences likewise.
   * @param length The share that what is tightest takes.
   */
  move(z: Float64Array, e: Float64Array, length: number): void {
    const { relaxed, passed } = this.#choices;
    const size = z.length / this.#rows;
    const mixtures = this.#mixtures, used = this.#used;
    const [values, differences] = [new Float64Array(size), new Float64Array(size)];
    for (let row = 0, at = 0, from = 0; row < this.#rows; row++) {
      const start = row * size;
      values.fill(0);
      differences.fill(0);
      for (const element of passed) {
        values[element] = z[start + element]!;
        differences[element] = e[start + element]!;
      }
      for (let index = 0; index < relaxed.length; index++, at += MIXTURE, from += USED) {
        const element = relaxed[index]!;
        const ownZ = z[start + element]!, ownE = e[start + element]!, ownY = ownZ - ownE;
        const v = used[from]!, w = used[from + 1]!;
        const a = used[from + 2]!, b = used[from + 3]!, g = used[from + 4]!;
        const first = at + (a >= 0 ? BELOW_A : ABOVE_A);
        const second = at + (b >= 0 ? BELOW_B : ABOVE_B);
        const both = at + (g >= 0 ? BELOW_G : ABOVE_G);
        const onA = mixtures[first]! * ownZ + mixtures[first + 1]!;
        const onB = mixtures[second]! * ownY + mixtures[second + 1]!;
        const onG = mixtures[both]! * ownZ + mixtures[both + 1]! * ownE + mixtures[both + 2]!;
        const f2 = mixtures[at + SECOND]!, f3 = mixtures[at + THIRD]!;
        values[element] = onA + f3 * (onB + onG - onA);
        differences[element] = onG + f2 * (onA - onB - onG);
        this.#moveMixture(index, at, ownZ, ownE, length);
        const way = this.#bestWay(at, v, w, ownZ, ownE);
        mixtures[at + SECOND]! += length * ((way === 1 ? 1 : 0) - f2);
        mixtures[at + THIRD]! += length * ((way === 2 ? 1 : 0) - f3);
      }
      z.set(values, start);
      e.set(differences, start);
    }
  }

  #moveMixture(element: number, at: number, z: number, e: number, length: number): void {
    const { counts, table } = this.#choices;
    const mixtures = this.#mixtures;
    const y = z - e;
    let from = element * this.#length;
    for (let side = 0; side < 4; side++) {
      const count = counts[side]!;
      const x = side < 2 ? z : y;
      const sign = side % 2 === 0 ? -1 : 1;
      let best = from, most = -Infinity;
      for (let line = 0; line < count; line++, from += 2) {
        const value = sign * (table[from]! * x + table[from + 1]!);
        if (value > most) {
          best = from;
          most = value;
        }
      }
      const to = at + 2 * side;
      mixtures[to]! += length * (table[best]! - mixtures[to]!);
      mixtures[to + 1]! += length * (table[best + 1]! - mixtures[to + 1]!);
    }
    for (let side = 4; side < 6; side++) {
      const count = counts[side]!;
      const sign = side === 4 ? -1 : 1;
      let best = from, most = -Infinity;
      for (let plane = 0; plane < count; plane++, from += 3) {
        const value = sign * (table[from]! * z + table[from + 1]! * e + table[from + 2]!);
        if (value > most) {
          best = from;
          most = value;
        }
      }
      const to = at + (side === 4 ? ABOVE_G : BELOW_G);
      for (let part = 0; part < 3; part++) {
        mixtures[to + part]! += length * (table[best + part]! - mixtures[to + part]!);
      }
    }
  }

  #bestWay(at: number, v: number, w: number, z: number, e: number): number {
    const mixtures = this.#mixtures;
    const y = z - e, u = v + w;
    const lowA = mixtures[at + BELOW_A]! * z + mixtures[at + BELOW_A + 1]!;
    const highA = mixtures[at + ABOVE_A]! * z + mixtures[at + ABOVE_A + 1]!;
    const lowB = mixtures[at + BELOW_B]! * y + mixtures[at + BELOW_B + 1]!;
    const highB = mixtures[at + ABOVE_B]! * y + mixtures[at + ABOVE_B + 1]!;
    const lowG = mixtures[at + BELOW_G]! * z + mixtures[at + BELOW_G + 1]! * e +
      mixtures[at + BELOW_G + 2]!;
    const highG = mixtures[at + ABOVE_G]! * z + mixtures[at + ABOVE_G + 1]! * e +
      mixtures[at + ABOVE_G + 2]!;
    const first = v * (v >= 0 ? lowA : highA) + w * (w >= 0 ? lowG : highG);
    const second = u * (u >= 0 ? lowA : highA) - w * (w <= 0 ? lowB : highB);
    const third = v * (v >= 0 ? lowB : highB) + u * (u >= 0 ? lowG : highG);
    if (third > first && third > second) return 2;
    return second > first ? 1 : 0;
  }
}
