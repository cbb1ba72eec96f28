import assert from "node:assert/strict";
import { openSession } from "../../src/engine/session.ts";
import { GraphBuilder } from "../../src/onnx/build.ts";
import type { Model } from "../../src/onnx/model.ts";
import { float32 } from "../../src/onnx/tensor.ts";
import { applyQuantization, raiseOpset } from "../../src/quant/apply.ts";
import { grid, parametersFromRange, tensorParameters } from "../../src/quant/grid.ts";
import { placeQuantizers } from "../../src/quant/placement.ts";

/** Convolutions and additions on values of one shape. */
function chain(length: number): Model {
  const builder = new GraphBuilder();
  let value = builder.input("x", "float32", ["N", 4, 6, 6]);
  for (let index = 0; index < length; index++) {
    const weights = Float32Array.from({ length: 16 }, (_, at) => Math.sin(at + index) / 2);
    const conv = builder.op("Conv", [value, builder.constant(float32([4, 4, 1, 1], weights))], {}, {
      name: `conv${index}`,
    });
    const relu = builder.op("Relu", [conv], {}, { name: `relu${index}` });
    value = builder.op("Add", [relu, value], {}, { name: `add${index}` });
  }
  builder.output(value, "float32", ["N", 4, 6, 6]);
  return builder.build();
}

Deno.test("activations of several widths: every item has the same result in every batch", async () => {
  const float = chain(4);
  const items = Float32Array.from({ length: 64 * 144 }, (_, index) => Math.sin(index * 1.7));
  for (const widths of [[4, 8], [2, 4], [8, 4, 2], [4, 16], [4]]) {
    const model = raiseOpset(float, widths, "native");
    const placement = placeQuantizers(model);
    const sources = placement.points.filter(({ role }) => role === "source");
    applyQuantization(model, placement, {
      encoding: "native",
      integerBias: true,
      weights: new Map(),
      activations: new Map(sources.map(({ value }, index) => {
        const levels = grid(widths[index % widths.length]!);
        return [value, tensorParameters(parametersFromRange(-3, 3, levels), levels)];
      })),
    });
    await using session = await openSession(model);
    const run = async (start: number, count: number) => {
      const x = float32([count, 4, 6, 6], items.slice(start * 144, (start + count) * 144));
      const { data } = (await session.run({ x }))[session.outputs[0]!.name]!;
      return data as Float32Array;
    };
    const alone = [0, 1, 2, 3].map((item) => run(item, 1));
    for (const size of [2, 3, 17, 64]) {
      const all = await run(0, size);
      for (let item = 0; item < Math.min(4, size); item++) {
        assert.deepEqual(all.slice(item * 144, item * 144 + 144), await alone[item], `${widths}`);
      }
    }
  }
});
