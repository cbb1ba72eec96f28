/**
 * What backward passes compute, on blocks of {@linkcode LANES} rows side by side: coefficient n of row r of a block
 * stands at n·LANES + r. The numbers of a neuron are the same for all rows of a block, so every instruction works on
 * rows, whatever the sizes of layers.
 *
 * @module
 */

import {
  abs,
  add,
  addInt,
  advance,
  and,
  andNot,
  assemble,
  type Code,
  countDown,
  FunctionBuilder,
  get,
  greater,
  load,
  loadInt,
  loadSplat,
  max,
  mul,
  neg,
  select,
  set,
  store,
  sub,
  when,
  zeros,
} from "../../../engine/simd/assembler.ts";
import { RELAXATION_FIELDS } from "../relu.ts";
import { combine } from "./combine.ts";
import { spread } from "./spread.ts";

/** Rows of a block. */
export const LANES = 4;

/** Columns that are multiplied together: matrices are filled up to a multiple of it. */
export const COLUMNS = 4;

/** Numbers of one neuron: the fields of its relaxation in their order. */
export const RECORD = RELAXATION_FIELDS.length;

/** Where the lines of one network, and those of the difference, begin in a record, in bytes. */
export const LINES = {
  z: 8 * RELAXATION_FIELDS.indexOf("aSlope"),
  y: 8 * RELAXATION_FIELDS.indexOf("bSlope"),
  difference: 8 * RELAXATION_FIELDS.indexOf("gSlopeZ"),
};

const VECTORS = [0, 16];
const BLOCK = 8 * LANES;

/** Addresses are bytes. Counts must be above 0. */
export interface Kernels {
  /**
   * C[n] ← Σₖ B[k][n]·A[k], or C[n] + that, for n below `columns`, a multiple of {@linkcode COLUMNS}: A and C are blocks,
   * and B[k] stands at `matrix` + `offsets[k]`.
   */
  multiply(
    a: number,
    offsets: number,
    matrix: number,
    c: number,
    inner: number,
    columns: number,
    isAdded: number,
  ): void;
  /** c ← c·slope − |c|·half in place, and constant ← constant + Σ c·constant − |c|·half, of one network's lines. */
  relax(c: number, record: number, count: number, constant: number): void;
  /** Only the constants, from pairs of numbers that are `stride` bytes apart. */
  charge(c: number, pair: number, stride: number, count: number, constant: number): void;
  /** The joint choice on pairs of coefficients, in place; what relaxations cost at the middle is added to `gaps`. */
  joint(v: number, w: number, record: number, count: number, constant: number, gaps: number): void;
  /** The same where each network is relaxed for itself. */
  merged(v: number, w: number, record: number, count: number, constant: number): void;
  /**
   * C[r][n] ← Σₖ A[r][k]·B[k][n], or C[r][n] + that, for n below `columns`, a multiple of {@linkcode COLUMNS}, and r below
   * `count`, a multiple of four: A[r][k] stands at `weights` + `rows[r]` + `places[k]`, B[k] at `from` + `sources[k]`, and
   * C[r] at `to` + r·`stride`.
   */
  combine(
    weights: number,
    rows: number,
    count: number,
    places: number,
    sources: number,
    inner: number,
    from: number,
    to: number,
    stride: number,
    columns: number,
    isAdded: number,
  ): void;
  /** C[`targets[i]`] ← C[`targets[i]`] + `factors[i]`·B[`sources[i]`] for i below `count`, one after another; blocks. */
  spread(
    count: number,
    from: number,
    sources: number,
    to: number,
    targets: number,
    factors: number,
  ): void;
}

let compiled: WebAssembly.Module | undefined;

/** The kernels on a memory. */
export function kernelsOn(memory: WebAssembly.Memory): Kernels {
  compiled ??= new WebAssembly.Module(
    assemble([multiply(), relax(), charge(), joint(), merged(), combine(), spread()]),
  );
  const { exports } = new WebAssembly.Instance(compiled, { env: { memory } });
  return exports as unknown as Kernels;
}

const FIELD = Object.fromEntries(
  RELAXATION_FIELDS.map((field, at) => [field, 8 * at]),
) as Readonly<Record<typeof RELAXATION_FIELDS[number], number>>;

