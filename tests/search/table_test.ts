import assert from "node:assert/strict";
import { UserError } from "../../src/base/errors.ts";
import { createProblem } from "../../src/search/problem.ts";
import { checkTable, type SensitivityTable } from "../../src/search/table.ts";
import { randomTable } from "./random_problem.ts";

function problemsOf(table: SensitivityTable): string[] {
  try {
    checkTable(table, "s.table");
  } catch (error) {
    assert.ok(error instanceof UserError);
    return error.problems.map(({ message }) => message);
  }
  return [];
}

Deno.test("complete tables are taken", () => {
  assert.deepEqual(problemsOf(randomTable(1, { layers: 6, block: 3 })), []);
});

Deno.test("tables that miss something are refused, with everything that is wrong", () => {
  const table = randomTable(1, { layers: 4, block: 2 });
  const [first, ...others] = table.layers;
  const broken: SensitivityTable = {
    ...table,
    layers: [{ ...first!, entries: first!.entries.slice(1) }, ...others.slice(0, 2)],
    blocks: [table.blocks[0]!, { ...table.blocks[1]!, joint: [] }],
  };
  const said = problemsOf(broken).join("\n");
  assert.match(said, /table "s\.table" lacks layer "layer0" at 2 bits/);
  assert.match(said, /lacks layer "layer3" of block "block2"/);
  assert.match(said, /joint losses of 0 sets of layers of block "block2", expected 1/);
  for (const none of [null, [], {}, { version: 1 }, { ...table, layers: [null] }]) {
    assert.match(problemsOf(none as unknown as SensitivityTable).join(), /is none|without name/);
  }
  assert.match(problemsOf({ ...table, layers: [] }).join(), /has no layers/);
  const nan = { ...first!, entries: first!.entries.map((entry) => ({ ...entry, loss: NaN })) };
  assert.match(problemsOf({ ...table, layers: [nan, ...others] }).join(), /has loss NaN/);
});

Deno.test("a width that the table does not have is refused with what to measure", () => {
  const table = randomTable(1, { layers: 4 });
  assert.throws(() => createProblem(table, { widths: [3, 4], costs: [] }), (error) => {
    assert.ok(error instanceof UserError);
    assert.match(error.message, /no losses of weights at 3 bits, only at 2, 4, 8/);
    assert.match(error.problems[0]!.hint!, /bits: \[2, 3, 4, 8\]/);
    return true;
  });
});

Deno.test("joint losses are those of the table, whatever else is chosen", async () => {
  const { Evaluator } = await import("../../src/search/evaluator.ts");
  const table = randomTable(2, { layers: 3, block: 3 });
  const evaluator = new Evaluator(createProblem(table, { costs: [] }));
  const at = (layer: number, column: number) => table.layers[layer]!.entries[column]!.loss;
  const joint = (...names: string[]) =>
    table.blocks[0]!.joint.find(({ layers }) => layers.join() === names.join())!.loss;
  const near = (genome: number[], loss: number) =>
    assert.ok(Math.abs(evaluator.loss(Uint8Array.from(genome)) - loss) < 1e-12);
  near([0, 1, 2], at(0, 0) + at(1, 1) + at(2, 2));
  near([0, 2, 0], joint("layer0", "layer2") + at(1, 2));
  near([0, 0, 0], joint("layer0", "layer1", "layer2"));
  for (let from = 0; from < 27; from++) {
    const genome = Uint8Array.of(from % 3, Math.floor(from / 3) % 3, Math.floor(from / 9));
    for (let layer = 0; layer < 3; layer++) {
      for (let choice = 0; choice < 3; choice++) {
        const change = evaluator.lossChange(genome, layer, choice);
        const other = genome.slice();
        other[layer] = choice;
        near([...other], evaluator.loss(genome) + change);
      }
    }
  }
});
