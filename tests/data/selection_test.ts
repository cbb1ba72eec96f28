import assert from "node:assert/strict";
import fc from "fast-check";
import { openDataset } from "../../src/data/recipe.ts";
import { selectionRecipe, selectItems } from "../../src/data/selection.ts";
import type { DatasetSpec } from "../../src/data/spec.ts";
import { describe, everything, fails, Folder, idxBytes, open, values } from "./opening.ts";

function select(count: number, fields: Omit<DatasetSpec, "idx">): number[] {
  return [...selectItems(count, selectionRecipe({ idx: "x", ...fields } as DatasetSpec), "x")];
}

const sizes = fc.integer({ min: 2, max: 500 });

Deno.test("without settings, all items come in order", () => {
  assert.deepEqual(select(4, {}), [0, 1, 2, 3]);
});

Deno.test("equal parts are a partition, of sizes that differ by at most one", () => {
  fc.assert(fc.property(sizes, fc.integer({ min: 2, max: 9 }), fc.integer(), (count, of, seed) => {
    fc.pre(count >= of);
    const parts = Array.from(
      { length: of },
      (_, index) => select(count, { split: { of, part: index + 1, seed } }),
    );
    const all = parts.flat().sort((a, b) => a - b);
    assert.deepEqual(all, select(count, {}));
    const lengths = parts.map((part) => part.length);
    assert.ok(Math.max(...lengths) - Math.min(...lengths) <= 1);
    for (const part of parts) assert.deepEqual(part, part.toSorted((a, b) => a - b));
  }));
});

Deno.test("named parts are a partition in whatever order they are listed", () => {
  const fraction = fc.double({ min: .05, max: .45, noNaN: true });
  fc.assert(
    fc.property(fc.integer({ min: 50, max: 500 }), fraction, fraction, (count, first, second) => {
      const third = 1 - first - second;
      const a = select(count, { split: { of: { a: first, b: second, c: third }, part: "a" } });
      const b = select(count, { split: { of: { c: third, b: second, a: first }, part: "b" } });
      const c = select(count, { split: { of: { b: second, a: first, c: third }, part: "c" } });
      assert.deepEqual([...a, ...b, ...c].sort((x, y) => x - y), select(count, {}));
      assert.ok(Math.abs(a.length - first * count) <= 1);
    }),
  );
});

Deno.test("shuffling is a permutation that its seed decides", () => {
  fc.assert(fc.property(sizes, fc.integer(), (count, shuffle) => {
    const items = select(count, { shuffle });
    assert.deepEqual(items.toSorted((a, b) => a - b), select(count, {}));
    assert.deepEqual(items, select(count, { shuffle }));
  }));
  assert.notDeepEqual(select(100, { shuffle: 0 }), select(100, { shuffle: 1 }));
});

Deno.test("skip and take are a slice of what shuffle and split leave", () => {
  fc.assert(fc.property(sizes, fc.integer(), fc.nat(), fc.nat(), (count, shuffle, a, b) => {
    const split = { of: 2, part: 1 };
    const all = select(count, { split, shuffle });
    const skip = a % all.length;
    const take = 1 + b % (all.length - skip);
    assert.deepEqual(select(count, { split, shuffle, skip, take }), all.slice(skip, skip + take));
  }));
});

Deno.test("the order of a seed never changes", () => {
  // Frozen: another order would silently be other calibration data under the same recipe.
  assert.deepEqual(select(10, { shuffle: 0 }), [5, 0, 3, 4, 7, 1, 6, 2, 8, 9]);
  assert.deepEqual(select(10, { split: { of: 2, part: 1 } }), [0, 2, 3, 6, 9]);
});

Deno.test("a selection of nothing, or of more than there is, says so", async () => {
  using folder = new Folder();
  folder.write("x", idxBytes([4, 1], [1, 2, 3, 4]));
  const at = (fields: object) => () => open({ idx: "x", ...fields }, folder.path);
  await fails(at({ take: 9 }), {
    message: 'take asks for 9 items: "x" has 4',
    hint: "Leave out take to use all of them",
    path: ["take"],
  }, folder);
  await fails(at({ skip: 3, take: 2 }), {
    message: 'take asks for 2 items: "x" has 1 after skip: 3',
  }, folder);
  await fails(at({ skip: 4 }), {
    message: 'skip leaves no item: "x" has 4 items to choose from, skip is 4',
    path: ["skip"],
  }, folder);
  await fails(at({ split: { of: 9, part: 1 } }), {
    message: 'split leaves no item of the 4 items of "x"',
    path: ["split"],
  }, folder);
  await fails(at({ split: { of: 2, part: 3 } }), {
    message: "split.part must be a number from 1 to 2: current value is 3",
    path: ["split", "part"],
  });
  await fails(at({ split: { of: { a: .5, b: .5 }, part: "c" } }), {
    message: 'split.part must be one of "a", "b": current value is "c"',
  });
  await fails(at({ split: { of: { a: .5, b: .6 }, part: "a" } }), {
    message: "The fractions of split.of must add up to 1: they add up to 1.1",
    path: ["split", "of"],
  });
});

Deno.test("a recipe says what, not where: the same bytes elsewhere are the same recipe", async () => {
  using one = new Folder();
  using other = new Folder();
  one.write("a/x-images-idx3-ubyte", idxBytes([2, 1, 1], [1, 2]));
  other.write("b", idxBytes([2, 1, 1], [1, 2]));
  const first = await describe({ idx: "a/x" }, one.path);
  const second = await describe({
    idx: "b",
    preprocess: { scale: "1/255", mean: [0], channels: "luma", layout: "nchw", dtype: "float32" },
    skip: 0,
  }, other.path);
  assert.deepEqual(first.recipe, second.recipe);
  const changed = await describe({ idx: "b", preprocess: { mean: 1 } }, other.path);
  assert.notDeepEqual(first.recipe, changed.recipe);
});

Deno.test("a file that changes after it was described is noticed", async () => {
  using folder = new Folder();
  const path = folder.write("x", idxBytes([2, 1], [1, 2]));
  const { recipe, files } = await describe({ idx: "x" }, folder.path);
  const resolve = (digest: string) => files.get(digest)!;
  assert.deepEqual(values(await everything(await openDataset(recipe, resolve))), [1, 2]);
  folder.write("x", idxBytes([2, 1], [1, 3]));
  await fails(() => openDataset(recipe, resolve), {
    message: 'File "x" changed since the run was planned',
    hint: "Run again",
  }, folder);
  Deno.removeSync(path);
  await fails(() => openDataset(recipe, resolve), { message: 'File "x" does not exist' }, folder);
});
