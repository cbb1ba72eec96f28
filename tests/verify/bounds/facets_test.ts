import assert from "node:assert/strict";
import { Random } from "../../../src/base/random.ts";
import type { ValueBounds } from "../../../src/verify/bounds/batch.ts";
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

Deno.test("planes of relaxations hold at every corner in exact arithmetic", () => {
  const random = Random.from(72, "exact");
  const positive = (x: bigint) => x > 0n ? x : 0n;
  let near = 0, checked = 0;
  for (let trial = 0; trial < 1500; trial++) {
    const { bounds } = neuron(random);
    const [zl, zu, yl, yu, el, eu] = sidesOf(bounds).map(exact) as [
      bigint,
      bigint,
      bigint,
      bigint,
      bigint,
      bigint,
    ];
    const r = newRelaxation(1);
    relaxRelu(bounds, 1, 0, undefined, r);
    const field = (name: string) => exact(r[name as keyof Relaxation][0]!);
    const [zs, ys, es] = [[zl, zu, 0n], [yl, yu, 0n], [el, eu]];
    const all = [
      ...zs.flatMap((z) => es.map((e) => [z, e] as const)),
      ...zs.flatMap((z) => ys.map((y) => [z, z - y] as const)),
      ...ys.flatMap((y) => es.map((e) => [y + e, e] as const)),
    ];
    for (const [z, e] of all) {
      const y = z - e;
      if (z < zl || z > zu || e < el || e > eu || y < yl || y > yu) continue;
      const g = (positive(z) - positive(y)) * UNIT;
      for (const which of [1n, -1n]) {
        const side = (name: string) => field(name) + which * field(`${name}Half`);
        const plane = side("gSlopeZ") * z + side("gSlopeE") * e + side("gConstant") * UNIT;
        const gap = which * (plane - g);
        assert.ok(gap >= 0n, `${which} at ${trial}`);
        if (Number(gap >> 1074n) < 1e-12 * Number(zu - zl)) near++;
        checked++;
      }
    }
  }
  assert.ok(checked > 10_000 && near > checked / 3, `${near} of ${checked} are near`);
});
