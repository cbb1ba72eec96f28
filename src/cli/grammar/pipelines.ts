/**
 * Commands that take a pipeline file.
 *
 * @module
 */

import { importLater } from "../../base/import_later.ts";
import { file, json, remote, remoteMode, set, store, YAML } from "./shared.ts";
import { argument, command, flag, option, options, someArguments } from "./syntax.ts";
import { bytes, integer, path, text } from "./values.ts";

const run = command({
  name: "run",
  brief: "Run a pipeline",
  description:
    "Runs the stages of a pipeline whose results are not cached, prints what they measured, and checks what the file expects. Interrupt it at any time: finished stages are kept.",
  examples: [
    ["run it; a second time everything is cached", "run pipelines/digits.yaml"],
    ["try another setting", "run pipelines/digits.yaml --set w4.with.weights.bits=3"],
    ["with a page that shows what came out", "run pipelines/digits.yaml --report report.html"],
    ["one stage, and what it needs", "run pipelines/digits.yaml --only w4-test"],
    ["prove that nothing moved since the lock file was written", "run my.yaml --frozen"],
    ["find out in seconds whether it will fail in hours", "run my.yaml --smoke"],
    ["for scripts", "run pipelines/digits.yaml --json > results.json"],
  ],
  takes: {
    file,
    set,
    jobs: option(
      "-j --jobs",
      integer("N", 1),
      "Stages that may run at once; the number of processors unless told",
    ),
    threads: option(
      "--threads",
      integer("N", 1),
      "Threads that the stages share; the number of processors unless told",
    ),
    memory: option(
      "--memory",
      bytes(),
      "Memory that the stages' large data should stay under, together, such as 2Gi; 1Gi unless told",
    ),
    keepGoing: flag(
      "-k --keep-going",
      "If a stage fails, still run those that do not depend on it",
    ),
    smoke: flag(
      "--smoke",
      "Rehearse first: all stages on the first 64 items of each data set, with as little work as they can do",
    ),
    dryRun: flag("-n --dry-run", "Only say what would run, and why"),
    only: options(
      "--only",
      text("STAGE"),
      "Run only this stage and those it takes something from; may be repeated",
    ),
    force: options(
      "--force",
      text("STAGE"),
      "Run this stage even if its result is cached; may be repeated",
    ),
    lock: flag("--lock", "Write what everything depended on to a lock file beside the pipeline"),
    frozen: flag("--frozen", "Fail, with exit code 4, if anything is not as the lock file says"),
    store,
    remote,
    remoteMode,
    sign: option(
      "--sign",
      path("KEY", [".pem"]),
      "Sign provenance and what is written to the remote store with this private key; else BITBOUND_SIGNING_KEY",
    ),
    events: option(
      "--events",
      path("FILE"),
      "Write everything that happens to a file, one JSON object a line; - is standard output, and what was measured then goes to standard error",
    ),
    report: option(
      "--report",
      path("FILE"),
      "Write a report, however the run ends: .html, .md, .txt or .json",
    ),
    json,
  },
  action: (given) => async (streams) =>
    (await importLater<typeof import("../commands/run.ts")>(
      import.meta.resolve("../commands/run.ts"),
    )).run(given, streams),
});

const check = command({
  name: "check",
  brief: "Check a pipeline file",
  description:
    "Finds everything that is wrong with a pipeline file, all at once, without reading models or data.",
  examples: [["each problem with its place and what mends it", "check my.yaml"]],
  takes: { file, set, json },
  action: (given) => async (streams) =>
    (await importLater<typeof import("../commands/check.ts")>(
      import.meta.resolve("../commands/check.ts"),
    )).check(given, streams),
});

const plan = command({
  name: "plan",
  brief: "Say what a run would do",
  description:
    "Says for each stage whether its result is cached or has to be made, why, and how long it took last time.",
  examples: [
    ["what would run now, and why", "plan pipelines/digits.yaml"],
    ["and with another setting", "plan pipelines/digits.yaml --set seed=1"],
  ],
  takes: { file, set, store, remote, json },
  action: (given) => async (streams) =>
    (await importLater<typeof import("../commands/plan.ts")>(
      import.meta.resolve("../commands/plan.ts"),
    )).plan(given, streams),
});

const explain = command({
  name: "explain",
  brief: "Say why stages will run, or did",
  description:
    "Names the ingredients of a stage's cache key that are not what they were when it last succeeded: a parameter, an input, the seed, a version, each old → new. For a pipeline file, why its stages will run; for a run, why they did.",
  examples: [
    ["why would these stages run?", "explain pipelines/digits.yaml"],
    ["only one of them, and with another setting", "explain my.yaml w4 --set seed=1"],
    ["why did they run last time?", "explain latest"],
    ["what differs from a certain run?", "explain my.yaml --against 20260131-235959-3fa9c1"],
  ],
  takes: {
    subject: argument(
      path("FILE|RUN", YAML),
      "A pipeline, or the id of a run: its beginning is enough; latest, latest~1",
    ),
    stages: someArguments(text("STAGE"), "Stages to explain; all of them unless told"),
    against: option("--against", text("RUN"), "Compare with this run instead of the last one"),
    set,
    store,
    json,
  },
  action: (given) => async (streams) =>
    (await importLater<typeof import("../commands/explain.ts")>(
      import.meta.resolve("../commands/explain.ts"),
    )).explain(given, streams),
});

export const pipelineCommands = [run, check, plan, explain];
