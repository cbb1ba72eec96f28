import assert from "node:assert/strict";
import fc from "fast-check";
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
