import assert from "node:assert/strict";
import { join } from "node:path";
import { box } from "../../src/verify/box.ts";
import { certify, encodeCertificate } from "../../src/verify/certificate/certify.ts";
import { dense, files } from "../checker/networks.ts";
import { call, workspace } from "./fixture.ts";

Deno.test("a certificate is accepted with its models, and refused with a smaller bound", async () => {
  await using folder = workspace("");
  const models = files(dense(1, 2, [5], 0.1));
  const target = { lower: new Float64Array(2), upper: new Float64Array(2) };
  const request = { name: "unit box", box: box([0, 0], [1, 1]), target, parts: 9 };
  const { certificate } = await certify(models, [request]);
  const path = join(folder.path, "certificate.json");
  await Deno.writeFile(path, encodeCertificate(certificate));

  const missing = await folder.call("check-certificate", "certificate.json");
  assert.equal(missing.code, 2);
  assert.match(
    missing.stderr,
    /original model .* neither beside it nor in the store: [0-9a-f]{64}/,
  );
  assert.match(missing.stderr, /--original model\.onnx/);

  await Deno.writeFile(join(folder.path, "a.onnx"), models.original);
  await Deno.mkdir(join(folder.path, "elsewhere"));
  await Deno.writeFile(join(folder.path, "elsewhere/b.onnx"), models.quantized);
  const there = ["--quantized", "elsewhere/b.onnx"];
  const accepted = await folder.call("check-certificate", "certificate.json", ...there);
  assert.equal(accepted.code, 0, accepted.stderr);
  assert.match(accepted.stdout, /certificate\.json is accepted: \d+ parts bounded anew/);
  assert.match(accepted.stdout, /unit box: \|f′ − f\| ≤ [0-9.]+/);

  const wrong = await folder.call("check-certificate", "certificate.json", "--quantized", "a.onnx");
  assert.equal(wrong.code, 1);
  assert.match(wrong.stderr, /refused: The certificate speaks of another quantized model/);
  assert.match(wrong.stderr, /→ .*Without --quantized, the model is looked up/);

  const smaller = structuredClone(certificate) as unknown as {
    boxes: { difference: { upper: number[]; lower: number[] } }[];
  };
  const { lower, upper } = smaller.boxes[0]!.difference;
  upper[0] = lower[0]!;
  folder.write("smaller.json", JSON.stringify(smaller));
  const refused = await folder.call("check-certificate", "smaller.json", ...there, "--json");
  assert.equal(refused.code, 1);
  const { status, reason } = JSON.parse(refused.stdout);
  assert.equal(status, "refused");
  assert.match(reason, /"unit box": output 0 is claimed/);

  const none = await call(["check-certificate", "none.json"], { cwd: folder.path });
  assert.deepEqual([none.code, /"none.json" does not exist\n.*to: FOLDER/.test(none.stderr)], [
    2,
    true,
  ]);
});
