import assert from "node:assert/strict";
import { Random } from "../../../src/base/random.ts";
import { openNpy } from "../../../src/data/formats/npy_file.ts";
import { GraphBuilder } from "../../../src/onnx/build.ts";
import type { Model } from "../../../src/onnx/model.ts";
import { elementCount, float32, tensor } from "../../../src/onnx/tensor.ts";
import { Attacker } from "../../../src/verify/attack/attack.ts";
import { DifferenceGradients } from "../../../src/verify/attack/difference_gradient.ts";
import { confirmWitnesses, ExecutedPair } from "../../../src/verify/attack/executed.ts";
import { snapToFloat32, snapToIntegers } from "../../../src/verify/attack/extremes.ts";
import { encodeNpy } from "../../../src/verify/attack/npy.ts";
import { type Box, box, contains } from "../../../src/verify/box.ts";
import { evaluate } from "../../../src/verify/network/evaluate.ts";
import type { PairedNetwork } from "../../../src/verify/network/network.ts";
import { pairModels } from "../../../src/verify/network/pair.ts";

interface Shape {
  readonly image?: boolean;
  readonly activations?: boolean;
}

/** A small network, and a copy with weights rounded to eighths and perhaps activations rounded to a grid. */
function models({ image = false, activations = false }: Shape): [Model, Model] {
  const make = (rounded: boolean) => {
    const random = Random.from(3, "attacked");
    const b = new GraphBuilder();
    const weights = (dims: number[], scale: number) =>
      b.constant(float32(
        dims,
        Array.from({ length: elementCount(dims) }, () => {
          const value = random.normal() * scale;
          return rounded ? Math.round(value * 8) / 8 : value;
        }),
      ));
    let value = b.input("x", "float32", image ? ["batch", 1, 3, 4] : [1, 2]);
    let width = 2;
    if (image) {
      const z = b.op("Conv", [value, weights([3, 1, 2, 2], 0.7), weights([3], 0.2)], {
        strides: [1, 2],
        pads: [0, 1, 1, 0],
      });
      const pooled = b.op("MaxPool", [b.op("Relu", [z])], { kernel_shape: [2, 1] });
      value = b.op("Flatten", [pooled]);
      width = 12;
    }
    const hidden = b.op("Relu", [
      b.op("Gemm", [value, weights([width, 8], 0.8), weights([8], 0.5)]),
    ]);
    let a = hidden;
    if (activations && rounded) {
      const scale = b.constant(float32([], [0.0625]));
      const zero = b.constant(tensor("uint8", [], Uint8Array.of(0)));
      a = b.op("DequantizeLinear", [b.op("QuantizeLinear", [hidden, scale, zero]), scale, zero]);
    }
    b.output(b.op("Gemm", [a, weights([8, 2], 0.7), weights([2], 0.1)]), "float32", [
      image ? "batch" : 1,
      2,
    ]);
    return b.build({ opset: 17 });
  };
  return [make(false), make(true)];
}

/** The largest and least difference of each output on a fine grid over two inputs. */
function exhaustive(network: PairedNetwork, { lower, upper }: Box, steps: number): number[][] {
  const most = [-Infinity, -Infinity], least = [Infinity, Infinity];
  for (let i = 0; i <= steps; i++) {
    for (let j = 0; j <= steps; j++) {
      const x = Float64Array.of(
        lower[0]! + (upper[0]! - lower[0]!) * i / steps,
        lower[1]! + (upper[1]! - lower[1]!) * j / steps,
      );
      evaluate(network, x).difference.forEach((value, output) => {
        most[output] = Math.max(most[output]!, value);
        least[output] = Math.min(least[output]!, value);
      });
    }
  }
  return [most, least];
}

const SQUARE = box([-2, -1.5], [1.5, 2]);

for (const activations of [false, true]) {
  Deno.test(`finds what a fine grid finds, ${activations ? "with" : "without"} rounded activations`, async () => {
    const [original, quantized] = models({ activations });
    const network = pairModels(original, quantized);
    const [most, least] = exhaustive(network, SQUARE, 60);
    await using attacker = await Attacker.open(network);
    const found = await attacker.attack(SQUARE, { seed: 1 });
    found.forEach(({ highest, lowest }, output) => {
      assert.ok(highest.difference >= 0.995 * most![output]!, `${highest.difference} < ${most}`);
      assert.ok(-lowest.difference >= -0.995 * least![output]!, `${lowest.difference} > ${least}`);
      for (const { input, difference } of [highest, lowest]) {
        assert.ok(contains(SQUARE, input));
        assert.deepEqual(input, input.map(Math.fround));
        const exact = evaluate(network, input).difference[output]!;
        assert.ok(Math.abs(exact - difference) < 1e-5);
      }
    });
  });
}

