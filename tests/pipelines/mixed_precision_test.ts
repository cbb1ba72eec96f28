import { equal, match, ok } from "node:assert/strict";
import { call } from "../cli/fixture.ts";

const PIPELINE = "pipelines/mixed-precision.yaml";
const SMALLER = ["--set", "inputs.test.take=1000", "--set", "inputs.calibration.take=64"];

Deno.test("the mixed-precision pipeline keeps its budget and beats the uniform width", async () => {
  const store = await Deno.makeTempDir({ prefix: "bitbound-mixed-" });
  try {
    const run = (...args: string[]) =>
      call(["run", PIPELINE, ...SMALLER, "--store", store, ...args]);
    const first = await run("--json");
    equal(first.code, 0, first.stderr);
    const { stages } = JSON.parse(first.stdout) as {
      stages: { id: string; status: string; metrics: Record<string, number> }[];
    };
    const metrics = Object.fromEntries(stages.map(({ id, metrics }) => [id, metrics]));
    const predicted = metrics["search"]!["weight_bytes"]!;
    ok(predicted <= 12_500);
    equal(metrics["mixed"]!["weight_bytes"], predicted);
    equal(metrics["mixed-test"]!["weight_bytes"], predicted);
    ok(metrics["mixed-test"]!["kl"]! < 0.6 * metrics["uniform-test"]!["kl"]!);
    equal(metrics["uniform-test"]!["bits"], 3);

    const tight = await run("--set", "search.with.budget.size=5kB");
    equal(tight.code, 3);
    match(
      `${tight.stdout}${tight.stderr}`,
      /limit of bytes cannot be kept: the closest choice has \d+, \d+ over/,
    );
    const failing = await run(
      "--set",
      "search.with.budget.size=5kB",
      "--set",
      "search.with.unreachable=fail",
    );
    equal(failing.code, 1);
    match(failing.stderr, /limit of bytes cannot be kept: the closest choice has \d+, \d+ over/);
    const wrong = await run("--set", "search.with.budget.size=12kb");
    equal(wrong.code, 2);
  } finally {
    await Deno.remove(store, { recursive: true });
  }
});
