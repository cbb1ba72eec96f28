import assert from "node:assert/strict";
import { Random } from "../../../src/base/random.ts";
import { close, type ValueBounds } from "../../../src/verify/bounds/batch.ts";
import { choicesOf, type ElementwiseStep } from "../../../src/verify/bounds/choices.ts";
import { middleFacet, MOST_FACETS, upperFacets } from "../../../src/verify/bounds/facets.ts";
import { newRelaxation, type Relaxation, relaxRelu } from "../../../src/verify/bounds/relu.ts";
import { neuron } from "../neurons.ts";

type Six = [number, number, number, number, number, number];
type Point = readonly [number, number];

const relu = (x: number) => Math.max(x, 0);
const difference = ([z, e]: Point) => relu(z) - relu(z - e);

const sidesOf = (bounds: ValueBounds): Six => [
  bounds.zLower[0]!,
  bounds.zUpper[0]!,
  bounds.yLower[0]!,
  bounds.yUpper[0]!,
  bounds.eLower[0]!,
  bounds.eUpper[0]!,
];

/** Where two of the sides, or a side and a kink, meet within all bounds. */
function meetings([zl, zu, yl, yu, el, eu]: Six): Point[] {
  const [zs, ys, es] = [[zl, zu, 0], [yl, yu, 0], [el, eu]];
  const all: Point[] = [
    ...zs.flatMap((z) => es.map((e): Point => [z, e])),
    ...zs.flatMap((z) => ys.map((y): Point => [z, z - y])),
    ...ys.flatMap((y) => es.map((e): Point => [y + e, e])),
  ];
  const slack = 1e-12 * (Math.abs(zl) + Math.abs(zu) + Math.abs(el) + Math.abs(eu));
  const within = (x: number, from: number, to: number) => x >= from - slack && x <= to + slack;
  return all.filter(([z, e]) => within(z, zl, zu) && within(e, el, eu) && within(z - e, yl, yu));
}

/** The least concave function over g at a point: the highest triangle or segment of points that holds it. */
function envelope(points: readonly Point[], [z, e]: Point, zSize: number, eSize: number): number {
  let most = -Infinity;
  points.forEach((a, i) =>
    points.slice(0, i).forEach((b, j) =>
      points.slice(0, j).forEach((c) => {
        const cross = (p: Point, q: Point, r: Point) =>
          ((q[0] - p[0]) * (r[1] - p[1]) - (q[1] - p[1]) * (r[0] - p[0])) / (zSize * eSize);
        const area = cross(a, b, c);
        if (Math.abs(area) < 1e-7) return;
        const at: Point = [z, e];
        const shares = [cross(at, b, c), cross(a, at, c), cross(a, b, at)].map((x) => x / area);
        if (shares.some((share) => share < -1e-9)) return;
        const [x, y, w] = shares as [number, number, number];
        most = Math.max(most, x * difference(a) + y * difference(b) + w * difference(c));
      })
    )
  );
  return most;
}

Deno.test("facets are the least concave function over the difference of two Relus", () => {
  const random = Random.from(71, "facets");
  const out = new Float64Array(3 * MOST_FACETS);
  let open = 0;
  for (let trial = 0; trial < 1500; trial++) {
    const { bounds, points } = neuron(random);
    const sides = sidesOf(bounds);
    const [zl, zu, yl, yu, el, eu] = sides;
    const count = upperFacets(...sides, out);
    if (!(zl < zu && yl < yu && el < eu)) continue;
    assert.ok(count > 0);
    const facets = Array.from({ length: count }, (_, at) => out.slice(3 * at, 3 * at + 3));
    const over = ([z, e]: Point) => Math.min(...facets.map(([p, q, c]) => p! * z + q! * e + c!));
    const slack = 1e-9 * (eu - el);
    for (const point of points) {
      assert.ok(over(point) >= difference(point) - 1e-13 * (zu - zl + Math.abs(point[0])));
    }
    const middle: Point = [(zl + zu) / 2, (el + eu) / 2];
    const [plane, corners] = [{ p: 0, q: 0, c: 0 }, meetings(sides)];
    assert.ok(middleFacet(...sides, plane));
    const least = over(middle);
    assert.ok(Math.abs(plane.p * middle[0] + plane.q * middle[1] + plane.c - least) <= slack);
    // Where an interpolation has to divide by little, the reference says less than the facets do.
    for (const point of [middle, ...points.slice(0, 3)]) {
      const reference = envelope(corners, point, zu - zl, eu - el);
      if (reference === -Infinity) continue;
      assert.ok(over(point) >= reference - slack && over(point) <= reference + 1e-6 * (eu - el));
    }
    if (zl < 0 && zu > 0 && yl < 0 && yu > 0) open++;
  }
  assert.ok(open > 300, `${open}`);
});

Deno.test("bounds that leave no area have no facets", () => {
  const plane = { p: 7, q: 7, c: 7 };
  assert.equal(middleFacet(-1, 1, -1, 1, 0, 0, plane), false);
  assert.equal(middleFacet(0.5, 0.5, -1, 1, -0.5, 1.5, plane), false);
  assert.equal(middleFacet(-Infinity, 1, -1, 1, -1, 1, plane), false);
  // A range of nothing but roundings.
  const tiny = [-3.5e-323, 3.5e-323, -1.2e-13, 0.0058, -0.0058, 1.2e-13] as const;
  assert.equal(middleFacet(...tiny, plane), false);
  assert.deepEqual(plane, { p: 7, q: 7, c: 7 });
  assert.equal(upperFacets(-1, 1, -1, 1, 0, 0, new Float64Array(3 * MOST_FACETS)), 0);
});

