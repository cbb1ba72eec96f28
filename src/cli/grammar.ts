/**
 * The commands there are. The work of one is imported only when it is called.
 *
 * @module
 */

import { cacheCommands } from "./grammar/cache.ts";
import { checkProvenance, keysCommands } from "./grammar/provenance.ts";
import { historyCommands } from "./grammar/history.ts";
import { makingCommands } from "./grammar/making.ts";
import { pipelineCommands } from "./grammar/pipelines.ts";
import { reportCommand } from "./grammar/report.ts";
import { referenceCommands } from "./grammar/reference.ts";
import type { Command, CommandGroup } from "./grammar/syntax.ts";

export type { Action } from "./grammar/syntax.ts";

/** All commands, in the order of help. */
export const commands: readonly (Command | CommandGroup)[] = [
  ...pipelineCommands,
  ...makingCommands,
  ...historyCommands,
  reportCommand,
  ...referenceCommands,
  checkProvenance,
  keysCommands,
  cacheCommands,
];
