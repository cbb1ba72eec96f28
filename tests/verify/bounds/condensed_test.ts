import assert from "node:assert/strict";
import { compareExact, exactDifference } from "../../../bench/soundness/exact.ts";
import { Random } from "../../../src/base/random.ts";
import { BOUND_FIELDS } from "../../../src/verify/bounds/batch.ts";
import { CondensedBounder } from "../../../src/verify/bounds/condensed/bounder.ts";
import { reducedOf, relaxedCount } from "../../../src/verify/bounds/condensed/reduced.ts";
import { kernelsOn } from "../../../src/verify/bounds/dense/kernels.ts";
import { Propagator } from "../../../src/verify/bounds/propagate.ts";
import type { PairedNetwork } from "../../../src/verify/network/network.ts";
import { valuesOf } from "../../../src/verify/network/evaluate.ts";
import { Expander, type ExpandRequest } from "../../../src/verify/split/expand.ts";
import { boundViews, packLayout } from "../../../src/verify/split/pack.ts";
import { boxes, chain, shared } from "../chains.ts";

Deno.test("kernels combine rows as loops do, whatever rows are taken and however many", () => {
  const memory = new WebAssembly.Memory({ initial: 4 });
  const kernels = kernelsOn(memory);
  const numbers = new Float64Array(memory.buffer);
  const integers = new Int32Array(memory.buffer);
  const random = Random.from(1, "combine");
  const [rows, places, sources, weights, from, to] = [0, 512, 1024, 8192, 65536, 131072];
  for (const [count, inner, columns] of [[4, 1, 4], [8, 7, 12], [12, 20, 8]] as const) {
    const [width, stride] = [25, columns + 4];
    for (let at = 0; at < width * width; at++) numbers[weights / 8 + at] = random.normal();
    for (let at = 0; at < width * columns; at++) numbers[from / 8 + at] = random.normal();
    const pick = (length: number) => Array.from({ length }, () => random.integer(width));
    const [row, place, source] = [pick(count), pick(inner), pick(inner)];
    row.forEach((each, at) => integers[rows / 4 + at] = 8 * width * each);
    place.forEach((each, at) => integers[places / 4 + at] = 8 * each);
    source.forEach((each, at) => integers[sources / 4 + at] = 8 * columns * each);
    for (const isAdded of [0, 1]) {
      for (let at = 0; at < count * stride; at++) numbers[to / 8 + at] = at;
      kernels.combine(
        weights,
        rows,
        count,
        places,
        sources,
        inner,
        from,
        to,
        8 * stride,
        columns,
        isAdded,
      );
      for (let r = 0; r < count; r++) {
        for (let column = 0; column < stride; column++) {
          let sum = 0;
          for (let at = 0; at < inner; at++) {
            sum += numbers[weights / 8 + row[r]! * width + place[at]!]! *
              numbers[from / 8 + source[at]! * columns + column]!;
          }
          const start = r * stride + column;
          const wanted = column >= columns ? start : isAdded ? start + sum : sum;
          assert.equal(numbers[to / 8 + start], wanted);
        }
      }
    }
  }
});

const CASES: readonly (readonly [string, PairedNetwork, number])[] = [
  ["close networks", chain(21, [4, 12, 11, 10, 2], 1e-3), 0.6],
  ["close networks, small boxes", chain(22, [3, 12, 11, 10, 2], 1e-4), 0.05],
  ["networks far apart", chain(23, [3, 9, 7, 2], 0.3), 0.5],
  ["networks that share a layer", shared(chain(24, [3, 9, 8, 2], 1e-2)), 0.5],
  ["one layer", chain(25, [3, 2], 1e-2), 0.5],
];

/** A point of a box: a corner, or anything. */
function pointOf(random: Random, lower: Float64Array, upper: Float64Array): Float64Array {
  const isCorner = random.integer(2) === 0;
  return lower.map((from, at) => {
    const share = isCorner ? random.integer(2) : random.uniform();
    return share === 1 ? upper[at]! : from + share * (upper[at]! - from);
  });
}

