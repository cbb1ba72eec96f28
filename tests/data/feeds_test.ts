import { deepEqual, equal, match, rejects, throws } from "node:assert/strict";
import type { UserError } from "../../src/base/errors.ts";
import type { Batch, Dataset } from "../../src/data/dataset.ts";
import { feedsOf, planFeeds } from "../../src/data/feeds.ts";
import type { Dimension, ValueInfo } from "../../src/onnx/model.ts";
import type { DataType } from "../../src/onnx/tensor.ts";
import { float32 } from "../../src/onnx/tensor.ts";
import { numbers } from "../stages/stage_fixture.ts";

const ORIGINS = { data: "inputs.test", model: "w4.model" };

function input(name: string, dims: Dimension[] | undefined, type: DataType = "float32"): ValueInfo {
  return { name, type, dims };
}

function data(dims: number[], name?: string): Dataset {
  const count = dims.reduce((product, dim) => product * dim, 1);
  return numbers({ dims, values: new Array(count).fill(0), ...(name && { name }) });
}

/** The problem that planning finds. */
function problem(dataset: Dataset, inputs: ValueInfo[]): { message: string; hint?: string } {
  let found: UserError | undefined;
  throws(() => planFeeds(dataset, inputs, ORIGINS), (error: UserError) => {
    found = error;
    return error.name === "UserError";
  });
  equal(found!.problems.length, 1, found!.message);
  return found!.problems[0]!;
}

Deno.test("one array feeds the only input, a named one the input of its name", () => {
  const image = input("image", ["n", 3, 8, 8]);
  deepEqual(planFeeds(data([3, 8, 8]), [image], ORIGINS), {
    names: ["image"],
    fixedBatch: undefined,
  });
  equal(planFeeds(data([3, 8, 8]), [input("x", [4, 3, undefined, "w"])], ORIGINS).fixedBatch, 4);
  deepEqual(planFeeds(data([2], "b"), [input("b", undefined)], ORIGINS).names, ["b"]);
});

Deno.test("inputs and arrays that do not meet are named", () => {
  const two = [input("a", ["n", 2]), input("b", ["n", 2])];
  deepEqual(problem(data([2]), two), {
    message:
      'The data set "inputs.test" does not say which input of the model "w4.model" it feeds: ' +
      'the model has "a", "b"',
    hint: "Name it at the data set: input: a",
  });
  deepEqual(problem(data([2], "a"), two), {
    message: 'Nothing in the data set "inputs.test" feeds input "b" of the model "w4.model"',
    hint: "Name one array of the data set for it: input: b",
  });
  deepEqual(problem(data([2], "c"), two).message.includes('feeds "c", which the model'), true);
});

Deno.test("a wrong type or shape comes with the field that mends it", () => {
  const cases: [number[], Dimension[], string][] = [
    [[8, 8, 3], ["n", 3, 8, 8], "layout: nchw"],
    [[3, 8, 8], ["n", 8, 8, 3], "layout: nhwc"],
    [[3, 8, 8], ["n", 1, 8, 8], "channels: gray"],
    [[1, 8, 8], ["n", 3, 8, 8], "channels: rgb"],
    [[3, 32, 32], ["n", 3, 224, 224], "resize: [224, 224]"],
    [[1, 28, 28], ["n", 784], "reshape: [784]"],
    [[784], ["n", 1, 28, 28], "reshape: [1, 28, 28]"],
    [[9], ["n", 8], "labels: NAME"],
    [[5], ["n", 7], "Use data of the model's input shape"],
  ];
  for (const [dims, wanted, mend] of cases) {
    const { message, hint } = problem(data(dims), [input("x", wanted)]);
    equal(
      message,
      `Input "x" of the model "w4.model" has shape [${
        wanted.join(", ")
      }], but the items of the data ` +
        `set "inputs.test" have shape [${dims.join(", ")}], without the batch dimension`,
    );
    equal(hint!.includes(mend), true, hint);
  }
  deepEqual(problem(data([3]), [input("x", ["n", 3], "uint8")]), {
    message:
      'Input "x" of the model "w4.model" is uint8, but the data set "inputs.test" delivers float32',
    hint: "Say preprocess: { dtype: uint8 } at the data set",
  });
  match(
    problem(data([3]), [input("x", ["n", 3], "float16")]).hint!,
    /^Say preprocess: \{ dtype: float16 \} at the data set; models that are compared .* one type/,
  );
});

Deno.test("inputs of different fixed batches are refused", async () => {
  const dataset: Dataset = {
    ...data([2]),
    inputs: [
      { name: "a", type: "float32", dims: [2] },
      { name: "b", type: "float32", dims: [2] },
    ],
  };
  const inputs = [input("a", [1, 2]), input("b", [4, 2])];
  await rejects(async () => await planFeeds(dataset, inputs, ORIGINS), {
    message: 'The inputs of the model "w4.model" have different fixed batch sizes: 1, 4',
  });
});

Deno.test("a fixed batch divides a batch into calls and fills the last one up", () => {
  const batch: Batch = {
    start: 0,
    size: 5,
    inputs: [float32([5, 2], [0, 1, 2, 3, 4, 5, 6, 7, 8, 9])],
  };
  const calls = (fixedBatch: number | undefined) =>
    [...feedsOf({ names: ["x"], fixedBatch }, batch)].map(({ feeds, size }) => [
      size,
      feeds.x!.dims,
      [...feeds.x!.data],
    ]);
  deepEqual(calls(undefined), [[5, [5, 2], [0, 1, 2, 3, 4, 5, 6, 7, 8, 9]]]);
  deepEqual(calls(5), calls(undefined));
  deepEqual(calls(2), [
    [2, [2, 2], [0, 1, 2, 3]],
    [2, [2, 2], [4, 5, 6, 7]],
    [1, [2, 2], [8, 9, 8, 9]],
  ]);
  deepEqual(calls(8), [[5, [8, 2], [0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 8, 9, 8, 9, 8, 9]]]);
});
