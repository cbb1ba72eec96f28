import assert from "node:assert/strict";
import { join } from "node:path";
import type { Schema } from "../../src/registry/schema.ts";
import { asSchema } from "../../src/registry/schema.ts";
import { builtInStages } from "../../src/stages/mod.ts";
import { call, project } from "../cli/fixture.ts";
import { isAvailable, LanguageServer, type Position } from "./language_server.ts";

type Check = (server: LanguageServer) => Promise<void>;

const checks: [name: string, check: Check][] = [];
const test = (name: string, check: Check) => checks.push([name, check]);

const MODELINE = "# yaml-language-server: $schema=../schemas/pipeline.schema.json\n";
let files = 0;

/** A file that is not there, beside the ready-made pipelines, so that the modeline is theirs. */
function place(): string {
  return join(project, `pipelines/in_an_editor_${files++}.yaml`);
}

/** The text before and after a mark, and where the mark is. */
function marked(text: string): { text: string; at: Position } {
  const before = text.slice(0, text.indexOf("▮"));
  const lines = before.split("\n");
  return {
    text: text.replace("▮", ""),
    at: { line: lines.length - 1, character: lines.at(-1)!.length },
  };
}

const HEAD = `${MODELINE}name: p\ninputs: { model: { onnx: m.onnx } }\nstages:\n`;
/** Without what editors change in a text to show it. */
const plain = (text: string) => text.replaceAll(/[^A-Za-z0-9.,:;]+/g, "");

/** The parameters of a stage as its schema has them. */
function parametersOf(
  stage: typeof builtInStages[number],
): [name: string, schema: Schema][] {
  return Object.entries(asSchema(stage.parameters).properties ?? {});
}

/** The words that a parameter can be, if it is one of a few. */
function wordsOf({ enum: given, anyOf = [], const: only }: Schema): string[] {
  const all = [...given ?? [], only, ...anyOf.flatMap((each) => wordsOf(each))];
  return all.filter((each) => typeof each === "string");
}

/** Something that a parameter can be, where that is simple. */
function example(schema: Schema): string {
  const value = wordsOf(schema)[0] ?? schema.default ?? schema.examples?.[0];
  return value === undefined ? "1" : JSON.stringify(value);
}

test("the ready-made pipelines and the examples find their schema, and nothing is wrong with them", async (server) => {
  const files = [
    "pipelines",
    "examples/custom-stage",
    "examples/ci",
    "bench/accuracy",
  ].flatMap(
    (folder) =>
      [...Deno.readDirSync(join(project, folder))].filter(({ name }) => name.endsWith(".yaml"))
        .map(({ name }) => join(project, folder, name)),
  );
  assert.ok(files.length >= 10);
  for (const file of files) {
    const text = Deno.readTextFileSync(file);
    const { uri, diagnostics } = await server.open(file, text);
    assert.deepEqual(diagnostics, [], file);
    const line = text.split("\n").findIndex((each) => each.startsWith("stages:"));
    assert.match(
      await server.hover(uri, { line, character: 2 }),
      /What is done, in order/,
      file,
    );
    await server.close(uri);
  }
});

test("every parameter of every stage is offered, and its text is shown", async (server) => {
  for (const stage of builtInStages) {
    const parameters = parametersOf(stage);
    const keys = parameters.map(([name, schema]) => `      ${name}: ${example(schema)}\n`).join("");
    const text = `${HEAD}  - uses: ${stage.name}\n    with:\n${keys}`;
    const { uri } = await server.open(place(), text);
    const first = text.split("\n").findIndex((line) => line === "    with:") +
      1;
    for (const [index, [name, { description }]] of parameters.entries()) {
      const shown = plain(
        await server.hover(uri, { line: first + index, character: 7 }),
      );
      const wanted = plain(description ?? "");
      assert.ok(
        shown.includes(wanted),
        `${stage.name}.${name}: ${shown} lacks ${wanted}`,
      );
    }
    await server.close(uri);

    const empty = marked(
      `${HEAD}  - uses: ${stage.name}\n    with:\n      ▮\n`,
    );
    const opened = await server.open(place(), empty.text);
    const offered = (await server.complete(opened.uri, empty.at)).map((
      { label },
    ) => label);
    for (const [name] of parameters) {
      assert.ok(offered.includes(name), `${stage.name}.${name}`);
    }
    await server.close(opened.uri);
  }
});

