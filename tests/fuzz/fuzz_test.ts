import assert from "node:assert/strict";
import { fuzz } from "../../bench/fuzz/fuzz.ts";
import { targets } from "../../bench/fuzz/targets.ts";

const CASES = 150;

for (const [name, open] of Object.entries(targets)) {
  Deno.test(`damaged ${name} are accepted or refused with a reason, never a crash`, async () => {
    const folder = Deno.makeTempDirSync({ prefix: "bitbound-fuzz-" });
    try {
      await using target = await open(folder);
      const report = await fuzz(target, { from: 0, cases: CASES, seed: 7 });
      assert.deepEqual(report.faults, []);
      assert.equal(report.cases, CASES);
      assert.ok(report.refused > CASES / 4, "most damage is found");
    } finally {
      Deno.removeSync(folder, { recursive: true });
    }
  });
}

Deno.test("a crash, and a refusal without a reason, are faults, and are found again by their index", async () => {
  const target = {
    attempt: (random: { integer(limit: number): number }) => {
      if (random.integer(10) === 0) throw new RangeError("out of range");
      return Promise.resolve();
    },
    [Symbol.asyncDispose]: () => Promise.resolve(),
  };
  const { faults, accepted, cases } = await fuzz(target, { from: 0, cases: 100, seed: 0 });
  assert.ok(faults.length > 2 && accepted + faults.length === cases);
  const { index, why } = faults[1]!;
  assert.match(why, /RangeError: out of range/);
  const again = await fuzz(target, { from: index, cases: 1, seed: 0 });
  assert.deepEqual(again.faults.map((fault) => fault.index), [index]);
});
