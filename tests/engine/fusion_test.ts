import { deepEqual, equal, ok, rejects } from "node:assert/strict";
import { executedOperators, isIntegerOperator } from "../../src/engine/fusion.ts";
import { type Layer, qdqModel } from "./qdq_models.ts";

async function executed(
  layer: Partial<Layer>,
  ...options: Parameters<typeof executedOperators>[1][]
) {
  const whole = {
    operator: "Conv",
    weightBits: 8,
    activationBits: 8,
    blocked: false,
    ...layer,
  } as const;
  return await executedOperators(qdqModel(whole), ...options);
}

function integers(operators: ReadonlyMap<string, number>): string[] {
  return [...operators.keys()].filter(isIntegerOperator);
}

Deno.test("integer arithmetic fuses quantizers into integer operators, simulated does not", async () => {
  deepEqual(integers(await executed({}, { arithmetic: "integer" })), ["QLinearConv"]);
  deepEqual(integers(await executed({ operator: "MatMul" }, { arithmetic: "default" })), [
    "QLinearMatMul",
  ]);
  const simulated = await executed({}, { arithmetic: "simulated" });
  deepEqual(integers(simulated), []);
  equal(simulated.get("Conv"), 1);
  deepEqual(integers(await executed({ weightBits: 4 }, { arithmetic: "integer" })), []);
});

Deno.test("weight-only products are fused by default", async () => {
  const layer = { operator: "MatMul", weightBits: 4, activationBits: 0 } as const;
  ok((await executed(layer, { arithmetic: "default" })).has("MatMulNBits"));
  ok(!(await executed(layer, { arithmetic: "simulated" })).has("QuantizeLinear"));
});

Deno.test("a model that the options make invalid is refused", async () => {
  await rejects(executed({ activationBits: 4 }, { arithmetic: "default" }), {
    name: "UserError",
    message: /QLinearConv/,
  });
});

Deno.test("integer operators are told from others by name", () => {
  for (
    const name of [
      "QLinearConv",
      "QLinearAdd",
      "QGemm",
      "MatMulInteger",
      "ConvInteger",
      "DynamicQuantizeMatMul",
    ]
  ) {
    ok(isIntegerOperator(name), name);
  }
  for (
    const name of [
      "Conv",
      "QuantizeLinear",
      "DequantizeLinear",
      "DynamicQuantizeLinear",
      "MatMulNBits",
    ]
  ) {
    ok(!isIntegerOperator(name), name);
  }
});
