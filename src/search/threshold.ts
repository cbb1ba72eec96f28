/**
 * The cheapest point of a front that is good enough when it is measured.
 *
 * @module
 */

/** How a threshold is looked for. */
export interface ThresholdOptions {
  /** Points by ascending cost; better ones cost more, as far as one knows. */
  readonly points: number;
  /** Where the threshold may be. */
  readonly guess: number;
  /** How many points are measured at most. */
  readonly trials: number;
  /** The cost of a point, to halve intervals by. */
  cost(point: number): number;
  isEnough(point: number): Promise<boolean>;
}

/**
 * Halves the costs between what is enough and what is not, from a guess on.
 *
 * @returns The cheapest point that was measured and is enough; `undefined` if none was.
 */
export async function findThreshold(options: ThresholdOptions): Promise<number | undefined> {
  const { points, cost } = options;
  // Below everything, nothing is enough; the last point was not measured yet.
  let low = -1;
  let high = points;
  let next = Math.min(Math.max(options.guess, 0), points - 1);
  // Steps away from the guess grow until the threshold is between two measured points.
  let stride = 0.05;
  for (let trial = 0; trial < options.trials && high - low > 1; trial++) {
    if (await options.isEnough(next)) high = next;
    else low = next;
    if (high - low <= 1) break;
    if (high === points) next = nearest(options, cost(low) * (1 + stride), low + 1, points - 1);
    else if (low < 0) next = nearest(options, cost(high) / (1 + stride), 0, high - 1);
    else {
      next = nearest(options, (cost(low) + cost(high)) / 2, low + 1, high - 1);
      continue;
    }
    stride *= 2;
  }
  return high === points ? undefined : high;
}

/** The point whose cost is nearest to one, between two points. */
function nearest(
  { cost }: ThresholdOptions,
  wanted: number,
  first: number,
  last: number,
): number {
  let [low, high] = [first, last];
  while (low < high) {
    const middle = (low + high) >>> 1;
    if (cost(middle) < wanted) low = middle + 1;
    else high = middle;
  }
  return low > first && wanted - cost(low - 1) < cost(low) - wanted ? low - 1 : low;
}
