import assert from "node:assert/strict";
import { chooseStages } from "../../src/pipeline/choose.ts";
import { explainPlan } from "../../src/pipeline/explain.ts";
import { graphOf } from "../../src/pipeline/graph.ts";
import { loadPipeline } from "../../src/pipeline/load.ts";
import { type Pipeline, sourceName } from "../../src/pipeline/pipeline.ts";
import { planPipeline } from "../../src/pipeline/plan.ts";
import { onlyStages } from "../../src/pipeline/subset.ts";
import { openStore } from "../../src/store/store.ts";
import { Folder, load, run, testMistakes, valueOf } from "./support.ts";

/** `address: port=source …`, in the order of execution. */
function wiring({ stages }: Pipeline): string[] {
  return stages.map(({ id, inputs }) =>
    [`${id}:`, ...[...inputs].map(([port, source]) => `${port}=${sourceName(source)}`)].join(" ")
  );
}

const SWEEP = `
name: sweep
stages:
  - { id: a, uses: number, matrix: { x: [1, 2] }, with: { value: "\${matrix.x}" } }
  - { id: b, uses: sum, matrix: { y: [10, 20] }, in: { a: a, b: none, c: none, d: none }, with: { plus: "\${matrix.y}" } }
`;

Deno.test("items chain: a stage has the axes of what it takes and its own", async () => {
  assert.deepEqual(wiring(await load(SWEEP)), [
    "a@x=1:",
    "a@x=2:",
    "b@x=1,y=10: a=a@x=1.value",
    "b@x=2,y=10: a=a@x=2.value",
    "b@x=1,y=20: a=a@x=1.value",
    "b@x=2,y=20: a=a@x=2.value",
  ]);
});

Deno.test("where two inputs share an axis, item goes with item", async () => {
  const pipeline = await load(`
name: join
stages:
  - { id: a, uses: number, matrix: { x: [1, 2, 3] }, with: { value: "\${matrix.x}" } }
  - { id: b, uses: number, matrix: { x: [2, 3, 4], z: [0, 1] }, with: { value: "\${matrix.z}\${matrix.x}" } }
  - { id: c, uses: sum, in: { a: a, b: b, c: none, d: none } }
`.replace('"${matrix.z}${matrix.x}"', '"${matrix.x}"'));
  assert.deepEqual(wiring(pipeline).slice(-4), [
    "c@x=2,z=0: a=a@x=2.value b=b@x=2,z=0.value",
    "c@x=2,z=1: a=a@x=2.value b=b@x=2,z=1.value",
    "c@x=3,z=0: a=a@x=3.value b=b@x=3,z=0.value",
    "c@x=3,z=1: a=a@x=3.value b=b@x=3,z=1.value",
  ]);
});

Deno.test("a stage that takes many gathers all axes, or those that it says", async () => {
  const pipeline = await load(`${SWEEP}
  - { id: all, uses: collect, in: { numbers: b } }
  - { id: by-y, uses: collect, gather: [x], in: { numbers: [b] } }
  - { id: some, uses: collect, in: { numbers: [b@x=2, a] } }
`);
  const gathered = wiring(pipeline).slice(6).map((line) => line.replace(/=b@|=a@/g, "←"));
  assert.deepEqual(
    pipeline.stages.slice(6).map(({ id, inputs }) => [id, ...inputs.keys()]),
    [
      [
        "all",
        "numbers[b@x=1,y=10]",
        "numbers[b@x=2,y=10]",
        "numbers[b@x=1,y=20]",
        "numbers[b@x=2,y=20]",
      ],
      ["by-y@y=10", "numbers[b@x=1,y=10]", "numbers[b@x=2,y=10]"],
      ["by-y@y=20", "numbers[b@x=1,y=20]", "numbers[b@x=2,y=20]"],
      ["some", "numbers[b@x=2,y=10]", "numbers[b@x=2,y=20]", "numbers[a@x=1]", "numbers[a@x=2]"],
    ],
    gathered.join("\n"),
  );
});

Deno.test("without in, a stage that takes many takes all that was made before it", async () => {
  const pipeline = await load(`${SWEEP}
  - { id: all, uses: collect }
`);
  assert.deepEqual([...pipeline.stages.at(-1)!.inputs.keys()].length, 6);
});

Deno.test("one item of another stage can be taken, also with dots in its value", async () => {
  const pipeline = await load(`
name: one
stages:
  - { id: a, uses: number, matrix: { x: { v1.5: 1, v2: 2 } }, with: { value: "\${matrix.x}" } }
  - { id: b, uses: increment, in: { from: a@x=v1.5 } }
  - { id: c, uses: increment, in: { from: a@x=v1.5.value } }
`);
  assert.deepEqual(wiring(pipeline).slice(-2), [
    "b: from=a@x=v1.5.value",
    "c: from=a@x=v1.5.value",
  ]);
});

