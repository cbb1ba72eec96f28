import assert from "node:assert/strict";
import { definePipeline, type PipelineDefinition, run, use, UserError } from "../../mod.ts";
import { Folder, TEST_STAGES } from "./support.ts";
import { increment, number } from "./test_stages.ts";

Deno.test("a pipeline in TypeScript runs like one in YAML", async () => {
  using folder = new Folder();
  const pipeline = await definePipeline({
    name: "typed",
    plugins: [TEST_STAGES],
    stages: [
      use(number, { id: "one", with: { value: 1 } }),
      use(increment, { with: { by: 2 }, expect: { to: 3 } }),
    ],
  }, { directory: folder.path });
  const outcome = await run(pipeline, { store: folder.join("store") });
  assert.equal(outcome.status, "done");
  const artifact = outcome.artifact<"json">("increment.to");
  assert.deepEqual([artifact.kind, artifact.origin], ["json", "increment.to"]);
  assert.equal(await artifact.load(), 3);
  assert.throws(
    () => outcome.artifact("increment.too"),
    new RangeError('There is no artifact "increment.too": Did you mean "increment.to"?'),
  );
});

Deno.test("what the compiler cannot see is told when the pipeline is defined", async () => {
  await assert.rejects(
    definePipeline({ name: "x", stages: [{ uses: "quantize", with: { weights: { bits: 99 } } }] }),
    (error) => error instanceof UserError && error.problems.length >= 1,
  );
});

/** Each of these is refused by the compiler; none is run. */
export const refused: PipelineDefinition[] = [
  // @ts-expect-error An unknown key.
  { name: "x", sed: 1, stages: [] },
  // @ts-expect-error A stage that does not exist.
  { name: "x", stages: [{ uses: "quantise" }] },
  // @ts-expect-error A parameter that the stage does not have.
  { name: "x", stages: [{ uses: "quantize", with: { weight: {} } }] },
  // @ts-expect-error A parameter of the wrong type.
  { name: "x", stages: [{ uses: "quantize", with: { weights: { bits: "four" } } }] },
  // @ts-expect-error A metric that the stage does not measure.
  { name: "x", stages: [{ uses: "evaluate", expect: { top11: "<= 1" } }] },
  // @ts-expect-error An input that the stage does not have.
  { name: "x", stages: [{ uses: "evaluate", in: { modle: "w4" } }] },
  // @ts-expect-error A stage of a plugin without `use`.
  { name: "x", stages: [{ uses: "my-own" }] },
  // @ts-expect-error A parameter that a stage of a plugin does not have.
  { name: "x", stages: [use(number, { with: { valeu: 1 } })] },
  // @ts-expect-error A metric that a stage of a plugin does not measure.
  { name: "x", stages: [use(increment, { expect: { too: 1 } })] },
  // @ts-expect-error A format of data that does not exist.
  { name: "x", inputs: { test: { mnist: "x" } }, stages: [] },
];

Deno.test("a sweep can be written in TypeScript", async () => {
  const pipeline = await definePipeline({
    name: "sweep",
    inputs: { model: { onnx: "model.onnx" }, test: { images: "photographs" } },
    matrix: { bits: [8, 4] },
    stages: [
      {
        id: "w",
        uses: "quantize",
        with: { weights: { bits: "${matrix.bits}" }, activations: { mode: "none" } },
      },
      { uses: "evaluate" },
      { uses: "compare", gather: true, in: { evaluations: ["evaluate"] } },
    ],
  });
  assert.deepEqual(pipeline.stages.map(({ id }) => id), [
    "w@bits=8",
    "w@bits=4",
    "evaluate@bits=8",
    "evaluate@bits=4",
    "compare",
  ]);
});
