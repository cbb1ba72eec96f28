import assert from "node:assert/strict";
import { pathToFileURL } from "node:url";
import fc from "fast-check";
import { explainPlan, explainRun } from "../../src/pipeline/explain.ts";
import { loadPipeline } from "../../src/pipeline/load.ts";
import { planPipeline } from "../../src/pipeline/plan.ts";
import { openStore } from "../../src/store/store.ts";
import { Folder, run, TEST_STAGES } from "./support.ts";

/** A stage of a random pipeline. */
interface Stage {
  readonly plus: number;
  readonly divide: number;
  /** What the ports a to d take: the output of an earlier stage by its index, the file by -1, nothing. */
  readonly from: readonly (number | undefined)[];
}

/** All that results depend on. */
interface World {
  readonly seed: number;
  /** The number in the file. */
  readonly file: number;
  /** A comment in the plugin's source. */
  readonly code: number;
  /** Of the stage's implementation. */
  readonly version: number;
  readonly stages: readonly Stage[];
}

/** Changes one ingredient. */
type Edit =
  | { readonly what: "plus" | "divide"; readonly stage: number; readonly value: number }
  | { readonly what: "wire"; readonly stage: number; readonly port: number; readonly to: number }
  | { readonly what: "seed" | "file" | "code" | "version"; readonly value: number };

const PORTS = ["a", "b", "c", "d"] as const;

const worlds: fc.Arbitrary<World> = fc.integer({ min: 1, max: 8 }).chain((count) =>
  fc.record({
    seed: fc.integer({ min: 0, max: 2 }),
    file: fc.integer({ min: 0, max: 9 }),
    code: fc.integer({ min: 0, max: 2 }),
    version: fc.integer({ min: 1, max: 3 }),
    stages: fc.tuple(
      ...Array.from({ length: count }, (_, index) =>
        fc.record({
          plus: fc.integer({ min: 0, max: 5 }),
          divide: fc.integer({ min: 1, max: 3 }),
          from: fc.array(fc.integer({ min: -1, max: index - 1 }), { maxLength: 4 }),
        })),
    ),
  })
);

const edits: fc.Arbitrary<Edit> = fc.oneof(
  fc.record({
    what: fc.constantFrom("plus", "divide"),
    stage: fc.nat(7),
    value: fc.integer({ min: 1, max: 9 }),
  }),
  fc.record({
    what: fc.constant("wire"),
    stage: fc.nat(7),
    port: fc.nat(3),
    to: fc.integer({ min: -2, max: 7 }),
  }),
  fc.record({
    what: fc.constantFrom("seed", "file", "code", "version"),
    value: fc.integer({ min: 1, max: 9 }),
  }),
);

function edited(world: World, edit: Edit): World {
  if ("value" in edit && !("stage" in edit)) return { ...world, [edit.what]: edit.value };
  const index = edit.stage % world.stages.length;
  const stage = world.stages[index]!;
  const change = edit.what === "wire"
    ? { from: wired(stage, edit.port, (edit.to + 2) % (index + 2) - 2) }
    : { [edit.what]: edit.value };
  return { ...world, stages: world.stages.with(index, { ...stage, ...change }) };
}

/** @param to An earlier stage, -1 for the file, -2 for nothing. */
function wired({ from }: Stage, port: number, to: number): Stage["from"] {
  return PORTS.map((_, place) => place === port ? (to === -2 ? undefined : to) : from[place]);
}

/** Writes a world into a folder; ids of stages, and where it is, are no ingredients. */
function write(folder: Folder, world: World, { at = "", prefix = "s" } = {}): string {
  const { seed, file, code, version, stages } = world;
  const plugin = `code-${version}-${code}.ts`;
  folder.write(
    `${at}${plugin}`,
    `import stages from ${JSON.stringify(pathToFileURL(TEST_STAGES).href)};
export default stages.map((stage) => ({ ...stage, version: ${version} }));
// ${code}
`,
  );
  folder.write(`${at}x.json`, String(file));
  const name = (index: number | undefined) =>
    index === undefined ? "none" : index < 0 ? "inputs.x" : `${prefix}${index}`;
  const entries = stages.map(({ plus, divide, from }, index) => {
    const wires = PORTS.map((port, place) => `${port}: ${name(from[place])}`).join(", ");
    return `  - { id: ${
      name(index)
    }, uses: sum, with: { plus: ${plus}, divide: ${divide} }, in: { ${wires} } }`;
  });
  return folder.write(
    `${at}p.yaml`,
    [
      "name: random",
      `seed: ${seed}`,
      `plugins: [${plugin}]`,
      "inputs: { x: { json: x.json } }",
      "stages:",
      ...entries,
      "",
    ].join("\n"),
  );
}

/** What each stage's result depends on, and the result, computed here. */
function model({ seed, file, code, version, stages }: World) {
  const results: { inputs: (number | undefined)[]; ingredients: string; total: number }[] = [];
  for (const { plus, divide, from } of stages) {
    const inputs = PORTS.map((_, place) => {
      const index = from[place];
      return index === undefined ? undefined : index < 0 ? file : results[index]!.total;
    });
    const sum = inputs.reduce<number>((total, input) => total + (input ?? 0), plus);
    results.push({
      inputs,
      ingredients: JSON.stringify([seed, code, version, plus, divide, inputs]),
      total: Math.floor(sum / divide),
    });
  }
  return results;
}

