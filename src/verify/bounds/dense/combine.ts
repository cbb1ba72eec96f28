/**
 * Linear combinations of rows of a matrix, each row's numbers side by side.
 *
 * @module
 */

import {
  add,
  addInt,
  advance,
  type Code,
  countDown,
  FunctionBuilder,
  get,
  i32,
  load,
  loadInt,
  loadSplat,
  mul,
  set,
  store,
  when,
  zeros,
} from "../../../engine/simd/assembler.ts";

/** Rows that are combined together: their number is filled up to a multiple of it. */
export const COMBINED = 4;

/** Columns that are combined together. */
const COLUMNS = 4;
const VECTORS = [0, 16];

/** The function `combine` of the kernels. */
export function combine(): FunctionBuilder {
  const f = new FunctionBuilder("combine", 11);
  const [weights, rows, count, places, sources, inner] = [0, 1, 2, 3, 4, 5];
  const [from, to, stride, columns, isAdded] = [6, 7, 8, 9, 10];
  const integer = () => f.local("i32");
  const [source, tiles, left, place, offset, row, column] = Array.from({ length: 7 }, integer);
  const heads = Array.from({ length: COMBINED }, integer);
  const targets = Array.from({ length: COMBINED }, integer);
  const sums = heads.map(() => VECTORS.map(() => f.local("v128")));
  const numbers = VECTORS.map(() => f.local("v128"));
  const weight = f.local("v128");
  const each = (code: (row: number, at: number) => Code): Code =>
    sums.flatMap((_, row) => VECTORS.flatMap((_, at) => code(row, at)));
  return f.add(countDown(
    count,
    COMBINED,
    heads.flatMap((head, at) => [
      ...set(head, addInt(loadInt(addInt(get(rows), i32(4 * at))), get(weights))),
      ...set(targets[at]!, get(to)),
      ...set(to, addInt(get(to), get(stride))),
    ]),
    set(source!, get(from)),
    set(tiles!, get(columns)),
    countDown(
      tiles!,
      COLUMNS,
      each((row, at) => set(sums[row]![at]!, zeros)),
      set(place!, get(places)),
      set(offset!, get(sources)),
      set(left!, get(inner)),
      countDown(
        left!,
        1,
        set(row!, addInt(loadInt(get(offset!)), get(source!))),
        set(column!, loadInt(get(place!))),
        VECTORS.flatMap((bytes, at) => set(numbers[at]!, load(get(row!), bytes))),
        sums.flatMap((own, at) => [
          ...set(weight, loadSplat(addInt(get(heads[at]!), get(column!)))),
          ...VECTORS.flatMap((_, vector) =>
            set(own[vector]!, add(get(own[vector]!), mul(get(numbers[vector]!), get(weight))))
          ),
        ]),
        advance(place!, 4),
        advance(offset!, 4),
      ),
      when(
        get(isAdded),
        each((row, at) =>
          set(
            sums[row]![at]!,
            add(load(get(targets[row]!), VECTORS[at]!), get(sums[row]![at]!)),
          )
        ),
      ),
      each((row, at) => store(get(targets[row]!), get(sums[row]![at]!), VECTORS[at]!)),
      targets.flatMap((each) => advance(each, 8 * COLUMNS)),
      advance(source!, 8 * COLUMNS),
    ),
    advance(rows, 4 * COMBINED),
  ));
}
