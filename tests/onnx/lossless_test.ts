import assert from "node:assert/strict";
import {
  AttributeProto_AttributeType as AttributeType,
  create,
  type GraphProtoSchema,
  type MessageInitShape,
  ModelProtoSchema,
  TensorProtoSchema,
  toBinary,
} from "../../src/onnx/protobuf.ts";
import { cloneModel, renameValue } from "../../src/onnx/edit.ts";
import type { Model } from "../../src/onnx/model.ts";
import { decodeModel } from "../../src/onnx/read.ts";
import { encodeModel } from "../../src/onnx/write.ts";

const text = (value: string) => new TextEncoder().encode(value);
const scalarMessage = (name?: string) =>
  create(TensorProtoSchema, {
    dims: [],
    dataType: 1,
    ...(name !== undefined && { name }),
    rawData: new Uint8Array(4),
    docString: "what the tensor is",
    metadataProps: [{ key: "k", value: "v" }],
  });

/** A message that uses every corner of the format, in the order in which it is written. */
function exoticMessage() {
  const message = create(ModelProtoSchema, {
    irVersion: 13n,
    producerName: "producer",
    producerVersion: "1.2",
    domain: "org.example",
    modelVersion: 9007199254740993n,
    docString: "about the model",
    opsetImport: [{ domain: "", version: 25n }, { domain: "com.example", version: 3n }],
    metadataProps: [{ key: "author", value: "somebody" }],
    trainingInfo: [{ initializationBinding: [{ key: "w", value: "w0" }] }],
    functions: [{
      name: "Twice",
      domain: "com.example",
      input: ["x"],
      output: ["y"],
      attribute: ["a"],
      node: [{
        input: ["x", "x"],
        output: ["y"],
        opType: "Add",
        attribute: [
          { name: "axis", refAttrName: "a", type: AttributeType.INT },
        ],
      }],
      opsetImport: [{ domain: "", version: 25n }],
    }],
    configuration: [{ name: "two", numDevices: 2, device: ["a", "b"] }],
    graph: {
      name: "graph",
      docString: "about the graph",
      metadataProps: [{ key: "gk", value: "gv" }],
      quantizationAnnotation: [{
        tensorName: "y",
        quantParameterTensorNames: [{ key: "SCALE_TENSOR", value: "w" }],
      }],
      initializer: [scalarMessage("w")],
      sparseInitializer: [{
        values: { dims: [1n], dataType: 1, rawData: new Uint8Array(4), name: "s" },
        indices: { dims: [1n], dataType: 7, rawData: new Uint8Array(8) },
        dims: [10n],
      }],
      input: [
        {
          name: "x",
          docString: "about the input",
          metadataProps: [{ key: "ik", value: "iv" }],
          type: {
            denotation: "IMAGE",
            value: {
              case: "tensorType",
              value: {
                elemType: 1,
                shape: {
                  dim: [
                    { value: { case: "dimParam", value: "batch" }, denotation: "DATA_BATCH" },
                    { value: { case: "dimValue", value: 3n } },
                    { value: { case: undefined } },
                  ],
                },
              },
            },
          },
        },
        {
          name: "list",
          type: {
            value: {
              case: "sequenceType",
              value: { elemType: { value: { case: "tensorType", value: { elemType: 8 } } } },
            },
          },
        },
      ],
      output: [{ name: "y" }],
      valueInfo: [{ name: "h", type: { value: { case: "tensorType", value: { elemType: 10 } } } }],
      node: [
        {
          input: ["x", "", "w"],
          output: ["h", ""],
          name: "exotic",
          opType: "Exotic",
          domain: "com.example",
          overload: "second",
          docString: "about the node",
          metadataProps: [{ key: "nk", value: "nv" }],
          deviceConfigurations: [{ configurationId: "two", pipelineStage: 1 }],
          attribute: [
            { name: "f", type: AttributeType.FLOAT, f: 0.5, docString: "about f" },
            { name: "i", type: AttributeType.INT, i: -9223372036854775808n },
            { name: "s", type: AttributeType.STRING, s: text("grüße") },
            { name: "b", type: AttributeType.STRING, s: Uint8Array.of(0xff, 0xfe) },
            { name: "t", type: AttributeType.TENSOR, t: scalarMessage() },
            { name: "fs", type: AttributeType.FLOATS, floats: [1, 2.5] },
            { name: "is", type: AttributeType.INTS, ints: [1n, 2n ** 60n] },
            { name: "none", type: AttributeType.INTS },
            { name: "ss", type: AttributeType.STRINGS, strings: [text("a"), text("")] },
            { name: "bs", type: AttributeType.STRINGS, strings: [Uint8Array.of(0xff)] },
            { name: "ts", type: AttributeType.TENSORS, tensors: [scalarMessage()] },
            {
              name: "g",
              type: AttributeType.GRAPH,
              g: { name: "body", node: [{ output: ["c"], opType: "Constant" }] },
            },
            { name: "gs", type: AttributeType.GRAPHS, graphs: [{ name: "one" }, { name: "two" }] },
            {
              name: "tp",
              type: AttributeType.TYPE_PROTO,
              tp: { value: { case: "tensorType", value: { elemType: 1 } } },
            },
            {
              name: "sp",
              type: AttributeType.SPARSE_TENSOR,
              sparseTensor: { dims: [4n] },
            },
          ],
        },
        { input: ["h", "s"], output: ["y"], opType: "Add" },
      ],
    },
  });
  // Field 100 of a newer standard: a length-delimited field that nobody here knows.
  const unknown = [{ no: 100, wireType: 2, data: Uint8Array.of(2, 7, 8) }];
  message.$unknown = unknown;
  message.graph!.$unknown = unknown;
  message.graph!.node[0]!.$unknown = unknown;
  message.graph!.initializer[0]!.$unknown = unknown;
  message.graph!.input[0]!.$unknown = unknown;
  return message;
}

