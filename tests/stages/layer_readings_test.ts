import assert from "node:assert/strict";
import type { JsonValue } from "../../src/base/canonical_json.ts";
import { runWithIntermediates } from "../../src/engine/intermediates.ts";
import { constantValue } from "../../src/onnx/edit.ts";
import type { Model } from "../../src/onnx/model.ts";
import { readLayers } from "../../src/quant/layer_readings.ts";
import { fillDefaults } from "../../src/registry/defaults.ts";
import type { Schema } from "../../src/registry/schema.ts";
import { type Parameters, parameters } from "../../src/stages/quantize/ports.ts";
import { quantizeModel } from "../../src/stages/quantize/run.ts";
import { networkInput, smallNetwork } from "../quant/small_network.ts";

const network = smallNetwork();

function quantized(weights: JsonValue, rest: Record<string, JsonValue> = {}): Model {
  const given = { weights, activations: { mode: "none" }, ...rest };
  return quantizeModel(
    network,
    undefined,
    fillDefaults(parameters as unknown as Schema, given) as Parameters,
    { seed: 0, signal: new AbortController().signal, warn: () => {} },
  ).outputs.model;
}

/** The signal-to-noise ratio of each layer's weights, as ONNX Runtime hands them to the layer. */
async function executedRatios(model: Model): Promise<Record<string, number>> {
  const layers = model.graph.nodes.filter(({ inputs, opType }) =>
    ["Conv", "ConvTranspose", "Gemm", "MatMul"].includes(opType) && inputs.length > 1
  );
  const values = layers.map(({ inputs }) => inputs[1]!)
    .filter((name) => !model.graph.initializers.has(name));
  const seen = new Map<string, ArrayLike<number>>();
  await runWithIntermediates(model, values, () => [{ x: networkInput() }], (found) => {
    for (const [name, { data }] of Object.entries(found)) {
      seen.set(name, Array.from(data as Float32Array));
    }
  });
  return Object.fromEntries(layers.flatMap(({ name, inputs }) => {
    const original = network.graph.nodes.find((node) => node.name === name);
    const float = original && constantValue(network.graph, original.inputs[1]!);
    const rounded = seen.get(inputs[1]!);
    if (float?.type !== "float32" || rounded === undefined) return [];
    let signal = 0;
    let noise = 0;
    (float.data as Float32Array).forEach((value, index) => {
      signal += value * value;
      noise += (value - rounded[index]!) ** 2;
    });
    return [[name, 10 * Math.log10(signal / noise)]];
  }));
}

Deno.test("errors of layers are those of the weights that ONNX Runtime computes with", async () => {
  const forms: [JsonValue, Record<string, JsonValue>?][] = [
    [{ bits: 8, granularity: "tensor" }],
    [{ bits: 4, granularity: "channel", symmetric: false }],
    [{ bits: 3, granularity: "group", block_size: 16 }, { encoding: "container" }],
    [{ bits: 2, mapping: "codebook" }],
    [{ bits: 1 }],
  ];
  for (const [weights, rest] of forms) {
    const model = quantized(weights, rest);
    const layers = readLayers(model, network).filter(({ sqnr }) => sqnr !== undefined);
    const expected = await executedRatios(model);
    assert.deepEqual(layers.map(({ name }) => name).sort(), Object.keys(expected).sort());
    assert.ok(layers.length >= 5, `${layers.length} layers`);
    for (const { name, sqnr } of layers) {
      const difference = Math.abs(sqnr! - expected[name]!);
      assert.ok(difference < 1e-3, `${JSON.stringify(weights)} ${name}: ${sqnr} ${expected[name]}`);
    }
  }
});

Deno.test("layers say how they are quantized", () => {
  const [first] = readLayers(quantized({ bits: 3 }), network);
  const conv = network.graph.nodes.find(({ opType }) => opType === "Conv")!;
  const dims = network.graph.initializers.get(conv.inputs[1]!)!.dims;
  assert.equal(first!.name, conv.name);
  assert.equal(first!.op, "Conv");
  assert.deepEqual(first!.dims, dims);
  assert.equal(first!.elements, dims.reduce((product, dim) => product * dim, 1));
  assert.deepEqual([first!.mapping, first!.bits, first!.scales], ["uniform", 3, dims[0]]);
  assert.equal(readLayers(quantized({ bits: 4, mapping: "codebook" }))[0]!.mapping, "codebook");
  const [float] = readLayers(network, network);
  assert.deepEqual([float!.mapping, float!.bits, float!.sqnr], ["float", 32, undefined]);
});

Deno.test("without the float model there are no errors", () => {
  assert.ok(readLayers(quantized({ bits: 4 })).every(({ sqnr }) => sqnr === undefined));
});
