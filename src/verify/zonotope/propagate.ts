/**
 * Bounds of the difference of two networks by zonotopes, forward: VeryDiff (Teuber, Kern, Janzen and Beckert, 2024).
 *
 * Three zonotopes go along: z of the original network, y of the quantized one, and e = z − y, which shares its
 * generators with z. At a nonlinear step z and y are each enclosed by two parallel lines, and the difference by two
 * parallel planes over z and e, all with a generator of its own for the width between them.
 *
 * @module
 */

import { UserError } from "../../base/errors.ts";
import { close, down, up, type ValueBounds } from "../bounds/batch.ts";
import {
  arithmeticUnderflow,
  arithmeticUnit,
  boundUnit,
  largestMagnitude,
  type Semantics,
  weightError,
} from "../bounds/roundoff.ts";
import type { Box } from "../box.ts";
import { expandPools } from "../network/expand_pools.ts";
import type { PairedNetwork, PairedStep } from "../network/network.ts";
import { gridLine, type Line, reluLine, reluPlanes } from "./enclosures.ts";
import {
  combined,
  magnitude,
  mapped,
  moved,
  radius,
  sum,
  widened,
  zero,
  type Zonotope,
} from "./zonotope.ts";

/** Bounds of f′ − f, one an output. */
export interface DifferenceEnds {
  readonly lower: number;
  readonly upper: number;
}

/** Zonotopes of one value. */
interface Triple {
  readonly z: Zonotope;
  readonly y: Zonotope;
  readonly e: Zonotope;
}

/** Bytes that the generators of one value may take. */
const MOST_BYTES = 2 ** 30;

/**
 * Bounds f′ − f on a box.
 *
 * @throws {UserError} If the networks have steps of another kind than affine ones, Relu and quantizers, or would need
 *   more generators than fit into memory.
 */
export function zonotopeBounds(
  given: PairedNetwork,
  box: Box,
  semantics: Semantics,
  signal?: AbortSignal,
): DifferenceEnds[] {
  const { network } = expandPools(given);
  const pass = new Pass(network, semantics);
  const values: Triple[] = [pass.input(box)];
  for (const step of network.steps) {
    signal?.throwIfAborted();
    values.push(pass.step(step, values));
  }
  const { eLower, eUpper } = pass.bounds(values[network.output]!);
  return Array.from(eLower, (lower, at) => {
    const upper = eUpper[at]!;
    // What is too large, or not a number, says nothing.
    const isKnown = !pass.isBeyond && Number.isFinite(lower) && Number.isFinite(upper);
    return isKnown ? { lower: -upper, upper: -lower } : { lower: -Infinity, upper: Infinity };
  });
}

class Pass {
  /** Whether any number is so large that nothing is known. */
  isBeyond = false;
  readonly #semantics: Semantics;
  readonly #unit: number;
  #generators = 0;

  constructor(network: PairedNetwork, semantics: Semantics) {
    this.#semantics = semantics;
    // Sums over generators are longer than any over weights.
    const most = network.steps.reduce((total, { size }) => total + 2 * size, network.input.size);
    this.#unit = boundUnit(network) + 4 * most * 2 ** -53;
  }

