import assert from "node:assert/strict";
import { join } from "node:path";
import { parse } from "yaml";
import configuration from "../../deno.json" with { type: "json" };
import { commands } from "../../src/cli/grammar.ts";
import { readRight } from "../../src/cli/grammar/read.ts";
import { call, project } from "../cli/fixture.ts";

const EXAMPLE = join(project, "examples/ci");

interface Workflow {
  readonly on: Record<string, unknown>;
  readonly permissions: Record<string, string>;
  readonly jobs: Record<string, {
    readonly env: Record<string, string>;
    readonly steps: readonly { readonly run?: string }[];
  }>;
}

function workflow(name: string): Workflow {
  return parse(Deno.readTextFileSync(join(EXAMPLE, ".github/workflows", name)));
}

Deno.test("the workflows call tasks that exist, with options that exist", () => {
  let calls = 0;
  for (const name of ["quantization.yml", "pull-request.yml"]) {
    const steps = Object.values(workflow(name).jobs).flatMap(({ steps }) => steps);
    for (const { run } of steps) {
      const words = run?.split(" ") ?? [];
      if (words[0] !== "deno" || words[1] !== "task") continue;
      assert.deepEqual(words.slice(2, 4), ["--cwd", "bitbound"]);
      const [task, ...args] = words.slice(4) as [string, ...string[]];
      assert.ok(task in configuration.tasks, task);
      assert.ok(readRight(commands, ["run", ...args]) !== undefined, run);
      calls++;
    }
  }
  assert.equal(calls, 3);
});

Deno.test("only the workflow of the main branch may write, and has secrets", () => {
  const main = workflow("quantization.yml");
  assert.ok("schedule" in main.on);
  assert.equal(main.jobs.model!.env.BITBOUND_REMOTE_MODE, "read-write");
  const others = workflow("pull-request.yml");
  assert.deepEqual(Object.keys(others.on), ["pull_request"]);
  assert.deepEqual(others.permissions, { contents: "read" });
  assert.equal(others.jobs.model!.env.BITBOUND_REMOTE_MODE, "read");
  assert.doesNotMatch(JSON.stringify(others), /secrets\./);
});

Deno.test("the pipeline passes, and fails when accuracy, size or bound gets worse, each at its line", async () => {
  const folder = Deno.makeTempDirSync({ prefix: "bitbound-ci-" });
  try {
    for (const name of ["digits.onnx", "digits.yaml"]) {
      Deno.copyFileSync(join(EXAMPLE, name), join(folder, name));
    }
    const env = { GITHUB_ACTIONS: "true", GITHUB_STEP_SUMMARY: join(folder, "summary.md") };
    const run = (...args: string[]) => call(["run", "digits.yaml", ...args], { cwd: folder, env });
    const good = await run("--lock");
    assert.equal(good.code, 0, good.stderr);
    assert.doesNotMatch(good.stderr, /::error/);
    assert.ok(Deno.statSync(join(folder, "exports/digits-ci/digits-w8.onnx")).isFile);
    assert.equal((await run("--frozen")).code, 0);

    const narrow = await run("--set", "w8.with.weights.bits=2");
    assert.equal(narrow.code, 3);
    const wide = await run("--set", "w8.with.weights.bits=16");
    assert.equal(wide.code, 3);
    const source = Deno.readTextFileSync(join(folder, "digits.yaml")).split("\n");
    const annotated = (text: string) =>
      [...text.matchAll(/^::error file=digits\.yaml,line=(\d+),/gm)].map(([, line]) =>
        source[Number(line) - 1]!.trim()
      );
    assert.deepEqual(annotated(narrow.stderr), [
      'top1: ">= 95.5%"',
      'top1_drop: "<= 0.2%"',
      'expect: { bound: "<= 0.07" }',
    ]);
    assert.deepEqual(annotated(wide.stderr), ['weight_bytes: "<= 20000"']);
    const frozen = await run("--frozen", "--set", "w8.with.weights.bits=7");
    assert.equal(frozen.code, 4);
    assert.match(Deno.readTextFileSync(join(folder, "summary.md")), /^- ❌ evaluate: top1 is/m);
  } finally {
    Deno.removeSync(folder, { recursive: true });
  }
});
