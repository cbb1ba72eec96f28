/**
 * Bounds of forms by those of what they are made of.
 *
 * @module
 */

import { close, type ValueBounds } from "../batch.ts";
import type { LayerForms } from "./layer.ts";
import type { CondensedMemory } from "./memory.ts";
import type { Symbols } from "./symbols.ts";

/**
 * Narrows bounds of a layer's live neurons to what inputs and relaxed neurons in front can add up to.
 *
 * @param isKnown Whether the bounds say anything; if not, they are written.
 */
export function enclose(
  { workspace: { numbers } }: CondensedMemory,
  forms: LayerForms,
  symbols: Symbols,
  bounds: ValueBounds,
  isKnown: boolean,
): void {
  const { live, count, columns, noise } = forms;
  const { center, half, base, inputs, a, b, gLower, gUpper } = symbols;
  const { zLower, zUpper, yLower, yUpper, eLower, eUpper } = bounds;
  const set = (
    lower: Float64Array,
    upper: Float64Array,
    neuron: number,
    least: number,
    most: number,
    noise: number,
  ) => {
    const slack = noise + TINY;
    least -= slack + ROUNDING * (slack + Math.abs(least));
    most += slack + ROUNDING * (slack + Math.abs(most));
    lower[neuron] = isKnown ? Math.max(lower[neuron]!, least) : least;
    upper[neuron] = isKnown ? Math.min(upper[neuron]!, most) : most;
  };
  for (let row = 0; row < count; row++) {
    const neuron = live[row]!;
    // What is passed on needs no bounds.
    if (isKnown && zLower[neuron]! >= 0 && yLower[neuron]! >= 0) continue;
    const [zFrom, aFrom, gFrom] = [forms.z, forms.a, forms.g].map((each) =>
      each / 8 + row * columns
    ) as [number, number, number];
    let zLeast = numbers[zFrom + inputs]!, zMost = zLeast;
    let yLeast = numbers[gFrom + inputs]!, yMost = yLeast;
    let eLeast = numbers[aFrom + inputs]!, eMost = eLeast;
    for (let input = 0; input < inputs; input++) {
      const middle = center[input]!, width = half[input]!;
      const z = numbers[zFrom + input]!, y = numbers[gFrom + input]!, e = numbers[aFrom + input]!;
      zLeast += z * middle - Math.abs(z) * width;
      zMost += z * middle + Math.abs(z) * width;
      yLeast += y * middle - Math.abs(y) * width;
      yMost += y * middle + Math.abs(y) * width;
      eLeast += e * middle - Math.abs(e) * width;
      eMost += e * middle + Math.abs(e) * width;
    }
    for (let column = base; column < columns; column++) {
      const m = numbers[zFrom + column]!, n = numbers[aFrom + column]!;
      const k = numbers[gFrom + column]!;
      if (m > 0) zMost += m * a[column]!;
      else zLeast += m * a[column]!;
      if (n > 0) eMost += n * a[column]!;
      else eLeast += n * a[column]!;
      if (k > 0) {
        yMost += k * b[column]!;
        eLeast += k * gLower[column]!;
        eMost += k * gUpper[column]!;
      } else {
        yLeast += k * b[column]!;
        eLeast += k * gUpper[column]!;
        eMost += k * gLower[column]!;
      }
    }
    set(zLower, zUpper, neuron, zLeast, zMost, noise.z[row]!);
    set(yLower, yUpper, neuron, yLeast, yMost, noise.y[row]!);
    set(eLower, eUpper, neuron, eLeast, eMost, noise.e[row]!);
  }
  close(bounds);
}

/** Of the last sums; those of forms are part of their noise. */
const ROUNDING = 2 ** -50;
const TINY = 1e-200;
