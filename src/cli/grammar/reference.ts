/**
 * Commands that explain stages and models.
 *
 * @module
 */

import { importLater } from "../../base/import_later.ts";
import { json } from "./shared.ts";
import { argument, command, option, optionalArgument } from "./syntax.ts";
import { choice, path, text } from "./values.ts";

const stages = command({
  name: "stages",
  brief: "List the stages, or explain one",
  description:
    "Lists the stages that pipelines can use, or explains one: what it takes and makes, what it measures, and every parameter with its type and default.",
  examples: [["all stages", "stages"], ["one, with its parameters", "stages quantize"]],
  takes: { name: optionalArgument(text("NAME"), "A stage"), json },
  action: (options) => async (streams) =>
    (await importLater<typeof import("../commands/stages.ts")>(
      import.meta.resolve("../commands/stages.ts"),
    )).stages(options, streams),
});

const units = command({
  name: "units",
  brief: "Show how reconstruct divides a model",
  description:
    "Lists the parts of a model that the stage reconstruct works on, one after the other: each has one way in and one way out.",
  examples: [
    ["block by block", "units model.onnx"],
    ["layer by layer", "units model.onnx --unit layer"],
  ],
  takes: {
    model: argument(path("FILE", [".onnx"]), "An ONNX model"),
    unit: option(
      "--unit",
      choice("SIZE", ["layer", "block", "stage", "network"]),
      "layer, block (residual blocks and the like; the default), stage (blocks of one resolution) or network",
    ),
    json,
  },
  action: ({ unit = "block", ...options }) => async (streams) =>
    (await importLater<typeof import("../commands/units.ts")>(
      import.meta.resolve("../commands/units.ts"),
    )).units({ ...options, unit }, streams),
});

export const referenceCommands = [stages, units];
