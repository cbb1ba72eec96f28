import assert from "node:assert/strict";
import { Random } from "../../../src/base/random.ts";
import { box } from "../../../src/verify/box.ts";
import { certify } from "../../../src/verify/certificate/certify.ts";
import { exactMaximum } from "../../../src/verify/exact/exact.ts";
import { solve } from "../../../src/verify/exact/solver.ts";
import { evaluate } from "../../../src/verify/network/evaluate.ts";
import { pairModels } from "../../../src/verify/network/pair.ts";
import { convolutional, dense, files, pairOf } from "../../checker/networks.ts";

Deno.test("the solver solves what can be solved by hand", async () => {
  const text = [
    "Maximize",
    " obj: x + 2 y",
    "Subject To",
    " c: x + y <= 1.5",
    "Bounds",
    " 0 <= x <= 1",
    "Binary",
    " y",
    "End",
  ].join("\n");
  const { objective, values } = await solve(text);
  assert.deepEqual([objective, values.get("x"), values.get("y")], [2.5, 0.5, 1]);
  await assert.rejects(solve(text.replace("<= 1.5", ">= 4")), /no optimal solution: Infeasible/);
});

Deno.test("certified bounds and samples enclose the exact maximum of 200 tiny networks", async () => {
  const random = Random.from(8, "tiny");
  for (let seed = 0; seed < 200; seed++) {
    const models = dense(seed + 1, 2, [3, 3], 0.05 + 0.5 * random.uniform());
    const network = pairModels(...models);
    const lower = [random.normal(), random.normal()];
    const whole = box(lower, lower.map((side) => side + 0.2 + random.uniform()));
    const output = seed % 2;
    const sign = random.uniform() < 0.5 ? 1 : -1;
    const { value, input } = await exactMaximum(network, whole, output, sign);
    const at = (x: Float64Array) => sign * evaluate(network, x).difference[output]!;
    assert.ok(Math.abs(at(input) - value) < 1e-6, `${seed}: ${at(input)} is not ${value}`);
    for (let trial = 0; trial < 50; trial++) {
      const x = whole.lower.map((from, side) =>
        from + random.uniform() * (whole.upper[side]! - from)
      );
      assert.ok(at(x) <= value + 1e-6, `${seed}: ${at(x)} is above ${value}`);
    }
    // The other bounds are no target.
    const target = {
      lower: new Float64Array(2).fill(-1e9),
      upper: new Float64Array(2).fill(1e9),
    };
    const slack = 0.05 * Math.abs(value) + 1e-4;
    if (sign > 0) target.upper[output] = value + slack;
    else target.lower[output] = -value - slack;
    const request = { name: "x", box: whole, target, parts: 2000 };
    const { certificate, reached } = await certify(files(models), [request]);
    assert.deepEqual(reached, [true], `${seed}`);
    const claimed = certificate.boxes[0]!.difference;
    assert.ok((sign > 0 ? claimed.upper[output]! : -claimed.lower[output]!) >= value - 1e-6);
    // Less than the maximum cannot be proven with any number of parts.
    if (sign > 0) target.upper[output] = value - 1e-5;
    else target.lower[output] = -value + 1e-5;
    const less = await certify(files(models), [{ ...request, parts: 20 }]);
    assert.deepEqual(less.reached, [false]);
  }
});

Deno.test("convolutions and residuals are exact too, on a small box", async () => {
  const network = pairModels(...convolutional(0.2));
  const random = Random.from(3, "small box");
  const middle = Float64Array.from({ length: 60 }, () => random.normal());
  const small = box(middle.map((value) => value - 0.002), middle.map((value) => value + 0.002));
  const { value, input } = await exactMaximum(network, small, 0, 1);
  assert.ok(Math.abs(evaluate(network, input).difference[0]! - value) < 1e-6);
  for (let trial = 0; trial < 100; trial++) {
    const x = small.lower.map((from) => from + 0.004 * Math.round(random.uniform()));
    assert.ok(evaluate(network, x).difference[0]! <= value + 1e-6);
  }
});

Deno.test("what is too large or not Relu is refused", async () => {
  const wide = pairModels(...dense(1, 3, [30, 30], 0.1));
  const whole = box([-9, -9, -9], [9, 9, 9]);
  await assert.rejects(exactMaximum(wide, whole, 0, 1), /Relus of open sign .* at most 40/);
  const smooth = pairModels(
    ...pairOf(
      5,
      [1, 3],
      0.1,
      (b, x, weights) => b.op("Sigmoid", [b.op("MatMul", [x, weights([3, 2])])]),
    ),
  );
  await assert.rejects(exactMaximum(smooth, whole, 0, 1), /\(sigmoid\) has no exact form/);
});
