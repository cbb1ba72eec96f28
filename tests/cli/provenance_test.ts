import assert from "node:assert/strict";
import { join } from "node:path";
import { call, project, workspace } from "./fixture.ts";

Deno.test("keys are made once, and sign what a run exports and shares", async () => {
  await using folder = workspace("");
  folder.write(
    "q.yaml",
    `name: q
inputs: { model: { onnx: ${join(project, "examples/digits/cnn.onnx")} } }
stages: [{ uses: quantize, with: { activations: { mode: none } } }, { uses: export }]
`,
  );
  const made = await folder.call("keys", "new", "my.pem");
  assert.equal(made.code, 0, made.stderr);
  const key = made.stdout.trim();
  assert.match(key, /^ed25519:[\w-]{43}$/);
  assert.equal(Deno.statSync(join(folder.path, "my.pem")).mode! & 0o777, 0o600);
  assert.equal((await folder.call("keys", "show", "my.pem")).stdout.trim(), key);
  const again = await folder.call("keys", "new", "my.pem");
  assert.equal(again.code, 2);
  assert.match(again.stderr, /"my\.pem" is there already/);
  const none = await folder.call("run", "q.yaml", "--sign", "q.yaml");
  assert.match(none.stderr, /"q\.yaml" is not a private Ed25519 key[^]*bitbound keys new/);

  const pem = Deno.readTextFileSync(join(folder.path, "my.pem"));
  const shared = ["--remote", "file:shared", "--remote-mode", "read-write"];
  const ran = await call(["run", "q.yaml", ...shared], {
    cwd: folder.path,
    env: { BITBOUND_SIGNING_KEY: pem },
  });
  assert.equal(ran.code, 0, ran.stderr);
  assert.match(ran.stdout, /^export\.provenance → exports\/q\/model\.provenance\.json$/m);

  const file = "exports/q/model.provenance.json";
  const checked = await folder.call("check-provenance", file, "--key", key);
  assert.equal(checked.code, 0, checked.stdout);
  assert.match(checked.stdout, /^✓ Signed by ed25519:/m);
  assert.match(checked.stdout, /^ {2}quantize, version \d+$/m);
  const wrong = await folder.call("check-provenance", file, "--key", "ed25519:short");
  assert.equal(wrong.code, 2);
  const other = `ed25519:${"A".repeat(43)}`;
  const refused = await folder.call("check-provenance", file, "--key", other, "--json");
  assert.equal(refused.code, 1);
  assert.equal(JSON.parse(refused.stdout).accepted, false);

  const trusting = ["--set", `store={ trust: [${key}] }`, "--remote", "file:shared"];
  const taken = await folder.call("run", "q.yaml", "--store", "b", ...trusting, "--json");
  assert.deepEqual(
    JSON.parse(taken.stdout).stages.map(({ status }: { status: string }) => status),
    ["hit", "hit"],
  );
  const strangers = ["--set", `store={ trust: [${other}] }`, "--remote", "file:shared"];
  const made2 = await folder.call("run", "q.yaml", "--store", "c", ...strangers, "--json");
  assert.deepEqual(
    JSON.parse(made2.stdout).stages.map(({ status }: { status: string }) => status),
    ["ran", "ran"],
  );
});
