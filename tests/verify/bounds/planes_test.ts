import assert from "node:assert/strict";
import { Random } from "../../../src/base/random.ts";
import { type Plane, simplePlane, upperPlanes } from "../../../src/verify/bounds/planes.ts";

Deno.test("the simple plane is the one that is least at the middle", () => {
  const random = Random.from(71, "planes");
  const out: Plane = { p: 0, q: 0, c: 0 };
  const seen = new Set<number>();
  for (let trial = 0; trial < 20_000; trial++) {
    const ends = (middle: number, width: number) => {
      const from = middle + width * (random.uniform() - 1);
      return [from, from + width * random.uniform()] as const;
    };
    const [zl, zu] = ends(random.normal(), 2);
    const [el, eu] = ends(0, Math.exp(2 * random.normal() - 1));
    const [yl, yu] = [
      zl - eu + random.uniform() * (eu - el),
      zu - el - random.uniform() * (eu - el),
    ];
    if (yl >= yu) continue;
    simplePlane(zl, zu, yl, yu, el, eu, out);
    const [z, e] = [(zl + zu) / 2, (el + eu) / 2];
    const all = upperPlanes(zl, zu, yl, yu, el, eu);
    const values = all.map(({ p, q, c }) => p * z + q * e + c);
    const which = all.findIndex(({ p, q, c }) =>
      Math.abs(p - out.p) + Math.abs(q - out.q) + Math.abs(c - out.c) < 1e-12 * (1 + Math.abs(c))
    );
    assert.ok(which >= 0, `${JSON.stringify(out)} is none of ${JSON.stringify(all)}`);
    assert.ok(values[which]! <= Math.min(...values) + 1e-12);
    seen.add(which);
  }
  assert.ok(seen.size >= 3);
});
