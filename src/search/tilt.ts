/**
 * Other views of the same losses.
 *
 * A table says what a layer loses with all others float. Narrow layers together lose more or less than the sum: errors
 * add up or drown each other, and reconstruction makes up for early layers where late ones are wide. Both change losses
 * smoothly: by a power, and along the depth of the network. Which power and which slope fit is what trials of the
 * assignments that follow from them show.
 *
 * @module
 */

import type { SearchProblem } from "./problem.ts";

/** How losses are seen. */
export interface Tilt {
  /** The logarithm of the power: above 0, great losses count for more; far below, all layers are alike. */
  readonly power: number;
  /** Losses of the last layer over those of the first are exp(slope) times what they were. */
  readonly slope: number;
}

/** The table as it is. */
export const UPRIGHT: Tilt = { power: 0, slope: 0 };

/** The same problem with tilted losses, joint ones included. */
export function tiltProblem(problem: SearchProblem, { power, slope }: Tilt): SearchProblem {
  if (power === 0 && slope === 0) return problem;
  const exponent = Math.exp(power);
  const width = problem.widths.length;
  const count = problem.layers.length;
  // Relative to the greatest, so that powers neither overflow nor vanish.
  const greatest = problem.loss.reduce((most, loss) => Math.max(most, loss), 0) || 1;
  const depth = (layer: number) => count < 2 ? 0 : layer / (count - 1) - 0.5;
  const tilted = (loss: number, depth: number) =>
    (Math.max(loss, 0) / greatest) ** exponent * Math.exp(slope * depth);
  const loss = problem.loss.map((each, index) => tilted(each, depth(Math.floor(index / width))));
  return {
    ...problem,
    loss,
    blocks: problem.blocks.map(({ layers, choice, terms }) => ({
      layers,
      choice,
      terms: terms.map((term, set) => {
        const members = Array.from(layers).filter((_, bit) => (set >> bit & 1) === 1);
        if (members.length < 2) return 0;
        const sum = (losses: Float64Array) =>
          members.reduce((all, layer) => all + losses[layer * width + choice]!, 0);
        const middle = members.reduce((all, layer) => all + depth(layer), 0) / members.length;
        return tilted(sum(problem.loss) + term, middle) - sum(loss);
      }),
    })),
  };
}
