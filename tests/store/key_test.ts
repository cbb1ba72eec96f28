import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import fc from "fast-check";
import { Random } from "../../src/base/random.ts";
import type { JsonValue } from "../../src/base/canonical_json.ts";
import { type KeyIngredients, keyOf, keyOfManifest } from "../../src/store/key.ts";

const digest = fc.stringMatching(/^[0-9a-f]{64}$/);
const json = fc.jsonValue().filter((value) => JSON.stringify(value).isWellFormed())
  .map((value) => JSON.parse(JSON.stringify(value)) as JsonValue)
  .filter((value) => !JSON.stringify(value).includes("\\ud"));
const word = fc.stringMatching(/^[a-z][a-z0-9_-]{0,8}$/);
const parameters = fc.dictionary(word, json, { maxKeys: 5 });

const ingredients: fc.Arbitrary<KeyIngredients> = fc.record({
  stage: word,
  version: fc.nat(),
  code: digest,
  parameters,
  inputs: fc.array(fc.record({ port: word, kind: word, digest }), { maxLength: 4 }),
  seed: fc.maxSafeInteger(),
  engine: fc.dictionary(word, fc.string().filter((text) => text.isWellFormed()), { maxKeys: 3 }),
}, { requiredKeys: ["stage", "version", "parameters", "inputs", "seed"] });

function shuffled(value: unknown, random: Random): unknown {
  if (Array.isArray(value)) return value.map((each) => shuffled(each, random));
  if (value === null || typeof value !== "object") return value;
  const entries = Object.entries(value);
  const order = Array.from(random.permutation(Math.max(entries.length, 1)));
  return Object.fromEntries(
    order.slice(0, entries.length).map((from) => {
      const [name, member] = entries[from]!;
      return [name, shuffled(member, random)];
    }),
  );
}

Deno.test("a key is 64 hex digits and does not depend on the order of object keys", () => {
  fc.assert(fc.property(ingredients, fc.nat(), (it, seed) => {
    const { key, manifest } = keyOf(it);
    assert.match(key, /^[0-9a-f]{64}$/);
    assert.equal(keyOf(shuffled(it, Random.from(seed)) as KeyIngredients).key, key);
    assert.equal(keyOfManifest(JSON.parse(JSON.stringify(manifest))), key);
  }));
});

Deno.test("distinct ingredients have distinct keys", () => {
  fc.assert(fc.property(ingredients, ingredients, (a, b) => {
    const same = isDeepEqual(a, b);
    assert.equal(keyOf(a).key === keyOf(b).key, same);
  }));
});

function isDeepEqual(a: unknown, b: unknown): boolean {
  try {
    assert.deepEqual(a, b);
    return true;
  } catch {
    return false;
  }
}

Deno.test("each ingredient changes the key", () => {
  const zeros = "0".repeat(64);
  const base: KeyIngredients = {
    stage: "quantize",
    version: 1,
    code: zeros,
    parameters: { weights: { bits: 8, list: [1, 2] }, name: "a" },
    inputs: [
      { port: "model", kind: "model", digest: zeros },
      { port: "ranges", kind: "ranges", digest: zeros },
    ],
    seed: 0,
    engine: { runtime: "1.30.0", provider: "cpu" },
  };
  const { code: _code, ...withoutCode } = base;
  const { engine: _engine, ...withoutEngine } = base;
  const [first, second] = base.inputs;
  const changed: KeyIngredients[] = [
    { ...base, stage: "calibrate" },
    { ...base, version: 2 },
    { ...base, code: "1" + zeros.slice(1) },
    withoutCode,
    withoutEngine,
    { ...base, parameters: { ...base.parameters, name: "b" } },
    { ...base, parameters: { ...base.parameters, extra: null } },
    { ...base, parameters: { ...base.parameters, weights: { bits: 4, list: [1, 2] } } },
    { ...base, parameters: { ...base.parameters, weights: { bits: "8", list: [1, 2] } } },
    { ...base, parameters: { ...base.parameters, weights: { bits: 8, list: [2, 1] } } },
    { ...base, inputs: [second!, first!] },
    { ...base, inputs: [first!] },
    { ...base, inputs: [{ ...first!, port: "other" }, second!] },
    { ...base, inputs: [{ ...first!, kind: "quantized-model" }, second!] },
    { ...base, inputs: [{ ...first!, digest: zeros.slice(1) + "1" }, second!] },
    { ...base, seed: 1 },
    { ...base, engine: { runtime: "1.30.1", provider: "cpu" } },
    { ...base, engine: { runtime: "1.30.0", provider: "cuda" } },
  ];
  const keys = [base, ...changed].map((each) => keyOf(each).key);
  assert.equal(new Set(keys).size, keys.length);
});

Deno.test("what is no ingredient cannot enter the key", () => {
  const base: KeyIngredients = { stage: "a", version: 1, parameters: {}, inputs: [], seed: 0 };
  const extra = { ...base, jobs: 4, threads: 2, path: "/somewhere", started: Date.now() };
  assert.equal(keyOf(extra).key, keyOf(base).key);
  assert.deepEqual(keyOf(extra).manifest, { schema: 1, ...base });
});

Deno.test("a key is the SHA-256 of its canonical manifest", () => {
  const { key } = keyOf({
    stage: "prepare",
    version: 3,
    parameters: { z: 1, a: [0.5] },
    inputs: [{ port: "model", kind: "model", digest: "ab".repeat(32) }],
    seed: 7,
  });
  const text = `{"inputs":[{"digest":"${"ab".repeat(32)}","kind":"model","port":"model"}],` +
    `"parameters":{"a":[0.5],"z":1},"schema":1,"seed":7,"stage":"prepare","version":3}`;
  assert.equal(key, createHash("sha256").update(text).digest("hex"));
});

Deno.test("a parameter that is no JSON value is refused", () => {
  const parameters = { limit: Infinity };
  assert.throws(
    () => keyOf({ stage: "a", version: 1, parameters, inputs: [], seed: 0 }),
    /parameters\.limit is not a finite number/,
  );
});
