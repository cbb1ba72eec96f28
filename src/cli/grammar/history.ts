/**
 * Commands about what was run.
 *
 * @module
 */

import { importLater } from "../../base/import_later.ts";
import { json, store } from "./shared.ts";
import { argument, command, option, optionalArgument } from "./syntax.ts";
import { integer, path, text } from "./values.ts";

const RUN = "The id of a run: its beginning is enough; latest, latest~1";
const work = () =>
  importLater<typeof import("../commands/runs.ts")>(import.meta.resolve("../commands/runs.ts"));

const status = command({
  name: "status",
  brief: "Say what is running, and how the last runs ended",
  description:
    "Shows the newest run of each pipeline; one that is going on, here or in another terminal, with its stages and the time that is left.",
  examples: [["what is going on?", "status"]],
  takes: { store, json },
  action: (options) => async (streams) => (await work()).status(options, streams),
});

const runs = command({
  name: "runs",
  brief: "List the runs",
  description: "Lists the recorded runs, newest first.",
  examples: [["the last ones", "runs"], ["of one pipeline, more of them", "runs digits -n 100"]],
  takes: {
    pipeline: optionalArgument(text("PIPELINE"), "The name of a pipeline; all of them unless told"),
    number: option("-n --number", integer("N", 1), "How many at most; 20 unless told"),
    store,
    json,
  },
  action: ({ number = 20, ...options }) => async (streams) =>
    (await work()).runs({ ...options, number }, streams),
});

const show = command({
  name: "show",
  brief: "Show what a run measured and made",
  description: "Shows a run as it was shown when it ended, with its failures and warnings.",
  examples: [["the last run", "show"], ["the one before", "show latest~1"]],
  takes: { run: optionalArgument(text("RUN"), `${RUN}; latest unless told`), store, json },
  action: ({ run = "latest", ...options }) => async (streams) =>
    (await work()).show({ ...options, run }, streams),
});

const diff = command({
  name: "diff",
  brief: "Show what differs between two runs",
  description:
    "Compares two runs: parameters, inputs, versions, metrics with how much they changed, sizes, chosen widths, times.",
  examples: [
    ["what did the last change do?", "diff latest~1 latest"],
    ["the same in short", "diff"],
  ],
  takes: {
    before: optionalArgument(text("BEFORE"), `${RUN}; latest~1 unless told`),
    after: optionalArgument(text("AFTER"), `${RUN}; latest unless told`),
    store,
    json,
  },
  action: ({ before = "latest~1", after = "latest", ...options }) => async (streams) =>
    (await importLater<typeof import("../commands/diff.ts")>(
      import.meta.resolve("../commands/diff.ts"),
    )).diff({ ...options, before, after }, streams),
});

const lineage = command({
  name: "lineage",
  brief: "Say what an artifact was made from",
  description:
    "Shows the stages, parameters and artifacts that something was made by and from, down to your own files: of an exported model, an artifact of the newest run that has it, or a digest.",
  examples: [
    ["where does this file come from?", "lineage exports/digits/model.onnx"],
    ["and this output of a stage?", "lineage w4.model"],
    ["as JSON, with the whole cache keys", "lineage w4.model --json"],
  ],
  takes: {
    artifact: argument(
      path("ARTIFACT", [".onnx"]),
      "A file that was exported, STAGE.OUTPUT, or the beginning of a digest",
    ),
    store,
    json,
  },
  action: (options) => async (streams) =>
    (await importLater<typeof import("../commands/lineage.ts")>(
      import.meta.resolve("../commands/lineage.ts"),
    )).lineage(options, streams),
});

export const historyCommands = [status, runs, show, diff, lineage];