function multiply(): FunctionBuilder {
  const f = new FunctionBuilder("multiply", 7);
  const [a, offsets, matrix, c, inner, columns, isAdded] = [0, 1, 2, 3, 4, 5, 6];
  const [coefficients, offset, row, left] = ["i32", "i32", "i32", "i32"].map(() => f.local("i32"));
  const rows = VECTORS.map(() => f.local("v128"));
  const sums = Array.from({ length: COLUMNS }, () => VECTORS.map(() => f.local("v128")));
  const weight = f.local("v128");
  const each = (code: (column: number, at: number) => Code): Code =>
    sums.flatMap((_, column) => VECTORS.flatMap((_, at) => code(column, at)));
  return f.add(countDown(
    columns,
    COLUMNS,
    each((column, at) => set(sums[column]![at]!, zeros)),
    set(coefficients!, get(a)),
    set(offset!, get(offsets)),
    set(left!, get(inner)),
    countDown(
      left!,
      1,
      set(row!, addInt(loadInt(get(offset!)), get(matrix))),
      VECTORS.flatMap((bytes, at) => set(rows[at]!, load(get(coefficients!), bytes))),
      sums.flatMap((own, column) => [
        ...set(weight, loadSplat(get(row!), 8 * column)),
        ...VECTORS.flatMap((_, at) =>
          set(own[at]!, add(get(own[at]!), mul(get(rows[at]!), get(weight))))
        ),
      ]),
      advance(coefficients!, BLOCK),
      advance(offset!, 4),
    ),
    when(
      get(isAdded),
      each((column, at) => {
        const place = BLOCK * column + VECTORS[at]!;
        return set(sums[column]![at]!, add(load(get(c), place), get(sums[column]![at]!)));
      }),
    ),
    each((column, at) => store(get(c), get(sums[column]![at]!), BLOCK * column + VECTORS[at]!)),
    advance(c, BLOCK * COLUMNS),
    advance(matrix, 8 * COLUMNS),
  ));
}

/** x·middle − |x|·half. */
const line = (x: Code, size: Code, middle: Code, half: Code): Code =>
  sub(mul(x, middle), mul(size, half));

/** Adds what was summed up to the constants in memory. */
const finish = (constant: number, sums: readonly number[]): Code =>
  VECTORS.flatMap((bytes, at) =>
    store(get(constant), add(load(get(constant), bytes), get(sums[at]!)), bytes)
  );

function relax(): FunctionBuilder {
  const f = new FunctionBuilder("relax", 4);
  const [c, record, count, constant] = [0, 1, 2, 3];
  const sums = VECTORS.map(() => f.local("v128"));
  const numbers = [0, 1, 2, 3].map(() => f.local("v128"));
  const [x, size] = [f.local("v128"), f.local("v128")];
  const [slope, slopeHalf, middle, half] = numbers.map((each) => get(each));
  return f.add(
    countDown(
      count,
      1,
      numbers.flatMap((each, at) => set(each, loadSplat(get(record), 8 * at))),
      VECTORS.flatMap((bytes, at) => [
        ...set(x, load(get(c), bytes)),
        ...set(size, abs(get(x))),
        ...set(sums[at]!, add(get(sums[at]!), line(get(x), get(size), middle!, half!))),
        ...store(get(c), line(get(x), get(size), slope!, slopeHalf!), bytes),
      ]),
      advance(c, BLOCK),
      advance(record, 8 * RECORD),
    ),
    finish(constant, sums),
  );
}

function charge(): FunctionBuilder {
  const f = new FunctionBuilder("charge", 5);
  const [c, pair, stride, count, constant] = [0, 1, 2, 3, 4];
  const sums = VECTORS.map(() => f.local("v128"));
  const [middle, half, x] = [f.local("v128"), f.local("v128"), f.local("v128")];
  return f.add(
    countDown(
      count,
      1,
      set(middle, loadSplat(get(pair))),
      set(half, loadSplat(get(pair), 8)),
      VECTORS.flatMap((bytes, at) => [
        ...set(x, load(get(c), bytes)),
        ...set(
          sums[at]!,
          add(get(sums[at]!), line(get(x), abs(get(x)), get(middle), get(half))),
        ),
      ]),
      advance(c, BLOCK),
      set(pair, addInt(get(pair), get(stride))),
    ),
    finish(constant, sums),
  );
}

/** Reads from the record at an address: a field, and a coefficient times one with its half-width. */
function fieldsOf(record: number) {
  const field = (name: keyof typeof FIELD) => loadSplat(get(record), FIELD[name]);
  const along = (name: keyof typeof FIELD, coefficient: number, size: number) =>
    line(get(coefficient), get(size), field(name), field(`${name}Half` as keyof typeof FIELD));
  return { field, along };
}

