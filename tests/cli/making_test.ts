import assert from "node:assert/strict";
import { join } from "node:path";
import { makeStyle } from "../../src/base/terminal_text.ts";
import { graphSvg } from "../../src/cli/output/graph_svg.ts";
import { graphLines, mermaidLines } from "../../src/cli/output/graph_text.ts";
import { project, workspace } from "./fixture.ts";

const GRAPH = {
  name: 'a "b" & <c>',
  nodes: [
    { id: "inputs.x", type: "input", what: "json" },
    { id: "one", type: "stage", what: "one" },
    { id: "two", type: "stage", what: "sum" },
  ],
  edges: [
    { from: "inputs.x", to: "one", artifact: "inputs.x", port: "x" },
    { from: "one", to: "two", artifact: "one.y", port: "a" },
    { from: "inputs.x", to: "two", artifact: "inputs.x", port: "x" },
  ],
} as const;

Deno.test("a graph as text says what each stage takes, and as what", () => {
  assert.deepEqual(graphLines(GRAPH, makeStyle(false)), [
    "inputs.x  json",
    "one       one   ← inputs.x",
    "two       sum   ← one.y as a, inputs.x",
  ]);
});

Deno.test("a graph as Mermaid has quoted texts only", () => {
  assert.deepEqual(mermaidLines(GRAPH), [
    "flowchart TD",
    '  n0("inputs.x (json)")',
    '  n1["one"]',
    '  n2["two (sum)"]',
    '  n0 -->|"x"| n1',
    '  n1 -->|"y as a"| n2',
    '  n0 -->|"x"| n2',
  ]);
});

Deno.test("a graph as SVG has each box and each way, and no name breaks it", () => {
  const svg = graphSvg(GRAPH);
  assert.equal(svg.match(/<rect /g)!.length, 3);
  assert.equal(svg.match(/<path class="way"/g)!.length, 3);
  assert.match(svg, /<title>a &quot;b&quot; &amp; &lt;c&gt;<\/title>/);
  const opened = svg.match(/<(\w+)[^>]*[^/]>/g)!.length;
  assert.equal(opened, svg.match(/<\/\w+>/g)!.length);
});

Deno.test("a pipeline is drawn in the form that the file's name asks for", async () => {
  await using folder = workspace("  - uses: count\n  - { id: more, uses: count }\n");
  const text = await folder.call("graph", "p.yaml");
  assert.match(text.stdout, /^more +count +← count\.out as before$/m);
  for (const [name, start] of [["p.svg", "<svg "], ["p.mmd", "flowchart TD"], ["p.json", "{"]]) {
    const { code, stdout } = await folder.call("graph", "p.yaml", "--output", name!);
    assert.deepEqual([code, stdout], [0, ""]);
    assert.ok(Deno.readTextFileSync(join(folder.path, name!)).startsWith(start!));
  }
  const wrong = await folder.call("graph", "p.yaml", "--output", "none/p.svg");
  assert.equal(wrong.code, 2);
  assert.match(wrong.stderr, /Graph cannot be written to "none\/p\.svg"/);
});

Deno.test("init writes a pipeline that is right, and never over another file", async () => {
  await using folder = workspace("  - uses: count\n");
  const model = join(project, "examples/digits/cnn.onnx");
  const first = await folder.call("init", model);
  assert.equal(first.code, 0, first.stderr);
  assert.match(
    first.stdout,
    /✓ cnn\.yaml has 7 stages[^]*random numbers[^]*→ bitbound run cnn\.yaml/,
  );
  assert.equal((await folder.call("plan", "cnn.yaml")).code, 0);
  const again = await folder.call("init", model);
  assert.equal(again.code, 2);
  assert.match(again.stderr, /"cnn\.yaml" is there already[^]*--output/);
  const wrong = await folder.call("init", model, "--data", "nowhere", "--output", "x.yaml");
  assert.match(wrong.stderr, /Data "nowhere" does not exist/);
});
