import assert from "node:assert/strict";
import { Ajv } from "ajv";
import { Random } from "../../src/base/random.ts";
import type { Certificate } from "../../src/checker/certificate.ts";
import { CERTIFICATE_SCHEMA } from "../../src/checker/certificate_schema.ts";
import { checkCertificate, type ModelFiles } from "../../src/checker/check.ts";
import { Refusal } from "../../src/checker/refusal.ts";
import type { Model } from "../../src/onnx/model.ts";
import { float32 } from "../../src/onnx/tensor.ts";
import { encodeModel } from "../../src/onnx/write.ts";
import { digestOf } from "../../src/store/digest.ts";
import { type Box, box } from "../../src/verify/box.ts";
import { certify, encodeCertificate } from "../../src/verify/certificate/certify.ts";
import { evaluate } from "../../src/verify/network/evaluate.ts";
import type { PairedNetwork } from "../../src/verify/network/network.ts";
import { pairModels } from "../../src/verify/network/pair.ts";
import { dense, files, pairOf, stored } from "./networks.ts";

/** The least and most difference of each output among samples, and where. */
function sampled(network: PairedNetwork, { lower, upper }: Box, count = 400) {
  const random = Random.from(1, "samples");
  const points = Array.from({ length: count }, (_, trial) =>
    lower.map((from, at) => {
      const share = trial % 2 === 0 ? Math.round(random.uniform()) : random.uniform();
      return share === 1 ? upper[at]! : from + share * (upper[at]! - from);
    }));
  const differences = points.map((point) => evaluate(network, point).difference);
  const outputs = differences[0]!.length;
  const ends = (pick: (...values: number[]) => number) =>
    Float64Array.from(
      { length: outputs },
      (_, output) => pick(...differences.map((each) => each[output]!)),
    );
  return { least: ends(Math.min), most: ends(Math.max), points };
}

interface Case {
  readonly models: readonly [Model, Model];
  readonly files: ModelFiles;
  readonly network: PairedNetwork;
  readonly certificate: Certificate;
}

/** A certificate of two boxes that claims what a hundred parts prove. */
async function caseOf(models: [Model, Model]): Promise<Case> {
  const network = pairModels(...models);
  const boxes = [box([-1, -0.5, 0], [0, 0.5, 1]), box([0.5, 0.5, 0.5], [0.75, 0.75, 0.75])];
  const requests = boxes.map((each, at) => {
    const { least, most } = sampled(network, each);
    return { name: `box ${at}`, box: each, target: { lower: least, upper: most }, parts: 100 };
  });
  const made = files(models);
  const { certificate } = await certify(made, requests);
  return { models, files: made, network, certificate };
}

const CASES = [
  await caseOf(dense(1, 3, [8, 8], 0.05)),
  await caseOf(dense(2, 3, [6], 0.6)),
  await caseOf(stored(4)),
];

const check = (certificate: unknown, models: ModelFiles) =>
  checkCertificate(JSON.stringify(certificate), models);

/** A copy that can be changed. */
// deno-lint-ignore no-explicit-any -- Mutations put anything anywhere.
const copy = (certificate: Certificate): any => structuredClone(certificate);

function refuses(certificate: unknown, models: ModelFiles, message = /./): void {
  assert.throws(
    () => check(certificate, models),
    (error) => error instanceof Refusal && message.test(error.message),
  );
}

Deno.test("what is certified is accepted", () => {
  for (const { certificate, files: models } of CASES) {
    const { parts } = checkCertificate(
      new TextDecoder().decode(encodeCertificate(certificate)),
      models,
    );
    const leaves = certificate.boxes.flatMap(({ tree }) => tree.filter((node) => node === 0));
    assert.equal(parts, leaves.length);
    assert.ok(leaves.length > 3);
  }
});

Deno.test("the same request gives the same bytes", async () => {
  const models = dense(1, 3, [8, 8], 0.05);
  assert.deepEqual(
    encodeCertificate((await caseOf(models)).certificate),
    encodeCertificate(CASES[0]!.certificate),
  );
});

