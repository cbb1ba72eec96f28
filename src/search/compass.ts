/**
 * Looking for a best point by measuring few of them.
 *
 * @module
 */

/** How a compass search goes. */
export interface CompassOptions<T> {
  readonly start: readonly number[];
  /** First steps along each coordinate; they are halved where no neighbour is better. */
  readonly steps: readonly number[];
  /** How many different candidates are measured at most. */
  readonly trials: number;
  /** The candidate at a point. */
  candidate(point: readonly number[]): T;
  /** What makes candidates the same. */
  key(candidate: T): string;
  measure(candidate: T): Promise<number>;
}

/** What was measured. */
export interface Measured<T> {
  readonly candidate: T;
  readonly point: readonly number[];
  readonly value: number;
}

/** Steps are between these parts of the first ones. */
const SIZES = [1 / 16, 8] as const;
/** Rounds, of which most cost nothing, after which only the same candidates come up. */
const MOST_ROUNDS = 40;

/**
 * Compass search (Kolda, Lewis and Torczon, 2003): from the best point so far one step along each coordinate, both ways,
 * and half the steps where none of these is better. Points of the same candidate cost nothing; where all are the same,
 * steps are doubled.
 *
 * @returns Everything that was measured, in order; the first is that of the start.
 */
export async function compassSearch<T>(options: CompassOptions<T>): Promise<Measured<T>[]> {
  const { start, steps, trials } = options;
  const measured = new Map<string, Measured<T>>();
  const at = async (point: readonly number[]): Promise<Measured<T> | undefined> => {
    const candidate = options.candidate(point);
    const key = options.key(candidate);
    const known = measured.get(key);
    if (known !== undefined) return known;
    if (measured.size >= trials) return undefined;
    const found = { candidate, point, value: await options.measure(candidate) };
    measured.set(key, found);
    return found;
  };
  let best = (await at(start))!;
  let center = start;
  let size = 1;
  for (let round = 0; round < MOST_ROUNDS && measured.size < trials; round++) {
    let moved: { found: Measured<T>; point: readonly number[] } | undefined;
    let isAlone = true;
    for (let axis = 0; axis < start.length; axis++) {
      for (const direction of [1, -1]) {
        const point = center.map((value, index) =>
          index === axis ? value + direction * size * steps[axis]! : value
        );
        const found = await at(point);
        if (found !== best) isAlone = false;
        if (found !== undefined && found.value < (moved?.found ?? best).value) {
          moved = { found, point };
        }
      }
    }
    if (moved !== undefined) {
      best = moved.found;
      center = moved.point;
      continue;
    }
    size *= isAlone ? 2 : 0.5;
    if (size < SIZES[0] || size > SIZES[1]) break;
  }
  return [...measured.values()];
}
