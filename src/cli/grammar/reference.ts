/**
 * Commands that explain stages and models.
 *
 * @module
 */

import { importLater } from "../../base/import_later.ts";
import { json, store } from "./shared.ts";
import { argument, command, option, optionalArgument, options } from "./syntax.ts";
import { choice, path, text } from "./values.ts";

const plugins = options(
  "--plugin",
  path("FILE", [".ts", ".js"]),
  "A module with stages of your own, or npm:NAME@X.Y.Z; may be repeated",
);

const stages = command({
  name: "stages",
  brief: "List the stages, or explain one",
  description:
    "Lists the stages that pipelines can use, or explains one: what it takes and makes, what it measures, and every parameter with its type and default.",
  examples: [
    ["all stages", "stages"],
    ["one, with its parameters", "stages quantize"],
    ["one of your own", "stages my-stage --plugin my_stage.ts"],
  ],
  takes: { name: optionalArgument(text("NAME"), "A stage"), plugins, json },
  action: (given) => async (streams) =>
    (await importLater<typeof import("../commands/stages.ts")>(
      import.meta.resolve("../commands/stages.ts"),
    )).stages(given, streams),
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
  action: ({ unit = "block", ...given }) => async (streams) =>
    (await importLater<typeof import("../commands/units.ts")>(
      import.meta.resolve("../commands/units.ts"),
    )).units({ ...given, unit }, streams),
});

const checkCertificate = command({
  name: "check-certificate",
  brief: "Check a certificate of verify",
  description:
    "Proves the bounds of a certificate anew, with code that shares nothing with the stage verify: it reads the two models, cuts the inputs as the certificate says, and bounds each part with every rounding counted. Says that the certificate is accepted, or why it is refused.",
  examples: [
    ["the models are beside it, or in the store", "check-certificate certificate.json"],
    ["they are elsewhere", "check-certificate c.json --original a.onnx --quantized b.onnx"],
  ],
  takes: {
    file: argument(path("FILE", [".json"]), "A certificate"),
    original: option("--original", path("MODEL", [".onnx"]), "The file of the original model"),
    quantized: option("--quantized", path("MODEL", [".onnx"]), "The file of the quantized model"),
    store,
    json,
  },
  action: (options) => async (streams) =>
    (await importLater<typeof import("../commands/check_certificate.ts")>(
      import.meta.resolve("../commands/check_certificate.ts"),
    )).checkCertificate(options, streams),
});

const schemas = command({
  name: "schemas",
  brief: "Write the schemas that editors complete and check pipelines by",
  description:
    "Writes the JSON Schemas of pipeline files, stages, events and reports to a folder, with the stages of plugins among the others.",
  examples: [
    ["for pipelines with stages of your own", "schemas --out schemas --plugin my_stage.ts"],
  ],
  takes: { out: option("-o --out", path("DIR"), "The folder; schemas unless told"), plugins },
  action: (given) => async (streams) =>
    (await importLater<typeof import("../commands/schemas.ts")>(
      import.meta.resolve("../commands/schemas.ts"),
    )).schemas(given, streams),
});

export const referenceCommands = [stages, schemas, units, checkCertificate];
