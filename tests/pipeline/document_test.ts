import assert from "node:assert/strict";
import { UserError } from "../../src/base/errors.ts";
import { definePipelineValue, loadPipeline } from "../../src/pipeline/load.ts";
import { builtInStages } from "../../src/stages/mod.ts";
import { Folder, load, problemsOf, thrownBy } from "./support.ts";
import testStages from "./test_stages.ts";

/** The parameters of each stage. */
async function parameters(text: string, set?: string[]): Promise<Record<string, unknown>> {
  const { stages } = await load(text, set);
  return Object.fromEntries(stages.map((stage) => [stage.id, stage.parameters]));
}

Deno.test("defaults are filled in at every depth", async () => {
  const filled = {
    weights: { bits: 4, granularity: "channel", symmetric: true },
    scale: 1,
    overrides: [{ match: "conv*", skip: false }],
    range: { method: "percentile", percentile: 99.9 },
    names: {},
  };
  assert.deepEqual(
    await parameters(`
name: x
stages:
  - uses: options
    with:
      weights: { bits: 4 }
      overrides: [{ match: conv* }]
      range: { method: percentile }
`),
    { options: filled },
  );
});

Deno.test("a reference becomes the value it names, or a part of a string", async () => {
  assert.deepEqual(
    await parameters(`
name: refs
seed: 7
stages:
  - id: first
    uses: options
    with:
      scale: \${seed}
      overrides: [{ match: "\${name}/\${stages.second.with.value}/$\${seed}", skip: true }]
      names: \${stages[2].with.names}
  - { id: second, uses: number, with: { value: "\${first.with.scale}" } }
  - { id: third, uses: options, with: { names: { a: "\${seed}" } } }
`).then(({ first, second }) => [first, second]),
    [
      {
        weights: { bits: 8, granularity: "channel", symmetric: true },
        scale: 7,
        overrides: [{ match: "refs/7/${seed}", skip: true }],
        range: { method: "minmax" },
        names: { a: 7 },
      },
      { value: 7 },
    ],
  );
});

Deno.test("--set changes what is there, and adds what may be there", async () => {
  const text = `
name: set
stages:
  - { id: w4, uses: number, with: { value: 1 } }
  - { id: o, uses: options }
`;
  const set = [
    "seed=3",
    "w4.with.value=9",
    "stages.o.with.weights.bits=2",
    "stages[1].with.overrides=[{ match: a=b }]",
  ];
  const { seed, stages } = await load(text, set);
  assert.equal(seed, 3);
  assert.equal(stages[0]!.parameters.value, 9);
  assert.equal((stages[1]!.parameters.weights as { bits: number }).bits, 2);
  assert.deepEqual(stages[1]!.parameters.overrides, [{ match: "a=b", skip: false }]);
});

Deno.test("--set acts before references are followed", async () => {
  const text = "name: x\nstages:\n  - { uses: number, with: { value: '${seed}' } }";
  assert.deepEqual(await parameters(text, ["seed=5"]), { number: { value: 5 } });
});

Deno.test("anchors and merge keys keep their places", async () => {
  const text = `
name: x
stages:
  - uses: options
    with: &base
      scale: 2
      weights: { bits: nine }
  - uses: options
    with:
      <<: *base
      scale: 3
`;
  assert.deepEqual(await problemsOf(text), [
    '6:24+4 Stage "options": with.weights.bits must be an integer from 2 to 8, or 16: current value is "nine"',
    '6:24+4 Stage "options-2": with.weights.bits must be an integer from 2 to 8, or 16: current value is "nine"',
  ]);
  const { "options-2": second } = await parameters(text.replace("nine", "3"));
  assert.deepEqual([(second as { scale: number }).scale], [3]);
});

Deno.test("a carriage return, a byte order mark and tabs in comments do no harm", async () => {
  const text =
    "\ufeffname: x # a\tb\r\nstages:\r\n  - uses: number\r\n    with: { value: one }\r\n";
  assert.deepEqual(await problemsOf(text), [
    '4:20+3 Stage "number": with.value must be an integer: current value is "one"',
  ]);
});