Deno.test("a target that splitting reaches is what is claimed, with few parts", async () => {
  const { files: models, certificate } = CASES[1]!;
  const [{ difference: { lower, upper } }] = certificate.boxes as [Certificate["boxes"][number]];
  const target = {
    lower: Float64Array.from(lower, (value) => value - 0.05),
    upper: Float64Array.from(upper, (value) => value + 0.05),
  };
  const request = { name: "x", box: box([-1, -0.5, 0], [0, 0.5, 1]), target, parts: 100 };
  const { certificate: weaker, reached, parts } = await certify(models, [request]);
  assert.deepEqual(reached, [true]);
  assert.ok(parts < 100);
  assert.deepEqual(weaker.boxes[0]!.difference, {
    lower: [...target.lower],
    upper: [...target.upper],
  });
  check(weaker, models);
});

Deno.test("where splitting does not reach the target, what is proven is claimed", async () => {
  const { files: models, network } = CASES[0]!;
  const whole = box([-1, -0.5, 0], [0, 0.5, 1]);
  const target = { lower: Float64Array.of(0, 0), upper: Float64Array.of(0, 0) };
  for (const differences of [false, true]) {
    const { certificate, reached, parts } = await certify(
      models,
      [{ name: "x", box: whole, target, parts: 20 }],
      { differences },
    );
    assert.deepEqual([reached, parts <= 20], [[false], true]);
    const { least, most } = sampled(network, whole);
    const { lower, upper } = certificate.boxes[0]!.difference;
    assert.ok(least.every((value, output) => lower[output]! <= value));
    assert.ok(most.every((value, output) => value <= upper[output]!));
    assert.equal(check(certificate, models).parts, (parts + 1) / 2);
  }
});

Deno.test("certificates whose claim is false are refused, every one", () => {
  const random = Random.from(6, "mutations");
  const counts: Record<string, number> = {};
  const count = (kind: string) => counts[kind] = (counts[kind] ?? 0) + 1;
  for (const { certificate, files: models, network, models: [original, quantized] } of CASES) {
    const seen = certificate.boxes.map(({ lower, upper }) => sampled(network, box(lower, upper)));
    const place = () => random.integer(certificate.boxes.length);
    for (let trial = 0; trial < 120; trial++) {
      // A bound beyond which a point has been seen.
      const [at, output] = [place(), random.integer(2)];
      const lowered = copy(certificate);
      const { least, most } = seen[at]!;
      const width = most[output]! - least[output]!;
      const step = width * 10 ** -random.integer(8);
      if (trial % 2 === 0) lowered.boxes[at].difference.upper[output] = most[output]! - step;
      else lowered.boxes[at].difference.lower[output] = least[output]! + step;
      refuses(lowered, models);
      count("bound");
    }
    for (let trial = 0; trial < 100; trial++) {
      // A part of the tree left out, or what is no tree of the box at all.
      const broken = copy(certificate);
      const { tree } = broken.boxes[place()];
      const index = random.integer(tree.length);
      const kind = trial % 4;
      if (kind === 0) tree.splice(index, 1);
      else if (kind === 1) tree.splice(index, 0, 0);
      else if (kind === 2) tree.length = index;
      else {
        const split = tree.findIndex((node: unknown) => Array.isArray(node));
        if (split < 0) continue;
        tree[split] = trial % 8 === 3 ? [tree[split][0], 9] : [7, tree[split][1]];
      }
      refuses(broken, models, kind === 2 ? /leaves|can be derived/ : /./);
      count("tree");
    }
    for (let trial = 0; trial < 100; trial++) {
      // The box made larger, until a point in it is beyond the claim.
      const at = place();
      const larger = copy(certificate);
      const side = random.integer(3);
      const by = 10 ** (random.uniform() * 3 - 1);
      if (trial % 2 === 0) larger.boxes[at].lower[side] -= by;
      else larger.boxes[at].upper[side] += by;
      const { lower, upper, difference } = larger.boxes[at];
      if (!violates(network, box(lower, upper), difference)) continue;
      refuses(larger, models);
      count("box");
    }
    for (let trial = 0; trial < 100; trial++) {
      // A model with another weight, and its digest in the certificate.
      const other = { ...quantized, graph: { ...quantized.graph } };
      other.graph.initializers = new Map(quantized.graph.initializers);
      const names = [...other.graph.initializers].filter(([, { type }]) => type === "float32");
      const [name, tensor] = names[random.integer(names.length)]!;
      const data = Float32Array.from(tensor.data as Float32Array);
      data[random.integer(data.length)]! += 2 * random.normal();
      other.graph.initializers.set(name, float32(tensor.dims, data));
      const changed = pairModels(original, other);
      const wrong = certificate.boxes.some(({ lower, upper, difference }) =>
        violates(changed, box(lower, upper), difference)
      );
      const bytes = encodeModel(other);
      refuses(certificate, { ...models, quantized: bytes }, /another quantized model/);
      count("digest");
      if (!wrong) continue;
      const updated = copy(certificate);
      updated.models.quantized = digestOf(bytes);
      refuses(updated, { ...models, quantized: bytes });
      count("weight");
    }
    refuses(certificate, { original: models.quantized, quantized: models.original }, /another/);
  }
  const total = Object.values(counts).reduce((sum, each) => sum + each, 0);
  assert.ok(total >= 1000, JSON.stringify(counts));
  assert.ok(Object.values(counts).every((each) => each >= 100), JSON.stringify(counts));
});

