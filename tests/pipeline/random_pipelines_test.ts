import assert from "node:assert/strict";
import fc from "fast-check";
import { explainPlan, explainRun } from "../../src/pipeline/explain.ts";
import { loadPipeline } from "../../src/pipeline/load.ts";
import { planPipeline } from "../../src/pipeline/plan.ts";
import { openStore } from "../../src/store/store.ts";
import { Folder, run } from "./support.ts";

/** A stage of a random pipeline: it takes outputs of earlier ones. */
interface Stage {
  readonly plus: number;
  readonly divide: number;
  /** Indices of earlier stages, for the ports a to d. */
  readonly from: readonly number[];
}

const PORTS = ["a", "b", "c", "d"] as const;

const pipelines = fc.integer({ min: 1, max: 8 }).chain((count) =>
  fc.tuple(
    ...Array.from({ length: count }, (_, index) =>
      fc.record({
        plus: fc.integer({ min: 0, max: 5 }),
        divide: fc.integer({ min: 1, max: 3 }),
        from: index === 0
          ? fc.constant([])
          : fc.array(fc.integer({ min: 0, max: index - 1 }), { maxLength: 4 }),
      })),
  )
);

function yaml(stages: readonly Stage[]): string {
  const entries = stages.map(({ plus, divide, from }, index) => {
    const wires = PORTS.map((port, place) => `${port}: ${name(from[place])}`).join(", ");
    return `  - { id: s${index}, uses: sum, with: { plus: ${plus}, divide: ${divide} }, in: { ${wires} } }`;
  });
  return ["name: random", "stages:", ...entries].join("\n");
}

function name(index: number | undefined): string {
  return index === undefined ? "none" : `s${index}`;
}

/** What each stage's result depends on, and the result, computed here. */
function model(stages: readonly Stage[]): { ingredients: string; total: number }[] {
  const results: { ingredients: string; total: number }[] = [];
  for (const { plus, divide, from } of stages) {
    const inputs = PORTS.map((_, place) =>
      from[place] === undefined ? null : results[from[place]]!.total
    );
    const sum = inputs.reduce<number>((total, input) => total + (input ?? 0), plus);
    results.push({
      ingredients: JSON.stringify([plus, divide, inputs]),
      total: Math.floor(sum / divide),
    });
  }
  return results;
}

Deno.test("changing anything reruns exactly the stages whose ingredients were never seen", async () => {
  const changes = fc.array(
    fc.record({
      stage: fc.nat(7),
      plus: fc.integer({ min: 0, max: 5 }),
      divide: fc.integer({ min: 1, max: 3 }),
    }),
    { minLength: 1, maxLength: 3 },
  );
  await fc.assert(
    fc.asyncProperty(pipelines, changes, async (first, edits) => {
      using folder = new Folder();
      const seen = new Set<string>();
      let stages: Stage[] = [...first];
      for (const edit of [undefined, ...edits]) {
        if (edit !== undefined) {
          const index = edit.stage % stages.length;
          stages = stages.with(index, { ...stages[index]!, plus: edit.plus, divide: edit.divide });
        }
        const outcome = await run(folder.pipeline(yaml(stages)));
        const expected = model(stages);
        // Equal ingredients are one result: whichever stage comes first makes it for both.
        const made = new Map<string, number>();
        for (const [index, { ingredients, total }] of expected.entries()) {
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
    { numRuns: 25 },
  );
});

Deno.test("what changed is named before and after the run, and nothing else is", async () => {
  const edits = fc.record({
    stage: fc.nat(7),
    field: fc.constantFrom("plus", "divide"),
    value: fc.integer({ min: 6, max: 9 }),
  });
  await fc.assert(
    fc.asyncProperty(pipelines, edits, async (stages, { stage, field, value }) => {
      using folder = new Folder();
      const index = stage % stages.length;
      const edited = stages.with(index, { ...stages[index]!, [field]: value });
      await run(folder.pipeline(yaml(stages)));
      const file = folder.pipeline(yaml(edited));
      await using store = openStore(folder.join("store"));
      const plan = await planPipeline(await loadPipeline(file), store);
      const before = new Map((await explainPlan(plan, [])).map((each) => [each.id, each]));
      const { record } = await run(file);
      const after = new Map((await explainRun(record, [], store)).map((each) => [each.id, each]));

      const [old, now] = [model(stages), model(edited)];
      for (const [place, { from }] of edited.entries()) {
        const id = `s${place}`;
        const own = place === index ? [`${field}: ${stages[index]![field]} → ${value}`] : [];
        const moved = PORTS.filter((_, port) =>
          from[port] !== undefined && old[from[port]!]!.total !== now[from[port]!]!.total
        ).map((port) => `input "${port}" changed`);
        assert.deepEqual(after.get(id)!.changes.map(({ text }) => text), [...own, ...moved], id);

        const { status, changes, waits } = before.get(id)!;
        const told = changes.map(({ text }) => text);
        if (status === "hit") continue;
        // Of what is not known yet, only the stage's own part can be told.
        assert.deepEqual(told.filter((text) => !text.startsWith("input")), own, id);
        if (waits.length === 0) assert.deepEqual(told, [...own, ...moved], id);
        else assert.ok(waits.every((each) => before.get(each)!.status !== "hit"), id);
      }
    }),
    { numRuns: 12 },
  );
});

Deno.test("changing what is no ingredient reruns nothing", async () => {
  await fc.assert(
    fc.asyncProperty(pipelines, fc.nat(7), async (stages, stage) => {
      using folder = new Folder();
      await run(folder.pipeline(yaml(stages)));
      const id = `s${stage % stages.length}`;
      const other = yaml(stages).replace(
        "name: random",
        "name: other\ndescription: of another name",
      )
        .replace(
          `{ id: ${id}, `,
          `{ id: ${id}, description: as before, expect: { total: ">= 0" }, `,
        );
      const { stages: outcomes, exitCode } = await run(folder.pipeline(other, "moved/p.yaml"), {
        jobs: 1,
        threads: 3,
        memory: 2 ** 20,
        keepGoing: true,
        store: folder.join("store"),
      });
      assert.equal(exitCode, 0);
      assert.ok(outcomes.every(({ status }) => status === "hit"));
    }),
    { numRuns: 8 },
  );
});
