import assert from "node:assert/strict";
import { Random } from "../../src/base/random.ts";
import type { Certificate } from "../../src/checker/certificate.ts";
import { checkCertificate, type ModelFiles } from "../../src/checker/check.ts";
import { Refusal } from "../../src/checker/refusal.ts";
import { float } from "../../src/onnx/attributes.ts";
import { GraphBuilder } from "../../src/onnx/build.ts";
import type { Model } from "../../src/onnx/model.ts";
import { float32, tensor } from "../../src/onnx/tensor.ts";
import { encodeModel } from "../../src/onnx/write.ts";
import { digestOf } from "../../src/store/digest.ts";
import { box } from "../../src/verify/box.ts";
import { certify } from "../../src/verify/certificate/certify.ts";
import { dense, files } from "./networks.ts";

const MODELS = dense(1, 2, [6, 6], 0.05);
const FILES = files(MODELS);
const CERTIFICATE = (await certify(FILES, [{
  name: "x",
  box: box([-0.5, 0], [0.5, 1]),
  target: { lower: new Float64Array(2), upper: new Float64Array(2) },
  parts: 12,
}])).certificate;
const TEXT = JSON.stringify(CERTIFICATE);

/** Whatever is wrong, it is said in words. */
function refuses(text: string, models: ModelFiles = FILES, message = /./): void {
  assert.throws(
    () => checkCertificate(text, models),
    (error) => error instanceof Refusal && message.test(error.message),
  );
}

/** A claim about models, whatever it is worth. */
function claimOf(
  models: ModelFiles,
  sizes: readonly [inputs: number, outputs: number],
  semantics: Certificate["semantics"],
): string {
  const all = (length: number, value: number) => new Array<number>(length).fill(value);
  const [inputs, outputs] = sizes;
  return JSON.stringify({
    ...CERTIFICATE,
    models: { original: digestOf(models.original), quantized: digestOf(models.quantized) },
    semantics,
    boxes: [{
      name: "x",
      lower: all(inputs, 5),
      upper: all(inputs, 10),
      difference: { lower: all(outputs, -1e300), upper: all(outputs, 1e300) },
      tree: [1],
    }],
  });
}

Deno.test("a certificate that says something twice is refused, in whatever spelling", () => {
  checkCertificate(TEXT, FILES);
  checkCertificate(JSON.stringify(CERTIFICATE, undefined, 2), FILES);
  const [whole] = CERTIFICATE.boxes;
  const claim = JSON.stringify(whole!.difference);
  const lower = `{"lower":[0,0],"upper":[0,0]}`;
  for (
    const text of [
      TEXT.replace(`"difference":`, `"difference":${lower},"difference":`),
      TEXT.replace(`"difference":`, `"d\\u0069fference":${lower},"difference":`),
      TEXT.replace(claim, `${claim} , "difference" : ${claim}`),
      TEXT.replace(`"semantics":`, `"semantics":"float32","semantics":`),
      TEXT.replace(`{"format"`, `{"boxes":[],"format"`),
    ]
  ) {
    assert.notEqual(text, TEXT);
    refuses(text, FILES, /twice/);
  }
  // Braces, colons and names in texts mean nothing.
  const name = `}{"name":1,\\"][:\\\\`;
  checkCertificate(TEXT.replace(`"name":"x"`, `"name":${JSON.stringify(name)}`), FILES);
});

