import assert from "node:assert/strict";
import { join } from "node:path";
import fc from "fast-check";
import { UserError } from "../../src/base/errors.ts";
import { create, type TensorProto, TensorProtoSchema, toBinary } from "../../src/onnx/protobuf.ts";
import { decodeTensor, encodeTensor, tensorFromProto } from "../../src/onnx/tensor_proto.ts";
import {
  DATA_TYPE_NUMBERS,
  type DataType,
  storedLength,
  type Tensor,
} from "../../src/onnx/tensor.ts";
import { testWithSharedData } from "../shared_data.ts";

type Fields = Partial<
  Pick<
    TensorProto,
    | "rawData"
    | "floatData"
    | "doubleData"
    | "int32Data"
    | "int64Data"
    | "uint64Data"
    | "stringData"
  >
>;

function read(type: DataType, dims: number[], fields: Fields): Tensor {
  const message = create(TensorProtoSchema, {
    ...fields,
    dims: dims.map(BigInt),
    dataType: DATA_TYPE_NUMBERS[type],
  });
  return decodeTensor(toBinary(TensorProtoSchema, message));
}

/** The same two or more values of each type, in its own field and as raw bytes written out by hand. */
const FORMS: readonly [DataType, number[], Fields, number[]][] = [
  ["float32", [2], { floatData: [1, -0.5] }, [0, 0, 128, 63, 0, 0, 0, 191]],
  ["float64", [1], { doubleData: [-2] }, [0, 0, 0, 0, 0, 0, 0, 192]],
  ["complex64", [1], { floatData: [1, -0.5] }, [0, 0, 128, 63, 0, 0, 0, 191]],
  ["complex128", [1], { doubleData: [-2, 0] }, [0, 0, 0, 0, 0, 0, 0, 192, 0, 0, 0, 0, 0, 0, 0, 0]],
  ["int64", [1], { int64Data: [-2n] }, [254, 255, 255, 255, 255, 255, 255, 255]],
  ["uint64", [1], { uint64Data: [2n ** 64n - 2n] }, [254, 255, 255, 255, 255, 255, 255, 255]],
  ["uint32", [2], { uint64Data: [4294967294n, 1n] }, [254, 255, 255, 255, 1, 0, 0, 0]],
  ["int32", [1], { int32Data: [-2] }, [254, 255, 255, 255]],
  ["int16", [2], { int32Data: [-2, 3] }, [254, 255, 3, 0]],
  ["uint16", [1], { int32Data: [65534] }, [254, 255]],
  ["int8", [3], { int32Data: [-2, 127, -128] }, [254, 127, 128]],
  ["uint8", [2], { int32Data: [254, 0] }, [254, 0]],
  ["bool", [2], { int32Data: [1, 0] }, [1, 0]],
  ["float16", [1], { int32Data: [0x3c01] }, [0x01, 0x3c]],
  ["bfloat16", [1], { int32Data: [0xbf80] }, [0x80, 0xbf]],
  ["float8e4m3fn", [2], { int32Data: [0x7f, 0x80] }, [0x7f, 0x80]],
  ["int4", [3], { int32Data: [0xf1, 0x07] }, [0xf1, 0x07]],
  ["uint4", [2, 2], { int32Data: [0x21, 0x43] }, [0x21, 0x43]],
  ["int2", [5], { int32Data: [0xe4, 0x03] }, [0xe4, 0x03]],
  ["uint2", [4], { int32Data: [0xe4] }, [0xe4]],
  ["float4e2m1", [1], { int32Data: [0x0a] }, [0x0a]],
];

for (const [type, dims, fields, raw] of FORMS) {
  Deno.test(`${type} reads the same from its own field and from raw bytes`, () => {
    const own = read(type, dims, fields);
    const fromRaw = read(type, dims, { rawData: Uint8Array.from(raw) });
    assert.equal(own.type, type);
    assert.deepEqual(own.dims, dims);
    assert.deepEqual(own, fromRaw);
    assert.deepEqual(decodeTensor(encodeTensor(own)), own);
  });
}

