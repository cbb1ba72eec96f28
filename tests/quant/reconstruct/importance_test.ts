import assert from "node:assert/strict";
import { openSession } from "../../../src/engine/session.ts";
import { float32, type Tensor } from "../../../src/onnx/tensor.ts";
import { importanceOf } from "../../../src/quant/reconstruct/importance.ts";
import { ItemStorage } from "../../../src/quant/reconstruct/item_values.ts";
import { Prefix } from "../../../src/quant/reconstruct/prefix.ts";
import { sliceModel, sliceOf } from "../../../src/quant/reconstruct/slice.ts";
import { items, residualNetwork } from "./network.ts";

const COUNT = 37;
const pieces = { threads: 1, signal: new AbortController().signal };

function divergence(wanted: Float32Array, actual: Float32Array): number {
  const logarithms = (values: Float32Array) => {
    const total = Math.log(values.reduce((sum, value) => sum + Math.exp(value), 0));
    return Array.from(values, (value) => value - total);
  };
  const [p, q] = [logarithms(wanted), logarithms(actual)];
  return p.reduce((sum, value, index) => sum + Math.exp(value) * (value - q[index]!), 0);
}

Deno.test("Importance is the squared gradient of the divergence, clipped and with mean 1", async () => {
  const model = residualNetwork();
  using storage = new ItemStorage(1e8);
  const x = items(COUNT, 4);
  const inputs = storage.allocate(x, COUNT);
  inputs.write(0, x);
  const float = new Prefix(model, new Map([["x", inputs]]), storage, pieces);
  const target = "sum_relu";
  const output = model.graph.outputs[0]!.name;
  await float.compute([target, output]);
  const exact = float.get(target).read(0, COUNT) as Tensor<"float32">;
  const shifted = {
    ...exact,
    data: exact.data.map((value, index) => value + 0.3 * Math.sin(index)),
  };
  const actual = storage.allocate(shifted, COUNT);
  actual.write(0, shifted);
  const importance = await importanceOf(float, target, actual, storage, pieces);
  const found = importance.read(0, COUNT).data as Float32Array;
  const mean = found.reduce((sum, value) => sum + value, 0) / found.length;
  assert.ok(Math.abs(mean - 1) < 1e-4, `mean ${mean}`);
  assert.deepEqual(importance.dims, exact.dims);

  const { nodes } = sliceOf(model.graph, [output], (name) => name === target);
  const info = { name: target, type: "float32" as const, dims: [1, ...exact.dims.slice(1)] };
  await using session = await openSession(sliceModel(model, nodes, [info], [output]));
  const width = exact.data.length / COUNT;
  const logits = float.get(output).read(0, COUNT).data as Float32Array;
  const ratios: number[] = [];
  const most = Math.max(...found);
  for (const item of [0, 5, COUNT - 1]) {
    const wanted = logits.slice(5 * item, 5 * item + 5);
    const at = async (place: number, step: number) => {
      const data = shifted.data.slice(item * width, (item + 1) * width);
      data[place]! += step;
      const results = await session.run({ [target]: float32(info.dims, data) });
      return divergence(wanted, results[output]!.data as Float32Array);
    };
    for (let place = 0; place < width; place += 7) {
      const slope = (await at(place, 0.01) - await at(place, -0.01)) / 0.02;
      const value = found[item * width + place]!;
      // Where a slope is tiny, float32 differences say nothing of it.
      if (value < most * 0.999 && value > 0.05) ratios.push(value / slope ** 2);
    }
  }
  assert.ok(ratios.length > 20);
  const middle = ratios.toSorted((a, b) => a - b)[ratios.length >> 1]!;
  const near = ratios.filter((ratio) => Math.abs(ratio / middle - 1) < 0.1).length;
  assert.ok(near > 0.9 * ratios.length, `${near} of ${ratios.length} are near ${middle}`);
});