Deno.test("numbers that are none, or beyond all, are refused", () => {
  for (const number of ["1e999", "-1e999", "null", `"1"`, "[1]", "true", "{}"]) {
    for (const field of ["lower", "upper"] as const) {
      const [whole] = CERTIFICATE.boxes;
      refuses(TEXT.replace(String(whole!.difference[field][0]), number));
      refuses(TEXT.replace(`"${field}":[`, `"${field}":[${number},`));
    }
    refuses(TEXT.replace(/"tree":\[\[(\d),/, `"tree":[[${number},`));
    refuses(TEXT.replace(/"tree":\[\[(\d),[^\]]*/, `"tree":[[$1,${number}`));
  }
  for (const number of ["NaN", "Infinity", "0x1", "+1", "1.", "01"]) {
    refuses(TEXT.replace(/"tree":\[\[(\d)/, `"tree":[[${number}`), FILES, /no JSON/);
  }
  // Sides that are none, and cuts outside of the part.
  for (const side of ["-1", "2", "1e9", "-0.5", "9007199254740993"]) {
    refuses(TEXT.replace(/"tree":\[\[(\d)/, `"tree":[[${side}`));
  }
});

Deno.test("what is nested too deep to be shown is refused all the same", () => {
  const deep = "[".repeat(200_000) + "]".repeat(200_000);
  refuses(TEXT.replace(`"version":1`, `"version":${deep}`), FILES, /version/);
  refuses(TEXT.replace(`"semantics":"real"`, `"semantics":${deep}`), FILES, /semantics/);
  refuses(`{"none":${deep}}`, FILES, /holds no certificate/);
  refuses(`{"none":{"toString":1,"valueOf":1}}`, FILES, /holds no certificate/);
  refuses(deep);
});

Deno.test("trees that leave something out, or go on, are refused, whatever is moved", () => {
  const random = Random.from(1, "trees");
  const [whole] = CERTIFICATE.boxes;
  const { tree, difference } = whole!;
  for (let trial = 0; trial < 400; trial++) {
    const changed = structuredClone(CERTIFICATE) as unknown as {
      boxes: { tree: unknown[]; difference: { lower: number[]; upper: number[] } }[];
    };
    const own = changed.boxes[0]!.tree;
    const at = random.integer(own.length);
    if (trial % 4 === 0) own.splice(at, 1);
    else if (trial % 4 === 1) own.push(tree[at]);
    else if (trial % 4 === 2) own.length = at;
    // A cut in the place of a part, and with claims that anything fits.
    else own.splice(at, 1, typeof own[at] === "number" ? [0, 0.1] : 1);
    changed.boxes[0]!.difference = {
      lower: difference.lower.map(() => -1e300),
      upper: difference.upper.map(() => 1e300),
    };
    refuses(JSON.stringify(changed), FILES, /tree/);
  }
});

Deno.test("damaged text is refused or says what it said", () => {
  const random = Random.from(2, "damage");
  const claims = (certificate: Certificate) => JSON.stringify(certificate.boxes);
  for (let trial = 0; trial < 3000; trial++) {
    const at = random.integer(TEXT.length);
    const other = String.fromCharCode(32 + random.integer(95));
    const text = trial % 3 === 0
      ? TEXT.slice(0, at) + TEXT.slice(at + 1 + random.integer(8))
      : TEXT.slice(0, at) + other + TEXT.slice(at + (trial % 3 === 1 ? 1 : 0));
    try {
      const { certificate } = checkCertificate(text, FILES);
      // Then it is weaker, or the same claim in other words: the claim itself says which.
      const [made, given] = [certificate.boxes[0]!, CERTIFICATE.boxes[0]!];
      const isWeaker = made.difference.lower.every((value, i) =>
        value <= given.difference.lower[i]! + 1e-3
      ) &&
        made.difference.upper.every((value, i) => value >= given.difference.upper[i]! - 1e-3);
      assert.ok(isWeaker || claims(certificate) === claims(CERTIFICATE), text);
    } catch (error) {
      if (!(error instanceof Refusal)) throw error;
    }
  }
});

const model = (make: (b: GraphBuilder, x: string) => string, dims = [1, 2], opset = 21): Model => {
  const b = new GraphBuilder();
  b.output(make(b, b.input("x", "float32", dims)));
  return b.build({ opset });
};

Deno.test("model files that can be read in two ways are refused", () => {
  const bytes = FILES.original;
  const joined = (...parts: Uint8Array[]) => Uint8Array.from(parts.flatMap((part) => [...part]));
  const refusesBoth = (changed: Uint8Array, message: RegExp) => {
    const both = { original: changed, quantized: changed };
    refuses(claimOf(both, [2, 2], "real"), both, message);
  };
  refusesBoth(joined(bytes, bytes), /twice/);
  // Field 25: functions of the model's own.
  refusesBoth(joined(bytes, Uint8Array.of(0xca, 0x01, 0x00)), /functions/);
  const [original] = MODELS;
  refusesBoth(encodeModel({ ...original, opsets: new Map([["", 6]]) }), /operator set 6/);
});

Deno.test("damaged model files are refused in words", () => {
  const random = Random.from(3, "bytes");
  for (let trial = 0; trial < 1500; trial++) {
    const bytes = FILES.quantized.slice(0, trial % 5 === 0 ? random.integer(3000) : undefined);
    for (let count = 1 + random.integer(4); count > 0; count--) {
      bytes[random.integer(bytes.length)] = random.integer(256);
    }
    const models = { original: FILES.original, quantized: bytes };
    try {
      checkCertificate(claimOf(models, [2, 2], "float32"), models);
    } catch (error) {
      if (!(error instanceof Refusal)) throw error;
    }
  }
});

const matrix = (b: GraphBuilder, rows: number, columns: number, ...weights: number[]) =>
  b.constant(float32([rows, columns], weights));

const OVERFLOWING: [string, (b: GraphBuilder, x: string) => string][] = [
  ["hidden by a weight of 0", (b, x) => {
    let value = x;
    for (let layer = 0; layer < 4; layer++) {
      const weights = matrix(b, 2, 2, 1e12, 0, 0, 1);
      value = b.op("Relu", [b.op("MatMul", [value, weights])]);
    }
    return b.op("MatMul", [value, matrix(b, 2, 2, 0, 0, 1, 1)]);
  }],
  ["hidden by a quantizer", (b, x) => {
    let value = x;
    for (let layer = 0; layer < 4; layer++) {
      value = b.op("MatMul", [value, matrix(b, 2, 2, 1e12, 0, 0, 1e12)]);
    }
    const grid = [b.constant(1), b.constant(tensor("uint8", [], Uint8Array.of(0)))];
    const rounded = b.op("DequantizeLinear", [b.op("QuantizeLinear", [value, ...grid]), ...grid]);
    return b.op("MatMul", [rounded, matrix(b, 2, 2, 1, 0, 0, 1)]);
  }],
  ["in the sum of an average", (b, x) => {
    const large = b.op("Mul", [x, b.constant(1e14)]);
    const larger = b.op("Mul", [large, b.constant(1e14)]);
    const image = b.op("Reshape", [
      b.op("Mul", [larger, b.constant(1e9)]),
      b.constant([1, 1, 1, 2]),
    ]);
    const mean = b.op("AveragePool", [image], { kernel_shape: [1, 2] });
    return b.op("Mul", [b.op("Flatten", [mean]), b.constant(0)]);
  }],
];

Deno.test("no claim about float32 numbers that overflow is accepted", () => {
  for (const [name, make] of OVERFLOWING) {
    const bytes = encodeModel(model(make));
    const both = { original: bytes, quantized: bytes };
    const sizes = [2, name.includes("average") ? 1 : 2] as const;
    refuses(claimOf(both, sizes, "float32"), both, /Infinity/);
    checkCertificate(claimOf(both, sizes, "real"), both);
  }
  const bytes = encodeModel(
    model((b, x) =>
      b.op("MatMul", [
        b.op("Relu", [b.op("Mul", [x, b.constant(0)])]),
        matrix(b, 2, 2, 1e30, 1, 1, 1),
      ])
    ),
  );
  refuses(
    claimOf({ original: bytes, quantized: bytes }, [2, 2], "float32"),
    { original: bytes, quantized: bytes },
    /weights/,
  );
});

Deno.test("what models compute otherwise than the checker would is refused", () => {
  const refusesModel = (made: Model, message: RegExp) => {
    const bytes = encodeModel(made);
    const both = { original: bytes, quantized: bytes };
    refuses(claimOf(both, [2, 2], "real"), both, message);
  };
  const yes = tensor("bool", [], Uint8Array.of(1));
  refusesModel(
    model((b, x) => b.op("Dropout", [x, b.constant(0.5), b.constant(yes)])),
    /training mode/,
  );
  const full = (b: GraphBuilder) => b.constant(float32([2], [1, 1]));
  refusesModel(
    model((b, x) =>
      b.op("BatchNormalization", [x, full(b), full(b), full(b), full(b)], {
        training_mode: 1,
        epsilon: float(1e-5),
      })
    ),
    /training mode/,
  );
  // A runtime rounds those products to half precision.
  refusesModel(
    model((b, x) => {
      const scale = tensor("float16", [], new Uint16Array(new Float16Array([0.0123]).buffer));
      const levels = tensor("int8", [2, 2], Int8Array.of(127, 113, 101, 89));
      const weights = b.op("DequantizeLinear", [b.constant(levels), b.constant(scale)]);
      return b.op("MatMul", [x, b.op("Cast", [weights], { to: 1 })]);
    }),
    /Cast .* not supported/,
  );
});
