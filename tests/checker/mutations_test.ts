import assert from "node:assert/strict";
import { Random } from "../../src/base/random.ts";
import type { Certificate } from "../../src/checker/certificate.ts";
import { checkCertificate, type ModelFiles } from "../../src/checker/check.ts";
import { Refusal } from "../../src/checker/refusal.ts";
import type { Model } from "../../src/onnx/model.ts";
import { tensor } from "../../src/onnx/tensor.ts";
import { encodeModel } from "../../src/onnx/write.ts";
import { digestOf } from "../../src/store/digest.ts";
import { ExecutedPair } from "../../src/verify/attack/executed.ts";
import { type Box, box } from "../../src/verify/box.ts";
import { certify } from "../../src/verify/certificate/certify.ts";
import { evaluate } from "../../src/verify/network/evaluate.ts";
import { pairModels } from "../../src/verify/network/pair.ts";
import { curved, dense, files, roundedActivations } from "./networks.ts";

/** The difference of two models at a point, also of models that cannot be paired. */
function differenceOf(original: Model, quantized: Model): (x: Float64Array) => Float64Array {
  const [first, second] = [pairModels(original, original), pairModels(quantized, quantized)];
  return (x) => {
    const { original } = evaluate(first, x);
    return evaluate(second, x).original.map((value, at) => value - original[at]!);
  };
}

/** The least and most difference of each output among samples. */
function sampled(
  difference: (x: Float64Array) => Float64Array,
  { lower, upper }: Box,
  count: number,
) {
  const random = Random.from(1, "samples");
  const least = new Float64Array(2).fill(Infinity);
  const most = new Float64Array(2).fill(-Infinity);
  for (let trial = 0; trial < count; trial++) {
    const x = lower.map((from, at) => {
      const share = trial % 2 === 0 ? Math.round(random.uniform()) : random.uniform();
      return share === 1 ? upper[at]! : from + share * (upper[at]! - from);
    });
    difference(x).forEach((value, output) => {
      least[output] = Math.min(least[output]!, value);
      most[output] = Math.max(most[output]!, value);
    });
  }
  return { least, most };
}

async function certified(
  models: readonly [Model, Model],
  whole: Box,
  parts: number,
  semantics: "real" | "float32",
) {
  const target = { lower: new Float64Array(2), upper: new Float64Array(2) };
  const made = files(models);
  const requests = [{ name: "x", box: whole, target, parts }];
  return (await certify(made, requests, { semantics })).certificate;
}

function refuses(certificate: unknown, models: ModelFiles): void {
  assert.throws(() => checkCertificate(JSON.stringify(certificate), models), Refusal);
}

/** A copy that can be changed. */
// deno-lint-ignore no-explicit-any -- Mutations put anything anywhere.
const copy = (certificate: Certificate): any => structuredClone(certificate);

for (
  const [name, models] of [
    ["rounded activations", roundedActivations()],
    ["Sigmoid and Tanh", curved(0.05)],
    ["Sigmoid and Tanh, rounded", curved(0.02, true)],
  ] as const
) {
  Deno.test(`with ${name}, no false claim is accepted: bounds, boxes, trees, models`, async () => {
    const made = files(models);
    const differ = differenceOf(...models);
    const random = Random.from(5, "mutations");
    const certificate = await certified(models, box([-0.2, 0.1, 0], [0, 0.2, 0.1]), 10, "real");
    checkCertificate(JSON.stringify(certificate), made);
    const [whole] = certificate.boxes;
    const { least, most } = sampled(differ, box(whole!.lower, whole!.upper), 500);
    let count = 0;
    for (let trial = 0; trial < 500; trial++, count++) {
      const lowered = copy(certificate);
      const output = trial % 2;
      const step = (most[output]! - least[output]!) * 10 ** -random.integer(8);
      if (trial % 4 < 2) lowered.boxes[0].difference.upper[output] = most[output]! - step;
      else lowered.boxes[0].difference.lower[output] = least[output]! + step;
      refuses(lowered, made);
    }
    for (let trial = 0; trial < 300; trial++, count++) {
      const broken = copy(certificate);
      const { tree } = broken.boxes[0];
      const index = random.integer(tree.length);
      if (trial % 3 === 0) tree.splice(index, 1);
      else if (trial % 3 === 1) tree.splice(index, 0, 0);
      else tree.length = index;
      refuses(broken, made);
    }
    for (let trial = 0; count < 1000; trial++) {
      const larger = copy(certificate);
      const side = random.integer(3);
      const by = 10 ** (random.uniform() * 3 - 1);
      if (trial % 2 === 0) larger.boxes[0].lower[side] -= by;
      else larger.boxes[0].upper[side] += by;
      const { lower, upper, difference } = larger.boxes[0];
      const seen = sampled(differ, box(lower, upper), 20);
      const isFalse = seen.most.some((value, at) => value > difference.upper[at] + 1e-9) ||
        seen.least.some((value, at) => value < difference.lower[at] - 1e-9);
      if (!isFalse) continue;
      refuses(larger, made);
      count++;
    }
    assert.ok(count >= 1000);
    // Another file, whatever it computes.
    for (let trial = 0; trial < 50; trial++) {
      const side = trial % 2 === 0 ? "original" : "quantized";
      const bytes = made[side].slice();
      bytes[random.integer(bytes.length)]! ^= 1 << random.integer(8);
      refuses(certificate, { ...made, [side]: bytes });
    }
  });
}

