import assert from "node:assert/strict";
import { Random } from "../../../src/base/random.ts";
import { GraphBuilder } from "../../../src/onnx/build.ts";
import type { Model } from "../../../src/onnx/model.ts";
import { float32 } from "../../../src/onnx/tensor.ts";
import { box } from "../../../src/verify/box.ts";
import { pairModels } from "../../../src/verify/network/pair.ts";
import { type Method, Verifier } from "../../../src/verify/verify.ts";

const SIZES = [3, 12, 12, 12, 2];

function network(seed: number, error: number): Model {
  const random = Random.from(seed, "weights");
  const other = Random.from(seed, "errors");
  const builder = new GraphBuilder();
  let value = builder.input("x", "float32", [1, SIZES[0]!]);
  SIZES.slice(1).forEach((size, layer) => {
    const inputs = SIZES[layer]!;
    const weights = Array.from(
      { length: inputs * size },
      () => Math.sqrt(2 / inputs) * random.normal() + error * (other.uniform() - 0.5),
    );
    const z = builder.op("Gemm", [
      value,
      builder.constant(float32([inputs, size], weights)),
      builder.constant(float32([size], Array.from({ length: size }, () => 0.2 * random.normal()))),
    ]);
    value = layer < SIZES.length - 2 ? builder.op("Relu", [z]) : z;
  });
  builder.output(value);
  return builder.build({ opset: 17 });
}

Deno.test("differential bounds are never looser than those of the merged network, from points to wide boxes", async () => {
  for (const [seed, error] of [[50, 0.001], [51, 0.03], [52, 0.3], [53, 1]] as const) {
    const pair = pairModels(network(seed, 0), network(seed, error));
    const open = (method: Method) => new Verifier(pair, { method, split: false });
    await using differential = open("differential");
    await using merged = open("crown-merged");
    const random = Random.from(seed, "boxes");
    for (let trial = 0; trial < 40; trial++) {
      const radius = 2 ** (-8 + 9 * random.uniform());
      const middle = SIZES.slice(0, 1).flatMap((size) =>
        Array.from({ length: size }, () => random.normal())
      );
      const domain = box(
        middle.map((x) => x - radius * random.uniform()),
        middle.map((x) => x + radius * random.uniform()),
      );
      const [ours, theirs] = [await differential.verify(domain), await merged.verify(domain)];
      ours.outputs.forEach(({ proven }, at) => {
        const bound = theirs.outputs[at]!.proven;
        assert.ok(proven <= 1.02 * bound + 1e-12, `${seed} ${radius}: ${proven} of ${bound}`);
      });
    }
  }
});