/** A box and one of its halves; sometimes an input has no width. */
function boxAndHalf(random: Random, inputs: number, width: number) {
  const { lower, upper } = boxes(random, 1, inputs, width);
  if (random.integer(3) === 0) upper[0] = lower[0]!;
  const half = { lower: lower.slice(), upper: upper.slice() };
  half.upper[inputs - 1] = (lower[inputs - 1]! + upper[inputs - 1]!) / 2;
  return [{ lower, upper }, half] as const;
}

for (const [name, network, width] of CASES) {
  for (const semantics of ["real", "float32"] as const) {
    Deno.test(`bounds of neurons and forms hold at points: ${name}, ${semantics}`, async () => {
      await using propagator = new Propagator(network);
      const layout = packLayout(network, propagator.nonlinearInputs);
      const views = boundViews(layout, new Float64Array(layout.length));
      const bounder = new CondensedBounder(network, semantics);
      const random = Random.from(26, name);
      let [checked, passed] = [0, 0];
      for (let trial = 0; trial < 30; trial++) {
        for (const [which, part] of boxAndHalf(random, network.input.size, width).entries()) {
          const { lower, upper } = part;
          const box = bounder.bound(lower, upper, views, which === 1, trial % 2 === 0);
          const reduced = reducedOf(box, bounder.unit);
          passed += box.layers.reduce((sum, { passedCount }) => sum + passedCount, 0);
          for (let sample = 0; sample < 20; sample++) {
            const x = pointOf(random, lower, upper);
            const [original, quantized] = [
              valuesOf(network, "original", x),
              valuesOf(network, "quantized", x),
            ];
            const free = [...box.symbols.free.subarray(0, box.symbols.inputs)].map((at) => x[at]!);
            const as: number[] = [], gs: number[] = [];
            let index = 0;
            for (const [at, value] of layout.values.entries()) {
              const { live, relaxed, relaxedCount } = box.layers[at]!;
              const bounds = views[at]!;
              original[value]!.forEach((z, neuron) => {
                const y = quantized[value]![neuron]!;
                const known = [z, z, y, y, z - y, z - y];
                BOUND_FIELDS.forEach((field, which) => {
                  // Evaluating rounds as well.
                  const slack = 1e-12 * (1 + Math.abs(z));
                  const is = which % 2 === 0
                    ? known[which]! >= bounds[field][neuron]! - slack
                    : known[which]! <= bounds[field][neuron]! + slack;
                  // Bounds of neurons that are passed on, or off, stay what they were where more is not known.
                  assert.ok(is, `${field} of ${neuron} in layer ${at}`);
                });
              });
              const before = as.length;
              for (let which = 0; which < relaxedCount; which++, index++) {
                const neuron = live[relaxed[which]!]!;
                const [z, y] = [original[value]![neuron]!, quantized[value]![neuron]!];
                const [c, zNoise, d, eNoise] = reduced.constants.subarray(4 * index);
                let [ofZ, ofE] = [c!, d!];
                free.forEach((each, input) => {
                  ofZ += reduced.onInput[2 * free.length * index + input]! * each;
                  ofE += reduced.onInput[(2 * index + 1) * free.length + input]! * each;
                });
                for (let other = 0; other < before; other++) {
                  const [m, n, k] = reduced.onNeurons.subarray(
                    3 * (index * reduced.count + other),
                  );
                  ofZ += m! * as[other]!;
                  ofE += n! * as[other]! + k! * gs[other]!;
                }
                assert.ok(Math.abs(ofZ - z) <= zNoise! + 1e-13, `${ofZ} is not ${z}`);
                assert.ok(Math.abs(ofE - (z - y)) <= eNoise! + 1e-13);
                as.push(Math.max(z, 0));
                gs.push(Math.max(z, 0) - Math.max(y, 0));
                checked++;
              }
            }
            assert.equal(index, relaxedCount(box));
          }
        }
      }
      assert.ok(network.steps.length === 1 || checked > 500 && passed > 50);
    });
  }
}

