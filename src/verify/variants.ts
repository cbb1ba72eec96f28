/**
 * Networks that differ from a given pair in one respect: to find out what a bound consists of.
 *
 * @module
 */

import type { PairedNetwork, PairedStep, Quantizer } from "./network/network.ts";

/** The pair with other grids; `undefined` leaves a grid out. */
export function withGrids(
  network: PairedNetwork,
  change: (grid: Quantizer) => Quantizer | undefined,
): PairedNetwork {
  const steps = network.steps.map((step): PairedStep => {
    if (step.kind !== "quantize") return step;
    const { original, quantized } = step.quantizer;
    return {
      ...step,
      quantizer: {
        original: original && change(original),
        quantized: quantized && change(quantized),
      },
    };
  });
  return { ...network, steps };
}

/** A grid of the same step as far as any value goes. */
export function withoutEnds(grid: Quantizer): Quantizer {
  return { ...grid, qmin: -(2 ** 40), qmax: 2 ** 40 };
}

/** The original network paired with itself, without grids: whatever is bounded then is arithmetic. */
export function withItself(network: PairedNetwork): PairedNetwork {
  const steps = network.steps.map((step): PairedStep => {
    if (step.kind !== "affine") return step;
    const { original: offset } = step.offset;
    return {
      ...step,
      terms: step.terms.map(({ input, map }) => ({
        input,
        map: { original: map.original, quantized: map.original },
      })),
      offset: { original: offset, quantized: offset },
    };
  });
  return withGrids({ ...network, steps }, () => undefined);
}
