import assert from "node:assert/strict";
import fc from "fast-check";
import { evaluateGate, parseGate } from "../../src/pipeline/gate.ts";
import { Folder, run } from "./support.ts";

/** What a gate says of a value. */
function said(condition: string | number, value?: number): string {
  const { met, message } = evaluateGate(
    parseGate("top1", condition),
    value === undefined ? {} : { top1: value },
  );
  return `${met ? "✓" : "✗"} ${message}`;
}

Deno.test("a gate that is not met says what was measured, what was expected, and by how much it failed", () => {
  assert.equal(said("<= 0.01", 0.0123), "✗ top1 is 0.0123, expected <= 0.01: 0.0023 too high");
  assert.equal(said("<= 0.01", 0.01), "✓ top1 is 0.01");
  assert.equal(said("< 0.01", 0.01), "✗ top1 is 0.01, expected < 0.01: exactly the limit");
  assert.equal(said(">= 98%", 0.975), "✗ top1 is 97.5 %, expected >= 98%: 0.5 % too low");
  assert.equal(said(">= 98%", 0.98), "✓ top1 is 98 %");
  assert.equal(said("> -1.5e1", -15), "✗ top1 is -15, expected > -1.5e1: exactly the limit");
  assert.equal(said("== 8", 4), "✗ top1 is 4, expected == 8: 4 too low");
  assert.equal(said(8, 8), "✓ top1 is 8");
  assert.equal(said("0.97 .. 0.99", 1), "✗ top1 is 1, expected 0.97 .. 0.99: 0.01 too high");
  assert.equal(said("97% .. 99%", 0.97), "✓ top1 is 97 %");
  assert.equal(said("<= 1"), "✗ top1 was not measured, expected <= 1");
});

Deno.test("a percentage means what the fraction means, to the last bit", () => {
  fc.assert(fc.property(fc.integer({ min: -100_000, max: 100_000 }), (thousandths) => {
    const percent = parseGate("m", `<= ${thousandths / 1000}%`).high!.value;
    assert.equal(percent, Number(`${thousandths}e-5`));
  }));
});

Deno.test("what is no condition is refused", () => {
  for (
    const text of ["", "<", "about 3", "<= x", "1 .. ", "2 .. 1", "=< 3", "<= 1 %%", "1e", "NaN"]
  ) {
    assert.throws(() => parseGate("m", text), SyntaxError, text);
  }
});

Deno.test("gates decide the exit code and what is published, on hits too", async (t) => {
  using folder = new Folder();
  const pipeline = (limit: number) =>
    folder.pipeline(`
name: gates
stages:
  - { uses: number, with: { value: 3 } }
  - { uses: increment, expect: { to: "<= ${limit}" } }
  - { uses: deliver }
`);
  const delivered = () => Deno.readTextFile(folder.join("delivered.json")).catch(() => "nothing");

  await t.step("a gate that is not met: exit code 3, nothing published", async () => {
    const outcome = await run(pipeline(3));
    assert.equal(outcome.exitCode, 3);
    assert.equal(outcome.status, "expectation-failed");
    assert.deepEqual(outcome.stages[1]!.expects, [{
      metric: "to",
      condition: "<= 3",
      met: false,
      value: 4,
      by: 1,
      message: "to is 4, expected <= 3: 1 too high",
    }]);
    assert.deepEqual(outcome.stages[2]!.published, []);
    assert.equal(await delivered(), "nothing");
  });
  await t.step("a gate is no part of a key, and hits are judged again", async () => {
    const outcome = await run(pipeline(4));
    assert.equal(outcome.exitCode, 0);
    assert.deepEqual(outcome.statuses(), { number: "hit", increment: "hit", deliver: "hit" });
    assert.deepEqual(outcome.stages[2]!.published, [
      { output: "copy", path: folder.join("delivered.json"), changed: true },
      { output: "provenance", path: folder.join("delivered.provenance.json"), changed: true },
    ]);
    assert.equal(await delivered(), "4");
  });
  await t.step("a file that is there is left alone; one that is not is made again", async () => {
    const { mtime } = Deno.statSync(folder.join("delivered.json"));
    const outcome = await run(pipeline(4));
    assert.equal(outcome.stages[2]!.published[0]!.changed, false);
    assert.deepEqual(Deno.statSync(folder.join("delivered.json")).mtime, mtime);
    folder.write("delivered.json", "5");
    await run(pipeline(4));
    assert.equal(await delivered(), "4");
    assert.deepEqual(
      [...Deno.readDirSync(folder.path)].map(({ name }) => name).sort(),
      ["delivered.json", "delivered.provenance.json", "pipeline.yaml", "store"],
    );
  });
});

Deno.test("what is expected of an artifact decides whether it is handed out, though that takes nothing from the judge", async (t) => {
  const stages = (judges: string) => `
name: judged
stages:
  - { uses: number, with: { value: 3 } }
  - { uses: deliver, in: { value: number } }
${judges}`;
  const judge = (fields: string, input = "value: number") =>
    `  - { uses: inspect, in: { ${input} }, ${fields} }\n`;
  const cases: Record<string, { judges: string; exitCode: number; hindrance?: string }> = {
    "met, late": { judges: judge("with: { milliseconds: 50 }, expect: { value: 3 }"), exitCode: 0 },
    "not met, late": {
      judges: judge("with: { milliseconds: 50 }, expect: { value: 4 }"),
      exitCode: 3,
      hindrance: `"inspect" is not as expected`,
    },
    "one of two not met": {
      judges: judge("expect: { value: 3 }") + judge("expect: { value: 4 }"),
      exitCode: 3,
      hindrance: `"inspect-2" is not as expected`,
    },
    "a judge that fails": {
      judges: judge("with: { fails: true }, expect: { value: 3 }"),
      exitCode: 1,
      hindrance: `"inspect" has no result`,
    },
    "a judge of something else": {
      judges: `  - { id: other, uses: number, with: { value: 5 } }\n` +
        judge("expect: { value: 4 }", "value: other, beside: number"),
      exitCode: 3,
    },
    "a judge that takes something from what it judges": {
      judges: judge("expect: { value: 4 }", "value: number, beside: deliver.copy"),
      exitCode: 3,
      hindrance: `"inspect" is not as expected`,
    },
  };
  for (const [name, { judges, exitCode, hindrance }] of Object.entries(cases)) {
    await t.step(name, async () => {
      using folder = new Folder();
      const file = folder.pipeline(stages(judges));
      // The second time all is cached, but for what failed.
      for (let time = 0; time < 2; time++) {
        const warnings: string[] = [];
        const outcome = await run(file, {
          keepGoing: true,
          onEvent: (event) => event.type === "stage.warning" && warnings.push(event.message),
        });
        assert.equal(outcome.exitCode, exitCode);
        const isThere = [...Deno.readDirSync(folder.path)].some(({ name }) =>
          name === "delivered.json"
        );
        assert.equal(isThere, hindrance === undefined);
        assert.deepEqual(
          warnings,
          hindrance === undefined ? [] : [`Nothing is written: ${hindrance}`],
        );
      }
    });
  }
});