function joint(): FunctionBuilder {
  const f = new FunctionBuilder("joint", 6);
  const [v, w, record, count, constant, gaps] = [0, 1, 2, 3, 4, 5];
  const sums = VECTORS.map(() => f.local("v128"));
  const local = () => f.local("v128");
  const [x, y, u, minus, sizeX, sizeY, sizeU] = Array.from({ length: 7 }, local);
  const [first, second, third, isThird, isSecond] = Array.from({ length: 5 }, local);
  const [a, b, g, sizeA, sizeB, sizeG, onY, gap] = Array.from({ length: 8 }, local);
  const { field, along } = fieldsOf(record);
  return f.add(
    countDown(
      count,
      1,
      set(gap!, zeros),
      VECTORS.flatMap((bytes, at) => [
        ...set(x!, load(get(v), bytes)),
        ...set(y!, load(get(w), bytes)),
        ...set(u!, add(get(x!), get(y!))),
        ...set(minus!, neg(get(y!))),
        ...set(sizeX!, abs(get(x!))),
        ...set(sizeY!, abs(get(y!))),
        ...set(sizeU!, abs(get(u!))),
        ...set(first!, add(along("aValue", x!, sizeX!), along("gValue", y!, sizeY!))),
        ...set(second!, add(along("aValue", u!, sizeU!), along("bValue", minus!, sizeY!))),
        ...set(third!, add(along("bValue", x!, sizeX!), along("gValue", u!, sizeU!))),
        ...set(isThird!, greater(get(third!), max(get(first!), get(second!)))),
        ...set(isSecond!, andNot(greater(get(second!), get(first!)), get(isThird!))),
        ...set(a!, andNot(select(get(isSecond!), get(u!), get(x!)), get(isThird!))),
        ...set(b!, select(get(isThird!), get(x!), and(get(minus!), get(isSecond!)))),
        ...set(g!, select(get(isThird!), get(u!), andNot(get(y!), get(isSecond!)))),
        ...set(sizeA!, abs(get(a!))),
        ...set(sizeB!, abs(get(b!))),
        ...set(sizeG!, abs(get(g!))),
        ...set(
          sums[at]!,
          add(
            get(sums[at]!),
            add(
              add(along("aConstant", a!, sizeA!), along("bConstant", b!, sizeB!)),
              along("gConstant", g!, sizeG!),
            ),
          ),
        ),
        ...set(onY!, along("bSlope", b!, sizeB!)),
        ...store(
          get(v),
          add(add(along("aSlope", a!, sizeA!), along("gSlopeZ", g!, sizeG!)), get(onY!)),
          bytes,
        ),
        ...store(get(w), sub(along("gSlopeE", g!, sizeG!), get(onY!)), bytes),
        ...set(
          gap!,
          add(
            get(gap!),
            add(
              add(mul(get(sizeA!), field("aValueHalf")), mul(get(sizeB!), field("bValueHalf"))),
              mul(get(sizeG!), field("gValueHalf")),
            ),
          ),
        ),
      ]),
      store(get(gaps), add(load(get(gaps)), get(gap!))),
      advance(v, BLOCK),
      advance(w, BLOCK),
      advance(record, 8 * RECORD),
      advance(gaps, 16),
    ),
    finish(constant, sums),
  );
}

function merged(): FunctionBuilder {
  const f = new FunctionBuilder("merged", 5);
  const [v, w, record, count, constant] = [0, 1, 2, 3, 4];
  const sums = VECTORS.map(() => f.local("v128"));
  const [u, minus, sizeU, sizeW, onY] = Array.from({ length: 5 }, () => f.local("v128"));
  const { along } = fieldsOf(record);
  return f.add(
    countDown(
      count,
      1,
      VECTORS.flatMap((bytes, at) => [
        ...set(u!, add(load(get(v), bytes), load(get(w), bytes))),
        ...set(minus!, neg(load(get(w), bytes))),
        ...set(sizeU!, abs(get(u!))),
        ...set(sizeW!, abs(get(minus!))),
        ...set(
          sums[at]!,
          add(
            get(sums[at]!),
            add(along("aConstant", u!, sizeU!), along("bConstant", minus!, sizeW!)),
          ),
        ),
        ...set(onY!, along("bSlope", minus!, sizeW!)),
        ...store(get(v), add(along("aSlope", u!, sizeU!), get(onY!)), bytes),
        ...store(get(w), neg(get(onY!)), bytes),
      ]),
      advance(v, BLOCK),
      advance(w, BLOCK),
      advance(record, 8 * RECORD),
    ),
    finish(constant, sums),
  );
}
