/**
 * The command that reports on a run.
 *
 * @module
 */

import { importLater } from "../../base/import_later.ts";
import { REPORT_FORMATS } from "../output/report_format.ts";
import { store } from "./shared.ts";
import { command, option, optionalArgument } from "./syntax.ts";
import { choice, path, text } from "./values.ts";

export const reportCommand = command({
  name: "report",
  brief: "Show what came out of a run",
  description:
    "Reports on a run: results, expectations, the pipeline and its times, bits and errors of every layer, ranges of activations, reconstruction, searches, and how to make the run again. As HTML it is one page that needs nothing else, not even a network. Everything is read from the store: nothing runs again.",
  examples: [
    ["a page with everything about the newest run", "report --out report.html"],
    ["the same run again, on the terminal", "report"],
    ["one of the runs that bitbound runs lists", "report 20260131-235959-3fa9c1 --out report.html"],
    ["for a pull request", "report --format markdown"],
    ["for scripts", "report --format json | jq .tables"],
  ],
  takes: {
    run: optionalArgument(
      text("RUN"),
      "The id of a run: its beginning is enough; latest (the default), latest~1",
    ),
    format: option(
      "--format",
      choice("FORMAT", REPORT_FORMATS),
      "html, markdown, text or json; else what the end of the file's name says, else text",
    ),
    out: option("-o --out", path("FILE"), "Write to a file"),
    store,
  },
  action: (options) => async (streams) =>
    (await importLater<typeof import("../commands/report.ts")>(
      import.meta.resolve("../commands/report.ts"),
    )).report(options, streams),
});
