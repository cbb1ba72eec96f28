import assert from "node:assert/strict";
import { fileURLToPath } from "node:url";
import fc from "fast-check";
import { readLibraryYaml } from "../../src/pipeline/library_yaml.ts";
import { readPlainYaml } from "../../src/pipeline/plain_yaml.ts";
import type { YamlResult } from "../../src/pipeline/yaml_result.ts";

/** Where everything stands, as messages show it. */
function placesOf({ locations, source }: YamlResult): unknown {
  return Object.fromEntries(
    Array.from(locations, ([pointer, { key, value, nested }]) => {
      const place = source.place(value);
      return [pointer, {
        nested,
        key: key === undefined ? undefined : source.place(key),
        // To the library, a list or map ends after the comment behind it.
        value: nested ? { ...place, length: 0 } : place,
      }];
    }),
  );
}

/** Compares with the library; whether the text is plain. */
function compare(text: string): boolean {
  const plain = readPlainYaml("p.yaml", text);
  if (plain === undefined) return false;
  const library = readLibraryYaml("p.yaml", text);
  const show = JSON.stringify(text);
  assert.deepEqual(library.mistakes, [], show);
  assert.deepEqual(plain.value, library.value, show);
  assert.deepEqual(placesOf(plain), placesOf(library), show);
  return true;
}

const folder = fileURLToPath(new URL("../../pipelines", import.meta.url));
const PIPELINES = [...Deno.readDirSync(folder)]
  .filter(({ name }) => name.endsWith(".yaml"))
  .map(({ name }) => Deno.readTextFileSync(`${folder}/${name}`));

Deno.test("ready-made pipelines are read as the library reads them; most are plain", () => {
  const plain = PIPELINES.filter((text) => compare(text));
  assert.ok(plain.length >= PIPELINES.length - 3, `${plain.length} of ${PIPELINES.length}`);
});

const plainForms = [
  "a: 1\nb:\n  - x\n  - y: [1, 2]\n    z: {p: q}\n",
  "stages:\n- uses: a\n  with: {}\n- { uses: b, with: { c: [] } } # comment\nname: x",
  "# only\n\na: # why\n  b: \"q\\\"\\u00e4\" # end\n  c: 'it''s'\n  d: <= 1%\n",
  "a: {\n  b: c, # inside\n  d: [\n    e,\n    f,\n  ],\n  }\n",
  "4",
  "{ bits: 4 }",
  "mse",
  "a: -1.5e-3\nb: v1.2\nc: ../x/y-1.onnx\nd: a:b\ne: x#y\nf: npm:p@1.2.6/d\ng: true\nh: null",
  "url: http://x/y?z=1\nneg: -x\nq: ?x\ncolon: :x\n",
];

Deno.test("plain forms are read as the library reads them", () => {
  for (const text of plainForms) assert.ok(compare(text), JSON.stringify(text));
});

Deno.test("what is not plain is left to the library", () => {
  const others = [
    "a: &x 1\nb: *x",
    "a: |\n  b",
    "a: >\n  b",
    "a: b\n  c",
    "a: 1\na: 2",
    "a: 1\n b: 2",
    "a:\tb",
    "a: !!str 1",
    "? a\n: b",
    "a:\nb: 1",
    "1: x",
    "a: 0x10",
    "a: .5",
    "a: +5",
    "a: 1e400",
    "a: yes",
    "a: ~",
    "a: {b: c",
    "a: [b: c]",
    "a: {\nb: c}",
    "a: {\n  b: c\n}",
    "a: b: c",
    'a: "b" c',
    "a: 'b\n  c'",
    'a: "\\x41"',
    "<<: {a: b}",
    "---\na: b",
    "a: b\n...\n",
    "a: \ud800",
    "- - x",
    "",
    "# nothing",
    "__proto__: x",
    "a: 1\n- b",
    "a: `b`",
    "a: @b",
  ];
  for (const text of others) {
    assert.equal(readPlainYaml("p.yaml", text), undefined, JSON.stringify(text));
  }
});

const FRAGMENTS = [
  ..."\n\n \n  \n    - - : :  , { } [ ] # ' \" a b 1 . % & * ! | > \\ @ ~ é 😀".split(" "),
  " ",
  "  ",
  "\n- ",
  ": ",
  " #",
  ", ",
  "{ ",
  " }",
  "a: ",
  "\n  b: ",
  "true",
  "null",
  "-1",
  "1e3",
  "\t",
  "\r\n",
  "---",
  "\\u12",
  "''",
  "<<",
  "0x1",
];

const mutated = fc.tuple(
  fc.constantFrom(...PIPELINES, ...plainForms, ...plainForms, ...plainForms),
  fc.array(
    fc.tuple(fc.nat(), fc.nat(4), fc.constantFrom("", ...FRAGMENTS)),
    { minLength: 1, maxLength: 3 },
  ),
).map(([text, edits]) => {
  for (const [at, drop, put] of edits) {
    const start = at % (text.length + 1);
    text = text.slice(0, start) + put + text.slice(start + drop);
  }
  return text;
});

Deno.test("whatever becomes of a text, what is read is what the library reads", () => {
  let plain = 0;
  fc.assert(fc.property(mutated, (text) => void (plain += Number(compare(text)))), {
    numRuns: 2000,
  });
  fc.assert(
    fc.property(
      fc.array(fc.constantFrom(...FRAGMENTS), { maxLength: 12 }),
      (parts) => void (plain += Number(compare(parts.join("")))),
    ),
    { numRuns: 2000 },
  );
  assert.ok(plain > 400, `${plain} of 4000 were plain`);
});
