import { equal, match } from "node:assert/strict";
import { join } from "node:path";
import { call, project } from "../cli/fixture.ts";

/** What a user has to put beside a pipeline before it runs. */
const BROUGHT: Record<string, string[]> = {
  "acasxu.yaml": ["network.onnx", "prop_3.vnnlib"],
  "cifar10.yaml": [
    "model.onnx",
    "cifar-10-batches-bin/data_batch_1.bin",
    "cifar-10-batches-bin/test_batch.bin",
  ],
  "image-classifier.yaml": ["model.onnx", "photographs", "photographs"],
  "zero-shot.yaml": ["model.onnx"],
};

for (const { name } of Deno.readDirSync(join(project, "pipelines"))) {
  if (!name.endsWith(".yaml")) continue;
  Deno.test(`pipelines/${name} is right`, async () => {
    const { code, stderr } = await call(["check", `pipelines/${name}`]);
    equal(code, 0, stderr);
  });
  const brought = BROUGHT[name] ?? [];
  Deno.test(`pipelines/${name} misses ${brought.length} files that its user brings`, async () => {
    const { code, stderr } = await call(["plan", `pipelines/${name}`]);
    equal(code, brought.length === 0 ? 0 : 2, stderr);
    const errors = stderr.split("\n").filter((line) => line.startsWith("error:"));
    equal(errors.length, brought.length, stderr);
    brought.forEach((file, index) => {
      match(errors[index]!, new RegExp(`"[^"]*${file.replaceAll(".", "\\.")}" does not exist`));
    });
  });
}
