/**
 * Rows of differences whose relaxations are chosen for each row: Frank–Wolfe steps.
 *
 * The bound of a row is least at a corner of the box. The corner is carried forward through the relaxations that the row
 * used, and at each neuron what is tightest there takes a share of 2/(k + 3): a slope under Relu, a plane around the
 * difference, a way to write v·a + w·g. Shares of what is valid are valid, so the best of all passes is a bound, whatever
 * the steps did.
 *
 * With g = a − b, v·a + w·g = A·a + B·b + G·g for any G with A = v + w − G and B = G − w; the three ways of the joint
 * choice are G = w, 0 and v + w.
 *
 * @module
 */

import { down, up } from "../batch.ts";
import { lowerPlanes, upperPlanes } from "../planes.ts";
import type { Reduced, ReducedRow } from "./reduced.ts";

/** Planes above, and as many below. */
const PLANES = 4;

/** Numbers of a neuron's planes. */
const TABLE = 6 * PLANES;

/** Roundings of slopes, constants and their products, of steps too, with a margin. */
const ROUNDING = 128 * 2 ** -53;

/** Steps that are tried before bounds of neurons are looked at, which take longer. */
const QUICK = 3;

/** How hard to try. */
export interface RefineOptions {
  /** Frank–Wolfe steps behind the first pass. */
  readonly steps: number;
  /** Passes for bounds of each neuron, which rows of the output gain from; 0 for none. */
  readonly inner: number;
}

/** Refines rows of one reduced network. */
export class RowRefiner {
  readonly #reduced: Reduced;
  readonly #options: RefineOptions;
  /** [count × 6]: those of the box, or tighter ones. */
  readonly #bounds: Float64Array;
  /** [count × 2 × 4] for both networks: slope and constant of the chord, least and greatest slope below. */
  readonly #lines: Float64Array;
  /** [count × 2·PLANES × 3]: p, q and c of planes above and of planes below. */
  readonly #planes: Float64Array;
  /** [count × 2]: the middle of z and of e. */
  readonly #middles: Float64Array;
  /** What roundings at a neuron cost, for each unit of a coefficient. */
  readonly #room: Float64Array;
  /** [count × 3]: shares of the ways to write the sum. */
  readonly #ways: Float64Array;
  /** [count × 2]: slopes below a and b. */
  readonly #slopes: Float64Array;
  /** [count × 2 × 3]: the plane above, and the one below. */
  readonly #chosen: Float64Array;
  /** [count × 5]: v, w, A, B and G of the last pass. */
  readonly #used: Float64Array;
  /** Coefficients on a and g; on the way forward their values. */
  readonly #v: Float64Array;
  readonly #w: Float64Array;
  readonly #onInput: Float64Array;
  readonly #corner: Float64Array;
  /** Whether bounds of neurons were made by rows of their own. */
  #isTight = false;
  /** The row of a neuron. */
  readonly #inner: { onNeurons: Float64Array; onInput: Float64Array; constant: number };