Deno.test("changing anything reruns exactly the stages whose ingredients were never seen", async () => {
  const several = fc.array(edits, { minLength: 1, maxLength: 3 });
  await fc.assert(
    fc.asyncProperty(worlds, several, async (first, changes) => {
      using folder = new Folder();
      const seen = new Set<string>();
      let world = first;
      for (const edit of [undefined, ...changes]) {
        if (edit !== undefined) world = edited(world, edit);
        const outcome = await run(write(folder, world));
        // Equal ingredients are one result: whichever stage comes first makes it for both.
        const made = new Map<string, number>();
        for (const [index, { ingredients, total }] of model(world).entries()) {
          const { status, metrics } = outcome.stages.find(({ stage }) => stage === `s${index}`)!;
          assert.equal(metrics.total, total);
          if (seen.has(ingredients)) assert.equal(status, "hit");
          made.set(ingredients, (made.get(ingredients) ?? 0) + (status === "ran" ? 1 : 0));
        }
        for (const [ingredients, runs] of made) {
          assert.equal(runs, seen.has(ingredients) ? 0 : 1);
          seen.add(ingredients);
        }
      }
    }),
    { numRuns: 30 },
  );
});

/** What is told of a stage: what it says itself, and what it takes. */
function told(before: World, after: World, index: number): { own: string[]; inputs: string[] } {
  const [old, now] = [before.stages[index]!, after.stages[index]!];
  const [taken, takes] = [model(before)[index]!.inputs, model(after)[index]!.inputs];
  const own: string[] = [];
  if (before.version !== after.version) {
    own.push(`version ${before.version} → ${after.version} of "sum"`);
  }
  if (before.version !== after.version || before.code !== after.code) {
    own.push("the plugin's code changed");
  }
  for (const name of ["plus", "divide"] as const) {
    if (old[name] !== now[name]) own.push(`${name}: ${old[name]} → ${now[name]}`);
  }
  if (before.seed !== after.seed) own.push(`seed: ${before.seed} → ${after.seed}`);
  const inputs = PORTS.flatMap((port, place) => {
    if (taken[place] === takes[place]) return [];
    const what = taken[place] === undefined
      ? "is new"
      : takes[place] === undefined
      ? "is gone"
      : "changed";
    return [`input "${port}" ${what}`];
  });
  return { own, inputs };
}

Deno.test("what changed is named before and after the run, and nothing else is", async () => {
  await fc.assert(
    fc.asyncProperty(worlds, edits, async (world, edit) => {
      using folder = new Folder();
      const changed = edited(world, edit);
      await run(write(folder, world));
      const file = write(folder, changed);
      await using store = openStore(folder.join("store"));
      const plan = await planPipeline(await loadPipeline(file), store);
      const before = new Map((await explainPlan(plan, [])).map((each) => [each.id, each]));
      const { record } = await run(file);
      const after = new Map((await explainRun(record, [], store)).map((each) => [each.id, each]));

      const sorted = (list: readonly string[]) => list.toSorted();
      for (const index of changed.stages.keys()) {
        const id = `s${index}`;
        const { own, inputs } = told(world, changed, index);
        const all = sorted([...own, ...inputs]);
        assert.deepEqual(sorted(after.get(id)!.changes.map(({ text }) => text)), all, id);

        const { status, changes, waits } = before.get(id)!;
        if (status === "hit") continue;
        const texts = changes.map(({ text }) => text);
        // Of what is not known yet, only the stage's own part can be told.
        const itself = texts.filter((text) => !text.startsWith("input"));
        assert.deepEqual(sorted(itself), sorted(own), id);
        if (waits.length === 0) assert.deepEqual(sorted(texts), all, id);
        else assert.ok(waits.every((each) => before.get(each)!.status !== "hit"), id);
      }
    }),
    { numRuns: 20 },
  );
});

Deno.test("changing what is no ingredient reruns nothing", async () => {
  await fc.assert(
    fc.asyncProperty(worlds, fc.nat(7), async (world, stage) => {
      using folder = new Folder();
      await run(write(folder, world));
      const other = write(folder, world, { at: "moved/", prefix: "other" });
      const id = `other${stage % world.stages.length}`;
      const text = Deno.readTextFileSync(other)
        .replace("name: random", "# With a comment\nname: other\ndescription: of another name")
        .replace(
          `{ id: ${id}, `,
          `{ id: ${id}, description: as before, expect: { total: ">= 0" }, `,
        );
      Deno.writeTextFileSync(other, text);
      Deno.utimeSync(folder.join("moved/x.json"), 1, 1);
      const { stages: outcomes, exitCode } = await run(other, {
        jobs: 1,
        threads: 3,
        memory: 2 ** 20,
        keepGoing: true,
        store: folder.join("store"),
      });
      assert.equal(exitCode, 0);
      assert.ok(outcomes.every(({ status }) => status === "hit"));
    }),
    { numRuns: 10 },
  );
});