Deno.test("of the pipeline's matrix a stage has the axes that it refers to, and excluded pairs do not meet", async () => {
  const pipeline = await load(`
name: shared
matrix:
  x: [1, 2]
  y: [3, 4]
  exclude: [{ x: 1, y: 3 }]
stages:
  - { id: start, uses: number, with: { value: 7 } }
  - { id: a, uses: number, with: { value: "\${matrix.x}" } }
  - { id: b, uses: number, with: { value: "\${matrix.y}" } }
  - { id: c, uses: sum, in: { a: a, b: b, c: start, d: none } }
`);
  assert.deepEqual(
    pipeline.stages.map(({ id }) => id),
    [
      "start",
      "a@x=2",
      "a@x=1",
      "b@y=4",
      "b@y=3",
      "c@x=2,y=4",
      "c@x=2,y=3",
      "c@x=1,y=4",
    ].sort((one, other) => order(pipeline, one) - order(pipeline, other)),
  );
  assert.ok(!pipeline.stages.some(({ id }) => id === "c@x=1,y=3"));
});

function order({ stages }: Pipeline, id: string): number {
  return stages.findIndex((stage) => stage.id === id);
}

Deno.test("items run, are hits again, and have expectations of their own", async () => {
  using folder = new Folder();
  const file = folder.pipeline(`
name: expectations
stages:
  - { id: a, uses: number, matrix: { x: [1, 2] }, with: { value: "\${matrix.x}" } }
  - id: b
    uses: sum
    matrix: { y: [10, 20], limit: { low: { at: 21 }, high: { at: 22 } } }
    in: { a: a, b: none, c: none, d: none }
    with: { plus: "\${matrix.y}" }
    expect: { total: "<= \${matrix.limit.at}" }
  - { id: all, uses: collect, in: { numbers: b } }
`);
  const first = await run(file);
  assert.equal(first.exitCode, 3);
  const unmet = first.stages.flatMap(({ stage, expects }) =>
    expects.some(({ met }) => !met) ? [stage] : []
  );
  assert.deepEqual(unmet, ["b@limit=low,x=2,y=20"]);
  assert.deepEqual(
    Object.entries(JSON.parse(Deno.readTextFileSync(first.stages.at(-1)!.outputs.list!.path)))
      .filter(([address]) => address.includes("low")),
    [
      ["b@limit=low,x=1,y=10", 11],
      ["b@limit=low,x=2,y=10", 12],
      ["b@limit=low,x=1,y=20", 21],
      ["b@limit=low,x=2,y=20", 22],
    ],
  );
  assert.equal(valueOf(first, "b@limit=low,x=2,y=20", "total"), 22);
  const again = await run(file);
  assert.deepEqual(new Set(Object.values(again.statuses())), new Set(["hit"]));
  const more = await run(file, { set: ["a.matrix.x=[1,2,3]"] });
  const ran = Object.entries(more.statuses()).filter(([, status]) => status === "ran");
  assert.deepEqual(ran.map(([id]) => id), [
    "a@x=3",
    "b@limit=low,x=3,y=10",
    "b@limit=low,x=3,y=20",
    "all",
  ]);
});

Deno.test("an item that fails does not stop the others with keepGoing", async () => {
  using folder = new Folder();
  const file = folder.pipeline(`
name: failing
stages:
  - { id: bad, uses: trouble, matrix: { how: [mistake, defect] }, with: { how: "\${matrix.how}" } }
  - { id: a, uses: number, matrix: { x: [1, 0, 2] }, with: { value: "\${matrix.x}" } }
  - { id: b, uses: sum, matrix: { by: [0, 1] }, with: { divide: 1, plus: "\${matrix.by}" }, in: { a: a, b: none, c: none, d: none } }
`);
  const { statuses } = await run(file, { keepGoing: true });
  assert.deepEqual(Object.values(statuses()).filter((status) => status === "ran").length, 9);
  assert.deepEqual(
    Object.entries(statuses()).filter(([, status]) => status === "failed").map(([id]) => id),
    ["bad@how=mistake", "bad@how=defect"],
  );
});

Deno.test("stages are chosen by entry, by some axes, or by address", async () => {
  const pipeline = await load(SWEEP);
  const chosen = (text: string) => [...chooseStages(pipeline.stages, [text], String).ids];
  assert.equal(chosen("b").length, 4);
  assert.deepEqual(chosen("b@y=20"), ["b@x=1,y=20", "b@x=2,y=20"]);
  assert.deepEqual(chosen("b@y=20,x=1"), ["b@x=1,y=20"]);
  const { problems } = chooseStages(pipeline.stages, ["b@y=30"], (text) => `no ${text}`);
  assert.deepEqual(problems.map(({ message }) => message), ["no b@y=30"]);
  assert.deepEqual(
    onlyStages(pipeline, ["b@x=1,y=20"]).stages.map(({ id }) => id),
    ["a@x=1", "b@x=1,y=20"],
  );
});

