/**
 * Bounds of relaxed neurons, and the lines and planes that follow from them.
 *
 * @module
 */

import { down, up } from "../batch.ts";
import { lowerPlanes, upperPlanes } from "../planes.ts";
import type { Reduced } from "./reduced.ts";

/** Planes above, and as many below. */
const PLANES = 4;

/** Numbers of a neuron's planes. */
const TABLE = 6 * PLANES;

/** Roundings of slopes, constants and their products, of steps too, with a margin. */
const ROUNDING = 128 * 2 ** -53;

type Six = [number, number, number, number, number, number];

/** The relaxed neurons of one box, or of a part of it. */
export class RelaxedNeurons {
  /** [count × 6]: lower and upper bounds of z, y and e. */
  readonly bounds: Float64Array;
  /** [count × 2 × 4] for both networks: slope and constant of the chord, least and greatest slope below. */
  readonly lines: Float64Array;
  /** [count × 2·PLANES × 3]: p, q and c of planes above and of planes below. */
  readonly planes: Float64Array;
  /** [count × 2]: the middle of z and of e. */
  readonly middles: Float64Array;
  /** What roundings at a neuron cost, for each unit of a coefficient. */
  readonly room: Float64Array;

  constructor({ count, bounds, unit }: Reduced) {
    const numbers = (each: number) => new Float64Array(each * count);
    this.bounds = bounds.slice();
    this.lines = numbers(8);
    this.planes = numbers(TABLE);
    this.middles = numbers(2);
    this.room = numbers(1);
    for (let neuron = 0; neuron < count; neuron++) {
      const at = 6 * neuron;
      // Slopes are at most 2, and constants at most as large as bounds.
      this.room[neuron] = (ROUNDING + unit) *
        (Math.max(-bounds[at]!, bounds[at + 1]!) + Math.max(-bounds[at + 2]!, bounds[at + 3]!) +
          Math.max(-bounds[at + 4]!, bounds[at + 5]!));
      this.relax(neuron);
    }
  }

  /** Puts bounds in the place of those that there are. */
  restore(saved: Float64Array): void {
    const bounds = this.bounds;
    for (let from = 0; from < saved.length; from += 6) {
      let isSame = true;
      for (let at = from; at < from + 6; at++) {
        if (bounds[at] === saved[at]) continue;
        bounds[at] = saved[at]!;
        isSame = false;
      }
      if (!isSame) this.relax(from / 6);
    }
  }

  /** Narrows a neuron's bounds by e = z − y; gives whether any values are left. */
  close(neuron: number): boolean {
    return closeSix(this.bounds, 6 * neuron);
  }

  /** Makes lines and planes of a neuron's bounds. */
  relax(neuron: number): void {
    const bounds = this.bounds, at = 6 * neuron;
    const own: Six = [
      bounds[at]!,
      bounds[at + 1]!,
      bounds[at + 2]!,
      bounds[at + 3]!,
      bounds[at + 4]!,
      bounds[at + 5]!,
    ];
    setLines(this.lines, 8 * neuron, own[0], own[1]);
    setLines(this.lines, 8 * neuron + 4, own[2], own[3]);
    this.middles[2 * neuron] = (own[0] + own[1]) / 2;
    this.middles[2 * neuron + 1] = (own[4] + own[5]) / 2;
    let to = TABLE * neuron;
    for (const planes of [upperPlanes(...own), lowerPlanes(...own)]) {
      for (const { p, q, c } of planes) {
        this.planes[to++] = p;
        this.planes[to++] = q;
        this.planes[to++] = c;
      }
    }
  }

  /** Where the plane is that is tightest at a point: the least of those above (0), or the greatest of those below (1). */
  tightest(neuron: number, side: number, z: number, e: number): number {
    const planes = this.planes;
    const start = TABLE * neuron + 3 * PLANES * side;
    let best = start;
    let most = -Infinity;
    for (let at = start; at < start + 3 * PLANES; at += 3) {
      const value = planes[at]! * z + planes[at + 1]! * e + planes[at + 2]!;
      const good = side === 0 ? -value : value;
      if (good > most) best = at, most = good;
    }
    return best;
  }
}

/**
 * Narrows bounds of z, y and e, lower and upper of each, by e = z − y.
 *
 * @param at Where they begin.
 * @returns Whether any values are left.
 */
export function closeSix(bounds: Float64Array, at: number): boolean {
  let zl = bounds[at]!, zu = bounds[at + 1]!, yl = bounds[at + 2]!, yu = bounds[at + 3]!;
  let el = bounds[at + 4]!, eu = bounds[at + 5]!;
  yl = Math.max(yl, down(zl - eu));
  yu = Math.min(yu, up(zu - el));
  el = Math.max(el, down(zl - yu));
  eu = Math.min(eu, up(zu - yl));
  zl = Math.max(zl, down(yl + el));
  zu = Math.min(zu, up(yu + eu));
  if (zl > zu || yl > yu || el > eu) return false;
  // Of infinite bounds differences are not numbers, and say nothing.
  if (Number.isNaN(zl + zu + yl + yu + el + eu)) return true;
  bounds[at] = zl;
  bounds[at + 1] = zu;
  bounds[at + 2] = yl;
  bounds[at + 3] = yu;
  bounds[at + 4] = el;
  bounds[at + 5] = eu;
  return true;
}

/** The chord above Relu between two bounds, and the slopes that lines through 0 can have below it. */
function setLines(lines: Float64Array, at: number, lower: number, upper: number): void {
  const isOpen = lower < 0 && upper > 0;
  const slope = isOpen ? upper / (upper - lower) : lower >= 0 ? 1 : 0;
  lines[at] = slope;
  lines[at + 1] = isOpen ? -slope * lower : 0;
  lines[at + 2] = isOpen ? 0 : slope;
  lines[at + 3] = isOpen ? 1 : slope;
}
