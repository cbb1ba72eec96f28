import assert from "node:assert/strict";
import { project, workspace } from "./fixture.ts";
import { join } from "node:path";

const PLUGIN = join(project, "tests/cli/stages_plugin.ts");

/** Each bad file, what the message has to say, and where: line and column. */
const cases: readonly (readonly [name: string, text: string, message: RegExp, place: string])[] = [
  [
    "unknown key",
    "name: t\nstages:\n  - uses: count\n    wiht: { to: 4 }\n",
    /"wiht"[^]*Did you mean "with"\?/,
    "4:5",
  ],
  [
    "unknown parameter",
    "name: t\nstages:\n  - uses: count\n    with: { tot: 4 }\n",
    /"tot"[^]*Did you mean "to"\?/,
    "4:13",
  ],
  [
    "wrong type",
    "name: t\nstages:\n  - uses: count\n    with: { to: many }\n",
    /integer/,
    "4:17",
  ],
  [
    "unknown stage",
    "name: t\nstages:\n  - uses: cuont\n",
    /"cuont"[^]*Did you mean "count"\?/,
    "3:11",
  ],
  [
    "reference to nothing",
    "name: t\nstages:\n  - uses: count\n  - id: b\n    uses: count\n    in: { before: cuont.out }\n",
    /cuont/,
    "6:19",
  ],
  [
    "cycle",
    "name: t\nstages:\n  - id: a\n    uses: count\n    in: { before: b.out }\n" +
    "  - id: b\n    uses: count\n    in: { before: a.out }\n",
    /a.*b.*a/,
    "5:19",
  ],
  ["not YAML", "name: t\nstages: [\n", /sequence/, "4:1"],
];

for (const [name, text, message, place] of cases) {
  Deno.test(`bad input: ${name}`, async () => {
    await using at = workspace("");
    at.write(
      "bad.yaml",
      `${text}plugins: [${PLUGIN}]\n`.replace("stages: [\nplugins", "stages: [\n# plugins"),
    );
    for (const command of ["check", "run"]) {
      const { code, stdout, stderr } = await at.call(command, "bad.yaml");
      assert.equal(code, 2, stderr);
      assert.equal(stdout, "");
      assert.match(stderr, message);
      assert.ok(stderr.includes(`at bad.yaml:${place}\n`), `${place}\n${stderr}`);
      assert.match(stderr, /\^/);
      assert.doesNotMatch(stderr, /^\s+at .*\.ts/m);
    }
  });
}

Deno.test("bad input: all mistakes of a file are told together", async () => {
  await using at = workspace("");
  at.write(
    "bad.yaml",
    `nmae: t\nplugins: [${PLUGIN}]\nstages:\n  - uses: cuont\n  - uses: count\n    with: { to: x, pauze: 1 }\n`,
  );
  const { code, stdout } = await at.call("check", "bad.yaml", "--json");
  assert.equal(code, 2);
  const document = JSON.parse(stdout);
  assert.equal(document.status, "invalid");
  const lines = document.problems.map(({ place }: { place: { line: number } }) => place.line);
  assert.deepEqual([...new Set(lines)].sort(), [1, 4, 6]);
  assert.ok(document.problems.length >= 4);
});

Deno.test("bad input: a pipeline file that is not there, is a folder, or is no text", async () => {
  await using at = workspace("");
  const missing = await at.call("run", "digits.yaml");
  assert.equal(missing.code, 2);
  assert.match(missing.stderr, /digits\.yaml/);
  await Deno.mkdir(join(at.path, "folder.yaml"));
  const folder = await at.call("run", "folder.yaml");
  assert.equal(folder.code, 2);
  assert.match(folder.stderr, /folder\.yaml/);
  await Deno.writeFile(join(at.path, "binary.yaml"), new Uint8Array([0, 1, 2, 255, 254]));
  const binary = await at.call("run", "binary.yaml");
  assert.equal(binary.code, 2);
  for (const { stderr } of [missing, folder, binary]) {
    assert.doesNotMatch(stderr, /internal error|^\s+at .*\.ts/m);
  }
});

Deno.test("--debug shows where a mistake was found", async () => {
  await using at = workspace("");
  const { code, stderr } = await at.call("run", "none.yaml", "--debug");
  assert.equal(code, 2);
  assert.match(stderr, /^\s+at .*\.ts:\d+/m);
});

Deno.test("bad input: a model that is missing, empty, cut off or something else", async () => {
  await using at = workspace("");
  at.write("p.yaml", "name: t\ninputs:\n  model: { onnx: m.onnx }\nstages:\n  - uses: prepare\n");
  const whole = await Deno.readFile(join(project, "examples/digits/cnn.onnx"));
  const models: [content: Uint8Array | undefined, message: RegExp][] = [
    [undefined, /File "m\.onnx" does not exist/],
    [new Uint8Array(), /"m\.onnx" is empty/],
    [whole.subarray(0, whole.length - 1), /"m\.onnx" is a truncated ONNX model/],
    [new TextEncoder().encode("<html></html>"), /"m\.onnx" is not an ONNX model: it is/],
  ];
  for (const [content, message] of models) {
    if (content !== undefined) await Deno.writeFile(join(at.path, "m.onnx"), content);
    const { code, stdout, stderr } = await at.call("run", "p.yaml");
    assert.equal(code, 2);
    assert.equal(stdout, "");
    assert.match(stderr, message);
    assert.match(stderr, /^ {2}at p\.yaml:3:\d+$/m);
    assert.doesNotMatch(stderr, /internal error|^\s+at .*\.ts/m);
  }
  await Deno.writeFile(join(at.path, "m.onnx"), whole);
  assert.equal((await at.call("run", "p.yaml")).code, 0);
});

Deno.test("bad input: data that does not fit the model", async () => {
  await using at = workspace("");
  const model = join(project, "examples/digits/cnn.onnx");
  at.write(
    "p.yaml",
    `name: t\ninputs:\n  model: { onnx: ${model} }\n  test: { synthetic: { shape: [3, 28, 28] }, take: 4 }\n` +
      "stages:\n  - uses: evaluate\n",
  );
  const { code, stderr } = await at.call("run", "p.yaml");
  assert.equal(code, 1);
  assert.match(stderr, /has shape \[batch, 1, 28, 28\], but the items .* have shape \[3, 28, 28\]/);
  assert.match(stderr, /→ Say preprocess: \{ channels: gray \}/);
  assert.doesNotMatch(stderr, /internal error|defect|^\s+at .*\.ts/m);
});
