import assert from "node:assert/strict";
import { Random } from "../../../src/base/random.ts";
import type { ValueBounds } from "../../../src/verify/bounds/batch.ts";
import { lowerPlanes, type Plane, upperPlanes } from "../../../src/verify/bounds/planes.ts";
import {
  newRelaxation,
  type Relaxation,
  relaxRelu,
  reluBounds,
} from "../../../src/verify/bounds/relu.ts";
import { neuron } from "../neurons.ts";

const relu = (x: number) => Math.max(x, 0);

function planesOf(
  { zLower, zUpper, yLower, yUpper, eLower, eUpper }: ValueBounds,
  make: typeof upperPlanes,
) {
  return make(zLower[0]!, zUpper[0]!, yLower[0]!, yUpper[0]!, eLower[0]!, eUpper[0]!);
}

const at = ({ p, q, c }: Plane, z: number, e: number) => p * z + q * e + c;

Deno.test("every plane holds at every point that the bounds allow", () => {
  const random = Random.from(3, "planes");
  let near = 0, checked = 0;
  for (let trial = 0; trial < 5000; trial++) {
    const { bounds, points } = neuron(random);
    const [over, under] = [planesOf(bounds, upperPlanes), planesOf(bounds, lowerPlanes)];
    for (const [z, e] of points) {
      const g = relu(z) - relu(z - e);
      const slack = 1e-12 * (1 + Math.abs(z) + Math.abs(e));
      for (const plane of over) assert.ok(at(plane, z, e) >= g - slack);
      for (const plane of under) assert.ok(at(plane, z, e) <= g + slack);
      const reach = 1e-3 * Math.abs(g);
      if (g !== 0 && over.some((plane) => at(plane, z, e) < g + reach)) near++;
      checked++;
    }
  }
  assert.ok(
    checked > 120000 && near > checked / 20,
    `${near} of ${checked} points were close to a plane`,
  );
});

Deno.test("points tell a plane that is wrong by two percent", () => {
  const random = Random.from(4, "planes");
  const caught = [0, 0, 0, 0];
  for (let trial = 0; trial < 3000; trial++) {
    const { bounds, points } = neuron(random);
    planesOf(bounds, upperPlanes).forEach((plane, which) => {
      const size = Math.abs(plane.p * bounds.zUpper[0]!) + Math.abs(plane.q * bounds.eUpper[0]!) +
        Math.abs(plane.c);
      const wrong = { ...plane, c: plane.c - 0.02 * size };
      if (points.some(([z, e]) => at(wrong, z, e) < relu(z) - relu(z - e) - 1e-12)) {
        caught[which]!++;
      }
    });
  }
  assert.ok(caught.every((count) => count > 100), `caught ${caught}`);
});

/** The upper (1) or lower (−1) side of a relaxed value at a point. */
function side(r: Relaxation, letter: "a" | "b" | "g", which: 1 | -1, z: number, e: number): number {
  const get = (field: string) => {
    const name = `${letter}${field}` as keyof Relaxation;
    return r[name][0]! + which * r[`${name}Half` as keyof Relaxation][0]!;
  };
  if (letter === "a") return get("Slope") * z + get("Constant");
  if (letter === "b") return get("Slope") * (z - e) + get("Constant");
  return get("SlopeZ") * z + get("SlopeE") * e + get("Constant");
}

