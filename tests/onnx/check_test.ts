import assert from "node:assert/strict";
import { graphAttribute } from "../../src/onnx/attributes.ts";
import { GraphBuilder } from "../../src/onnx/build.ts";
import { checkModel } from "../../src/onnx/check.ts";
import { toFloat16 } from "../../src/onnx/float16.ts";
import type { Model } from "../../src/onnx/model.ts";
import { float32, tensor } from "../../src/onnx/tensor.ts";

/** x → MatMul with w → Relu → y */
function soundModel(): Model {
  const builder = new GraphBuilder();
  const x = builder.input("x", "float32", [1, 2]);
  const w = builder.constant(float32([2, 2], [1, 2, 3, 4]), "w");
  const h = builder.op("MatMul", [x, w], {}, { name: "dense", outputs: ["h"] });
  builder.output(builder.op("Relu", [h], {}, { name: "activation", outputs: ["y"] }));
  return builder.build();
}

/** The messages for a model that was sound before a change. */
function messages(change: (model: Model) => void): string[] {
  const model = soundModel();
  change(model);
  return checkModel(model).map(({ message }) => message);
}

Deno.test("a sound model has no problems", () => {
  assert.deepEqual(messages(() => {}), []);
});

Deno.test("a value that nothing makes is named with its reader", () => {
  assert.deepEqual(messages(({ graph }) => graph.nodes[1]!.inputs[0] = "gone"), [
    'Node "activation" (Relu) reads "gone", which nothing makes',
  ]);
  assert.deepEqual(messages(({ graph }) => graph.outputs[0]!.name = "gone"), [
    'Nothing makes the graph output "gone"',
  ]);
});

Deno.test("a node before what it reads is named with the maker", () => {
  assert.deepEqual(messages(({ graph }) => graph.nodes.reverse()), [
    'Node "activation" (Relu) reads "h" before node "dense" (MatMul) makes it',
  ]);
  assert.deepEqual(messages(({ graph }) => graph.nodes[1]!.inputs[0] = "y"), [
    'Node "activation" (Relu) reads its own output "y"',
  ]);
});

Deno.test("a name that is defined twice is named with both definitions", () => {
  assert.deepEqual(messages(({ graph }) => graph.nodes[1]!.outputs[0] = "x"), [
    'The name "x" is defined twice: by a graph input and by node "activation" (Relu)',
    'Nothing makes the graph output "y"',
  ]);
  assert.deepEqual(messages(({ graph }) => graph.nodes[1]!.outputs = ["y", "w"]), [
    'The name "w" is defined twice: by an initializer and by node "activation" (Relu)',
  ]);
});

Deno.test("an initializer may be listed as an input too, as files before IR version 4 do", () => {
  assert.deepEqual(
    messages(({ graph }) => graph.inputs.push({ name: "w", type: "float32", dims: [2, 2] })),
    [],
  );
});

Deno.test("a missing operator set is named with the node that needs it", () => {
  assert.deepEqual(messages(({ graph }) => graph.nodes[1]!.domain = "com.example"), [
    'Node "activation" (com.example.Relu) needs an operator set that the model does not import: ' +
    'domain "com.example"',
  ]);
  assert.match(messages(({ opsets }) => opsets.set("", 99))[0]!, /Opset 99 is not supported/);
  assert.match(messages((model) => model.irVersion = 2)[0]!, /IR version 2 is not supported/);
});

Deno.test("data that does not fit its shape is named", () => {
  assert.deepEqual(
    messages(({ graph }) =>
      graph.initializers.set("w", { type: "float32", dims: [2, 3], data: new Float32Array(4) })
    ),
    ['Initializer "w" must have 6 stored values for float32[2, 3]: it has 4'],
  );
  assert.deepEqual(
    messages(({ graph }) =>
      graph.initializers.set("w", { type: "int4", dims: [3], data: new Uint8Array(2) })
    ),
    [],
  );
});

Deno.test("NaN in weights is named with the node that reads it, in every float type", () => {
  const nan = 'Initializer "w", read by node "dense" (MatMul), holds 2 NaN values';
  const values = [1, NaN, NaN, 4];
  const weights = [
    float32([2, 2], values),
    tensor("float64", [2, 2], Float64Array.from(values)),
    tensor("float16", [2, 2], toFloat16(values)),
    tensor("bfloat16", [2, 2], Uint16Array.of(0, 0x7fc0, 0xff81, 0x7f00)),
  ];
  for (const weight of weights) {
    assert.deepEqual(messages(({ graph }) => graph.initializers.set("w", weight)), [nan]);
  }
});

Deno.test("infinity is a problem in weights, not in masks and bounds", () => {
  const infinite = float32([2, 2], [1, Infinity, -Infinity, 4]);
  assert.deepEqual(messages(({ graph }) => graph.initializers.set("w", infinite)), [
    'Initializer "w", read by node "dense" (MatMul), holds 2 infinite values',
  ]);
  const asMask = (model: Model) => {
    model.graph.initializers.set("w", infinite);
    model.graph.nodes[0]!.opType = "Add";
  };
  assert.deepEqual(messages(asMask), []);
});

Deno.test("weights in Constant nodes are looked at too", () => {
  assert.match(
    messages(({ graph }) => {
      graph.initializers.delete("w");
      graph.nodes.unshift({
        name: "weight",
        opType: "Constant",
        domain: "",
        inputs: [],
        outputs: ["w"],
        attributes: new Map([["value", { kind: "tensor", value: float32([1], [NaN]) }]]),
      });
    })[0]!,
    /Constant "w", read by node "dense" \(MatMul\), holds 1 NaN/,
  );
});

Deno.test("bodies see what was made before them, and nothing later", () => {
  const withBody = (captured: string) => (model: Model) => {
    const body = (name: string) => {
      const builder = new GraphBuilder(name);
      builder.op("Neg", [captured], {}, { outputs: [`${name} out`] });
      builder.output(`${name} out`);
      return graphAttribute(builder.graph());
    };
    model.graph.initializers.set("yes", tensor("bool", [], Uint8Array.of(1)));
    model.graph.nodes.splice(1, 0, {
      name: "branch",
      opType: "If",
      domain: "",
      inputs: ["yes"],
      outputs: ["z"],
      attributes: new Map([["then_branch", body("then")], ["else_branch", body("else")]]),
    });
  };
  assert.deepEqual(messages(withBody("h")), []);
  assert.match(messages(withBody("y"))[0]!, /Neg.* reads "y", which nothing makes/);
});