Deno.test("with rounded activations, no other grid is accepted that makes the claim false", async () => {
  const models = roundedActivations();
  const made = files(models);
  const [original, quantized] = models;
  const random = Random.from(6, "grids");
  const certificate = await certified(models, box([-0.2, 0.1, 0], [-0.1, 0.2, 0.1]), 4, "real");
  const [whole] = certificate.boxes;
  const { difference } = whole!;
  const grids = quantized.graph.nodes.filter(({ opType }) => opType === "QuantizeLinear");
  let count = 0;
  for (let trial = 0; trial < 2000 && count < 300; trial++) {
    const graph = { ...quantized.graph, initializers: new Map(quantized.graph.initializers) };
    const node = grids[random.integer(grids.length)]!;
    const name = node.inputs[1 + random.integer(2)]!;
    const given = graph.initializers.get(name)!;
    const data = (given.data as Float32Array | Uint8Array).slice();
    const at = random.integer(data.length);
    data[at] = data instanceof Float32Array
      ? data[at]! * Math.exp(random.normal())
      : random.integer(256);
    graph.initializers.set(name, tensor(given.type, given.dims, data));
    const other: Model = { ...quantized, graph };
    const seen = sampled(differenceOf(original, other), box(whole!.lower, whole!.upper), 20);
    const isFalse = seen.most.some((value, each) => value > difference.upper[each]! + 1e-9) ||
      seen.least.some((value, each) => value < difference.lower[each]! - 1e-9);
    if (!isFalse) continue;
    const bytes = encodeModel(other);
    const updated = copy(certificate);
    updated.models.quantized = digestOf(bytes);
    refuses(updated, { ...made, quantized: bytes });
    count++;
  }
  assert.ok(count >= 300, `${count}`);
});

Deno.test("what holds of real numbers is not accepted of float32 where executions break it", async () => {
  const random = Random.from(7, "float32");
  let count = 0;
  for (let network = 0; count < 1000; network++) {
    const models = dense(20 + network, 3, [12, 12], 0.3);
    const made = files(models);
    await using pair = await ExecutedPair.open(...models);
    for (let trial = 0; trial < 300; trial++) {
      const x = Float64Array.from({ length: 3 }, () => Math.fround(3 * random.normal()));
      const certificate = await certified(models, box(x, x), 1, "real");
      const { lower, upper } = certificate.boxes[0]!.difference;
      const executed = await pair.difference(x);
      if (executed.every((value, at) => value >= lower[at]! && value <= upper[at]!)) continue;
      const renamed = copy(certificate);
      renamed.semantics = "float32";
      refuses(renamed, made);
      // And what is certified of float32 holds there, until it is lowered beyond what was executed.
      const wide = await certified(models, box(x, x), 1, "float32");
      checkCertificate(JSON.stringify(wide), made);
      const lowered = copy(wide);
      lowered.boxes[0].difference.upper[trial % 2] = executed[trial % 2]! - 1e-9;
      lowered.boxes[0].difference.lower[trial % 2] = Math.min(
        lowered.boxes[0].difference.lower[trial % 2],
        executed[trial % 2]! - 1e-9,
      );
      refuses(lowered, made);
      count += 2;
    }
  }
  assert.ok(count >= 1000);
});
