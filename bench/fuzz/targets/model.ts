/**
 * ONNX files.
 *
 * @module
 */

import assert from "node:assert/strict";
import { join } from "node:path";
import { UserError } from "../../../src/base/errors.ts";
import type { Random } from "../../../src/base/random.ts";
import { GraphBuilder } from "../../../src/onnx/build.ts";
import { checkModel } from "../../../src/onnx/check.ts";
import { findFormProblem } from "../../../src/onnx/file_form.ts";
import { decodeModel, externalFiles, readModel } from "../../../src/onnx/read.ts";
import { float32, int64s } from "../../../src/onnx/tensor.ts";
import { encodeModel } from "../../../src/onnx/write.ts";
import type { Target } from "../fuzz.ts";
import { mutateBytes } from "../mutate.ts";

/** A small network with one of everything that files say in different ways. */
function network(): Uint8Array {
  const build = new GraphBuilder("fuzzed");
  let x = build.input("image", "float32", ["batch", 1, 4, 4]);
  const weight = build.constant(
    float32([2, 1, 3, 3], Float32Array.from({ length: 18 }, (_, index) => Math.sin(index))),
  );
  x = build.op("Conv", [x, weight], { kernel_shape: [3, 3], pads: [1, 1, 1, 1] }, { name: "c" });
  x = build.op("Relu", [x], {}, { name: "r" });
  x = build.op("Reshape", [x, build.constant(int64s([-1, 32]))], {}, { name: "s" });
  build.output(x, "float32", ["batch", 32]);
  return encodeModel(build.build({ opset: 21, ir: 10 }));
}

export function modelTarget(folder: string): Promise<Target> {
  const seed = network();
  const path = join(folder, "m.onnx");
  assert.deepEqual(checkModel(decodeModel(seed)), []);
  return Promise.resolve({
    async attempt(random: Random, keep) {
      const bytes = mutateBytes(seed, random);
      keep(bytes);
      Deno.writeFileSync(path, bytes);
      const problem = findFormProblem(bytes, path);
      if (problem !== undefined) throw new UserError(problem);
      externalFiles(bytes);
      const problems = checkModel(await readModel(path));
      if (problems.length > 0) throw new UserError(problems);
    },
    [Symbol.asyncDispose]: () => Promise.resolve(),
  });
}
