import assert from "node:assert/strict";
import { type Pipeline, sourceName } from "../../src/pipeline/pipeline.ts";
import { load } from "./support.ts";

const INPUTS = `
name: wiring
inputs:
  model: { onnx: model.onnx }
  calibration: { synthetic: { shape: [1], count: 1 } }
  test: { synthetic: { shape: [1], count: 1 } }
`;

/** `stage: port=source …`, in the order of execution. */
function wiring({ stages }: Pipeline): string[] {
  return stages.map(({ id, inputs }) =>
    [`${id}:`, ...[...inputs].map(([port, source]) => `${port}=${sourceName(source)}`)].join(" ")
  );
}

Deno.test("a chain of stages needs no word about what takes what", async () => {
  const pipeline = await load(`${INPUTS}
stages:
  - uses: fold
  - uses: observe
  - { id: w8, uses: round }
  - { id: w8-test, uses: measure }
  - { id: w4, uses: round }
  - { id: w4-test, uses: measure }
`);
  assert.deepEqual(wiring(pipeline), [
    "fold: model=inputs.model",
    "observe: model=fold.model calibration=inputs.calibration",
    "w8: model=fold.model ranges=observe.ranges",
    "w8-test: model=w8.model reference=fold.model test=inputs.test",
    "w4: model=fold.model ranges=observe.ranges",
    "w4-test: model=w4.model reference=fold.model test=inputs.test",
  ]);
  assert.deepEqual(pipeline.warnings, []);
});

Deno.test("the nearest artifact wins over the order in which a port lists kinds", async () => {
  const pipeline = await load(`${INPUTS}
stages:
  - uses: round
  - uses: fold
  - uses: measure
`);
  assert.equal(
    wiring(pipeline)[2],
    "measure: model=fold.model reference=fold.model test=inputs.test",
  );
});

Deno.test("what lies aside is taken only where it is named", async () => {
  const pipeline = await load(`${INPUTS}
stages:
  - uses: fold
  - uses: round
  - { uses: measure, in: { model: fold, reference: fold.original } }
`);
  assert.deepEqual(wiring(pipeline).slice(1), [
    "round: model=fold.model",
    "measure: model=fold.model reference=fold.original test=inputs.test",
  ]);
});

Deno.test("the only data set serves whatever its name", async () => {
  const pipeline = await load(`
name: one
inputs:
  net: { onnx: model.onnx }
  digits: { synthetic: { shape: [1], count: 1 } }
stages: [{ uses: observe }, { uses: measure }]
`);
  assert.deepEqual(wiring(pipeline), [
    "observe: model=inputs.net calibration=inputs.digits",
    "measure: model=inputs.net reference=inputs.net test=inputs.digits",
  ]);
});

Deno.test("in: names another artifact, of an earlier or a later stage, or none", async () => {
  const pipeline = await load(`${INPUTS}
stages:
  - { uses: measure, in: { model: w4, reference: none, test: inputs.calibration } }
  - { id: w4, uses: round, in: { model: inputs.model, ranges: o.ranges } }
  - { id: o, uses: observe, in: { calibration: split.left } }
  - { uses: split }
`);
  assert.deepEqual(wiring(pipeline), [
    "split:",
    "o: model=inputs.model calibration=split.left",
    "w4: model=inputs.model ranges=o.ranges",
    "measure: model=w4.model test=inputs.calibration",
  ]);
});

Deno.test("an optional input is left open where nothing fits", async () => {
  const pipeline = await load(`${INPUTS}
stages: [{ uses: round }]
`);
  assert.deepEqual(wiring(pipeline), ["round: model=inputs.model"]);
});

Deno.test("names decide between several inputs, and nearness between stages", async () => {
  const pipeline = await load(`
name: sums
inputs: { from: { json: a.json }, other: { json: b.json } }
stages:
  - { id: one, uses: increment }
  - { id: two, uses: increment }
`);
  assert.deepEqual(wiring(pipeline), ["one: from=inputs.from", "two: from=one.to"]);
  assert.deepEqual(pipeline.warnings.map(({ message }) => message), [
    'Input "other" is not used by any stage',
  ]);
});

Deno.test("a data set made for one part does not take another's", async () => {
  const pipeline = await load(`${INPUTS}
stages: [{ uses: augment }, { uses: observe }, { uses: measure }]
`);
  assert.deepEqual(wiring(pipeline), [
    "augment: calibration=inputs.calibration",
    "observe: model=inputs.model calibration=augment.calibration",
    "measure: model=inputs.model reference=inputs.model test=inputs.test",
  ]);
});

Deno.test("stages without an id are named after what they use, each in its own way", async () => {
  const pipeline = await load(`
name: names
stages:
  - { uses: number, with: { value: 1 } }
  - { uses: number, with: { value: 2 } }
  - { id: number-3, uses: number, with: { value: 3 } }
  - { uses: number, with: { value: 4 } }
`);
  assert.deepEqual(
    pipeline.stages.map(({ id }) => id),
    ["number", "number-2", "number-3", "number-4"],
  );
});

Deno.test("an input without a part is not fed, though there is something for it", async () => {
  const pipeline = await load(`${INPUTS}
stages:
  - uses: estimate
  - { id: blind, uses: estimate, with: { blind: true } }
  - { id: bare, uses: estimate, with: { blind: true }, in: { calibration: none } }
`);
  assert.deepEqual(wiring(pipeline), [
    "estimate: model=inputs.model calibration=inputs.calibration",
    "blind: model=inputs.model",
    "bare: model=inputs.model",
  ]);
});