Deno.test("plans, forced items, explanations and graphs know addresses", async () => {
  using folder = new Folder();
  const file = folder.pipeline(`${SWEEP}
  - { id: all, uses: collect, in: { numbers: b } }
`);
  await run(file);
  await using store = openStore(folder.join("store"));
  const forced = await planPipeline(await loadPipeline(file), store, { force: ["a@x=2"] });
  const forcedIds = forced.stages.filter(({ status }) => status === "run").map(({ stage }) =>
    stage.id
  );
  assert.deepEqual(forcedIds, ["a@x=2"]);
  const changed = await loadPipeline(file, { set: ["b.with.divide=2"] });
  const plan = await planPipeline(changed, store);
  const explained = await explainPlan(plan, ["b@y=20", "all"]);
  assert.deepEqual(
    explained.map(({ id, changes }) => [id, ...changes.map(({ text }) => text)]),
    [["b@x=1,y=20", "divide: 1 → 2"], ["b@x=2,y=20", "divide: 1 → 2"], ["all"]],
  );
  const { nodes, edges } = graphOf(changed);
  assert.deepEqual(nodes, [
    { id: "a", type: "stage", what: "number", items: 2 },
    { id: "b", type: "stage", what: "sum", items: 4 },
    { id: "all", type: "stage", what: "collect" },
  ]);
  assert.deepEqual(edges, [
    { from: "a", to: "b", artifact: "a.value", port: "a" },
    { from: "b", to: "all", artifact: "b.total", port: "numbers" },
  ]);
  assert.equal(graphOf(changed, { items: true }).nodes.length, 7);
});

Deno.test("a matrix of 200 items is planned without looking at all pairs of them", async () => {
  const values = JSON.stringify(Array.from({ length: 200 }, (_, index) => index));
  const pipeline = await load(`
name: large
stages:
  - { id: a, uses: number, matrix: { x: ${values} }, with: { value: "\${matrix.x}" } }
  - { id: b, uses: increment }
  - { id: c, uses: increment }
  - { id: all, uses: collect, in: { numbers: c } }
`);
  assert.equal(pipeline.stages.length, 601);
  assert.equal(sourceName(pipeline.stages[599]!.inputs.get("from")!), "b@x=199.to");
});

testMistakes([
  {
    name: "matrices",
    pipeline: `name: wrong
stages:
  - { id: a, uses: number, matrix: { x: [1, 1] }, with: { value: "\${matrix.x}" } }
  - { id: b, uses: number, matrix: { x: 5 }, with: { value: 1 } }
  - { id: c, uses: number, with: { value: "\${matrix.z}" } }
  - { id: d, uses: number, matrix: { y: [1, many] }, with: { value: "\${matrix.y}" } }
  - { id: e, uses: number, matrix: { y: [1] }, gather: true, with: { value: "\${matrix.w}" } }
  - { id: f, uses: increment, in: { from: d@y=2 } }
  - { id: "\${matrix.y}", uses: number, with: { value: 1 } }
`,
    problems: [
      '3:45+1 Stage "a": axis "x" has the value 1 twice',
      '4:41+1 Stage "b": matrix.x must be a list that is not empty, each a string, a number, or true or false, or a map: current value is 5',
      '5:43+13 Stage "c": there is no axis "z" → The stage has no axes: give it a matrix',
      '6:69+13 Stage "d": with.value must be an integer: current value is "many"',
      '7:48+6 Stage "e": "number" takes one artifact of each kind, not many → Leave out gather; "compare" gathers',
      '7:77+13 Stage "e": there is no axis "w" → Known: "y"',
      '8:43+5 Stage "f": "d" has no item y=2 → Did you mean "d@y=1"?',
      '9:11+13 Stage id "${matrix.y}" must begin with a letter and have only letters, digits, "-" and "_"',
    ],
  },
  {
    name: "references to axes where there are no items, and the pipeline's matrix",
    pipeline: `name: \${matrix.x}
matrix: { x: [1], y: [2] }
stages:
  - { id: a, uses: number, matrix: { x: [3] }, with: { value: "\${matrix.x}" } }
  - { id: b, uses: number, matrix: { z: [3] }, with: { value: "\${matrix.z.q}", label: "$\${matrix.z}" } }
`,
    problems: [
      '1:7+11 Reference "${matrix.x}" cannot stand here → It is a value of one item: only with and expect of a stage can have it',
      `4:38+1 Stage "a": the pipeline's matrix has an axis "x" already → Choose another name`,
      '5:63+15 Stage "b": Reference "${matrix.z.q}" names nothing for z=3',
    ],
  },
]);
