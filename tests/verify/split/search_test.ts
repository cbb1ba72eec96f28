import assert from "node:assert/strict";
import { Random } from "../../../src/base/random.ts";
import { GraphBuilder } from "../../../src/onnx/build.ts";
import type { Model } from "../../../src/onnx/model.ts";
import { elementCount, float32 } from "../../../src/onnx/tensor.ts";
import { box } from "../../../src/verify/box.ts";
import { evaluate } from "../../../src/verify/network/evaluate.ts";
import { pairModels } from "../../../src/verify/network/pair.ts";
import { decodeState, encodeState } from "../../../src/verify/split/state.ts";
import { ExpandThreads } from "../../../src/verify/split/pool.ts";
import { searchBox } from "../../../src/verify/split/search.ts";
import { dense } from "../../checker/networks.ts";

function network(error: number) {
  const built = (which: number): Model => {
    const random = Random.from(20, "weights");
    const other = Random.from(21, "errors");
    const builder = new GraphBuilder();
    const weights = (shape: number[], scale: number) =>
      builder.constant(float32(
        shape,
        Array.from({ length: elementCount(shape) }, () => {
          const difference = other.uniform() - 0.5;
          return scale * (random.normal() + which * error * difference);
        }),
      ));
    let value = builder.input("x", "float32", [1, 2]), width = 2;
    for (let layer = 0; layer < 3; layer++) {
      value = builder.op("Relu", [
        builder.op("Gemm", [value, weights([width, 10], Math.sqrt(2 / width)), weights([10], 0.3)]),
      ]);
      width = 10;
    }
    builder.output(builder.op("Gemm", [value, weights([10, 2], 0.4), weights([2], 0.1)]));
    return builder.build({ opset: 17 });
  };
  return pairModels(built(0), built(1));
}

const DOMAIN = box([-1, -0.5], [1, 1.5]);

Deno.test("a search brackets the largest difference of every output", async () => {
  const pair = network(0.05);
  const result = await searchBox(pair, DOMAIN, { ratio: 1.05 });
  assert.ok(result.isComplete && Math.abs(result.settled - 1) < 1e-9 && result.splits > 10);
  const most = [0, 0];
  for (let i = 0; i <= 50; i++) {
    for (let j = 0; j <= 50; j++) {
      const x = Float64Array.of(-1 + i / 25, -0.5 + j / 25);
      const { difference } = evaluate(pair, x);
      difference.forEach((value, at) => {
        most[at] = Math.max(most[at]!, Math.abs(value));
        const { lower, upper } = result.outputs[at]!;
        if (value < lower || value > upper) assert.fail(`output ${at} at ${x}`);
      });
    }
  }
  result.outputs.forEach(({ found, proven, witness }, at) => {
    assert.ok(proven <= 1.05 * found && proven >= found);
    assert.ok(found >= 0.97 * most[at]!, `${found} of ${most[at]}`);
    const again = evaluate(pair, witness!.input).difference[at]!;
    assert.ok(Math.abs(Math.abs(again) - found) < 1e-12);
  });
});

Deno.test("a search ends early with an honest bracket", async () => {
  const pair = network(0.05);
  const full = await searchBox(pair, DOMAIN, { ratio: 1.02 });
  const short = await searchBox(pair, DOMAIN, { ratio: 1.02, boxes: 40, batch: 8 });
  assert.ok(!short.isComplete && short.settled < 1 && short.open > 0);
  short.outputs.forEach(({ proven }, at) => assert.ok(proven >= full.outputs[at]!.found));
});

Deno.test("a target is proven without going on to the largest difference", async () => {
  const pair = network(0.05);
  const full = await searchBox(pair, DOMAIN, { ratio: 1.05 });
  const target = 3 * Math.max(...full.outputs.map(({ proven }) => proven));
  const loose = await searchBox(pair, DOMAIN, { target, ratio: 1 });
  assert.ok(loose.isComplete && loose.splits < full.splits / 2);
  assert.ok(loose.outputs.every(({ proven }) => proven <= target));
});

Deno.test("threads do not change a result", async () => {
  const pair = network(0.05);
  const [one, two] = [
    await searchBox(pair, DOMAIN, { ratio: 1.1, batch: 16 }),
    await searchBox(pair, DOMAIN, { ratio: 1.1, batch: 16, threads: 2 }),
  ];
  assert.deepEqual(one, two);
});

Deno.test("threads go from one search to the next, of another network too", async () => {
  await using pool = new ExpandThreads(2);
  const options = { ratio: 1.1, batch: 16, threads: 2 };
  for (const error of [0.05, 0.02]) {
    for (const semantics of ["real", "float32"] as const) {
      const pair = network(error);
      const [one, two] = [
        await searchBox(pair, DOMAIN, { ...options, semantics, threads: 1 }),
        await searchBox(pair, DOMAIN, { ...options, semantics, pool }),
      ];
      assert.deepEqual(one, two);
    }
  }
  assert.equal(pool.start().length, 1);
});

for (const semantics of ["real", "float32"] as const) {
  Deno.test(`threads do not change a result of thousands of boxes: ${semantics}`, async () => {
    const pair = pairModels(...dense(1, 4, [20, 20, 20], 0.05));
    const domain = box([-1, -1, -0.5, -1], [1, 0.5, 1, 1]);
    const options = { ratio: 1.01, semantics, boxes: 2000 };
    const one = await searchBox(pair, domain, options);
    assert.ok(one.splits > 900);
    assert.deepEqual(await searchBox(pair, domain, { ...options, threads: 2 }), one);
  });
}

Deno.test("equal networks do not differ", async () => {
  const result = await searchBox(network(0), DOMAIN, { ratio: 1.1, target: 1e-9 });
  assert.ok(result.isComplete && result.boxes === 1);
  assert.ok(result.outputs.every(({ found, proven }) => found === 0 && proven < 1e-12));
});

Deno.test("a search that is resumed at any moment ends as if nothing had happened", async () => {
  const pair = network(0.05);
  const options = { ratio: 1.05, batch: 8 };
  const states: Uint8Array[] = [];
  const plain = await searchBox(pair, DOMAIN, {
    ...options,
    save: (state) => Promise.resolve(void states.push(state())),
  });
  assert.ok(states.length > 5);
  for (const resume of [states[0]!, states[Math.floor(states.length / 2)]!, states.at(-1)!]) {
    assert.deepEqual(await searchBox(pair, DOMAIN, { ...options, resume }), plain);
  }
});

Deno.test("states of a search are bytes that say everything", async () => {
  const pair = network(0.05);
  let bytes = new Uint8Array();
  await searchBox(pair, DOMAIN, {
    ratio: 1.02,
    boxes: 60,
    batch: 8,
    save: (state) => Promise.resolve(void (bytes = state())),
  });
  const state = decodeState(bytes)!;
  assert.ok(state.open.length > 3 && state.boxes >= 60);
  assert.deepEqual(encodeState(state), bytes);
});

Deno.test("the boxes that are left are estimated within an order of magnitude", async () => {
  const pair = network(0.05);
  const full = await searchBox(pair, DOMAIN, { ratio: 1.05 });
  const short = await searchBox(pair, DOMAIN, { ratio: 1.05, boxes: full.boxes / 3, batch: 8 });
  const left = full.boxes - short.boxes;
  assert.ok(
    full.left === 0 && short.left > left / 10 && short.left < 10 * left,
    `${short.left} of ${left}`,
  );
});
