import assert from "node:assert/strict";
import { everything, fails, open, values } from "./opening.ts";

Deno.test("synthetic numbers are the same every time and in any batches", async () => {
  const spec = { synthetic: { shape: [3, 5], count: 7, distribution: "normal", seed: 4 } } as const;
  const whole = values(
    await everything(await open({ ...spec, synthetic: { ...spec.synthetic, shape: [3, 5] } }, ".")),
  );
  const dataset = await open({ synthetic: { ...spec.synthetic, shape: [3, 5] } }, ".");
  const pieces = [];
  for await (const batch of dataset.batches(2)) pieces.push(...values(batch));
  assert.deepEqual(pieces, whole);
  const other = await open({ synthetic: { ...spec.synthetic, shape: [3, 5], seed: 5 } }, ".");
  assert.notDeepEqual(values(await everything(other)), whole);
});

Deno.test("distributions have the moments and bounds that are asked for", async () => {
  const draw = async (synthetic: object) =>
    values(
      await everything(await open({ synthetic: { shape: [1000], count: 40, ...synthetic } }, ".")),
    ).map(Number);
  const normal = await draw({ distribution: "normal", mean: 2, std: 3 });
  const mean = normal.reduce((sum, value) => sum + value, 0) / normal.length;
  const variance = normal.reduce((sum, value) => sum + (value - mean) ** 2, 0) / normal.length;
  assert.ok(Math.abs(mean - 2) < .05, `mean ${mean}`);
  assert.ok(Math.abs(Math.sqrt(variance) - 3) < .05, `standard deviation ${Math.sqrt(variance)}`);
  const uniform = await draw({ low: -1, high: 3 });
  assert.ok(Math.min(...uniform.slice(0, 1e4)) >= -1 && Math.max(...uniform.slice(0, 1e4)) < 3);
  const integer = await draw({ distribution: "integer", low: -2, high: 2 });
  assert.deepEqual([...new Set(integer)].sort((a, b) => a - b), [-2, -1, 0, 1]);
});

Deno.test("the numbers of a seed never change", async () => {
  // Frozen: other numbers would be other data under the same recipe.
  const dataset = await open({ synthetic: { shape: [3], count: 2, distribution: "normal" } }, ".");
  assert.deepEqual(
    values(await dataset.batch(1, 1)),
    [-0.49473151564598083, 1.2474099397659302, 1.3744819164276123],
  );
});

Deno.test("several inputs have their own numbers", async () => {
  const dataset = await open({
    synthetic: {
      count: 2,
      inputs: {
        ids: { shape: [4], distribution: "integer", high: 1000 },
        x: { shape: [4] },
        y: { shape: [4] },
      },
    },
  }, ".");
  assert.deepEqual(dataset.inputs.map(({ name, type }) => [name, type]), [
    ["ids", "int64"],
    ["x", "float32"],
    ["y", "float32"],
  ]);
  const { inputs } = await everything(dataset);
  assert.notDeepEqual(inputs[1]!.data, inputs[2]!.data);
});

Deno.test("settings that do not go together are refused", async () => {
  await fails(() => open({ synthetic: {} }, "."), {
    message: "synthetic needs the shape of an item",
  });
  await fails(() => open({ synthetic: { shape: [2], distribution: "normal", low: 1 } }, "."), {
    message: "low does not go with distribution: normal",
    path: ["synthetic", "low"],
  });
  await fails(() => open({ synthetic: { shape: [2], low: 1, high: 1 } }, "."), {
    message: "uniform from 1 up to 1 is empty",
  });
  await fails(() => open({ synthetic: { shape: [2], distribution: "integer", high: 2.5 } }, "."), {
    message: "integer from 0 up to 2.5 is empty or not of whole numbers",
  });
  await fails(() => open({ synthetic: { inputs: { a: { shape: [1] } }, shape: [2] } }, "."), {
    message: "shape is given beside synthetic.inputs",
    path: ["synthetic", "shape"],
  });
  await fails(() => open({ synthetic: { inputs: { a: {} } } }, "."), {
    message: "synthetic.inputs.a needs a shape",
    path: ["synthetic", "inputs", "a"],
  });
  await fails(() => open({ synthetic: { shape: [65536, 65536] } }, "."), {
    message: "An item of shape 65536×65536 has more than 268435456 values",
  });
});