  input({ lower, upper }: Box): Triple {
    const center = lower.map((from, at) => from + (upper[at]! - from) / 2);
    const widths = lower.map((from, at) => {
      const width = Math.max(upper[at]! - center[at]!, center[at]! - from);
      return width === 0 ? 0 : up(width);
    });
    const point = { center, generators: [], error: new Float64Array(center.length) };
    const z = widened(point, widths, () => this.#generators++);
    return { z, y: z, e: zero(center.length) };
  }

  step(step: PairedStep, values: readonly Triple[]): Triple {
    const bytes = this.#generators * step.size * 8 * 3;
    if (bytes > MOST_BYTES) {
      throw new UserError({
        message:
          `Method zonotope needs ${this.#generators} generators of ${step.size} numbers at "${
            step.names.original.nodes[0]
          }", more than fit into memory`,
        hint: "Take method differential, or a smaller box",
      });
    }
    if (step.kind === "affine") return this.#affine(step, values);
    const from = values[step.input]!;
    if (step.kind === "relu") return this.#relu(from);
    if (step.kind === "quantize") return this.#quantize(step, from);
    throw new UserError({
      message: `Step "${step.names.original.value}" (${step.kind}) has no form for method zonotope`,
      hint: "Take method differential",
    });
  }

  /** What is known of each element: by its own zonotope, and by the other two. */
  bounds({ z, y, e }: Triple): ValueBounds {
    const ends = (zonotope: Zonotope) => {
      const width = radius(zonotope).map((value) => value * (1 + this.#unit));
      return {
        lower: zonotope.center.map((value, at) => down(value - width[at]!)),
        upper: zonotope.center.map((value, at) => up(value + width[at]!)),
      };
    };
    const [a, b, d] = [ends(z), ends(y), ends(e)];
    const found = {
      zLower: a.lower,
      zUpper: a.upper,
      yLower: b.lower,
      yUpper: b.upper,
      eLower: d.lower,
      eUpper: d.upper,
    };
    close(found);
    return found;
  }

  #affine(step: Extract<PairedStep, { kind: "affine" }>, values: readonly Triple[]): Triple {
    const unit = this.#unit;
    const arithmetic = arithmeticUnit(step, this.#semantics);
    const lost = arithmeticUnderflow(step, this.#semantics);
    const weights = weightError(step);
    let [z, y, e] = [zero(step.size), zero(step.size), zero(step.size)];
    for (const { input, map } of step.terms) {
      const from = values[input]!;
      const before = mapped(map.original, from.z, unit);
      z = sum(z, before, unit);
      y = sum(y, mapped(map.quantized, from.y, unit), unit);
      // W·z − W′·y = (W − W′)·z + W′·e.
      e = sum(e, mapped(map.quantized, from.e, unit), unit);
      if (map.original === map.quantized) continue;
      const other = mapped(map.quantized, from.z, unit);
      e = sum(e, combined(before, 1, other, -1, unit), unit);
    }
    const { original, quantized } = step.offset;
    const sizeOf = (offset: typeof original, at: number) =>
      offset.sizes?.[at] ?? Math.abs(offset.values[at]!);
    const [zSize, ySize] = [
      this.#magnitudes(step, values, "z"),
      this.#magnitudes(step, values, "y"),
    ];
    const limit = largestMagnitude(step, this.#semantics);
    this.isBeyond ||= [zSize, ySize].some((sizes, side) =>
      sizes.some((size, at) => !(size + sizeOf([original, quantized][side]!, at) < limit))
    );
    const noise = (side: "original" | "quantized", at: number) => {
      const offset = step.offset[side];
      const size = (side === "original" ? zSize : ySize)[at]! + sizeOf(offset, at);
      return (arithmetic + weights[side]) * size * (1 + unit) + (offset.errors?.[at] ?? 0) + lost;
    };
    const isShared = original === quantized && arithmetic === 0 &&
      step.terms.every(({ map }) => map.original === map.quantized);
    const difference = original.values.map((value, at) => value - quantized.values[at]!);
    return {
      z: moved(z, original.values, (at) => noise("original", at), unit),
      y: moved(y, quantized.values, (at) => noise("quantized", at), unit),
      e: moved(
        e,
        difference,
        (at) =>
          (isShared ? 0 : noise("original", at) + noise("quantized", at)) +
          unit * (Math.abs(original.values[at]!) + Math.abs(quantized.values[at]!)) *
            Number(original !== quantized),
        unit,
      ),
    };
  }

  /** |W|·|x|, which what a network rounds is relative to. */
  #magnitudes(
    step: Extract<PairedStep, { kind: "affine" }>,
    values: readonly Triple[],
    view: "z" | "y",
  ): Float64Array {
    const total = new Float64Array(step.size);
    for (const { input, map } of step.terms) {
      const size = magnitude(values[input]![view]);
      const own = view === "z" ? map.original : map.quantized;
      const part = mapped(own, {
        center: new Float64Array(size.length),
        generators: [],
        error: size,
      }, 0);
      for (let at = 0; at < total.length; at++) total[at]! += part.error[at]!;
    }
    return total;
  }

  #relu(from: Triple): Triple {
    const bounds = this.bounds(from);
    const size = from.z.center.length;
    const z = this.#lines(from.z, (at) => reluLine(bounds.zLower[at]!, bounds.zUpper[at]!));
    const y = this.#lines(from.y, (at) => reluLine(bounds.yLower[at]!, bounds.yUpper[at]!));
    const [ps, qs] = [new Float64Array(size), new Float64Array(size)];
    const [middles, widths] = [new Float64Array(size), new Float64Array(size)];
    for (let at = 0; at < size; at++) {
      const { p, q, middle, width } = reluPlanes({
        zLower: bounds.zLower[at]!,
        zUpper: bounds.zUpper[at]!,
        yLower: bounds.yLower[at]!,
        yUpper: bounds.yUpper[at]!,
        eLower: bounds.eLower[at]!,
        eUpper: bounds.eUpper[at]!,
      });
      ps[at] = p;
      qs[at] = q;
      middles[at] = middle;
      widths[at] = width;
    }
    const plane = combined(from.z, ps, from.e, qs, this.#unit);
    return { z, y, e: this.#widen(plane, middles, widths) };
  }

  #quantize(step: Extract<PairedStep, { kind: "quantize" }>, from: Triple): Triple {
    const bounds = this.bounds(from);
    const { original, quantized } = step.quantizer;
    const slack = this.#semantics === "real" ? 0 : 8 * 2 ** -24;
    const before = (at: number) =>
      gridLine(original, at, bounds.zLower[at]!, bounds.zUpper[at]!, slack);
    const after = (at: number) =>
      gridLine(quantized, at, bounds.yLower[at]!, bounds.yUpper[at]!, slack);
    const size = step.size;
    const [ps, qs] = [new Float64Array(size), new Float64Array(size)];
    const [middles, widths] = [new Float64Array(size), new Float64Array(size)];
    for (let at = 0; at < size; at++) {
      const [a, b] = [before(at), after(at)];
      // a·z + m − (b·y + n) with y = z − e.
      ps[at] = a.slope - b.slope;
      qs[at] = b.slope;
      middles[at] = a.middle - b.middle;
      widths[at] = up(a.width + b.width);
    }
    const plane = combined(from.z, ps, from.e, qs, this.#unit);
    return {
      z: original === undefined ? from.z : this.#lines(from.z, before),
      y: quantized === undefined ? from.y : this.#lines(from.y, after),
      e: this.#widen(plane, middles, widths),
    };
  }

  #lines(x: Zonotope, line: (at: number) => Line): Zonotope {
    const size = x.center.length;
    const [slopes, middles] = [new Float64Array(size), new Float64Array(size)];
    const widths = new Float64Array(size);
    for (let at = 0; at < size; at++) {
      const { slope, middle, width } = line(at);
      slopes[at] = slope;
      middles[at] = middle;
      widths[at] = width;
    }
    return this.#widen(combined(x, slopes, x, 0, this.#unit), middles, widths);
  }

  #widen(x: Zonotope, middles: Float64Array, widths: Float64Array): Zonotope {
    const shifted = moved(x, middles, () => 0, this.#unit);
    return widened(shifted, widths, () => this.#generators++);
  }
}
