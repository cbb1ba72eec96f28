import assert from "node:assert/strict";
import { Random } from "../../src/base/random.ts";
import { GraphBuilder } from "../../src/onnx/build.ts";
import { elementCount, float32 } from "../../src/onnx/tensor.ts";
import { marginNetwork, MarginProver } from "../../src/verify/margin.ts";
import { valuesOf } from "../../src/verify/network/evaluate.ts";
import { pairModels } from "../../src/verify/network/pair.ts";
import { Verifier } from "../../src/verify/verify.ts";

/** A classifier of three classes with a max pool, of which intervals would say other numbers of values. */
function pooled(seed: number) {
  const build = (isCopy: boolean) => {
    const random = Random.from(seed, "weights"), errors = Random.from(seed, "errors");
    const b = new GraphBuilder();
    const weights = (dims: number[], scale: number) =>
      b.constant(float32(
        dims,
        Array.from({ length: elementCount(dims) }, () => {
          const error = errors.normal();
          return scale * (random.normal() + (isCopy ? 0.03 * error : 0));
        }),
      ));
    const x = b.input("x", "float32", [1, 1, 6, 6]);
    const first = b.op("Relu", [
      b.op("Conv", [x, weights([3, 1, 3, 3], 0.4), weights([3], 0.2)], { pads: [1, 1, 1, 1] }),
    ]);
    const pool = b.op("MaxPool", [first], { kernel_shape: [2, 2], strides: [2, 2] });
    const second = b.op("Relu", [
      b.op("Conv", [pool, weights([4, 3, 3, 3], 0.3)], { pads: [1, 1, 1, 1] }),
    ]);
    b.output(b.op("Gemm", [b.op("Flatten", [second]), weights([36, 3], 0.4)]));
    return b.build({ opset: 17 });
  };
  return pairModels(build(false), build(true));
}

Deno.test("margins of networks with max pools: a class is kept near a point, and not where it changes", async () => {
  const kept = { near: 0, far: 0 };
  for (let seed = 0; seed < 4; seed++) {
    const network = pooled(seed);
    await using verifier = new Verifier(network, {
      method: "differential",
      split: true,
      within: marginNetwork(network),
    });
    await using prover = new MarginProver(network, "real");
    const random = Random.from(seed, "points");
    const x = Float64Array.from({ length: 36 }, () => random.normal());
    const outputs = (side: "original" | "quantized", at: Float64Array) =>
      valuesOf(network, side, at)[network.output]!;
    const classOf = (values: Float64Array) => values.indexOf(Math.max(...values));
    const chosen = classOf(outputs("original", x));
    for (const [name, radius] of [["near", 1e-4], ["far", 0.05], ["far", 1]] as const) {
      const box = {
        lower: x.map((each) => each - radius),
        upper: x.map((each) => each + radius),
      };
      await verifier.verify(box);
      const own = await prover.isKept(box, chosen, verifier.known!.state);
      assert.equal(await prover.isKept(box, chosen), own);
      assert.equal(await prover.isKept(box, (chosen + 1) % 3), false, "another class is not kept");
      if (!own) continue;
      kept[name]++;
      for (let point = 0; point < 200; point++) {
        const at = x.map((each) => each + radius * Math.sign(random.uniform() - 0.5));
        assert.equal(classOf(outputs("original", at)), chosen);
        assert.equal(classOf(outputs("quantized", at)), chosen);
      }
    }
  }
  assert.ok(kept.near >= 2, "most points keep their class when hardly moved");
  assert.ok(kept.far < 8, "not all boxes do");
});