test("where a parameter is one of a few words, all of them are offered", async (server) => {
  let asked = 0;
  for (const stage of builtInStages) {
    for (const [name, schema] of parametersOf(stage)) {
      const words = wordsOf(schema);
      if (words.length === 0) continue;
      asked++;
      const { text, at } = marked(
        `${HEAD}  - uses: ${stage.name}\n    with:\n      ${name}: ▮\n`,
      );
      const { uri } = await server.open(place(), text);
      const offered = (await server.complete(uri, at)).map(({ label }) => label);
      for (const word of words) {
        assert.ok(
          offered.includes(word),
          `${stage.name}.${name}: ${word} is not in ${offered}`,
        );
      }
      await server.close(uri);
    }
  }
  assert.ok(asked >= 15, `${asked}`);
});

test("stages are offered with what they do, and mistakes are marked at their line", async (server) => {
  const uses = marked(`${HEAD}  - uses: ▮\n`);
  const { uri } = await server.open(place(), uses.text);
  const offered = await server.complete(uri, uses.at);
  for (const { name } of builtInStages) {
    assert.ok(offered.some(({ label }) => label === name), name);
  }
  await server.close(uri);
  const summary = builtInStages.find(({ name }) => name === "quantize")!.summary;
  const known = await server.open(place(), `${HEAD}  - uses: quantize\n`);
  assert.ok(
    plain(await server.hover(known.uri, { line: 4, character: 12 })).includes(
      plain(summary),
    ),
  );
  await server.close(known.uri);

  const wrong = [
    "  - uses: quantize\n    with: { weights: { bit: 4 } }\n",
    "  - uses: quantize\n    with: { weights: { bits: four } }\n",
    "  - uses: evaluate\n    expect: { top11: 1 }\n",
    "  - uses: prepare\n    wiht: {}\n",
  ];
  for (const stage of wrong) {
    const { uri, diagnostics } = await server.open(place(), HEAD + stage);
    assert.ok(diagnostics.length > 0, stage);
    assert.ok(diagnostics.every(({ range }) => range.start.line === 5), stage);
    await server.close(uri);
  }
});

test("stages of plugins are known after their schemas were written", async (server) => {
  const folder = Deno.makeTempDirSync({ prefix: "bitbound-editor-" });
  try {
    const plugin = join(project, "examples/plugin/package/stages.js");
    const { code } = await call([
      "schemas",
      "--out",
      "schemas",
      "--plugin",
      plugin,
    ], {
      cwd: folder,
    });
    assert.equal(code, 0);
    const head = HEAD.replace("../schemas", "schemas");
    const path = join(folder, "p.yaml");
    const word = marked(
      `${head}  - uses: add-noise\n    with:\n      shape: ▮\n`,
    );
    const { uri } = await server.open(path, word.text);
    const offered = (await server.complete(uri, word.at)).map(({ label }) => label);
    assert.ok(
      offered.includes("normal") && offered.includes("uniform"),
      offered.join(),
    );
    const at = { line: word.at.line, character: 8 };
    assert.match(await server.hover(uri, at), /How the noise is distributed/);
    await server.close(uri);
    const wrong = await server.open(
      join(folder, "q.yaml"),
      `${head}  - uses: add-noise\n    with: { shpae: normal }\n`,
    );
    assert.equal(wrong.diagnostics.length, 1);
  } finally {
    Deno.removeSync(folder, { recursive: true });
  }
});

const available = await isAvailable();

Deno.test({
  name: `editors know pipelines${available ? "" : ": the YAML language server cannot be had here"}`,
  ignore: !available,
  async fn(context) {
    await using server = await LanguageServer.start();
    for (const [name, check] of checks) await context.step(name, () => check(server));
  },
});
