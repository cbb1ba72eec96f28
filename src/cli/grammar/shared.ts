/**
 * What several commands take.
 *
 * @module
 */

import { argument, flag, option, options } from "./syntax.ts";
import { choice, path, text } from "./values.ts";

/** What pipeline files end in. */
export const YAML = [".yaml", ".yml"];

export const file = argument(path("FILE", YAML), "A pipeline, such as pipelines/digits.yaml");

export const json = flag("--json", "Print one JSON document instead of text");

export const store = option(
  "--store",
  path("DIR"),
  "The folder of cached results; else BITBOUND_STORE, else the nearest .bitbound",
);

/** How a remote store can be used. */
export const REMOTE_MODES = ["read", "read-write"] as const;

/** Whether a text is one of them. */
export function isRemoteMode(text: string): text is typeof REMOTE_MODES[number] {
  return (REMOTE_MODES as readonly string[]).includes(text);
}

export const remote = option(
  "--remote",
  text("URL"),
  "Where else results are looked for: https://…, s3://…, file:…, or none; else BITBOUND_REMOTE, else the pipeline's store",
);

export const remoteMode = option(
  "--remote-mode",
  choice("MODE", REMOTE_MODES),
  "read, or read-write to write new results there too; else BITBOUND_REMOTE_MODE, else the pipeline's store, else read",
);

export const set = options(
  "--set",
  text("PATH=VALUE"),
  "Change a value of the file, such as w4.with.weights.bits=3; may be repeated",
);