Deno.test("a model that uses every corner of the format is written back byte for byte", () => {
  const bytes = toBinary(ModelProtoSchema, exoticMessage());
  const model = decodeModel(bytes);
  assert.deepEqual(encodeModel(model), bytes);
  assert.deepEqual(encodeModel(cloneModel(model)), bytes);
});

Deno.test("what can be edited is plain data", () => {
  const { graph, opsets, modelVersion } = decodeModel(toBinary(ModelProtoSchema, exoticMessage()));
  assert.deepEqual(opsets, new Map([["", 25], ["com.example", 3]]));
  assert.equal(modelVersion, 9007199254740993n);
  assert.deepEqual(graph.inputs[0]!.dims, ["batch", 3, undefined]);
  assert.equal(graph.inputs[1]!.opaque?.kind, "sequence");
  assert.deepEqual(graph.values.get("h"), { name: "h", type: "float16", dims: undefined });
  const { attributes } = graph.nodes[0]!;
  assert.deepEqual(attributes.get("f"), { kind: "float", value: 0.5, doc: "about f" });
  assert.deepEqual(attributes.get("i"), { kind: "int", value: -9223372036854775808n });
  assert.deepEqual(attributes.get("s"), { kind: "string", value: "grüße" });
  assert.deepEqual(attributes.get("b"), { kind: "bytes", value: Uint8Array.of(0xff, 0xfe) });
  assert.deepEqual(attributes.get("is"), { kind: "ints", value: [1, 2n ** 60n] });
  assert.deepEqual(attributes.get("none"), { kind: "ints", value: [] });
  assert.equal(attributes.get("tp")!.kind, "opaque");
});

Deno.test("denotations stay with the dimensions while the rank stays", () => {
  const model = decodeModel(toBinary(ModelProtoSchema, exoticMessage()));
  const [input] = model.graph.inputs;
  input!.dims = [8, 3, 5];
  assert.match(written(model), /DATA_BATCH/);
  input!.dims = [8];
  const again = decodeModel(encodeModel(model));
  assert.deepEqual(again.graph.inputs[0]!.dims, [8]);
  assert.doesNotMatch(written(model), /DATA_BATCH/);
});

Deno.test("a sparse initializer can be renamed", () => {
  const model = decodeModel(toBinary(ModelProtoSchema, exoticMessage()));
  renameValue(model.graph, "s", "sparse");
  const again = decodeModel(encodeModel(model)).graph;
  assert.deepEqual([...again.sparse!.keys()], ["sparse"]);
  assert.deepEqual(again.nodes[1]!.inputs, ["h", "sparse"]);
});

Deno.test("attributes without a type, as the oldest files have them, get it from their value", () => {
  const bytes = toBinary(
    ModelProtoSchema,
    create(ModelProtoSchema, {
      irVersion: 3n,
      opsetImport: [{ version: 9n }],
      graph: {
        node: [{
          opType: "Old",
          output: ["y"],
          attribute: [
            { name: "i", i: 0n },
            { name: "f", f: 0 },
            { name: "s", s: text("x") },
            { name: "is", ints: [1n] },
            { name: "fs", floats: [1] },
          ],
        }],
        output: [{ name: "y" }],
      },
    }),
  );
  const { attributes } = decodeModel(bytes).graph.nodes[0]!;
  assert.deepEqual([...attributes.values()].map(({ kind }) => kind), [
    "int",
    "float",
    "string",
    "ints",
    "floats",
  ]);
});

Deno.test("the standard domain has one name", () => {
  const bytes = toBinary(
    ModelProtoSchema,
    create(ModelProtoSchema, {
      irVersion: 8n,
      opsetImport: [{ domain: "ai.onnx", version: 17n }],
      graph: { node: [{ opType: "Relu", domain: "ai.onnx", input: ["x"], output: ["y"] }] },
    }),
  );
  const model = decodeModel(bytes);
  assert.equal(model.opsets.get(""), 17);
  assert.equal(model.graph.nodes[0]!.domain, "");
});

function written(model: Model): string {
  return new TextDecoder("latin1").decode(encodeModel(model));
}

Deno.test("two initializers or attributes of one name are refused", () => {
  const write = (graph: MessageInitShape<typeof GraphProtoSchema>) =>
    toBinary(
      ModelProtoSchema,
      create(ModelProtoSchema, { irVersion: 8n, opsetImport: [{ version: 17n }], graph }),
    );
  assert.throws(
    () => decodeModel(write({ initializer: [scalarMessage("w"), scalarMessage("w")] })),
    /Initializer "w" is there twice/,
  );
  const attribute = [{ name: "axis", i: 1n }, { name: "axis", i: 2n }];
  assert.throws(
    () => decodeModel(write({ node: [{ name: "n", opType: "Softmax", attribute }] })),
    /In node "n" \(Softmax\) attribute "axis" is there twice/,
  );
});