Deno.test("relaxations are sound, and at the middle as good as the best of the simple planes, or better", () => {
  const random = Random.from(5, "relaxations");
  let gained = 0;
  for (let trial = 0; trial < 1500; trial++) {
    const { bounds, points } = neuron(random);
    const r = newRelaxation(1);
    relaxRelu(bounds, 1, 1e-15, undefined, r);
    const interval = reluBounds(bounds);
    for (const [z, e] of points) {
      const [a, b] = [relu(z), relu(z - e)];
      for (const [letter, value] of [["a", a], ["b", b], ["g", a - b]] as const) {
        const slack = 1e-15 * (Math.abs(z) + Math.abs(e));
        assert.ok(side(r, letter, 1, z, e) >= value - slack, `${letter} above at ${z}, ${e}`);
        assert.ok(side(r, letter, -1, z, e) <= value + slack, `${letter} below at ${z}, ${e}`);
      }
      const slack = 1e-15 * (1 + Math.abs(z) + Math.abs(e));
      assert.ok(a - b >= interval.eLower[0]! - slack && a - b <= interval.eUpper[0]! + slack);
    }
    const zc = (bounds.zLower[0]! + bounds.zUpper[0]!) / 2;
    const ec = (bounds.eLower[0]! + bounds.eUpper[0]!) / 2;
    if (bounds.zUpper[0]! <= 0 && bounds.yUpper[0]! <= 0) {
      assert.ok(Object.values(r).every(([number]) => number === 0), "off in both networks");
      continue;
    }
    // Bounds that contradict each other leave no point.
    if (points.length === 0) continue;
    const best = Math.min(...planesOf(bounds, upperPlanes).map((plane) => at(plane, zc, ec)));
    const made = side(r, "g", 1, zc, ec);
    assert.ok(made <= best + 1e-9 * (1 + Math.abs(best)));
    if (made < 0.99 * best) gained++;
  }
  assert.ok(gained > 50, `${gained}`);
});

Deno.test("relaxations leave room for noise of the affine step that is folded into them", () => {
  const random = Random.from(6, "noise");
  const within = (most: number) => most * [-1, 1, 2 * random.uniform() - 1][random.integer(3)]!;
  let tight = 0;
  for (let trial = 0; trial < 1500; trial++) {
    const { bounds, points } = neuron(random);
    const width = bounds.zUpper[0]! - bounds.zLower[0]!;
    const [zn, yn, en] = [0, 0, 0].map(() => 0.1 * width * random.uniform()) as [
      number,
      number,
      number,
    ];
    const [zb, yb] = [random.normal(), random.normal()];
    const eb = zb - yb;
    const r = newRelaxation(1);
    const noise = { z: Float64Array.of(zn), y: Float64Array.of(yn), e: Float64Array.of(en) };
    const [z0, y0, e0] = [zb, yb, eb].map((offset) => Float64Array.of(offset));
    relaxRelu(bounds, 1, 1e-15, { z: z0!, y: y0!, e: e0!, noise }, r);
    for (const [z, e] of points) {
      const y = z - e;
      // What the pass carries on: products with the inputs, offset and noise taken off.
      const [pz, py, pe] = [z - zb - within(zn), y - yb - within(yn), e - eb - within(en)];
      const read = (field: keyof Relaxation, which: number) =>
        r[field][0]! + which * r[`${field}Half` as keyof Relaxation][0]!;
      for (const which of [1, -1]) {
        const slack = 1e-12 * (1 + Math.abs(z) + Math.abs(e) + Math.abs(zb) + Math.abs(eb));
        const holds = (bound: number, value: number, what: string) => {
          assert.ok(which * (bound - value) >= -slack, `${what} ${which} at ${z}, ${e}`);
          if (Math.abs(bound - value) < 1e-3 * width) tight++;
        };
        holds(read("aSlope", which) * pz + read("aConstant", which), relu(z), "a");
        holds(read("bSlope", which) * py + read("bConstant", which), relu(y), "b");
        // The joint pass has no product of the quantized network: it is that of the original minus the difference.
        holds(read("bSlope", which) * (pz - pe) + read("bConstant", which), relu(y), "b of both");
        const g = read("gSlopeZ", which) * pz + read("gSlopeE", which) * pe;
        holds(g + read("gConstant", which), relu(z) - relu(y), "g");
      }
    }
  }
  assert.ok(tight > 1000, `${tight} bounds were nearly reached`);
});