Deno.test("beats random search on an image with a convolution and a pool", async () => {
  const network = pairModels(...models({ image: true }));
  const whole = box(new Float64Array(12).fill(-1), new Float64Array(12).fill(1));
  const random = Random.from(5, "samples");
  const most = [0, 0];
  for (let sample = 0; sample < 1500; sample++) {
    const x = Float64Array.from({ length: 12 }, () => 2 * random.uniform() - 1);
    evaluate(network, x).difference.forEach((value, output) => {
      most[output] = Math.max(most[output]!, value);
    });
  }
  await using attacker = await Attacker.open(network);
  const found = await attacker.attack(whole);
  found.forEach(({ highest }, output) => assert.ok(highest.difference > 1.1 * most[output]!));
});

Deno.test("gradients are those of the difference", async () => {
  const network = pairModels(...models({ image: true }));
  await using gradients = await DifferenceGradients.open(network, 2, 1);
  const random = Random.from(9, "points");
  const points = Float32Array.from({ length: 24 }, () => random.normal());
  const weights = Float32Array.of(1, 0, -0.5, 2);
  const { difference, gradient } = await gradients.compute(points, weights);
  for (let point = 0; point < 2; point++) {
    const x = Float64Array.from(points.subarray(12 * point, 12 * point + 12));
    const objective = (at: Float64Array) =>
      evaluate(network, at).difference.reduce(
        (sum, d, out) => sum + d * weights[2 * point + out]!,
        0,
      );
    evaluate(network, x).difference.forEach((value, out) => {
      assert.ok(Math.abs(value - difference[2 * point + out]!) < 1e-5);
    });
    for (let at = 0; at < 12; at++) {
      const [more, less] = [1e-5, -1e-5].map((step) => {
        const moved = x.slice();
        moved[at]! += step;
        return objective(moved);
      });
      const slope = (more! - less!) / 2e-5;
      assert.ok(Math.abs(slope - gradient[12 * point + at]!) < 1e-4, `${at}: ${slope}`);
    }
  }
});

Deno.test("the same seed finds the same points", async () => {
  const network = pairModels(...models({ activations: true }));
  await using attacker = await Attacker.open(network);
  const options = { seed: 4, restarts: 2, steps: 5 };
  const first = await attacker.attack(SQUARE, options);
  await using other = await Attacker.open(network);
  assert.deepEqual(await other.attack(SQUARE, options), first);
});

Deno.test("starts that are given are evaluated", async () => {
  const network = pairModels(...models({ activations: true }));
  await using attacker = await Attacker.open(network);
  const full = await attacker.attack(SQUARE, { seed: 1 });
  const best = full[0]!.highest;
  const again = await attacker.attack(SQUARE, {
    restarts: 0,
    samples: 0,
    refinements: 0,
    starts: [best.input],
  });
  assert.ok(again[0]!.highest.difference >= best.difference);
});

Deno.test("a point is attacked as itself", async () => {
  const network = pairModels(...models({}));
  await using attacker = await Attacker.open(network);
  const [{ highest, lowest }] = await attacker.attack(box([0.5, 0.25], [0.5, 0.25])) as [never];
  assert.deepEqual([...(highest as { input: Float64Array }).input], [0.5, 0.25]);
  assert.deepEqual(highest, lowest);
});

Deno.test("witnesses are confirmed by running both models", async () => {
  const [original, quantized] = models({ activations: true });
  const network = pairModels(original, quantized);
  await using attacker = await Attacker.open(network);
  await using executed = await ExecutedPair.open(original, quantized);
  const extremes = await attacker.attack(SQUARE);
  const confirmed = await confirmWitnesses(executed, extremes);
  for (const [output, { found, witness }] of confirmed.entries()) {
    const { difference } = evaluate(network, witness!.input);
    assert.equal(found, Math.abs(witness!.difference));
    assert.ok(Math.abs(Math.abs(difference[output]!) - found) < 1e-5);
    const { highest, lowest } = extremes[output]!;
    assert.ok(found >= Math.max(highest.difference, -lowest.difference) - 1e-5);
  }
});

Deno.test("points are snapped inside of the box", () => {
  const around = box([0.1, 0, -1], [0.1, 1, 2]);
  assert.deepEqual([...snapToFloat32(Float64Array.of(0.1, 1 / 3, 2), around)], [
    0.1,
    Math.fround(1 / 3),
    2,
  ]);
  const narrow = box([0.3 - 1e-9], [1]);
  const [snapped] = snapToFloat32(Float64Array.of(0.3 - 1e-9), narrow);
  assert.ok(snapped! >= 0.3 - 1e-9 && Math.fround(snapped!) === snapped);
  assert.deepEqual([...snapToIntegers(Float64Array.of(2.5, 0.4), box([0, 1], [255, 3]))], [3, 1]);
});

Deno.test("a witness is saved as an array that is read back", async () => {
  const path = await Deno.makeTempFile({ suffix: ".npy" });
  try {
    const values = [1.5, -2, 0.1, 7, 8, 9];
    await Deno.writeFile(path, encodeNpy(float32([2, 3], values)));
    const block = openNpy(path);
    assert.deepEqual([block.count, ...block.dims], [2, 3]);
    const bytes = await Deno.readFile(path);
    assert.equal((bytes.length - 24) % 64, 0);
    assert.deepEqual([...new Float32Array(bytes.slice(-24).buffer)], values.map(Math.fround));
  } finally {
    await Deno.remove(path);
  }
});