  constructor(reduced: Reduced, options: RefineOptions) {
    const { count, inputs, bounds } = reduced;
    const numbers = (each: number) => new Float64Array(each * count);
    this.#reduced = reduced;
    this.#options = options;
    this.#bounds = bounds.slice();
    this.#lines = numbers(8);
    this.#planes = numbers(TABLE);
    this.#middles = numbers(2);
    this.#room = numbers(1);
    this.#ways = numbers(3);
    this.#slopes = numbers(2);
    this.#chosen = numbers(6);
    this.#used = numbers(5);
    this.#v = numbers(1);
    this.#w = numbers(1);
    this.#onInput = new Float64Array(inputs);
    this.#corner = new Float64Array(inputs);
    this.#inner = {
      onNeurons: numbers(2),
      onInput: new Float64Array(inputs),
      constant: 0,
    };
    for (let neuron = 0; neuron < count; neuron++) {
      const at = 6 * neuron;
      // Slopes are at most 2, and constants at most as large as bounds.
      this.#room[neuron] = (ROUNDING + reduced.unit) *
        (Math.max(-bounds[at]!, bounds[at + 1]!) + Math.max(-bounds[at + 2]!, bounds[at + 3]!) +
          Math.max(-bounds[at + 4]!, bounds[at + 5]!));
      this.#relaxNeuron(neuron);
    }
  }

  /**
   * A lower bound of a row.
   *
   * @param enough Work ends when the bound is at least this.
   */
  refine(row: ReducedRow, enough: number): number {
    const { count } = this.#reduced;
    const { steps, inner } = this.#options;
    if (inner === 0) return this.#descend(row, count, enough, steps);
    const quick = this.#descend(row, count, enough, Math.min(QUICK, steps));
    if (quick >= enough) return quick;
    if (!this.#isTight) {
      this.#tighten();
      this.#isTight = true;
    }
    return Math.max(quick, this.#descend(row, count, enough, steps));
  }

  #descend(row: ReducedRow, limit: number, enough: number, steps: number): number {
    this.#begin(limit);
    let best = -Infinity;
    for (let step = 0;; step++) {
      best = Math.max(best, this.#backward(row, limit, step === 0));
      if (best >= enough || step >= steps) return best;
      this.#forward(limit, 2 / (step + 3));
    }
  }

  /** Bounds neurons by rows of their own. */
  #tighten(): void {
    const bounds = this.#bounds;
    for (let neuron = 1; neuron < this.#reduced.count; neuron++) {
      const at = 6 * neuron;
      for (const offset of [0, 4]) {
        // Where a sign is known, more does not help.
        if (offset === 0 && (bounds[at]! >= 0 || bounds[at + 1]! <= 0)) continue;
        for (const sign of [1, -1]) {
          const found = down(this.#boundInner(neuron, offset === 4, sign)) - 1e-200;
          if (sign > 0 && found > bounds[at + offset]!) bounds[at + offset] = found;
          if (sign < 0 && -found < bounds[at + offset + 1]!) bounds[at + offset + 1] = -found;
        }
      }
      this.#close(neuron);
      this.#relaxNeuron(neuron);
    }
  }

  #boundInner(neuron: number, isDifference: boolean, sign: number): number {
    const { count, inputs, onInput, onNeurons, constants } = this.#reduced;
    const row = this.#inner;
    for (let other = 0, from = 3 * neuron * count; other < neuron; other++, from += 3) {
      row.onNeurons[2 * other] = sign * onNeurons[from + (isDifference ? 1 : 0)]!;
      row.onNeurons[2 * other + 1] = isDifference ? sign * onNeurons[from + 2]! : 0;
    }
    const place = 2 * inputs * neuron + (isDifference ? inputs : 0);
    for (let input = 0; input < inputs; input++) {
      row.onInput[input] = sign * onInput[place + input]!;
    }
    const at = 4 * neuron + (isDifference ? 2 : 0);
    row.constant = sign * constants[at]! - constants[at + 1]!;
    return this.#descend(row, neuron, Infinity, this.#options.inner - 1);
  }

  /** Narrows bounds by e = z − y. */
  #close(neuron: number): void {
    const bounds = this.#bounds;
    const at = 6 * neuron;
    let [zl, zu, yl, yu, el, eu] = [0, 1, 2, 3, 4, 5].map((each) => bounds[at + each]!) as Six;
    yl = Math.max(yl, down(zl - eu));
    yu = Math.min(yu, up(zu - el));
    el = Math.max(el, down(zl - yu));
    eu = Math.min(eu, up(zu - yl));
    zl = Math.max(zl, down(yl + el));
    zu = Math.min(zu, up(yu + eu));
    // Bounds that crossed by their roundings stay as they were.
    if (zl <= zu && yl <= yu && el <= eu) bounds.set([zl, zu, yl, yu, el, eu], at);
  }

  #relaxNeuron(neuron: number): void {
    const bounds = this.#bounds;
    const [zl, zu, yl, yu, el, eu] = [0, 1, 2, 3, 4, 5].map((at) =>
      bounds[6 * neuron + at]!
    ) as Six;
    setLines(this.#lines, 8 * neuron, zl, zu);
    setLines(this.#lines, 8 * neuron + 4, yl, yu);
    this.#middles[2 * neuron] = (zl + zu) / 2;
    this.#middles[2 * neuron + 1] = (el + eu) / 2;
    let to = TABLE * neuron;
    for (const planes of [upperPlanes, lowerPlanes]) {
      for (const { p, q, c } of planes(zl, zu, yl, yu, el, eu)) {
        this.#planes[to++] = p;
        this.#planes[to++] = q;
        this.#planes[to++] = c;
      }
    }
  }

  /** What a row begins with: slopes below and planes that are tightest at the middle of the box. */
  #begin(count: number): void {
    const slopes = this.#slopes, lines = this.#lines, middles = this.#middles;
    const chosen = this.#chosen, planes = this.#planes;
    for (let at = 0; at < 2 * count; at++) {
      // The chord is steeper than 1/2 where more of the box is above 0.
      slopes[at] = lines[4 * at]! > 0.5 ? lines[4 * at + 3]! : lines[4 * at + 2]!;
    }
    for (let neuron = 0; neuron < count; neuron++) {
      const z = middles[2 * neuron]!, e = middles[2 * neuron + 1]!;
      for (let side = 0; side < 2; side++) {
        const from = tightest(planes, neuron, side, z, e);
        const to = 6 * neuron + 3 * side;
        chosen[to] = planes[from]!;
        chosen[to + 1] = planes[from + 1]!;
        chosen[to + 2] = planes[from + 2]!;
      }
    }
  }

  /** Carries a row on neurons below a limit back to the input, with what it takes at each neuron. */
  #backward(row: ReducedRow, limit: number, isFirst: boolean): number {
    const { count, inputs, center, half, onInput, onNeurons, constants } = this.#reduced;
    const v = this.#v, w = this.#w, x = this.#onInput, used = this.#used;
    const ways = this.#ways, slopes = this.#slopes, lines = this.#lines, chosen = this.#chosen;
    for (let neuron = 0; neuron < limit; neuron++) {
      v[neuron] = row.onNeurons[2 * neuron]!;
      w[neuron] = row.onNeurons[2 * neuron + 1]!;
    }
    for (let input = 0; input < inputs; input++) x[input] = row.onInput[input]!;
    let constant = row.constant - this.#reduced.unit * Math.abs(row.constant);
    for (let neuron = limit - 1; neuron >= 0; neuron--) {
      const onA = v[neuron]!, onG = w[neuron]!;
      if (isFirst) {
        const z = this.#middles[2 * neuron]!, e = this.#middles[2 * neuron + 1]!;
        const best = this.#bestWay(neuron, onA, onG, z, e);
        ways[3 * neuron] = best === 0 ? 1 : 0;
        ways[3 * neuron + 1] = best === 1 ? 1 : 0;
        ways[3 * neuron + 2] = best === 2 ? 1 : 0;
      }
      // Any G is valid.
      const g = ways[3 * neuron]! * onG + ways[3 * neuron + 2]! * (onA + onG);
      const a = onA + onG - g, b = g - onG;
      const to = 5 * neuron;
      used[to] = onA;
      used[to + 1] = onG;
      used[to + 2] = a;
      used[to + 3] = b;
      used[to + 4] = g;
      const first = 2 * neuron, second = first + 1;
      let onZ = 0, onY = 0;
      if (a >= 0) onZ = a * slopes[first]!;
      else {
        onZ = a * lines[4 * first]!;
        constant += a * lines[4 * first + 1]!;
      }
      if (b >= 0) onY = b * slopes[second]!;
      else {
        onY = b * lines[4 * second]!;
        constant += b * lines[4 * second + 1]!;
      }
      const at = 6 * neuron + (g >= 0 ? 3 : 0);
      const cz = onZ + onY + g * chosen[at]!;
      const ce = g * chosen[at + 1]! - onY;
      const from = 4 * neuron;
      const sizes = Math.abs(onA) + Math.abs(onG) + Math.abs(a) + Math.abs(b) + Math.abs(g);
      constant += g * chosen[at + 2]! + cz * constants[from]! + ce * constants[from + 2]! -
        Math.abs(cz) * constants[from + 1]! - Math.abs(ce) * constants[from + 3]! -
        sizes * this.#room[neuron]!;
      for (let input = 0, place = 2 * inputs * neuron; input < inputs; input++, place++) {
        x[input]! += cz * onInput[place]! + ce * onInput[place + inputs]!;
      }
      for (let other = 0, place = 3 * neuron * count; other < neuron; other++, place += 3) {
        v[other]! += cz * onNeurons[place]! + ce * onNeurons[place + 1]!;
        w[other]! += ce * onNeurons[place + 2]!;
      }
    }
    for (let input = 0; input < inputs; input++) {
      const c = x[input]!;
      this.#corner[input] = c > 0 ? center[input]! - half[input]! : center[input]! + half[input]!;
      constant += c * center[input]! - Math.abs(c) * half[input]!;
    }
    return constant;
  }

  /** Carries the corner forward, and moves each choice toward what is tightest there. */
  #forward(limit: number, length: number): void {
    const { count, inputs, onInput, onNeurons, constants } = this.#reduced;
    const as = this.#v, gs = this.#w, used = this.#used;
    const ways = this.#ways, slopes = this.#slopes, lines = this.#lines, chosen = this.#chosen;
    const planes = this.#planes;
    for (let neuron = 0; neuron < limit; neuron++) {
      let z = constants[4 * neuron]!, e = constants[4 * neuron + 2]!;
      for (let input = 0, place = 2 * inputs * neuron; input < inputs; input++, place++) {
        z += onInput[place]! * this.#corner[input]!;
        e += onInput[place + inputs]! * this.#corner[input]!;
      }
      for (let other = 0, place = 3 * neuron * count; other < neuron; other++, place += 3) {
        z += onNeurons[place]! * as[other]!;
        e += onNeurons[place + 1]! * as[other]! + onNeurons[place + 2]! * gs[other]!;
      }
      const y = z - e;
      const from = 5 * neuron, first = 2 * neuron, second = first + 1;
      const v = used[from]!, w = used[from + 1]!;
      const a = used[from + 2]!, b = used[from + 3]!, g = used[from + 4]!;
      const onA = a >= 0 ? slopes[first]! * z : lines[4 * first]! * z + lines[4 * first + 1]!;
      const onB = b >= 0 ? slopes[second]! * y : lines[4 * second]! * y + lines[4 * second + 1]!;
      const at = 6 * neuron + (g >= 0 ? 3 : 0);
      const onG = chosen[at]! * z + chosen[at + 1]! * e + chosen[at + 2]!;
      const f1 = ways[3 * neuron]!, f2 = ways[3 * neuron + 1]!, f3 = ways[3 * neuron + 2]!;
      as[neuron] = (f1 + f2) * onA + f3 * (onB + onG);
      gs[neuron] = (f1 + f3) * onG + f2 * (onA - onB);

      this.#moveSlope(first, z, length);
      this.#moveSlope(second, y, length);
      for (let side = 0; side < 2; side++) {
        const best = tightest(planes, neuron, side, z, e);
        const to = 6 * neuron + 3 * side;
        for (let part = 0; part < 3; part++) {
          chosen[to + part]! += length * (planes[best + part]! - chosen[to + part]!);
        }
      }
      const way = this.#bestWay(neuron, v, w, z, e);
      for (let each = 0; each < 3; each++) {
        const place = 3 * neuron + each;
        ways[place]! += length * ((each === way ? 1 : 0) - ways[place]!);
      }
    }
  }

  #moveSlope(place: number, value: number, length: number): void {
    const low = this.#lines[4 * place + 2]!, high = this.#lines[4 * place + 3]!;
    const slope = this.#slopes[place]!;
    const moved = slope + length * ((value > 0 ? high : low) - slope);
    // Rounding must not lead out of what is valid.
    this.#slopes[place] = Math.min(Math.max(moved, low), high);
  }

  #bestWay(neuron: number, v: number, w: number, z: number, e: number): number {
    const a = 2 * neuron, b = a + 1, y = z - e, u = v + w;
    const first = this.#line(a, v, z) + this.#plane(neuron, w, z, e);
    const second = this.#line(a, u, z) + this.#line(b, -w, y);
    const third = this.#line(b, v, y) + this.#plane(neuron, u, z, e);
    if (third > first && third > second) return 2;
    return second > first ? 1 : 0;
  }

  /** c·relu's line: below it for c ≥ 0, above for c < 0. */
  #line(at: number, c: number, x: number): number {
    const lines = this.#lines;
    return c >= 0 ? c * this.#slopes[at]! * x : c * (lines[4 * at]! * x + lines[4 * at + 1]!);
  }

  /** c·g's plane. */
  #plane(neuron: number, c: number, z: number, e: number): number {
    const at = 6 * neuron + (c >= 0 ? 3 : 0);
    const chosen = this.#chosen;
    return c * (chosen[at]! * z + chosen[at + 1]! * e + chosen[at + 2]!);
  }
}

type Six = [number, number, number, number, number, number];

/** Where the plane is that is tightest at a point: the least of those above (0), or the greatest of those below (1). */
function tightest(
  planes: Float64Array,
  neuron: number,
  side: number,
  z: number,
  e: number,
): number {
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

/** The chord above Relu between two bounds, and the slopes that lines through 0 can have below it. */
function setLines(lines: Float64Array, at: number, lower: number, upper: number): void {
  const isOpen = lower < 0 && upper > 0;
  const slope = isOpen ? upper / (upper - lower) : lower >= 0 ? 1 : 0;
  lines[at] = slope;
  lines[at + 1] = isOpen ? -slope * lower : 0;
  lines[at + 2] = isOpen ? 0 : slope;
  lines[at + 3] = isOpen ? 1 : slope;
}
