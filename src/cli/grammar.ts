/**
 * The grammar of the command line. A command's work is imported only when it is called.
 *
 * @module
 */

import { importLater } from "../base/import_later.ts";
import { object, or } from "@optique/core/constructs";
import { message } from "@optique/core/message";
import { map, multiple, optional, withDefault } from "@optique/core/modifiers";
import { argument, command, option } from "@optique/core/primitives";
import { choice, integer, string } from "@optique/core/valueparser";
import type { ExitCode } from "./exit_code.ts";
import type { Streams } from "./output/streams.ts";
import { duration, path } from "./value_parsers.ts";

/** What a command line asks for. */
export type Action = (streams: Streams) => Promise<ExitCode>;

const YAML = [".yaml", ".yml"];

const file = argument(path("FILE", YAML), {
  description: message`A pipeline, such as pipelines/digits.yaml`,
});
const json = option("--json", { description: message`Print one JSON document instead of text` });
const store = optional(option("--store", path("DIR"), {
  description:
    message`The folder of cached results; else BITBOUND_STORE, else the nearest .bitbound`,
}));
const set = multiple(option("--set", string({ metavar: "PATH=VALUE" }), {
  description: message`Change a value of the file, such as w4.with.weights.bits=3; may be repeated`,
}));

const run = command(
  "run",
  map(
    object({
      file,
      set,
      jobs: optional(option("-j", "--jobs", integer({ metavar: "N", min: 1 }), {
        description: message`Stages that may run at once; the number of processors unless told`,
      })),
      threads: optional(option("--threads", integer({ metavar: "N", min: 1 }), {
        description: message`Threads that the stages share; the number of processors unless told`,
      })),
      keepGoing: option("-k", "--keep-going", {
        description: message`If a stage fails, still run those that do not depend on it`,
      }),
      dryRun: option("-n", "--dry-run", { description: message`Only say what would run, and why` }),
      store,
      events: optional(option("--events", path("FILE"), {
        description: message`Write everything that happens to a file, one JSON object a line`,
      })),
      json,
    }),
    (options): Action => async (streams) =>
      (await importLater<typeof import("./commands/run.ts")>(
        import.meta.resolve("./commands/run.ts"),
      )).run(options, streams),
  ),
  {
    brief: message`Run a pipeline`,
    usageLine: [{ type: "literal", value: "FILE" }, { type: "literal", value: "[OPTIONS]" }],
    description:
      message`Runs the stages of a pipeline whose results are not cached, prints what they measured, and checks what the file expects. Interrupt it at any time: finished stages are kept.`,
  },
);

const check = command(
  "check",
  map(
    object({ file, set, json }),
    (options): Action => async (streams) =>
      (await importLater<typeof import("./commands/check.ts")>(
        import.meta.resolve("./commands/check.ts"),
      )).check(options, streams),
  ),
  {
    brief: message`Check a pipeline file`,
    description:
      message`Finds everything that is wrong with a pipeline file, all at once, without reading models or data.`,
  },
);

const plan = command(
  "plan",
  map(
    object({ file, set, store, json }),
    (options): Action => async (streams) =>
      (await importLater<typeof import("./commands/plan.ts")>(
        import.meta.resolve("./commands/plan.ts"),
      )).plan(options, streams),
  ),
  {
    brief: message`Say what a run would do`,
    description:
      message`Says for each stage whether its result is cached or has to be made, why, and how long it took last time.`,
  },
);

const stages = command(
  "stages",
  map(
    object({
      name: optional(argument(string({ metavar: "NAME" }), { description: message`A stage` })),
      json,
    }),
    (options): Action => async (streams) =>
      (await importLater<typeof import("./commands/stages.ts")>(
        import.meta.resolve("./commands/stages.ts"),
      )).stages(options, streams),
  ),
  {
    brief: message`List the stages, or explain one`,
    description:
      message`Lists the stages that pipelines can use, or explains one: what it takes and makes, what it measures, and every parameter with its type and default.`,
  },
);

const units = command(
  "units",
  map(
    object({
      model: argument(path("FILE", [".onnx"]), { description: message`An ONNX model` }),
      unit: withDefault(
        option("--unit", choice(["layer", "block", "stage", "network"], { metavar: "SIZE" }), {
          description:
            message`layer, block (residual blocks and the like; the default), stage (blocks of one resolution) or network`,
        }),
        "block" as const,
      ),
      json,
    }),
    (options): Action => async (streams) =>
      (await importLater<typeof import("./commands/units.ts")>(
        import.meta.resolve("./commands/units.ts"),
      )).units(options, streams),
  ),
  {
    brief: message`Show how reconstruct divides a model`,
    description:
      message`Lists the parts of a model that the stage reconstruct works on, one after the other: each has one way in and one way out.`,
  },
);

const cache = command(
  "cache",
  or(
    command(
      "ls",
      map(
        object({ store, json }),
        (options): Action => async (streams) =>
          (await importLater<typeof import("./commands/cache.ts")>(
            import.meta.resolve("./commands/cache.ts"),
          )).cacheList(options, streams),
      ),
      {
        brief: message`List the cached results`,
        description: message`Lists the cached results, newest first, with their sizes.`,
      },
    ),
    command(
      "verify",
      map(
        object({ store, json }),
        (options): Action => async (streams) =>
          (await importLater<typeof import("./commands/cache.ts")>(
            import.meta.resolve("./commands/cache.ts"),
          )).cacheVerify(options, streams),
      ),
      {
        brief: message`Check every byte of the cache`,
        description:
          message`Hashes everything in the cache. What is damaged is set aside, and the stages that made it run again next time.`,
      },
    ),
    command(
      "gc",
      map(
        object({
          keepRuns: optional(option("--keep-runs", integer({ metavar: "N", min: 0 }), {
            description: message`Keep the newest N runs of each pipeline`,
          })),
          olderThan: optional(option("--older-than", duration(), {
            description: message`Delete only what is older, such as 14d, 12h or 30m`,
          })),
          dryRun: option("-n", "--dry-run", {
            description: message`Only say what would be deleted`,
          }),
          store,
          json,
        }),
        (options): Action => async (streams) =>
          (await importLater<typeof import("./commands/cache.ts")>(
            import.meta.resolve("./commands/cache.ts"),
          )).cacheGarbage(options, streams),
      ),
      {
        brief: message`Delete what is no longer wanted`,
        description:
          message`Without limits, deletes only what no result needs. With limits, a run and its results are kept if any limit keeps it.`,
      },
    ),
  ),
  {
    brief: message`List, verify or clean the cached results`,
    description: message`Works on the store of cached results.`,
  },
);

/** All commands; the value is what to do. */
export const commands = or(run, check, plan, stages, units, cache);
