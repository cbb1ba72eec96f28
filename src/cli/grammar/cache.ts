/**
 * Commands on the store of cached results.
 *
 * @module
 */

import { importLater } from "../../base/import_later.ts";
import { json, store } from "./shared.ts";
import { command, type CommandGroup, flag, option } from "./syntax.ts";
import { duration, integer } from "./values.ts";

const work = () =>
  importLater<typeof import("../commands/cache.ts")>(import.meta.resolve("../commands/cache.ts"));

const list = command({
  name: "ls",
  brief: "List the cached results",
  description: "Lists the cached results, newest first, with their sizes.",
  examples: [["what is there", "cache ls"]],
  takes: { store, json },
  action: (options) => async (streams) => (await work()).cacheList(options, streams),
});

const verify = command({
  name: "verify",
  brief: "Check every byte of the cache",
  description:
    "Hashes everything in the cache. What is damaged is set aside, and the stages that made it run again next time.",
  examples: [["after a crash or a disk error", "cache verify"]],
  takes: { store, json },
  action: (options) => async (streams) => (await work()).cacheVerify(options, streams),
});

const gc = command({
  name: "gc",
  brief: "Delete what is no longer wanted",
  description:
    "Without limits, deletes only what no result needs. With limits, a run and its results are kept if any limit keeps it.",
  examples: [
    ["what would be deleted", "cache gc --keep-runs 3 --dry-run"],
    ["delete what was not used for two weeks", "cache gc --older-than 14d"],
  ],
  takes: {
    keepRuns: option("--keep-runs", integer("N", 0), "Keep the newest N runs of each pipeline"),
    olderThan: option(
      "--older-than",
      duration(),
      "Delete only what is older, such as 14d, 12h or 30m",
    ),
    dryRun: flag("-n --dry-run", "Only say what would be deleted"),
    store,
    json,
  },
  action: (options) => async (streams) => (await work()).cacheGarbage(options, streams),
});

export const cacheCommands: CommandGroup = {
  name: "cache",
  brief: "List, verify or clean the cached results",
  description: "Works on the store of cached results.",
  examples: [["what is there", "cache ls"], ["make room", "cache gc --keep-runs 3"]],
  commands: [list, verify, gc],
};
