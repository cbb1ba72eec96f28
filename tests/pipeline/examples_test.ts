import assert from "node:assert/strict";
import { fileURLToPath } from "node:url";
import { run } from "../../mod.ts";
import { Folder } from "./support.ts";

const example = (path: string) => fileURLToPath(new URL(`../../examples/${path}`, import.meta.url));

Deno.test("the example of a stage of one's own runs", async () => {
  const lines = Deno.readTextFileSync(example("custom-stage/prune.ts")).trim().split("\n");
  assert.ok(lines.length <= 30, `${lines.length} lines`);
  using folder = new Folder();
  const { status, stages } = await run(example("custom-stage/pipeline.yaml"), {
    store: folder.join("store"),
    set: ["inputs.test.take=200", "inputs.calibration.take=32"],
  });
  assert.equal(status, "done");
  const prune = stages.find(({ stage }) => stage === "prune")!;
  assert.ok(Math.abs(prune.metrics.zeros! - 0.3) < 0.01);
});

Deno.test("the example in TypeScript runs", async () => {
  using folder = new Folder();
  const { code, stdout, stderr } = await new Deno.Command(Deno.execPath(), {
    args: [
      "run",
      "--no-check",
      "--no-prompt",
      "--allow-read",
      "--allow-write",
      "--allow-ffi",
      example("typescript/pipeline.ts"),
      folder.join("store"),
    ],
  }).output();
  assert.equal(code, 0, new TextDecoder().decode(stderr));
  const lines = new TextDecoder().decode(stdout).trim().split("\n");
  assert.match(lines[0]!, /^w8-test {2}top-1 9\d\.\d\d % {2}agreement \d+\.\d\d % {2}\d+ bytes$/);
  assert.match(lines.at(-1)!, /^done: the 4-bit model has \d+ nodes$/);
});
