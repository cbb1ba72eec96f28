/**
 * Rows to be bounded: which element of which box, from above or from below.
 *
 * @module
 */

/** Rows of a batch to be bounded from below: `sign · value[index]`, in groups of `width` rows of one box. */
export interface Rows {
  readonly width: number;
  /** The box of each group. */
  readonly group: Int32Array;
  /** [groups × width]. */
  readonly index: Int32Array;
  /** 1 or −1; 0 for rows that only fill up. */
  readonly sign: Float64Array;
}

/** Widths of groups: with few rows in a group, copying what it reads costs more than the rows; wide ones are left unfilled. */
const WIDTHS = [2, 4, 6, 8, 10, 12, 16, 20, 24, 32];

/** What a group costs beside its rows, in rows. */
const GROUP_COST = 3;

/**
 * Groups the wanted rows of each box.
 *
 * @param wanted [boxes × 2·size]: not 0 where a row is wanted; row 2i bounds element i from below, row 2i + 1 from above.
 */
export function rowsOf(boxes: number, size: number, wanted: Uint8Array): Rows {
  const counts = new Int32Array(boxes);
  for (let box = 0, at = 0; box < boxes; box++) {
    let count = 0;
    for (const end = at + 2 * size; at < end; at++) if (wanted[at] !== 0) count++;
    counts[box] = count;
  }
  const width = widthFor(counts);
  let groups = 0;
  for (let box = 0; box < boxes; box++) groups += Math.ceil(counts[box]! / width);
  const rows = {
    width,
    group: new Int32Array(groups),
    index: new Int32Array(groups * width),
    sign: new Float64Array(groups * width),
  };
  let next = 0;
  for (let box = 0, at = 0; box < boxes; box++) {
    const used = Math.ceil(counts[box]! / width);
    let place = next * width;
    for (let row = 0; row < 2 * size; row++, at++) {
      if (wanted[at] === 0) continue;
      rows.index[place] = row >> 1;
      rows.sign[place++] = row % 2 === 0 ? 1 : -1;
    }
    rows.group.fill(box, next, next + used);
    next += used;
  }
  return rows;
}

/** Both rows of every element, for each box. */
export function allRows(boxes: number, size: number): Rows {
  return rowsOf(boxes, size, new Uint8Array(boxes * 2 * size).fill(1));
}

/** Groups `from` to `to`. */
export function cutRows(rows: Rows, from: number, to: number): Rows {
  const { width, group, index, sign } = rows;
  if (from === 0 && to >= group.length) return rows;
  return {
    width,
    group: group.slice(from, to),
    index: index.slice(from * width, to * width),
    sign: sign.slice(from * width, to * width),
  };
}

function widthFor(counts: Int32Array): number {
  let best = WIDTHS[0]!, least = Infinity;
  for (const width of WIDTHS) {
    let cost = 0;
    for (let box = 0; box < counts.length; box++) {
      cost += Math.ceil(counts[box]! / width) * (width + GROUP_COST);
    }
    if (cost < least) {
      least = cost;
      best = width;
    }
  }
  return best;
}
