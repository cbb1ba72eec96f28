/**
 * When learning has stopped getting anywhere.
 *
 * @module
 */

/** Share of the steps at the end, in which roundings are decided and rates fall; they are made in any case. */
export const FINISH_SHARE = 0.2;

/** Windows over which the error may stay where it is. */
const PATIENCE = 2;
/** Windows of a whole run, where it has steps enough. */
const WINDOWS = 20;
const SHORTEST_WINDOW = 10;

/** What counts as standing still. */
export interface EarlyStop {
  /** By which share the mean error of a window must be below that of all windows before. */
  readonly share: number;
  /** The first step that counts. */
  readonly from: number;
}

/** How many steps a window of a run has. */
export function windowSteps(steps: number): number {
  return Math.max(SHORTEST_WINDOW, Math.round(steps / WINDOWS));
}

/** The step from which a run of that many is made in any case. */
export function finishStep(steps: number): number {
  return Math.round((1 - FINISH_SHARE) * steps);
}

/**
 * Whether the error of a run stands still: the last windows are no better than the best one before them.
 *
 * @param errors Of every step so far.
 * @param window Steps of a window.
 */
export function standsStill(
  errors: Float32Array,
  window: number,
  { share, from }: EarlyStop,
): boolean {
  const first = Math.ceil(from / window);
  const means: number[] = [];
  for (let index = first; (index + 1) * window <= errors.length; index++) {
    const part = errors.subarray(index * window, (index + 1) * window);
    means.push(part.reduce((sum, value) => sum + value, 0) / window);
  }
  if (means.length <= PATIENCE) return false;
  const before = Math.min(...means.slice(0, -PATIENCE));
  return Math.min(...means.slice(-PATIENCE)) > (1 - share) * before;
}
