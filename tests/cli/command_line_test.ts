import assert from "node:assert/strict";
import { call } from "./fixture.ts";

Deno.test("help lists the commands and teaches by examples", async () => {
  for (const args of [[], ["--help"], ["-h"]]) {
    const { code, stdout, stderr } = await call(args);
    assert.equal(code, 0);
    assert.equal(stderr, "");
    for (const command of ["run", "check", "plan", "stages", "units", "cache", "completions"]) {
      assert.match(stdout, new RegExp(`^  ${command} `, "m"));
    }
    assert.match(stdout, /bitbound run pipelines\/digits\.yaml/);
  }
});

Deno.test("every command explains itself with an example", async () => {
  const commands = [
    "run",
    "check",
    "plan",
    "stages",
    "units",
    "check-certificate",
    "cache",
    "cache ls",
    "cache verify",
    "cache gc",
  ];
  for (const command of commands) {
    const { code, stdout } = await call([...command.split(" "), "--help"]);
    assert.equal(code, 0);
    assert.match(stdout, new RegExp(`^Usage: bitbound ${command}`, "m"));
    assert.match(stdout, new RegExp(`^  bitbound ${command}`, "m"), command);
  }
});

Deno.test("the version is the one of the package", async () => {
  const { stdout } = await call(["--version"]);
  const { version } = JSON.parse(await Deno.readTextFile("deno.json"));
  assert.equal(stdout, `${version}\n`);
});

for (
  const [args, error, hint] of [
    [["rnu", "x.yaml"], /Unexpected option or subcommand: `rnu`/, "→ Did you mean run?"],
    [["run", "x.yaml", "--jbos", "3"], /`--jbos`/, "→ Did you mean --jobs?"],
    [["cache", "lss"], /`lss`/, "→ Did you mean ls?"],
    [["run"], /Expected a `FILE`/, "→ bitbound run --help says how it is used"],
    [["run", "x.yaml", "--jobs", "0"], /greater than or equal to 1, but got "0"/, "run --help"],
    [["run", "x.yaml", "--jobs", "two"], /integer, but got "two"/, "run --help"],
    [["cache", "gc", "--older-than", "5"], /a time such as "14d".* but got "5"/, "cache gc --help"],
    [["cache"], /No matching command/, "cache --help"],
    [["run", "x.yaml", "y.yaml"], /`?"?y\.yaml/, "run --help"],
  ] as const
) {
  Deno.test(`a wrong command line is explained: ${args.join(" ")}`, async () => {
    const { code, stdout, stderr } = await call(args);
    assert.equal(code, 2);
    assert.equal(stdout, "");
    assert.match(stderr, /^error: /);
    assert.match(stderr, error);
    assert.ok(stderr.includes(hint), stderr);
    assert.doesNotMatch(stderr, /^\s+at /m);
  });
}

Deno.test("with --json, a wrong command line is a JSON document too", async () => {
  const { code, stdout } = await call(["run", "--json"]);
  assert.equal(code, 2);
  const document = JSON.parse(stdout);
  assert.equal(document.status, "invalid");
  assert.match(document.problems[0].message, /FILE/);
});

Deno.test("the shells complete commands, options and files", async () => {
  for (const shell of ["bash", "zsh", "fish"]) {
    const { code, stdout } = await call(["completions", shell]);
    assert.equal(code, 0);
    assert.match(stdout, /bitbound/);
  }
  const bash = await call(["completions", "bash"]);
  const { success } = new Deno.Command("bash", { args: ["-n", "-c", bash.stdout] }).outputSync();
  assert.ok(success);
  const options = await call(["completions", "bash", "run", "--k"]);
  assert.match(options.stdout, /--keep-going/);
  const commands = await call(["completions", "fish", "c"]);
  assert.match(commands.stdout, /check/);
  assert.match(commands.stdout, /cache/);
});

Deno.test("stages are listed and explained", async () => {
  const list = await call(["stages"]);
  assert.equal(list.code, 0);
  assert.match(list.stdout, /^prepare\s+\S/m);
  const one = await call(["stages", "prepare"]);
  assert.match(one.stdout, /^prepare: \S/);
  assert.match(one.stdout, /^Takes\n {2}model\s+model\s+\S/m);
  assert.match(one.stdout, /^Parameters \(with\)$/m);
  const json = JSON.parse((await call(["stages", "prepare", "--json"])).stdout);
  assert.equal(json.stage.name, "prepare");
  const wrong = await call(["stages", "prepaer"]);
  assert.equal(wrong.code, 2);
  assert.match(wrong.stderr, /There is no stage "prepaer"[^]*Did you mean "prepare"\?/);
});

Deno.test("units shows how reconstruction divides a model", async () => {
  const model = "examples/digits/cnn.onnx";
  const blocks = await call(["units", model]);
  assert.equal(blocks.code, 0, blocks.stderr);
  assert.match(blocks.stdout, /^block1\.0\.conv\.\.block1\.1\.conv +2 +Conv +pool +block1\.relu$/m);
  assert.match(blocks.stdout, /^5 units, 7 layers with weights$/m);

  const layers = JSON.parse((await call(["units", model, "--unit", "layer", "--json"])).stdout);
  assert.equal(layers.units.length, 7);
  assert.deepEqual(layers.units[6].layers, ["head"]);

  const wrong = await call(["units", "README.md"]);
  assert.equal(wrong.code, 2);
  assert.match(wrong.stderr, /README\.md/);
  assert.doesNotMatch(wrong.stderr, / {4}at /);
});