Deno.test("a file that cannot be read is said to be so", async () => {
  using folder = new Folder();
  folder.write("digits.yaml", "name: x");
  folder.write("binary.yaml", Uint8Array.of(0xff, 0xfe, 0x00));
  folder.write("empty.yaml", "# nothing\n");
  folder.write("list.yaml", "- a\n");
  const said = (name: string) => thrownBy(() => loadPipeline(folder.join(name)), folder);
  assert.deepEqual(await said("digts.yaml"), [
    '- Pipeline file "FOLDER/digts.yaml" does not exist → Did you mean "FOLDER/digits.yaml"?',
  ]);
  assert.deepEqual(await said("digits"), [
    '- Pipeline file "FOLDER/digits" does not exist → Did you mean "FOLDER/digits.yaml"?',
  ]);
  assert.deepEqual(await said("."), [
    '- "FOLDER" is a folder, not a pipeline file → Name a .yaml file in it',
  ]);
  assert.deepEqual(await said("binary.yaml"), [
    '- Pipeline file "FOLDER/binary.yaml" is not text in UTF-8 → Is it the pipeline\'s YAML file?',
  ]);
  assert.deepEqual(await said("empty.yaml"), [
    '- Pipeline file "FOLDER/empty.yaml" is empty → It needs at least a name: and stages:',
  ]);
  assert.deepEqual(await said("list.yaml"), [
    "1:1+3 A pipeline is a map with at least the keys name and stages",
  ]);
});

Deno.test("plugins that cannot be used are explained, without consequences", async () => {
  using folder = new Folder();
  folder.write("broken.ts", "export default [;");
  folder.write("nothing.ts", "export const stage = 1;");
  folder.write("wrong.ts", `export default [{ name: "Bad Name" }, { name: "half", version: 0 }];`);
  const file = folder.write(
    "pipeline.yaml",
    `name: x
plugins: [missing.ts, ./broken.ts, nothing.ts, wrong.ts, "https://example.org/a.ts"]
stages: [{ uses: half }]
`,
  );
  const said = await thrownBy(() => loadPipeline(file), folder);
  assert.match(said[1]!, /^2:23\+11 Plugin "FOLDER\/broken.ts" cannot be loaded: /);
  said.splice(1, 1);
  assert.deepEqual(said, [
    '2:11+10 Plugin "missing.ts" does not exist → Looked for "FOLDER/missing.ts"; relative paths count from the pipeline file',
    '2:36+10 Plugin "nothing.ts": It has no default export: export a stage, made by defineStage, or a list of stages',
    '2:48+8 Plugin "wrong.ts": A stage\'s name must be lower-case words joined by "-": current value is "Bad Name"',
    '2:48+8 Plugin "wrong.ts": Stage "half": version must be an integer of at least 1: current value is 0',
    '2:48+8 Plugin "wrong.ts": Stage "half": summary must be a string: current value is not there',
    '2:48+8 Plugin "wrong.ts": Stage "half": description must be a string: current value is not there',
    '2:48+8 Plugin "wrong.ts": Stage "half": engine must be true or false: current value is not there',
    '2:48+8 Plugin "wrong.ts": Stage "half": load must be a function: current value is not there',
    '2:48+8 Plugin "wrong.ts": Stage "half": inputs must be an object: current value is not there',
    '2:48+8 Plugin "wrong.ts": Stage "half": outputs must be an object: current value is not there',
    '2:48+8 Plugin "wrong.ts": Stage "half": Schema parameters must be an object',
    '2:58+26 Plugin "https://example.org/a.ts" is neither a file nor an npm package → Save the module beside the pipeline, so that its contents can be part of the cache key',
  ]);
});

Deno.test("a pipeline that is a value is checked in the same way", async () => {
  const stages = [...builtInStages, ...testStages];
  const value = { name: "x", stages: [{ uses: "number", with: { value: 1 } }] };
  const pipeline = await definePipelineValue(value, { stages });
  assert.deepEqual(pipeline.stages.map(({ id }) => id), ["number"]);
  await assert.rejects(
    definePipelineValue({ ...value, sed: 1 }, { stages }),
    (error) =>
      error instanceof UserError && error.message === 'The pipeline has an unknown key "sed"',
  );
});