/** A number as a whole multiple of 2⁻¹⁰⁷⁴. */
function exact(value: number): bigint {
  const view = new DataView(new ArrayBuffer(8));
  view.setFloat64(0, value);
  const bits = view.getBigUint64(0);
  const exponent = bits >> 52n & 0x7ffn;
  const fraction = bits & 0xfffffffffffffn;
  const size = exponent === 0n ? fraction : (fraction | 1n << 52n) << exponent - 1n;
  return bits >> 63n === 1n ? -size : size;
}

const UNIT = 1n << 1074n;

/** z, e and g where sides or kinks meet within all bounds, without any rounding. */
function exactCorners(sides: Six): (readonly [bigint, bigint, bigint])[] {
  const [zl, zu, yl, yu, el, eu] = sides.map(exact) as [
    bigint,
    bigint,
    bigint,
    bigint,
    bigint,
    bigint,
  ];
  const [zs, ys, es] = [[zl, zu, 0n], [yl, yu, 0n], [el, eu]];
  const positive = (x: bigint) => x > 0n ? x : 0n;
  return [
    ...zs.flatMap((z) => es.map((e) => [z, e] as const)),
    ...zs.flatMap((z) => ys.map((y) => [z, z - y] as const)),
    ...ys.flatMap((y) => es.map((e) => [y + e, e] as const)),
  ].filter(([z, e]) => z >= zl && z <= zu && e >= el && e <= eu && z - e >= yl && z - e <= yu).map((
    [z, e],
  ) => [z, e, positive(z) - positive(z - e)]);
}

/** The same, where corners are nearly, but not quite, the same, or ranges of very different widths. */
function nearlyEqual(random: Random): ValueBounds {
  const zl = -Math.exp(random.normal()), zu = Math.exp(random.normal());
  const scale = 10 ** (-14 * random.uniform());
  const el = scale * (random.uniform() - 0.7), eu = el + scale * random.uniform();
  const tiny = () => random.integer(3) === 0 ? 0 : scale * 10 ** (-16 * random.uniform());
  const bounds: ValueBounds = {
    zLower: Float64Array.of(zl),
    zUpper: Float64Array.of(zu),
    yLower: Float64Array.of(zl - eu + tiny()),
    yUpper: Float64Array.of(zu - el - tiny()),
    eLower: Float64Array.of(el),
    eUpper: Float64Array.of(eu),
  };
  // Bounds need not be what the others leave, nor be rounded outward.
  if (random.integer(2) === 0) close(bounds);
  return bounds;
}

for (
  const [name, make] of [["any", (random: Random) => neuron(random).bounds], [
    "nearly equal corners",
    nearlyEqual,
  ]] as const
) {
  Deno.test(`planes of relaxations hold at every corner in exact arithmetic: ${name}`, () => {
    const random = Random.from(72, name);
    let near = 0, checked = 0;
    for (let trial = 0; trial < 1500; trial++) {
      const bounds = make(random);
      const [r, sides] = [newRelaxation(1), sidesOf(bounds)];
      relaxRelu(bounds, 1, 0, undefined, r);
      const field = (name: string) => exact(r[name as keyof Relaxation][0]!);
      const limit = exact(1e-14 * (sides[1] - sides[0])) * UNIT;
      for (const which of [1n, -1n]) {
        const side = (name: string) => field(name) + which * field(`${name}Half`);
        const [p, q, c] = [side("gSlopeZ"), side("gSlopeE"), side("gConstant")];
        for (const [z, e, g] of exactCorners(sides)) {
          const gap = which * (p * z + q * e + c * UNIT - g * UNIT);
          assert.ok(gap >= 0n, `${which} at ${trial}`);
          if (gap < limit) near++;
          checked++;
        }
      }
    }
    assert.ok(checked > 10_000 && near > checked / 3, `${near} of ${checked} are near`);
  });
}

Deno.test("choices of planes hold at every corner in exact arithmetic, with the room that is left", () => {
  const random = Random.from(73, "choices");
  const step = { kind: "relu", input: 0, size: 1, dims: [1], names: {} };
  let checked = 0;
  for (let trial = 0; trial < 1500; trial++) {
    const bounds = trial % 2 === 0 ? nearlyEqual(random) : neuron(random).bounds;
    const r = newRelaxation(1);
    relaxRelu(bounds, 1, 0, undefined, r);
    const { table, counts, relaxed, room } = choicesOf(
      step as unknown as ElementwiseStep,
      0,
      bounds,
      r,
      0,
      0,
    );
    if (relaxed.length === 0) continue;
    const corners = exactCorners(sidesOf(bounds));
    let from = 2 * (counts[0] + counts[1] + counts[2] + counts[3]);
    for (let plane = 0; plane < counts[4] + counts[5]; plane++, from += 3) {
      const which = plane < counts[4] ? 1n : -1n;
      const [p, q, c] = [table[from]!, table[from + 1]!, table[from + 2]!].map(exact) as [
        bigint,
        bigint,
        bigint,
      ];
      for (const [z, e, g] of corners) {
        const gap = which * (p * z + q * e + c * UNIT - g * UNIT) + exact(room[0]!) * UNIT;
        assert.ok(gap >= 0n, `plane ${plane} at ${trial}`);
        checked++;
      }
    }
  }
  assert.ok(checked > 50_000, `${checked}`);
});