for (const [name, network, width] of CASES) {
  Deno.test(`rows hold at points, refined too, and come near them: ${name}`, async () => {
    const random = Random.from(27, name);
    const outputs = network.steps.at(-1)!.size;
    let [gained, caught, rows] = [0, 0, 0];
    for (const inner of ["values", "differences"] as const) {
      await using expander = new Expander(network, { semantics: "real", rows: inner });
      for (let trial = 0; trial < 30; trial++) {
        const [whole, half] = boxAndHalf(random, network.input.size, width);
        const plain: ExpandRequest = {
          batch: { count: 1, ...whole },
          inherited: undefined,
          wanted: new Uint8Array(2 * outputs).fill(1),
        };
        const { packed } = await expander.expand(plain);
        const request = { ...plain, batch: { count: 1, ...half }, inherited: packed };
        const before = await expander.expand(request);
        const goals = new Float64Array(2 * outputs).fill(1e-30);
        const after = await expander.expand({
          ...request,
          goals,
          reach: 1e40,
          ...(random.integer(2) === 0 ? {} : { ratio: 1.1, regions: trial % 2 === 0 }),
        });
        const most = new Float64Array(2 * outputs).fill(-Infinity);
        for (let sample = 0; sample < 200; sample++) {
          const found = await expander.differences(pointOf(random, half.lower, half.upper));
          found.forEach((each, at) => {
            most[2 * at] = Math.max(most[2 * at]!, each);
            most[2 * at + 1] = Math.max(most[2 * at + 1]!, -each);
          });
        }
        most.forEach((seen, row) => {
          const [first, second] = [before.bounds[row]!, after.bounds[row]!];
          assert.ok(second <= first && second >= seen - 1e-15, `${seen} above ${second}`);
          if (second < first - 0.01 * (first - seen)) gained++;
          if (second < seen + 0.02 * Math.abs(seen)) caught++;
          rows++;
        });
      }
    }
    if (network.steps.length > 1) assert.ok(gained > 10, `${gained} rows gained`);
    // Wrong by two percent, rows would be below differences that were seen.
    assert.ok(caught > rows / 20, `${caught} of ${rows} rows are near`);
  });
}

Deno.test("at points, bounds leave room for roundings only, and hold exactly", async () => {
  for (const [name, network] of CASES) {
    await using expander = new Expander(network, { semantics: "real", rows: "differences" });
    const random = Random.from(28, name);
    const outputs = network.steps.at(-1)!.size;
    for (let trial = 0; trial < 20; trial++) {
      const { lower } = boxes(random, 1, network.input.size, 0);
      const { bounds } = await expander.expand({
        batch: { count: 1, lower, upper: lower },
        inherited: undefined,
        wanted: new Uint8Array(2 * outputs).fill(1),
      });
      exactDifference(network, lower).forEach((exact, at) => {
        assert.ok(compareExact(exact, bounds[2 * at]!) <= 0);
        assert.ok(compareExact(exact, -bounds[2 * at + 1]!) >= 0);
        assert.ok(bounds[2 * at]! + bounds[2 * at + 1]! < 1e-10);
      });
    }
  }
});

Deno.test("bounds are no looser than those of layer by layer", async () => {
  for (const [name, network, width] of CASES) {
    if (network.steps.length === 1) continue;
    await using propagator = new Propagator(network);
    const layout = packLayout(network, propagator.nonlinearInputs);
    const bounder = new CondensedBounder(network, "real");
    const random = Random.from(29, name);
    for (let trial = 0; trial < 10; trial++) {
      const batch = boxes(random, 1, network.input.size, width);
      const views = boundViews(layout, new Float64Array(layout.length));
      bounder.bound(batch.lower, batch.upper, views, false, true);
      const { bounds } = await propagator.propagate(batch, "differences");
      layout.values.forEach((value, at) => {
        const [ours, theirs] = [views[at]!, bounds.get(value)!];
        const total = ({ zLower, zUpper }: typeof ours) =>
          zUpper.reduce((sum, each, at) => sum + each - zLower[at]!, 0);
        assert.ok(total(ours) <= total(theirs) * (at === 0 ? 1 + 1e-9 : 1.02));
      });
    }
  }
});
