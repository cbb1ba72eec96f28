/**
 * What several charts have in common.
 *
 * @module
 */

import type { Html } from "../html/template.ts";
import type { Scale } from "./scale.ts";

/** How many colours there are. */
export const SERIES_COUNT = 8;

/** The class that gives a series its colour. */
export function seriesClass(series: number): string {
  return `series-${series % SERIES_COUNT + 1}`;
}

/** A coordinate without needless digits. */
export function pixels(value: number): number {
  return Math.round(value * 100) / 100;
}

/** Something for each tick of an axis. */
export function axisTicks(scale: Scale, draw: (at: number, tick: number) => Html): Html[] {
  return scale.ticks.map((tick) => draw(pixels(scale.at(tick)), tick));
}
