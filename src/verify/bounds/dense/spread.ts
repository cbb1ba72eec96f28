/**
 * Sums of single blocks of rows, each times a number of its own: what maps do that only move and scale elements.
 *
 * @module
 */

import {
  add,
  addInt,
  advance,
  countDown,
  FunctionBuilder,
  get,
  load,
  loadInt,
  loadSplat,
  mul,
  set,
  store,
} from "../../../engine/simd/assembler.ts";

const VECTORS = [0, 16];

/** The function `spread` of the kernels. */
export function spread(): FunctionBuilder {
  const f = new FunctionBuilder("spread", 6);
  const [count, from, sources, to, targets, factors] = [0, 1, 2, 3, 4, 5];
  const [source, target] = [f.local("i32"), f.local("i32")];
  const factor = f.local("v128");
  return f.add(countDown(
    count,
    1,
    set(source, addInt(get(from), loadInt(get(sources)))),
    set(target, addInt(get(to), loadInt(get(targets)))),
    set(factor, loadSplat(get(factors))),
    VECTORS.flatMap((bytes) =>
      store(
        get(target),
        add(load(get(target), bytes), mul(get(factor), load(get(source), bytes))),
        bytes,
      )
    ),
    advance(sources, 4),
    advance(targets, 4),
    advance(factors, 8),
  ));
}
