/**
 * Where to write labels so that they hide nothing.
 *
 * @module
 */

import { textWidth } from "../../base/terminal_text.ts";

/** A point and what is to be written beside it; nothing, if that is empty. */
export interface Labelled {
  readonly x: number;
  readonly y: number;
  readonly text: string;
}

/** Part of a drawing; `top` is less than `bottom`. */
export interface Box {
  readonly left: number;
  readonly top: number;
  readonly right: number;
  readonly bottom: number;
}

const CHARACTER = 7;
const HEIGHT = 14;
const DISTANCE = 8;
/** Half the side of what a point covers. */
const POINT = 5;

/**
 * Finds the left end of the base line of each label: right of its point, left of it, above or below, whichever is
 * free first; `undefined` where none is.
 */
export function placeLabels(
  points: readonly Labelled[],
  inside: Box,
): ({ readonly x: number; readonly y: number } | undefined)[] {
  const taken: Box[] = points.map(({ x, y }) => ({
    left: x - POINT,
    top: y - POINT,
    right: x + POINT,
    bottom: y + POINT,
  }));
  return points.map(({ x, y, text }) => {
    if (text === "") return undefined;
    const width = CHARACTER * textWidth(text);
    const places = [
      { x: x + DISTANCE, y: y + 4 },
      { x: x - DISTANCE - width, y: y + 4 },
      { x: x - width / 2, y: y - DISTANCE - 2 },
      { x: x - width / 2, y: y + DISTANCE + HEIGHT - 3 },
      { x: x + DISTANCE, y: y - DISTANCE },
      { x: x + DISTANCE, y: y + DISTANCE + HEIGHT - 4 },
    ];
    for (const place of places) {
      const box = {
        left: place.x,
        top: place.y - HEIGHT + 3,
        right: place.x + width,
        bottom: place.y + 3,
      };
      if (!isWithin(box, inside) || taken.some((other) => overlap(box, other))) continue;
      taken.push(box);
      return place;
    }
    return undefined;
  });
}

function isWithin(box: Box, outer: Box): boolean {
  return box.left >= outer.left && box.right <= outer.right && box.top >= outer.top &&
    box.bottom <= outer.bottom;
}

function overlap(a: Box, b: Box): boolean {
  return a.left < b.right && b.left < a.right && a.top < b.bottom && b.top < a.bottom;
}
