import assert from "node:assert/strict";
import { Random } from "../../../src/base/random.ts";
import { isChain } from "../../../src/verify/bounds/dense/chain.ts";
import { kernelsOn, LANES } from "../../../src/verify/bounds/dense/kernels.ts";
import { Propagator } from "../../../src/verify/bounds/propagate.ts";
import { allRows } from "../../../src/verify/bounds/rows.ts";
import type { PairedNetwork, PairedStep } from "../../../src/verify/network/network.ts";
import { boxes, chain } from "../chains.ts";

/** How far numbers are apart, relative to the larger ones among them. */
function distance(a: Float64Array, b: Float64Array): number {
  const size = a.reduce((most, each) => Math.max(most, Math.abs(each)), 0);
  return a.reduce((most, each, at) => Math.max(most, Math.abs(each - b[at]!)), 0) / size;
}

Deno.test("kernels multiply as loops do, whatever rows are taken and however many", () => {
  const memory = new WebAssembly.Memory({ initial: 4 });
  const kernels = kernelsOn(memory);
  const numbers = new Float64Array(memory.buffer);
  const integers = new Int32Array(memory.buffer);
  const random = Random.from(1, "multiply");
  for (const [inner, columns] of [[1, 4], [3, 8], [17, 12], [50, 52]] as const) {
    const [a, offsets, matrix, c] = [0, 8192, 16384, 131072];
    const rows = Array.from({ length: inner }, () => random.integer(inner));
    for (let at = 0; at < inner * LANES; at++) numbers[a / 8 + at] = random.normal();
    for (let at = 0; at < inner * columns; at++) numbers[matrix / 8 + at] = random.normal();
    rows.forEach((row, at) => integers[offsets / 4 + at] = 8 * columns * row);
    for (const isAdded of [0, 1]) {
      for (let at = 0; at < columns * LANES; at++) numbers[c / 8 + at] = at;
      kernels.multiply(a, offsets, matrix, c, inner, columns, isAdded);
      for (let column = 0; column < columns; column++) {
        for (let lane = 0; lane < LANES; lane++) {
          let sum = 0;
          rows.forEach((row, at) => {
            sum += numbers[matrix / 8 + row * columns + column]! *
              numbers[a / 8 + at * LANES + lane]!;
          });
          const place = column * LANES + lane;
          assert.equal(numbers[c / 8 + place], isAdded ? place + sum : sum);
        }
      }
    }
  }
});

for (
  const [name, network, width] of [
    ["close networks", chain(1, [5, 12, 11, 10, 3], 1e-3), 0.3],
    ["close networks, wide boxes", chain(2, [5, 12, 11, 10, 3], 1e-3), 3],
    ["networks far apart", chain(3, [2, 9, 7, 2], 0.5), 0.5],
    ["rounded activations", chain(4, [3, 9, 8, 2], 1e-2, 0.01), 0.1],
    ["points", chain(5, [3, 9, 8, 2], 1e-2), 0],
    ["two matrices in a row", joined(chain(6, [3, 9, 8, 4], 1e-2)), 0.2],
  ] as const
) {
  Deno.test(`kernels bound what graphs bound: ${name}`, async () => {
    assert.ok(isChain(network));
    await using kernels = new Propagator(network, { engine: "kernels" });
    await using graphs = new Propagator(network, { engine: "graphs" });
    const random = Random.from(7, name);
    const batch = boxes(random, 11, network.input.size, width);
    const outputs = network.steps.at(-1)!.size;
    const [ours, theirs] = [
      await kernels.differences(batch.lower),
      await graphs.differences(batch.lower),
    ];
    assert.ok(distance(theirs, ours) < 1e-9);
    for (const inner of ["none", "values"] as const) {
      const states = [await kernels.propagate(batch, inner), await graphs.propagate(batch, inner)];
      for (const [value, bounds] of states[1]!.bounds) {
        const found = states[0]!.bounds.get(value)!;
        assert.ok(distance(bounds.zLower, found.zLower) < 1e-9, `${inner} zLower of ${value}`);
        assert.ok(distance(bounds.yUpper, found.yUpper) < 1e-9, `${inner} yUpper of ${value}`);
      }
      for (const view of ["z", "y", "merged", "joint"] as const) {
        const rows = allRows(batch.count, outputs);
        const results = [];
        for (const [at, propagator] of [kernels, graphs].entries()) {
          const isScored = view === "joint";
          const target = network.output;
          results.push(await propagator.boundRows(target, view, rows, states[at]!, isScored));
        }
        const [found, wanted] = results;
        const used = (bounds: Float64Array) => bounds.filter((_, at) => rows.sign[at] !== 0);
        assert.ok(distance(used(wanted!.bounds), used(found!.bounds)) < 1e-7, `${inner} ${view}`);
        if (view !== "joint" || width === 0) continue;
        const { size } = network.input;
        const same = Array.from({ length: batch.count }, (_, box) => {
          const of = (scores: Float64Array) => scores.slice(box * size, (box + 1) * size);
          return distance(of(wanted!.scores!), of(found!.scores!)) < 1e-4;
        });
        // Where two ways to write a sum are as good, roundings decide.
        assert.ok(same.filter((each) => !each).length <= 1, `${inner} scores`);
      }
    }
  });
}

/** The same with the last Relu left out. */
function joined(network: PairedNetwork): PairedNetwork {
  const last = network.steps.at(-1)!;
  const without = network.steps.slice(0, -2);
  const [term] = (last as Extract<PairedStep, { kind: "affine" }>).terms;
  const steps = [...without, { ...last, terms: [{ ...term!, input: without.length }] }];
  return { ...network, steps: steps as PairedStep[], output: steps.length };
}

Deno.test("what is known of a parent is taken instead of intervals, and bounds stay as tight", async () => {
  const network = chain(8, [3, 12, 11, 10, 2], 1e-3);
  await using kernels = new Propagator(network);
  const whole = boxes(Random.from(9, "parent"), 1, 3, 1);
  const half = { ...whole, upper: whole.upper.slice() };
  half.upper[0] = (whole.lower[0]! + whole.upper[0]!) / 2;
  const parent = await kernels.propagate(whole, "differences");
  const known = new Map([...kernels.nonlinearInputs].map((at) => [at, parent.bounds.get(at)!]));
  const [own, inherited] = [
    await kernels.propagate(half, "differences"),
    await kernels.propagate(half, "differences", known),
  ];
  const rows = allRows(1, 2);
  const bound = async (state: typeof own) =>
    (await kernels.boundRows(network.output, "joint", rows, state)).bounds;
  const [alone, better] = [await bound(own), await bound(inherited)];
  assert.ok(alone.every((each, at) => better[at]! >= each - 0.05 * Math.abs(each)));
});