function violates(
  network: PairedNetwork,
  whole: Box,
  { lower, upper }: { lower: ArrayLike<number>; upper: ArrayLike<number> },
): boolean {
  const { least, most } = sampled(network, whole, 40);
  return least.some((value, output) => value < lower[output]! - 1e-9) ||
    most.some((value, output) => value > upper[output]! + 1e-9);
}

Deno.test("malformed certificates are refused with the place", () => {
  const { certificate, files: models } = CASES[0]!;
  // deno-lint-ignore no-explicit-any -- Mutations put anything anywhere.
  const change = (edit: (certificate: any) => void, message: RegExp) => {
    const changed = copy(certificate);
    edit(changed);
    refuses(changed, models, message);
  };
  assert.throws(() => checkCertificate("{", models), /no JSON/);
  assert.throws(() => checkCertificate("[]", models), /is no object/);
  change((c) => c.format = "x", /format/);
  change((c) => c.version = 2, /version is 2/);
  change((c) => c.semantics = "integer", /semantics "integer"/);
  change((c) => delete c.boxes, /no "boxes"/);
  change((c) => c.boxes = [], /no box/);
  change((c) => c.extra = 1, /"extra", which has no meaning/);
  change((c) => c.models.original = "00", /models.original is no SHA-256/);
  change((c) => c.boxes[0].lower[0] = null, /boxes\[0\] has sides/);
  change((c) => c.boxes[0].lower.pop(), /boxes\[0\] has unequal sides/);
  change((c) => c.boxes[1].lower[0] = 99, /boxes\[1\] is inverted/);
  change((c) => c.boxes[0].tree[0] = 2, /tree\[0\] is neither/);
  change((c) => c.boxes[0].tree[0] = [0.5, 0], /tree\[0\] is neither/);
  change((c) => c.boxes[0].name = 1, /name is no text/);
  change((c) => {
    c.boxes[0].lower.push(0);
    c.boxes[0].upper.push(0);
  }, /sizes of the models/);
});

Deno.test("what the checker does not support is said", () => {
  const models = files(
    pairOf(
      5,
      [1, 3],
      0.1,
      (b, x, weights) => b.op("Softplus", [b.op("MatMul", [x, weights([3, 2])])]),
    ),
  );
  const claim = { lower: [0], upper: [0] };
  const certificate = {
    ...CASES[0]!.certificate,
    models: { original: digestOf(models.original), quantized: digestOf(models.quantized) },
    boxes: [{ name: "x", ...claim, difference: claim, tree: [0] }],
  };
  refuses(certificate, models, /operator Softplus .*does not support/);
  const text = new TextEncoder().encode("no model");
  const damaged = { original: text, quantized: text };
  refuses(
    {
      ...certificate,
      models: { original: digestOf(text), quantized: digestOf(text) },
    },
    damaged,
    /no ONNX file/,
  );
  const others = { original: CASES[0]!.files.original, quantized: CASES[1]!.files.quantized };
  refuses(
    {
      ...certificate,
      models: { original: digestOf(others.original), quantized: digestOf(others.quantized) },
    },
    others,
    /differ in structure/,
  );
});

Deno.test("certificates fit their schema, and malformed ones do not", () => {
  const validate = new Ajv({ strictTuples: false }).compile(CERTIFICATE_SCHEMA);
  for (const { certificate } of CASES) assert.ok(validate(certificate), String(validate.errors));
  const broken = copy(CASES[0]!.certificate);
  broken.boxes[0].tree.push([0.5, 1]);
  assert.ok(!validate(broken));
  assert.ok(!validate({ ...CASES[0]!.certificate, extra: 1 }));
});
