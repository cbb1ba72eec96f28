/**
 * Commands that make something of a pipeline or for one.
 *
 * @module
 */

import { importLater } from "../../base/import_later.ts";
import { file, set, YAML } from "./shared.ts";
import { argument, command, flag, option } from "./syntax.ts";
import { choice, path } from "./values.ts";

const graph = command({
  name: "graph",
  brief: "Draw a pipeline",
  description:
    "Shows which stage takes what from where: as text, as a Mermaid flowchart for Markdown, as an SVG picture, or as JSON.",
  examples: [
    ["what takes what?", "graph pipelines/digits.yaml"],
    ["a picture", "graph pipelines/digits.yaml --output digits.svg"],
    ["for a README on GitHub", "graph pipelines/digits.yaml --format mermaid"],
  ],
  takes: {
    file,
    set,
    format: option(
      "-f --format",
      choice("FORMAT", ["text", "mermaid", "svg", "json"]),
      "text, mermaid, svg or json; told by the ending of --output, else text",
    ),
    output: option("-o --output", path("FILE", [".svg", ".mmd"]), "Write to a file"),
    items: flag("--items", "Show each item of a matrix, not only how many there are"),
  },
  action: (options) => async (streams) =>
    (await importLater<typeof import("../commands/graph.ts")>(
      import.meta.resolve("../commands/graph.ts"),
    )).graph(options, streams),
});

const init = command({
  name: "init",
  brief: "Write a pipeline for a model",
  description:
    "Reads what a model takes and writes a pipeline that works: with your data, or with random numbers until you name some.",
  examples: [
    ["a pipeline that runs as it is", "init model.onnx"],
    ["with pictures, a fifth of them for calibration", "init model.onnx --data photographs"],
  ],
  takes: {
    model: argument(path("MODEL", [".onnx"]), "A float ONNX model"),
    data: option(
      "--data",
      path("PATH"),
      "A folder of pictures, or a .npy, .npz or .csv file; random numbers unless told",
    ),
    output: option(
      "-o --output",
      path("FILE", YAML),
      "The pipeline's file; MODEL.yaml unless told",
    ),
  },
  action: (options) => async (streams) =>
    (await importLater<typeof import("../commands/init.ts")>(
      import.meta.resolve("../commands/init.ts"),
    )).init(options, streams),
});

export const makingCommands = [init, graph];
