/**
 * The stage `export`: results out of the store, in a folder of the user's.
 *
 * @module
 */

import { importLater } from "../../base/import_later.ts";
import { defineStage } from "../../registry/stage.ts";
import { inputs, outputs, parameters } from "./ports.ts";

// `export` is a reserved word.
export const exportStage = defineStage({
  name: "export",
  version: 2,
  summary: "Copy a model out of the store, once it is sure to run where it is deployed",
  description: [
    "Writes the model, a JSON summary and a Markdown page about both to a folder: sizes, metrics, the bits of each layer, " +
    "how to load it, and session options worth setting. The folder is written after every run, also when the result was " +
    "in the store already, and not when an expectation is not met: of a stage before, or of another one that takes the " +
    "same model, such as `evaluate` or `verify`.",
    "The model is first loaded and run with ONNX Runtime's default options. A model that fails is refused, with the " +
    "reason and what helps, unless `allow_options` is set and some session option makes it run.",
  ].join("\n\n"),
  parameters,
  inputs,
  outputs,
  metrics: {
    file_bytes: {
      title: "file",
      description: "Size of the exported file.",
      unit: "bytes",
      better: "lower",
    },
    default_difference: {
      title: "difference by default",
      description:
        "Largest difference between the outputs with default options and with quantizers as written, relative to the " +
        "largest output.",
      unit: "number",
      better: "lower",
    },
    integer_nodes: {
      title: "integer nodes",
      description: "Nodes that run in integer kernels with default options.",
      unit: "count",
      better: "higher",
    },
  },
  engine: true,
  // default_difference is measured with the kernels that the processor has.
  usesIntegerKernels: () => true,
  publish({ to, name }, pipeline) {
    const folder = to ?? `exports/${pipeline.name}`;
    return [
      { output: "model", to: `${folder}/${name}.onnx` },
      { output: "summary", to: `${folder}/${name}.json` },
      { output: "readme", to: `${folder}/${name}.md` },
    ];
  },
  releases: "model",
  load: () => importLater<typeof import("./run.ts")>(import.meta.resolve("./run.ts")),
});

export default exportStage;