Deno.test("strings read and write as UTF-8", () => {
  const tensor = read("string", [2], {
    stringData: ["für", ""].map((value) => new TextEncoder().encode(value)),
  });
  assert.deepEqual(tensor.data, ["für", ""]);
  assert.deepEqual(decodeTensor(encodeTensor(tensor)), tensor);
  assert.throws(
    () => read("string", [1], { stringData: [Uint8Array.of(0xff)] }),
    /holds a string that is not UTF-8/,
  );
});

Deno.test("scalars and empty tensors read", () => {
  assert.deepEqual(read("float32", [], { floatData: [3] }).data, Float32Array.of(3));
  assert.equal(read("float32", [0, 7], {}).data.length, 0);
  assert.equal(read("int64", [0], { rawData: new Uint8Array() }).data.length, 0);
});

Deno.test("data that does not fit the shape is refused, with both sizes", () => {
  const raw = { rawData: new Uint8Array(8) };
  assert.throws(
    () => read("float32", [3], raw),
    /Tensor needs 12 bytes for float32\[3\] but has 8/,
  );
  assert.throws(() => read("float32", [1], raw), /needs 4 bytes/);
  assert.throws(() => read("float32", [3], { floatData: [1] }), /needs 3 stored values .* has 1/);
  assert.throws(() => read("int4", [3], { rawData: new Uint8Array(1) }), /needs 2 bytes/);
});

Deno.test("a huge declared shape is refused without reserving memory for it", () => {
  const huge = [2 ** 40, 2 ** 40];
  assert.throws(() => read("float32", huge, { rawData: new Uint8Array(8) }), UserError);
  assert.throws(() => read("float64", huge, {}), UserError);
  const message = create(TensorProtoSchema, { dims: [-1n], dataType: 1 });
  assert.throws(() => tensorFromProto(message, "Tensor"), /impossible shape: \[-1\]/);
  message.dims = [2n ** 63n - 1n];
  assert.throws(() => tensorFromProto(message, "Tensor"), /impossible shape/);
});

Deno.test("an unknown element type, and bytes that are no tensor, are the user's to mend", () => {
  const message = create(TensorProtoSchema, { dataType: 27 });
  assert.throws(() => tensorFromProto(message, 'Initializer "w"'), /Initializer "w".*: 27/);
  assert.throws(() => decodeTensor(Uint8Array.of(0x0a, 0xff)), /Not an encoded ONNX tensor/);
});

Deno.test("any tensor survives encoding", () => {
  const types = Object.keys(DATA_TYPE_NUMBERS).filter((type) => type !== "string") as Exclude<
    DataType,
    "string"
  >[];
  fc.assert(
    fc.property(
      fc.constantFrom(...types),
      fc.array(fc.integer({ min: 0, max: 5 }), { maxLength: 4 }),
      fc.infiniteStream(fc.nat(255)),
      (type, dims, bytes) => {
        const size = storedLength(type, dims);
        const like = read(type, [0], {}).data as Uint8Array;
        const width = like.BYTES_PER_ELEMENT;
        const raw = Uint8Array.from({ length: size * width }, () => bytes.next().value!);
        const tensor = read(type, dims, { rawData: raw });
        assert.equal(tensor.data.length, size);
        assert.deepEqual(decodeTensor(encodeTensor(tensor)), tensor);
      },
    ),
  );
});

testWithSharedData(
  "the values of a conformance case read as the standard's tool wrote them",
  "onnx-node-tests/test_dequantizelinear_int4/test_data_set_0",
  (path) => {
    const load = (file: string) => decodeTensor(Deno.readFileSync(join(path, file)));
    const x = load("input_0.pb");
    // x = [0, 1, 7, -4, -8], scale 2, zero point 1, in the generator of the case.
    assert.equal(x.type, "int4");
    assert.deepEqual(x.dims, [5]);
    assert.deepEqual(x.data, Uint8Array.of(0x10, 0xc7, 0x08));
    assert.deepEqual(load("input_1.pb").data, Float32Array.of(2));
    assert.deepEqual(load("input_2.pb").data, Uint8Array.of(1));
    assert.deepEqual(load("output_0.pb").data, Float32Array.of(-2, 0, 12, -10, -18));
  },
);
